"""The figure of allotments: who bears the residual, and who pays for a shift or which rate pays a class's cost."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.allotment.allot import Allotment
from meanwatt.analysis.allotment.names import home_names
from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE
from meanwatt.analysis.metrics.residual_allotment import Allotter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS: Final = {Allotter.PER_CUSTOMER: BLUE, Allotter.PER_KWH: ORANGE, Allotter.EQUI_PROPORTIONAL: GREEN}
CENTS: Final = 100.0
BAR: Final = 0.26


def allotment_figure(done: Allotment) -> "Figure":
    """Draw allotments (left); who pays for the shift, or without one default rates of household types (right)."""
    from meanwatt.analysis.figures.shown import ShownFigure

    names = home_names(done.entries, done.before, done.after)
    figure = ShownFigure(figsize=(10.0, 1.6 + 0.42 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for place, allotter in enumerate(Allotter):
        _bars(left, _cents(done.allotted[allotter], len(names)), place, allotter)
    left.set_title("allotted residual [cents per household-day]", loc="left", fontsize=10)
    left.set_yticks(np.arange(len(names)), names)
    left.invert_yaxis()
    if done.shift is None:
        _draw_rates(done, right)
    else:
        _draw_shift(done, right, len(names))
    for panel in (left, right):
        panel.axvline(0.0, color=INK, linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="x", alpha=0.25)
        panel.legend(
            frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3 if panel is left else 2
        )
    return figure


def _draw_shift(done: Allotment, panel: Any, size: int) -> None:
    """What the shift adds to each home's cost: adjusting, by allotter, and frozen, which is the same for all."""
    assert done.shift is not None
    for place, allotter in enumerate(Allotter):
        found = done.shift[allotter]
        _bars(panel, _cents(None if found is None else found.adjusting, size), place, f"adjusting, {allotter}")
    frozen = next((one.frozen for one in done.shift.values() if one is not None), None)
    if frozen is not None:
        panel.plot(CENTS * frozen, np.arange(size), linestyle="", marker="D", markersize=5, color=INK, label="frozen")
    panel.set_title("added by the shift [cents per household-day]", loc="left", fontsize=10)


def _draw_rates(done: Allotment, panel: Any) -> None:
    """Default rates of household types; none drawn where there is none."""
    for place, allotter in enumerate(Allotter):
        rows = [one for one in done.default_rates if one.level == "household_type" and one.allotter is allotter]
        rates = [None if one.rate is None else one.rate.usd_per_kwh for one in rows]
        _bars(panel, np.array([np.nan if one is None else one for one in rates]), place, allotter)
    panel.set_title("rate that pays the allocated cost [USD/kWh]", loc="left", fontsize=10)


def _cents(values: Floats | None, size: int) -> Floats:
    return np.full(size, np.nan) if values is None else np.asarray(CENTS * values)


def _bars(panel: Any, values: Floats, place: int, label: str) -> None:
    color = tuple(COLORS.values())[place]
    panel.barh(np.arange(len(values)) + (place - 1) * BAR, values, height=BAR, color=color, label=label)
