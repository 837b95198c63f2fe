"""Figures of the gallery: a panel for each phenomenon, or all of them on one sheet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, ORANGE, VERMILION
from meanwatt.analysis.phenomena.gallery import Shown
from meanwatt.analysis.phenomena.phenomenon import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS: Final = (BLUE, VERMILION, GREEN, ORANGE)
MARKERS: Final = ("o", "s", "^", "D")
SIZE: Final = (7.0, 3.2)
MANY: Final = 7
"""Bars from which on their names are set smaller."""
SHEET_COLUMNS: Final = 3
SHEET_CELL: Final = (4.6, 3.1)


def panel_figure(panel: Panel) -> "Figure":
    """One panel."""
    from meanwatt.analysis.figures.shown import ShownFigure

    figure = ShownFigure(figsize=SIZE, layout="constrained")
    _draw(panel, figure.subplots())
    return figure


def gallery_sheet(shown: Sequence[Shown]) -> "Figure":
    """All panels with title and verdict."""
    from meanwatt.analysis.figures.shown import ShownFigure

    drawn = [one for one in shown if one.finding is not None]
    rows = -(-len(drawn) // SHEET_COLUMNS)
    width, height = SHEET_CELL
    figure = ShownFigure(figsize=(width * SHEET_COLUMNS, height * rows), layout="constrained")
    axes: Any = np.atleast_1d(figure.subplots(rows, SHEET_COLUMNS)).ravel()
    for axis, one in zip(axes, drawn, strict=False):
        assert one.finding is not None
        _draw(one.finding.panel, axis)
        axis.set_title(f"{one.phenomenon.title}: {one.verdict}", loc="left", fontsize=10)
    for axis in axes[len(drawn) :]:
        axis.set_visible(False)
    return figure


def _draw(panel: Panel, axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_xlabel(panel.x_title)
    axis.set_ylabel(panel.y_title, fontsize=8)
    axis.grid(axis="y", alpha=0.25)
    axis.tick_params(labelsize=8)
    draw = _bars if panel.bars else _lines
    draw(panel, axis)
    if len(panel.lines) > 1:
        axis.legend(frameon=False, fontsize=7)


def _lines(panel: Panel, axis: Any) -> None:
    for place, (name, values) in enumerate(panel.lines.items()):
        known = np.array([np.nan if value is None else value for value in values])
        axis.plot(panel.x, known, label=name, color=COLOURS[place], marker=MARKERS[place], markersize=4, linewidth=1.5)


def _bars(panel: Panel, axis: Any) -> None:
    places = np.arange(len(panel.x))
    width = 0.8 / len(panel.lines)
    for place, (name, values) in enumerate(panel.lines.items()):
        known = [np.nan if value is None else value for value in values]
        shift = (place - (len(panel.lines) - 1) / 2) * width
        axis.bar(places + shift, known, width, label=name, color=COLOURS[place])
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xticks(
        places, [str(name).replace(", ", ",\n") for name in panel.x], fontsize=8 if len(places) < MANY else 6
    )
