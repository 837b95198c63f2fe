"""Frames: what the charts, the map and the figures show of a solution and of the days simulated under it."""

import math
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared.day_chart import (
    Explained,
    axis_ends,
    chart_line,
    chart_panel,
    chart_row,
    day_chart,
)
from meanwatt.analysis.dashboard.shared.figures import ANCHORS, FIGURES, group_label, number, recovered
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.metrics.equity import burden_gap
from meanwatt.analysis.metrics.stability import peak_to_average, realised_imv
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, Economy

HEIGHTS = (158, 104, 76)
"""Of the panels of the day chart, at the width of a narrow window. [px]"""
CURTAILED_HEIGHT = 76
"""Of one more panel, where solar output is curtailed. [px]"""
SEEN_KW = 5e-5
"""Curtailed solar output from here on is a number on the page. [kW per home]"""
PANEL_GAP = 40
SAME_RATE_USD_PER_KWH = 5e-4
"""Rates closer than this are one line to the eye. [USD/kWh]"""
CHART_ANCHORS = {"": "read-day", "mean": "mean-field", "band": "sqrt-n"}
"""Where the help page explains the chart and its legend."""
NEW_TAB = "_blank"
"""Where help opens: a visitor who reads it does not leave the run."""
TRAIL = 5
"""Earlier days with the same weather drawn behind today's."""
FEEDER_TITLES = {
    "baran_wu_33": "33-bus feeder",
    "textbook_line_5": "5-bus line",
    "lv_rural": "Rural low-voltage feeder",
    "lv_semiurban": "Suburban low-voltage feeder",
}


def frame(
    solution: Solution, history: History, state: int, *, before: Solution | None, benchmark: Benchmark | None
) -> Frame:
    """Write the frame of the latest day, or of day 0.

    Parameters
    ----------
    state
        Common state c of that day; on day 0 of the day to come.
    before
        The solution in force before this one, whose burdens are drawn as outlines.
    benchmark
        The first best; None while it is computed.
    """
    economy = solution.equilibrium.economy
    return Frame(
        day=len(history),
        day_type=_day_type(economy, state),
        chart=to_json(_chart(solution, history, state)),
        network=to_json(network(solution.feeder, solution.places, solution.limits, solution.voltage_pu, economy)),
        voltage=to_json(_voltage(solution, history, state)),
        burden=to_json(_burden(solution, history, before)),
        metrics=to_json(_metrics(solution, history, benchmark)),
    )


def preview(economy: Economy, feeder: Feeder, places: Floats, limits: VoltageLimits, voltage_pu: Floats) -> Frame:
    """Frame of a scenario that is not solved yet: reference demand, before anybody answers a price.

    Parameters
    ----------
    voltage_pu : (c, h, bus) float
        Voltages at the reference demand less sun. [pu]
    """
    state = int(np.argmax(economy.common.probability))
    load = economy.mean_reference_kw - np.asarray(sum(t.share * t.pv_kw for t in economy.types))
    panel = chart_panel("load", "Net load", "kW per home", sum(HEIGHTS) + 2 * PANEL_GAP, 3, axis_ends(load))
    panel["lines"] = [chart_line("unanswered", "plain", load[state])]
    legend = [("plain", "demand less sun, before anybody answers a price")]
    chart = day_chart(economy, legend, [panel], explained=Explained(CHART_ANCHORS, NEW_TAB))
    peak, cost = float(load.max()), economy.fixed_cost_usd_per_day * DAYS_PER_MONTH
    items = [
        _item("types", "Household types", "", value=str(len(economy.types))),
        _item("peak", "Highest demand, unanswered", "kW per home", value=number(peak, 2)),
        _item("cost", "Network cost", "$ per home a month", value=number(cost, 0)),
    ]
    groups = [
        {
            "name": group_label(name),
            "market": None,
            "mean": None,
            "before": None,
            "note": f"earns ${income:,.0f} a year",
        }
        for name, income in zip(economy.groups, economy.group_income_usd_per_year, strict=True)
    ]
    return Frame(
        day=0,
        day_type=_day_type(economy, state),
        chart=to_json(chart),
        network=to_json(network(feeder, places, limits, voltage_pu, economy)),
        voltage=to_json({"day": 0, **_day_of_voltage(voltage_pu[state], limits, feeder.index(feeder.source))}),
        burden=to_json(_burden_frame(0, groups)),
        metrics=to_json({"day": 0, "items": items}),
    )


