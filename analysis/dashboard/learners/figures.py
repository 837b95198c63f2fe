"""The figures of learners as the components read them."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.learners import words
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.sums import CENTS_PER_USD, least, sums_of
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.emergence.day_by_day import LearnersDay
from meanwatt.model.network.power_flow import VoltageLimits

FIRST_DAYS: Final = 3
"""Days whose prices are drawn by the hour."""
STYLES: Final = ("a", "second", "third")
"""Of their lines."""
DECADES: Final = 1.2
"""Errors that span more than this many decades get a logarithmic axis."""
HEIGHT: Final = 190
"""Of a panel of a day, at the width of a narrow window. [px]"""


def errors(run: Run, herd: Run | None) -> dict[str, Any]:
    """Errors by day."""
    lines = [
        _line("prices, from the equilibrium's", "a", [day.learners.price_error_usd_per_kwh for day in run.days]),
        _line("beliefs, from the equilibrium's", "sell", [day.belief_error_usd_per_kwh for day in run.days]),
        _line("prices if all follow the equilibrium", "mean", [day.floor.price_error_usd_per_kwh for day in run.days]),
    ]
    for line, anchor in zip(lines, ("price-error", "belief-error", "behaviour-equilibrium"), strict=True):
        line["help"] = help_link(anchor)
    if herd is not None:
        before = [day.learners.price_error_usd_per_kwh for day in herd.days[: len(run.days)]]
        lines.append(_line("prices of the herd", "plain", before))
    lines = [line for line in lines if any(value is not None for value in line["values"])]
    before_sums = None if herd is None else sums_of(herd)
    return {
        "key": "errors",
        "title": "How far from the equilibrium, day by day",
        "unit": words.CENTS,
        "help": help_link("read-learners-errors"),
        "lines": lines,
        "days": run.choice.days,
        "log": spans_decades([value for line in lines for value in line["values"] if value]),
        "digits": 3,
        "caption": words.error_caption(run, sums_of(run), before_sums),
    }


def volts(run: Run, herd: Run | None) -> dict[str, Any]:
    """Hours outside the voltage limits by day."""
    limits = VoltageLimits(run.target.economy.scenario.feeder.limits)
    lines = [
        _hours("this market", "a", [day.learners.figure("hours_outside_limits") for day in run.days]),
        _hours("all follow the equilibrium", "mean", [day.floor.figure("hours_outside_limits") for day in run.days]),
    ]
    if herd is not None:
        before = [day.learners.figure("hours_outside_limits") for day in herd.days[: len(run.days)]]
        lines.append(_hours("the herd", "plain", before))
    lowest = (
        least([day.learners for day in run.days], "min_voltage_pu"),
        least([day.floor for day in run.days], "min_voltage_pu"),
    )
    return {
        "key": "volts",
        "title": "Hours outside the voltage limits",
        "unit": "hours, summed over buses",
        "help": help_link("read-learners-volts"),
        "lines": lines,
        "days": run.choice.days,
        "log": False,
        "digits": 0,
        "caption": words.volts_caption(
            lines[0]["values"], math.fsum(lines[1]["values"]), lowest, (limits.low_pu, limits.high_pu)
        ),
    }


def spans_decades(values: Sequence[float]) -> bool:
    """Whether positive numbers are better drawn by their logarithms."""
    return bool(values) and math.log10(max(values) / min(values)) > DECADES


def hours(run: Run) -> dict[str, Any]:
    """Prices by hour of the first days whose weather is that of the first."""
    shown = same_weather(run.days)
    prices = [CENTS_PER_USD * day.learners.wholesale_usd_per_kwh for day in shown]
    rest = CENTS_PER_USD * run.target.wholesale_usd_per_kwh[shown[0].common_state]
    panel = chart_panel("hours", "Wholesale price", words.CENTS, HEIGHT, 1, axis_ends(*prices, rest))
    panel["lines"] = [
        *(
            chart_line(f"day {day.day + 1}", style, price)
            for day, style, price in zip(shown, STYLES, prices, strict=False)
        ),
        chart_line("equilibrium", "mean", rest),
    ]
    spread = np.ptp(np.array(prices), axis=0)
    widest = int(spread.argmax())
    return day_chart(
        run.target.economy,
        [*((style, f"day {day.day + 1}") for day, style in zip(shown, STYLES, strict=False)), ("mean", "equilibrium")],
        [panel],
        title="Prices of the first days, hour by hour",
        note="Point at an hour, or tap it, to read it here.",
        caption=words.hours_caption(
            tuple(day.day + 1 for day in shown), _hour(run, widest), float(spread[widest]), float(rest[widest])
        ),
        explained=Explained({"": "read-learners-hours"}),
    )


def same_weather(days: Sequence[LearnersDay]) -> list[LearnersDay]:
    """The first days in the common state of the first, at most as many as are drawn."""
    return [day for day in days if day.common_state == days[0].common_state][:FIRST_DAYS]


def load(run: Run) -> dict[str, Any]:
    """The last day's net load over the mean field."""
    last = run.days[-1]
    mean_field: Floats = run.target.net_load_kw[last.common_state]
    gap = last.learners.net_load_kw - mean_field
    panel = chart_panel("load", "Net load", "kW per home", HEIGHT, 2, axis_ends(last.learners.net_load_kw, mean_field))
    panel["lines"] = [
        chart_line("this market", "tonight", last.learners.net_load_kw),
        chart_line("mean field", "mean", mean_field),
    ]
    widest = int(np.abs(gap).argmax())
    return day_chart(
        run.target.economy,
        [("tonight", "this market"), ("mean", "mean field")],
        [panel],
        day=last.day + 1,
        title=f"Net load of day {last.day + 1}",
        note="Point at an hour, or tap it, to read it here.",
        caption=words.load_caption(
            last.day + 1, _hour(run, widest), float(gap[widest]), float(np.sqrt(np.mean(gap**2)))
        ),
        explained=Explained({"": "read-learners-load"}),
    )


def _hour(run: Run, slot: int) -> int:
    """Hour at which a slot begins."""
    return int(slot * run.target.economy.slot_hours)


def _line(name: str, style: str, usd_per_kwh: Sequence[float]) -> dict[str, Any]:
    """A line of prices in cents; None where nothing is known."""
    values = [None if math.isnan(value) else float(f"{CENTS_PER_USD * value:.4g}") for value in usd_per_kwh]
    return {"name": name, "style": style, "values": values}


def _hours(name: str, style: str, values: Sequence[float]) -> dict[str, Any]:
    return {"name": name, "style": style, "values": [round(value, 2) for value in values]}
