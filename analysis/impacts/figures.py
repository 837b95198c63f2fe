"""Figures of bill changes: their distribution, and each customer's against what it buys."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import BLUE, INK, VERMILION
from meanwatt.analysis.figures.results import SIZE
from meanwatt.analysis.impacts.bill_changes import BillChanges

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS: Final = 40
DRAWN: Final = 800
"""Most customers that are drawn as points; taken evenly along what they buy."""


def impacts_figure(without: BillChanges | None, with_response: BillChanges | None) -> "Figure":
    """Draw the distribution of changes (left), and changes against energy bought under A (right)."""
    from meanwatt.analysis.figures.shown import ShownFigure

    figure = ShownFigure(figsize=SIZE, layout="constrained")
    panels: Any = figure.subplots(1, 2)
    draw_impacts(without, with_response, *panels)
    return figure


def draw_impacts(without: BillChanges | None, with_response: BillChanges | None, left: Any, right: Any) -> None:
    """The same on panels given."""
    drawn = [
        (found, label, color, marker)
        for found, label, color, marker in (
            (without, "without response", BLUE, "o"),
            (with_response, "with response", VERMILION, "x"),
        )
        if found is not None
    ]
    edges = _edges([found.change_usd_per_year for found, *_ in drawn])
    for found, label, color, marker in drawn:
        change, bought = found.change_usd_per_year, found.customers.bought_kwh_per_year
        share = np.histogram(change, edges)[0] / len(change)
        left.stairs(100 * share, edges, color=color, linewidth=2, label=label, fill=False)
        shown = np.argsort(bought, kind="stable")[_evenly(len(bought))]
        right.scatter(
            bought[shown], change[shown], s=9, color=color, marker=marker, linewidths=0.7, alpha=0.6, label=label
        )
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", alpha=0.25)
        panel.legend(frameon=False, fontsize=8)
    left.axvline(0.0, color=INK, linewidth=0.8)
    right.axhline(0.0, color=INK, linewidth=0.8)
    left.set_xlabel("change of the bill [USD a year]")
    left.set_title("customers [%]", loc="left")
    right.set_xlabel("bought under A [kWh a year]")
    right.set_title("change of the bill [USD a year]", loc="left")


def _edges(changes: list[Floats]) -> Floats:
    """Edges of the bars over all changes."""
    low, high = min(float(one.min()) for one in changes), max(float(one.max()) for one in changes)
    if high - low < 1.0:  # all alike
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def _evenly(count: int) -> Any:
    return np.unique(np.linspace(0, count - 1, min(DRAWN, count)).round().astype(int))
