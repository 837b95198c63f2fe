"""The figure of a sweep: share of placements in violation against adoption, and the worst voltage, by tariff."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.panels import Panel, PanelLine, adoption_title, hosting_panels
from meanwatt.analysis.hosting.sweep import HostingPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS: Final = (
    (VERMILION, "s", "--"),
    (BLUE, "o", "-"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (INK, "v", "-"),
)
"""Colour, mark and stroke of each tariff, so that they are told apart without colours, too."""


def hosting_figure(plan: HostingPlan, judged: Sequence[HostedTariff]) -> "Figure":
    """Draw the panels of `meanwatt.analysis.hosting.panels.hosting_panels`."""
    from meanwatt.analysis.figures.shown import ShownFigure

    drawn = hosting_panels(plan, judged)
    count = len(drawn)
    columns = 2 if count in (2, 4) else 3
    rows = -(-count // columns)
    figure = ShownFigure(figsize=(4.6 * columns, 3.5 * rows), layout="constrained")
    panels: Any = figure.subplots(rows, columns, squeeze=False)
    percent = 100 * np.array(plan.levels)
    for axes, panel in zip(panels.flat, drawn, strict=False):
        _draw(axes, percent, panel)
    for panel in panels.flat[count:]:
        panel.set_visible(False)
    for panel in panels.flat[max(count - columns, 0) : count]:
        panel.set_xlabel(f"{adoption_title(plan)} [%]")
    panels.flat[0].legend(frameon=False, fontsize=8)
    return figure


def _draw(axes: Any, percent: Any, panel: Panel) -> None:
    for line in panel.lines:
        look = _look(line)
        axes.plot(percent, _array(line.values), **look, label=line.name)
        if line.lowest:
            lowest, highest = _array(line.lowest), _array(line.highest)
            axes.fill_between(percent, lowest, highest, color=look["color"], alpha=0.15, linewidth=0)
    if panel.counts:
        axes.set_ylim(-4, 104)
    elif panel.limit is None:
        axes.set_ylim(bottom=0)
    else:
        axes.axhline(panel.limit, color=INK, linewidth=1, linestyle=(0, (1, 1)))
        start = (percent[0], panel.limit)
        axes.annotate("limit", start, xytext=(2, 3), textcoords="offset points", fontsize=8, color=INK)
    axes.set_title(f"{panel.title} [{panel.unit}]", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)


def _look(line: PanelLine) -> dict[str, Any]:
    """How a line is drawn: with inverters' curves dashed, and without solid, where there are any."""
    color, mark, stroke = MARKS[line.tariff % len(MARKS)]
    look = {"color": color, "marker": mark, "markersize": 4, "linestyle": stroke}
    if line.curves is None:
        return look
    return look | ({"linestyle": "--", "markerfacecolor": "white"} if line.curves else {"linestyle": "-"})


def _array(values: Sequence[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in values])
