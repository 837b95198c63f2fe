"""The day of the home that is followed: its chart, its bill in parts that add up, and its reasons."""

from typing import Any

import numpy as np

from meanwatt.agents.tariff.tariff import FIXED_CHARGE
from meanwatt.analysis.dashboard.market.home_reasons import Planned, planned, reasons
from meanwatt.analysis.dashboard.market.homes import home_name
from meanwatt.analysis.dashboard.shared.bill_parts import part_label
from meanwatt.analysis.dashboard.shared.day_chart import axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.market.home_day import ADDER, ENERGY, EXPORTS, WHOLESALE, HomeDay
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.counted import counted

BY_MONTH = "are billed with the month"
HEIGHTS = {"load": 130, "charge": 70, "price": 104}
"""Of the panels, at the width of a narrow window. [px]"""
PARTS = {
    ENERGY: "Energy charge",
    WHOLESALE: "Wholesale price passed on",
    ADDER: "Adder for the network cost",
    EXPORTS: "Solar sold",
    FIXED_CHARGE: "Fixed charge",
    "access_charge": "Grid access",
}
"""Parts of a bill in words."""


def home_board(market: ProsumerMarket, household: int, found: Solution, day: HomeDay | None) -> dict[str, Any]:
    """Write what the component `home_card` shows of a home: its reasons and its bill.

    Parameters
    ----------
    found
        The solution whose policies it follows.
    day
        Its last day; None before the first.
    """
    board = {
        "home_title": home_name(market, household),
        "where": f"on bus {market.bus_names[int(market.population.bus[household])]}",
        "help": help_link("read-home"),
        "day": market.day,
        "reasons": ["Its day is drawn as soon as one has passed: press Step one day."],
        "bill": [],
        "total": "",
        "to_date": "",
    }
    if day is None:
        return board
    plan = planned(found.decided, market.population.type_of(household), day)
    account = float(market.population.bill_usd[household])
    return board | {
        "reasons": reasons(day, plan, market.slot_hours),
        "bill": bill_rows(day, market.slot_hours),
        "total": dollars(round(100 * day.bill_usd)),
        "to_date": f"{dollars(round(100 * account))} in {counted(market.day, 'day')}{by_month(found, day)}",
    }


def by_month(found: Solution, day: HomeDay) -> str:
    """What its month's end adds to a home's bill, in words; empty where its tariff has no components."""
    parts = listed([part_label(part.name).lower() for part in found.equilibrium.tariff.of(day.type).components])
    return f"; {parts} {BY_MONTH}" if found.equilibrium.tariff.of(day.type).components else ""


def bill_rows(day: HomeDay, slot_hours: float) -> list[dict[str, str]]:
    """The parts of a day's bill that are not nothing, in cents that add up to the bill as printed.

    The largest part takes what rounding leaves.
    """
    bought = float(np.maximum(day.net_load_kw, 0).sum() * slot_hours)
    sold = float(np.maximum(-day.net_load_kw, 0).sum() * slot_hours)
    energy = {ENERGY: bought, WHOLESALE: bought, ADDER: bought, EXPORTS: sold}
    told = {name: usd for name, usd in day.parts_usd.items() if round(100 * usd) or name == ENERGY}
    cents = [round(100 * usd) for usd in told.values()]
    largest = max(range(len(cents)), key=lambda index: abs(cents[index]))
    cents[largest] += round(100 * day.bill_usd) - sum(cents)
    return [
        {
            "label": PARTS.get(name, name.replace("_", " ").capitalize()),
            "on": f"{energy[name]:.1f} kWh" if name in energy else "",
            "amount": dollars(amount),
        }
        for name, amount in zip(told, cents, strict=True)
    ]


def dollars(cents: int) -> str:
    """Whole cents as dollars, with a true minus sign."""
    return f"{'−' if cents < 0 else ''}${abs(cents) / 100:.2f}"


def home_chart(market: ProsumerMarket, found: Equilibrium, day: HomeDay) -> dict[str, Any]:
    """Write the chart of a home's day for the component `day_chart`."""
    plan = planned(found, market.population.type_of(day.household), day)
    legend = [("tonight", "net load" if day.type.battery is None else "net load, and charge of the battery")]
    legend.append(("plain", "use"))
    if day.solar_kw.any():
        legend.append(("sell", "solar, and what a kWh sold earns"))
    legend.append(("buy", "what a kWh costs"))
    panels = [_load(day), _price(day, plan)]
    if day.type.battery is not None:
        legend.append(("b", "what a kWh kept is worth in its plan"))
        panels.insert(1, _charge(day, day.type.battery.capacity_kwh))
    return day_chart(
        market.economy,
        legend,
        panels,
        day=market.day,
        title="Its 24 hours",
        note="Point at an hour, or tap it, to read it.",
    )


def _load(day: HomeDay) -> dict[str, Any]:
    """Panel of net load, use and solar output."""
    axis = axis_ends(np.zeros(1), day.net_load_kw, day.use_kw, day.solar_kw)
    panel = chart_panel("home-load", "Load", "kW", HEIGHTS["load"], 2, axis)
    sun = [chart_line("solar", "sell", day.solar_kw)] if day.solar_kw.any() else []
    panel["lines"] = [
        chart_line("net load", "tonight", day.net_load_kw),
        chart_line("use", "plain", day.use_kw),
        *sun,
    ]
    return panel


def _charge(day: HomeDay, capacity_kwh: float) -> dict[str, Any]:
    """Panel of the state of charge at the end of each hour."""
    panel = chart_panel("home-charge", "Battery", f"kWh of {capacity_kwh:g}", HEIGHTS["charge"], 1, [0.0, capacity_kwh])
    panel["lines"] = [chart_line("charge", "tonight", day.stored_kwh)]
    return panel


def _price(day: HomeDay, plan: Planned) -> dict[str, Any]:
    """Panel of the prices on its bill, and of the worth of a kWh kept."""
    pay, earn = day.import_usd_per_kwh, day.export_usd_per_kwh
    lines = [{**chart_line("costs", "buy", pay), "step": True}]
    shown = [np.zeros(1), pay]
    if day.solar_kw.any():
        lines.append({**chart_line("earns", "sell", earn), "step": True})
        shown.append(earn)
    if day.type.battery is not None:
        lines.append(chart_line("kept is worth", "b", plan.worth))
        shown.append(plan.worth)
    panel = chart_panel("home-price", "A kWh", "$/kWh", HEIGHTS["price"], 3, axis_ends(*shown))
    panel["lines"] = lines
    return panel
