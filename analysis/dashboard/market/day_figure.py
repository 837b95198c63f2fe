"""The figure of 24 hours: tonight's homes on the mean field's day, what was before, and a sentence that reads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.baseline import BASELINE_LINE, Baseline, Word
from meanwatt.analysis.dashboard.market.class_lines import SAME_RATE_USD_PER_KWH, class_lines, class_rates
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.market.key_figures import curtails
from meanwatt.analysis.dashboard.shared.day_chart import (
    POINT,
    Explained,
    axis_ends,
    chart_line,
    chart_panel,
    chart_row,
    day_chart,
)
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.hours import hour
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.simulation.charge import ExpectedCharge
from meanwatt.model.scenario.economy import Economy

HEIGHTS = (158, 104, 76)
"""Of the panels of the day chart, at the width of a narrow window. [px]"""
CHARGE_HEIGHT = 90
"""Of one more panel, where homes have batteries. [px]"""
CURTAILED_HEIGHT = 76
"""Of one more panel, where solar output is curtailed. [px]"""
PANEL_GAP = 40
CHART_ANCHORS = {"": "read-day", "mean": "mean-field", "band": "sqrt-n", "before": "baseline"}
"""Where the help page explains the chart and its legend."""
NEW_TAB = "_blank"
"""Where help opens: a visitor who reads it does not leave the run."""
TRAIL = 5
"""Earlier days with the same weather drawn behind today's."""
PERCENT_FROM_KW = 0.05
"""A load below this is told against another in kW: percent of next to nothing say nothing. [kW per home]"""

NO_DAY = "No day has passed under this tariff yet: the solid line comes with day 1 (Play, or Step one day)."
"""Why there is no line of tonight."""
WAS: dict[str, str] = {"before": "what it needed before", "pinned": "the pinned one"}
"""What a load is told against on day 0."""


def day_figure(solution: Solution, history: History, state: int, before: Baseline | None) -> dict[str, Any]:
    """Write the chart of the latest day, or of the mean field's on day 0.

    Parameters
    ----------
    state
        Common state c of that day.
    before
        What the mean field is told against: the same lines of its own mean field, in the same weather.
    """
    told = None if before is None else before.apart_from(solution)
    word: Word = "before" if before is None else before.word
    drawn = Drawn(solution=solution, history=history, state=state, told=told, word=word)
    panels = [_load(drawn), _price(drawn), _tariff(drawn)]
    if solution.charge is not None:
        panels.insert(1, _charge(drawn, solution.charge))
    if curtails(solution):
        panels.insert(1, _curtailed(drawn))
    homes = f"{solution.settings.households:,}"
    legend = [
        ("tonight", f"tonight, {homes} homes"),
        ("mean", "mean field"),
        ("band", f"± 2 standard deviations / √{homes}"),
        ("trail", "earlier days with this weather"),
        ("before", BASELINE_LINE[word]),
    ]
    if solution.charge is not None:
        legend[3:3] = [("tenths", "tonight's emptiest and fullest tenth"), ("meantenths", "the mean field's")]
    chart = day_chart(
        solution.equilibrium.economy,
        legend,
        panels,
        day=len(history),
        note=POINT if len(history) else f"{NO_DAY} {POINT}",
        caption=caption(drawn),
        explained=Explained(CHART_ANCHORS, NEW_TAB),
    )
    chart["legend"][-1]["unseen"] = told is None  # it keeps its place, so that nothing moves when it comes
    return chart


def unanswered_figure(economy: Economy, load_kw: Floats, state: int) -> dict[str, Any]:
    """Write the chart before anything is solved: demand less sun (c, h), as tall as the panels that come."""
    tall = sum(HEIGHTS) + 2 * PANEL_GAP
    if any(household.battery for household in economy.types):
        tall += CHARGE_HEIGHT + PANEL_GAP
    panel = chart_panel("load", "Net load", "kW per home", tall, 3, axis_ends(load_kw))
    panel["lines"] = [chart_line("unanswered", "plain", load_kw[state])]
    slot = int(load_kw[state].argmax())
    needs = f"{number(float(load_kw[state, slot]), 2)} kW"
    text = f"At {hour(slot, economy.slot_hours)} a home would need {needs}, if it did not answer a price."
    legend = [("plain", "demand less sun, before anybody answers a price")]
    return day_chart(economy, legend, [panel], caption=text, explained=Explained(CHART_ANCHORS, NEW_TAB))