def network(
    feeder: Feeder, places: Floats, limits: VoltageLimits, voltage_pu: Floats, economy: Economy
) -> dict[str, Any]:
    """Write what of the map does not change from day to day; ``voltage_pu`` (c, h, bus) sets the range of colours."""
    low = min(math.floor(np.nanmin(voltage_pu) * 100 - 0.5) / 100, 0.94)
    high = max(math.ceil(np.nanmax(voltage_pu) * 100 + 0.5) / 100, 1.0)
    size = np.maximum(places.max(axis=0), 1)
    step = 0.05 if high - low > 0.13 else 0.02
    ticks = [round(k * step, 3) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    marks = sorted({bound for bound in (limits.low_pu, limits.high_pu) if low <= bound <= high})
    return {
        "title": FEEDER_TITLES.get(feeder.name, feeder.name),
        "help": help_link("read-feeder"),
        "help_unit": help_link("pu"),
        "source": "substation",
        "root": feeder.index(feeder.source),
        "buses": [
            {"name": name, "homes": int(homes), "x": round(float(x), 4), "y": round(float(y), 4)}
            for name, homes, (x, y) in zip(feeder.buses, feeder.customers, places / size, strict=True)
        ],
        "lines": [[int(parent), bus] for bus, parent in enumerate(feeder.parent) if parent >= 0],
        "rows": int(places[:, 1].max()) + 1,
        "columns": int(places[:, 0].max()) + 1,
        "domain": [low, high],
        "ticks": [tick for tick in ticks if all(abs(tick - mark) > step / 3 for mark in marks)],
        "limits": [limits.low_pu, limits.high_pu],
        "slots": economy.slots,
        "slot_hours": economy.slot_hours,
    }


def _chart(solution: Solution, history: History, state: int) -> dict[str, Any]:
    equilibrium, expected = solution.equilibrium, solution.expected
    economy, homes = equilibrium.economy, solution.settings.households
    low, high = expected.band_kw(homes)
    rest = economy.rest_load_kw
    price_low, price_high = economy.supply.price(low + rest), economy.supply.price(high + rest)
    trail = history.earlier_like_today(TRAIL) if len(history) else []
    room = (high - low) / 2
    load = chart_panel("load", "Net load", "kW per home", HEIGHTS[0], 3, axis_ends(low - room, high + room))
    price = chart_panel("price", "Wholesale price", "$/kWh", HEIGHTS[1], 4, axis_ends(price_low, price_high))
    rows = (
        (load, low, high, history.net_load_kw, expected.net_load_kw),
        (price, price_low, price_high, history.wholesale_usd_per_kwh, expected.price_usd_per_kwh),
    )
    for panel, least, most, days, mean in rows:
        panel["low"], panel["high"] = chart_row(least[state]), chart_row(most[state])
        panel["trail"] = [chart_row(days[index]) for index in trail]
        tonight = [chart_line("tonight", "tonight", days[-1])] if len(history) else []
        panel["lines"] = [*tonight, chart_line("mean field", "mean", mean[state])]
    rates = equilibrium.rates
    both = np.concatenate([rates.import_usd_per_kwh, rates.export_usd_per_kwh])
    tariff = chart_panel("tariff", "Tariff", "$/kWh", HEIGHTS[2], 3, axis_ends(np.zeros(1), both))
    tariff["lines"] = _tariff_lines(rates.import_usd_per_kwh[state], rates.export_usd_per_kwh[state])
    legend = [
        ("tonight", f"tonight, {homes:,} homes"),
        ("mean", "mean field"),
        ("band", f"± 2 standard deviations / √{homes:,}"),
        ("trail", "earlier days with this weather"),
    ]
    panels = [load, price, tariff]
    if _curtails(solution):
        panels.insert(1, _curtailed(solution, history, state, trail))
    return day_chart(economy, legend, panels, day=len(history), explained=Explained(CHART_ANCHORS, NEW_TAB))


def _curtails(solution: Solution) -> bool:
    """Whether the homes curtail in any weather; where the mean field does not, no home of the market does."""
    return bool(solution.expected.curtailed_kw.max() >= SEEN_KW)


def _curtailed(solution: Solution, history: History, state: int, trail: list[int]) -> dict[str, Any]:
    """Panel of the solar output that is held back."""
    mean, days = solution.expected.curtailed_kw, history.curtailed_kw
    low, high = solution.expected.curtailed_band_kw(solution.settings.households)
    axis = axis_ends(np.zeros(1), 2 * high - mean)
    panel = chart_panel("curtailed", "Solar curtailed", "kW per home", CURTAILED_HEIGHT, 3, axis)
    panel["low"], panel["high"] = chart_row(low[state]), chart_row(high[state])
    panel["trail"] = [chart_row(days[index]) for index in trail]
    tonight = [chart_line("tonight", "tonight", days[-1])] if len(history) else []
    panel["lines"] = [*tonight, chart_line("mean field", "mean", mean[state])]
    return panel


def _tariff_lines(pay: Floats, earn: Floats) -> list[dict[str, Any]]:
    """Both rates, labelled in the middle of the hours in which they are furthest apart; as one if they are the same."""
    gap = np.abs(pay - earn)
    same = gap.max() < SAME_RATE_USD_PER_KWH
    widest = gap > gap.max() - SAME_RATE_USD_PER_KWH
    runs = np.split(np.arange(len(gap)), np.flatnonzero(np.diff(widest)) + 1)
    longest = max((run for run in runs if widest[run[0]]), key=len)
    place = {"label_slot": int(longest[len(longest) // 2]), "step": True}
    above = bool(pay[place["label_slot"]] >= earn[place["label_slot"]])
    return [
        {
            **chart_line("homes pay", "buy", pay),
            **place,
            "label": "pay and earn" if same else "pay",
            "label_above": above,
        },
        {**chart_line("solar earns", "sell", earn), **place, "label": "" if same else "earn", "label_above": not above},
    ]


def _voltage(solution: Solution, history: History, state: int) -> dict[str, Any]:
    feeder = solution.feeder
    today = solution.voltage_pu[state] if history.voltage_pu is None else history.voltage_pu
    return {"day": len(history), **_day_of_voltage(today, solution.limits, feeder.index(feeder.source))}


def _day_of_voltage(voltage_pu: Floats, limits: VoltageLimits, source: int) -> dict[str, Any]:
    """Voltages (h, bus), and the slot furthest beyond a limit, or from the source's; no solution shows as 0."""
    known = np.nan_to_num(voltage_pu, nan=0.0)
    beyond = np.maximum(limits.low_pu - known, known - limits.high_pu)
    if not (beyond > 0).any():
        beyond = np.abs(known - known[:, [source]])
    return {"voltage_pu": np.round(known, 4).tolist(), "worst_slot": int(beyond.max(axis=1).argmax())}


def _burden(solution: Solution, history: History, before: Solution | None) -> dict[str, Any]:
    economy = solution.equilibrium.economy
    market = history.burdens(economy.group_income_usd_per_year) if len(history) else (None,) * len(economy.groups)
    comparable = before is not None and before.settings.scenario == solution.settings.scenario
    groups = []
    for index, name in enumerate(economy.groups):
        so_far = market[index]
        groups.append(
            {
                "name": group_label(name),
                "market": None if so_far is None else round(so_far, 6),
                "mean": round(float(solution.metrics.burden[name] or 0.0), 6),
                "before": round(float(before.metrics.burden[name] or 0.0), 6) if before and comparable else None,
                "bill_usd_per_month": round(float(solution.bill_usd_per_month[index]), 2),
            }
        )
    return _burden_frame(len(history), groups)


def _burden_frame(day: int, groups: list[dict[str, Any]]) -> dict[str, Any]:
    values = [g[key] for g in groups for key in ("market", "mean", "before") if g[key] is not None]
    most, least = max([0.02, *values]), min([0.0, *values])
    tick = 0.01 if most - least <= 0.08 else 0.02 if most - least <= 0.16 else 0.05
    axis = [math.floor(least / tick - 1e-9) * tick if least < 0 else 0.0, math.ceil(most * 1.05 / tick) * tick]
    return {
        "title": "Burden: share of income paid for electricity",
        "help": help_link("read-burden"),
        "day": day,
        "days": "1 day" if day == 1 else f"{day} days",
        "solved": any(group["mean"] is not None for group in groups),
        "groups": groups,
        "axis": [round(end, 4) for end in axis],
        "tick": tick,
    }


def _metrics(solution: Solution, history: History, benchmark: Benchmark | None) -> dict[str, Any]:
    metrics, day = solution.metrics, len(history)
    slot_hours = solution.equilibrium.economy.slot_hours
    best = benchmark.welfare_usd_per_household_day if benchmark else None
    gap = None if best is None else max(best - metrics.welfare_usd_per_household_day, 0.0)
    lowest = float(np.nanmin(solution.voltage_pu))
    so_far = {"surplus": recovered(solution)} | ({} if benchmark else {"efficiency": "being computed"})
    if day:
        price, load = np.array(history.wholesale_usd_per_kwh), np.array(history.net_load_kw)
        gap_so_far = burden_gap(history.burdens(solution.equilibrium.economy.group_income_usd_per_year))
        peak = peak_to_average(load)
        so_far |= {
            "gap": f"so far {number(100 * gap_so_far, 2)}",
            "imv": f"so far {number(realised_imv(price), 4)}",
            "peak": f"so far {number(peak, 2)}",
            "volts": f"tonight {number(history.lowest_pu[-1], 3)}",
            "curtailed": f"tonight {number(float(history.curtailed_kw[-1].sum()) * slot_hours, 2)}",
        }
    surplus = metrics.surplus_usd_per_household_day
    surplus = surplus if abs(surplus) >= 5e-4 else 0.0
    rows = [
        ("efficiency", number(gap, 3)),
        ("gap", number(100 * metrics.burden_gap, 2)),
        ("imv", number(metrics.imv, 4)),
        ("peak", number(metrics.peak_to_average, 2)),
        ("surplus", number(surplus, 2)),
        ("volts", number(lowest, 3)),
    ]
    if _curtails(solution):
        rows.append(("curtailed", number(solution.equilibrium.curtailed_kwh_per_household_day, 2)))
    items = [_item(key, *FIGURES[key], value=value, beside=so_far.get(key, "")) for key, value in rows]
    return {"day": day, "items": items}


def _item(key: str, label: str, unit: str, text: str = "", *, value: str, beside: str = "") -> dict[str, str]:
    more = help_link(ANCHORS[key]) if key in ANCHORS else ""
    return {"key": key, "label": label, "value": value, "unit": unit, "help": text, "beside": beside, "more": more}


def _day_type(economy: Economy, state: int) -> str:
    return str(economy.common.day_types[economy.common.today[state]]).replace("_", " ")
