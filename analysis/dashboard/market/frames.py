"""Frames: what the charts, the map and the figures show of a solution and of the days simulated under it."""

import math
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.baseline import BASELINE_LINE, Baseline, baseline_board
from meanwatt.analysis.dashboard.market.class_boards import class_boards
from meanwatt.analysis.dashboard.market.day_figure import day_figure, unanswered_figure
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.market.key_figures import item, metrics_board
from meanwatt.analysis.dashboard.market.map_layers import (
    curtailed_layer,
    day_of_voltage,
    held_layer,
    loading_layer,
    phase_layers,
    voltage_scale,
)
from meanwatt.analysis.dashboard.market.view import Frame
from meanwatt.analysis.dashboard.shared.figures import group_label, number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.hours import hours_of
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.feeder_map.edges import map_edges
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.library.geography import map_places
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.network.residents import place_residents
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, Economy

FEEDER_TITLES = {
    "baran_wu_33": "33-bus feeder",
    "textbook_line_5": "5-bus line",
    "lv_rural": "Rural low-voltage feeder",
    "lv_semiurban": "Suburban low-voltage feeder",
    "lv_four_wire": "Four-wire low-voltage feeder",
}


def frame(
    solution: Solution, history: History, state: int, *, before: Baseline | None, benchmark: Benchmark | None
) -> Frame:
    """Write the frame of the latest day, or of day 0.

    Parameters
    ----------
    state
        Common state c of that day; on day 0 of the day to come.
    before
        What this solution is told against, drawn as marks beside it.
    benchmark
        The first best; None while it is computed.
    """
    economy = solution.equilibrium.economy
    return Frame(
        day=len(history),
        day_type=_day_type(economy, state),
        chart=to_json(day_figure(solution, history, state, before)),
        network=to_json(network(solution.feeder, solution.places, solution.limits, solution.voltage_pu, economy)),
        voltage=to_json({**_voltage(solution, history, state), "lowest": _lowest(solution, before)}),
        burden=to_json(_burden(solution, history, before)),
        baseline=to_json(baseline_board(before, solution)),
        classes=class_boards(solution),
        metrics=to_json(metrics_board(solution, history, before, benchmark)),
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
    peak, cost = float(load.max()), economy.fixed_cost_usd_per_day * DAYS_PER_MONTH
    items = [
        item("types", "Household types", "", value=str(len(economy.types))),
        item("peak", "Highest demand, unanswered", "kW per home", value=number(peak, 2)),
        item("cost", "Network cost", "$ per home a month", value=number(cost, 0)),
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
        chart=to_json(unanswered_figure(economy, load, state)),
        network=to_json(network(feeder, places, limits, voltage_pu, economy)),
        voltage=to_json({"day": 0, **day_of_voltage(voltage_pu[state], limits, feeder.index(feeder.source))}),
        burden=to_json(_burden_frame(0, groups)),
        baseline=to_json(baseline_board(None, None)),
        metrics=to_json({"day": 0, "items": items}),
    )


def network(
    feeder: Feeder, places: Floats, limits: VoltageLimits, voltage_pu: Floats, economy: Economy
) -> dict[str, Any]:
    """Write what of the map does not change from day to day; ``voltage_pu`` (c, h, bus) sets the range of colours."""
    size = np.maximum(places.max(axis=0), 1)
    land = map_places(feeder)
    share, shape = (places / size, {}) if land is None else (land[0], {"aspect": round(land[1], 4)})
    return {
        "title": FEEDER_TITLES.get(feeder.name, feeder.name),
        "help": help_link("read-feeder"),
        "help_unit": help_link("pu"),
        "source": "substation",
        "root": feeder.index(feeder.source),
        "buses": [
            {"name": name, "homes": int(homes), "x": round(float(x), 4), "y": round(float(y), 4), **who}
            for name, homes, (x, y), who in zip(
                feeder.buses, feeder.customers, share, _residents(feeder, economy), strict=True
            )
        ],
        "lines": [list(ends) for ends in map_edges(feeder)],
        **shape,
        "rows": int(places[:, 1].max()) + 1,
        "columns": int(places[:, 0].max()) + 1,
        **voltage_scale(voltage_pu, limits),
        "slots": economy.slots,
        "hours": hours_of(economy),
        "slot_hours": economy.slot_hours,
    }


def _residents(feeder: Feeder, economy: Economy) -> list[dict[str, str]]:
    """Who lives at each bus, for its description and the table; nothing where everybody lives anywhere."""
    residents = place_residents(economy.scenario, economy.types, feeder)
    if residents.mixed:
        return [{} for _ in feeder.buses]
    here = residents.share * economy.type_share[:, None]
    income = np.array([household.income_usd_per_year for household in economy.types]) @ here
    solar = np.array([household.pv_installed_kw > 0 for household in economy.types]) @ here
    return [
        {"income": f"${earned / all_of:,.0f}", "solar": f"{sunny / all_of:.0%}"}
        if all_of
        else {"income": "", "solar": ""}
        for earned, sunny, all_of in zip(income, solar, here.sum(axis=0), strict=True)
    ]


def _voltage(solution: Solution, history: History, state: int) -> dict[str, Any]:
    feeder = solution.feeder
    today = solution.voltage_pu[state] if history.voltage_pu is None else history.voltage_pu
    source = feeder.index(feeder.source)
    shown = {"day": len(history), **day_of_voltage(today, solution.limits, source)}
    if history.phase_voltage_pu is not None and history.unbalance_percent is not None:
        shown["phases"] = phase_layers(history.phase_voltage_pu, history.unbalance_percent, solution.limits, source)
    more = loading_layer(history.loading) | held_layer(history.held_kw)
    more |= curtailed_layer(history.curtailed_by_bus_kw, before=history.curtails)
    if more:
        shown["layers"] = more
    return shown


def _lowest(solution: Solution, before: Baseline | None) -> str:
    """The mean field's lowest voltage of all weathers, and what it was: the map itself shows the market's days."""
    said = f"Mean field: lowest {number(float(np.nanmin(solution.voltage_pu)), 3)} pu"
    told = None if before is None else before.apart_from(solution)
    if before is None or told is None:
        return f"{said}."
    return f"{said}, {before.word} {number(float(np.nanmin(told.voltage_pu)), 3)}."


def _burden(solution: Solution, history: History, before: Baseline | None) -> dict[str, Any]:
    economy = solution.equilibrium.economy
    market = history.burdens(economy.group_income_usd_per_year) if len(history) else (None,) * len(economy.groups)
    told = None if before is None else before.apart_from(solution)
    bills = np.round(solution.bill_usd_per_month, 2)
    old_bills = bills if told is None else np.round(told.bill_usd_per_month, 2)
    groups = [
        {
            "name": group_label(name),
            "market": None if so_far is None else round(so_far, 6),
            "mean": round(float(solution.metrics.burden[name] or 0.0), 6),
            "before": None if told is None else round(float(told.metrics.burden[name] or 0.0), 6),
            "bill_usd_per_month": float(bill),
            "before_bill_usd_per_month": None if told is None else float(old),
            "dollars": dollars(float(bill)),
            "moved": "" if told is None else dollars(float(old), float(bill)),
        }
        for name, so_far, bill, old in zip(economy.groups, market, bills, old_bills, strict=True)
    ]
    return _burden_frame(len(history), groups, "before" if before is None else before.word)


def dollars(*bills: float) -> str:
    """A bill in whole dollars, or the signed difference of two as they are printed: ``$132``, ``+$18``."""
    whole = [round(bill) for bill in bills]
    if len(whole) == 1:
        return f"{'−' if whole[0] < 0 else ''}${abs(whole[0])}"
    difference = whole[-1] - whole[0]
    return f"{'+' if difference > 0 else '−' if difference < 0 else '±'}${abs(difference)}"


def _burden_frame(day: int, groups: list[dict[str, Any]], word: str = "before") -> dict[str, Any]:
    values = [g[key] for g in groups for key in ("market", "mean", "before") if g[key] is not None]
    most, least = max([0.02, *values]), min([0.0, *values])
    tick = 0.01 if most - least <= 0.08 else 0.02 if most - least <= 0.16 else 0.05
    axis = [math.floor(least / tick - 1e-9) * tick if least < 0 else 0.0, math.ceil(most * 1.05 / tick) * tick]
    return {
        "title": "Burden: share of income paid for electricity",
        "help": help_link("read-burden"),
        "day": day,
        "told": BASELINE_LINE[word],
        "word": word,
        "days": "1 day" if day == 1 else f"{day} days",
        "solved": any(group["mean"] is not None for group in groups),
        "groups": groups,
        "axis": [round(end, 4) for end in axis],
        "tick": tick,
    }


def _day_type(economy: Economy, state: int) -> str:
    return str(economy.common.day_types[economy.common.today[state]]).replace("_", " ")