Values = Callable[[Solution], Floats]
"""Reads a quantity (c, h) off a solution."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What a figure is drawn of.

    Attributes
    ----------
    solution, history, state
        The tariff in force, the days so far, and the common state c of the day shown.
    told
        What the mean field is told against; None if nothing.
    word
        What that is called.
    """

    solution: Solution
    history: History
    state: int
    told: Solution | None = None
    word: Word = "before"

    def tonight(self, days: Sequence[Floats]) -> list[dict[str, Any]]:
        """The line of the latest day, if there is one."""
        return [chart_line("tonight", "tonight", days[-1])] if days else []

    def trail(self, days: Sequence[Floats]) -> list[list[float]]:
        """Earlier days with the same weather."""
        return [chart_row(days[index]) for index in self.history.earlier_like_today(TRAIL)] if days else []

    def marked(
        self, values: Callable[[Solution], Floats], name: str = "", *, step: bool = False
    ) -> list[dict[str, Any]]:
        """The baseline's own line, if there is one. Rates are stairs, and left out where an hour is read aloud."""
        if self.told is None:
            return []
        line = chart_line(f"{name}{self.word}", "before", values(self.told)[self.state])
        return [{**line, "step": step, "quiet": step}]

    def also(self, values: Values) -> list[Floats]:
        """What an axis must hold of the baseline, in all weathers: it must not change from day to day."""
        return [] if self.told is None else [values(self.told)]


def _load(drawn: Drawn) -> dict[str, Any]:
    """Panel of the net load."""
    low, high = drawn.solution.expected.band_kw(drawn.solution.settings.households)
    room = (high - low) / 2
    axis = axis_ends(low - room, high + room, *drawn.also(_net_load))
    panel = chart_panel("load", "Net load", "kW per home", HEIGHTS[0], 3, axis)
    return _filled(panel, drawn, (low, high), drawn.history.net_load_kw, _net_load)


def _price(drawn: Drawn) -> dict[str, Any]:
    """Panel of the wholesale price that the load makes."""
    economy = drawn.solution.equilibrium.economy
    low, high = drawn.solution.expected.band_kw(drawn.solution.settings.households)
    ends = economy.supply.price(low + economy.rest_load_kw), economy.supply.price(high + economy.rest_load_kw)
    axis = axis_ends(*ends, *drawn.also(_wholesale))
    panel = chart_panel("price", "Wholesale price", "$/kWh", HEIGHTS[1], 4, axis)
    return _filled(panel, drawn, ends, drawn.history.wholesale_usd_per_kwh, _wholesale)


def _curtailed(drawn: Drawn) -> dict[str, Any]:
    """Panel of the solar output that is held back."""
    mean = _held_back(drawn.solution)
    low, high = drawn.solution.expected.curtailed_band_kw(drawn.solution.settings.households)
    axis = axis_ends(np.zeros(1), 2 * high - mean, *drawn.also(_held_back))
    panel = chart_panel("curtailed", "Solar curtailed", "kW per home", CURTAILED_HEIGHT, 3, axis)
    return _filled(panel, drawn, (low, high), drawn.history.curtailed_kw, _held_back)


def _charge(drawn: Drawn, charge: ExpectedCharge) -> dict[str, Any]:
    """Panel of how full the batteries are at the end of each hour."""
    low, high = (100 * end for end in charge.band(drawn.solution.settings.households))
    panel = chart_panel("charge", "Batteries", "% full", CHARGE_HEIGHT, 0, [0.0, 100.0])
    panel = _filled(panel, drawn, (low, high), [100 * day for day in drawn.history.charge], _full)
    names = ("emptiest tenth", "fullest tenth")
    expected = [
        chart_line(f"mean field's {name}", "meantenths", 100 * end[drawn.state])
        for name, end in zip(names, charge.tenths, strict=True)
    ]
    tonight = drawn.history.tenths
    lived = (
        [] if tonight is None else [chart_line(n, "tenths", 100 * end) for n, end in zip(names, tonight, strict=True)]
    )
    panel["lines"] = [*({**line, "quiet": True} for line in (*lived, *expected)), *panel["lines"]]
    return panel


