"""The figure of a study: one panel for each number that it measured."""

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.study.effects import NUMBERS, Layout, effects, numbers_of, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS: Final = (
    (BLUE, "o", "-"),
    (VERMILION, "s", "--"),
    (GREEN, "^", "-."),
    (ORANGE, "D", ":"),
    (INK, "v", "-"),
    (BLUE, "x", "--"),
)
"""Colour, mark and stroke of each line, so that they are told apart without colours, too."""
LOG_RATIO: Final = 30.0
"""From this ratio of the largest to the smallest place on, the axis is logarithmic."""
MANY: Final = 40
"""From this number of places on, they are dots without a line: points of a hypercube."""


def study_figure(table: pd.DataFrame, layout: Layout) -> "Figure":
    """Draw means over replications and pooled keys, with a bar from the lowest to the highest value."""
    from meanwatt.analysis.figures.shown import ShownFigure

    names = numbers_of(table)
    columns = min(2, len(names))
    figure = ShownFigure(figsize=(5.0 * columns, 3.4 * -(-len(names) // columns)), layout="constrained")
    panels: Any = figure.subplots(-(-len(names) // columns), columns, squeeze=False)
    for panel, name in zip(panels.flat, names, strict=False):
        _draw(panel, table, layout, name)
    for panel in panels.flat[len(names) :]:
        panel.set_visible(False)
    if layout.lines is not None:
        panels.flat[0].legend(title=layout.lines, frameon=False, fontsize=8, title_fontsize=8)
    return figure


def _draw(panel: Any, table: pd.DataFrame, layout: Layout, name: str) -> None:
    found = effects(table, layout, name)
    numeric = pd.api.types.is_numeric_dtype(table[layout.along])
    values = list(found["at"].unique())
    places = {value: value if numeric else place for place, value in enumerate(values)}
    many = len(values) > MANY
    for (line, rows), (color, mark, stroke) in zip(found.groupby("line", sort=False), MARKS, strict=False):
        panel.errorbar(
            rows["at"].map(places),
            rows["mean"],
            [rows["mean"] - rows["low"], rows["high"] - rows["mean"]],
            color=color,
            marker=mark,
            markersize=4,
            linestyle="none" if many or not numeric else stroke,
            capsize=3,
            label=line,
        )
    panel.set_title(NUMBERS[name], loc="left", fontsize=10)
    panel.set_xlabel(layout.along)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", alpha=0.25)
    if not numeric:
        panel.set_xticks(list(places.values()), [shown(value) for value in values])
    elif min(values) > 0 and max(values) / min(values) >= LOG_RATIO:
        panel.set_xscale("log")