def _filled(
    panel: dict[str, Any],
    drawn: Drawn,
    band: tuple[Floats, Floats],
    days: Sequence[Floats],
    mean: Values,
) -> dict[str, Any]:
    """A panel with its band, earlier days, tonight, the mean field, and the mean field of the baseline."""
    state = drawn.state
    panel["low"], panel["high"] = chart_row(band[0][state]), chart_row(band[1][state])
    panel["trail"] = drawn.trail(days)
    expected = chart_line("mean field", "mean", mean(drawn.solution)[state])
    panel["lines"] = [*drawn.tonight(days), expected, *drawn.marked(mean)]
    return panel


def _tariff(drawn: Drawn) -> dict[str, Any]:
    """Panel of the rates."""
    classes = class_rates(drawn.solution)
    every = [rate for one in classes for rate in (one.pay, one.earn) if rate is not None]
    axis = axis_ends(np.zeros(1), *every, *drawn.also(_pay), *drawn.also(_earn))
    panel = chart_panel("tariff", "Tariff", "$/kWh", HEIGHTS[2], 3, axis)
    if len(classes) > 1:
        panel["lines"] = class_lines(classes, drawn.state)
        return panel
    pay, earn = _pay(drawn.solution), _earn(drawn.solution)
    marks = [*drawn.marked(_pay, "pay, ", step=True), *drawn.marked(_earn, "earn, ", step=True)]
    panel["lines"] = [*tariff_lines(pay[drawn.state], earn[drawn.state]), *marks]
    return panel


def _net_load(solution: Solution) -> Floats:
    return solution.expected.net_load_kw


def _wholesale(solution: Solution) -> Floats:
    return solution.expected.price_usd_per_kwh


def _held_back(solution: Solution) -> Floats:
    return solution.expected.curtailed_kw


def _full(solution: Solution) -> Floats:
    """How full batteries are in the mean field; empty ones where no home has one. [%]"""
    return np.zeros_like(_net_load(solution)) if solution.charge is None else 100 * solution.charge.share


def _pay(solution: Solution) -> Floats:
    return solution.equilibrium.rates.import_usd_per_kwh


def _earn(solution: Solution) -> Floats:
    return solution.equilibrium.rates.export_usd_per_kwh


def caption(drawn: Drawn) -> str:
    """One sentence that reads the figure at the hour of its highest load.

    After a day: the market against the mean field. Before the first: the mean field against the baseline's.
    """
    mean = _net_load(drawn.solution)[drawn.state]
    hours = drawn.solution.equilibrium.economy.slot_hours
    if len(drawn.history):
        load = drawn.history.net_load_kw[-1]
        slot = int(load.argmax())
        return f"At {hour(slot, hours)} the market {needs(load[slot])}, {apart(load[slot], mean[slot])}."
    slot = int(mean.argmax())
    said = f"At {hour(slot, hours)} the mean field {needs(mean[slot])}"
    if drawn.told is None:
        return f"{said}, the most of the day."
    old = _net_load(drawn.told)[drawn.state][slot]
    return f"{said}, {apart(mean[slot], old, WAS[drawn.word])}."


def needs(load_kw: float) -> str:
    """What a home takes from the network, or gives, in words."""
    verb = "needs" if load_kw >= 0 else "feeds in"
    return f"{verb} {abs(load_kw):.2f} kW a home"


def apart(load_kw: float, other_kw: float, other: str = "the mean field") -> str:
    """How far a load is from another, in percent where they are not next to nothing, else in kW."""
    difference = load_kw - other_kw
    if load_kw > 0 and other_kw >= PERCENT_FROM_KW:
        size, unit = f"{100 * abs(difference) / other_kw:.1f}", "%"
    else:
        size, unit = f"{abs(difference):.2f}", "kW"
    if not float(size):
        return f"as much as {other}"
    return f"{size} {unit} {'above' if difference > 0 else 'below'} {other}"


def tariff_lines(pay: Floats, earn: Floats) -> list[dict[str, Any]]:
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
