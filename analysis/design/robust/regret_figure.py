"""The regret table as a heat map: tariffs by variants."""

from textwrap import fill
from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.analysis.design.robust.robust_design import RobustCommitment
from meanwatt.analysis.design.robust.robust_result import regret_words
from meanwatt.analysis.design.window_figure import CENTS, DARK, LIGHT
from meanwatt.analysis.figures.inline import VERMILION
from meanwatt.analysis.report.page import Picture
from meanwatt.model.mean_field.leader.commitment import Commitment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL: Final = (1.15, 0.42)
"""Width and height of a cell. [in]"""
WRAP: Final = 15
"""Letters of a variant's name in a line."""
LABELS: Final = 3.0
"""Room for names of tariffs and for the colours. [in]"""


def regret_pictures(found: Commitment | None, unit: str, *, is_money: bool = True) -> list[Picture]:
    """The figure as a part of a report; nothing where there is no regret table."""
    if not isinstance(found, RobustCommitment) or found.table is None:
        return []
    return [
        Picture(
            name="regret",
            title="What a tariff loses where it was not made for",
            text=regret_words(found),
            figure=regret_figure(found, unit, is_money=is_money),
        )
    ]


def regret_figure(found: RobustCommitment, unit: str, *, is_money: bool = True) -> "Figure":
    """Draw the regret of every tariff (rows) in every variant (columns).

    Parameters
    ----------
    unit
        Of the objective.
    is_money
        Whether that is USD, and regrets are shown in cents.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    from meanwatt.analysis.figures.shown import ShownFigure

    assert found.table is not None
    rows, variants = found.table.rows, found.file.variants
    scale, of = (CENTS, unit.replace("USD", "cents")) if is_money else (1.0, unit)
    lost = scale * np.array([row.regret for row in rows])
    size = (CELL[0] * len(variants) + LABELS, CELL[1] * len(rows) + 1.3)
    figure = ShownFigure(figsize=(max(size[0], 5.2), size[1]), layout="constrained")
    panel = figure.subplots()
    colours = LinearSegmentedColormap.from_list("regret", ["#f2f2f2", "#9ecae1", "#0072b2"])
    most = max(float(np.nanmax(lost)) if np.isfinite(lost).any() else 0.0, 1e-9)
    drawn = panel.imshow(lost, aspect="auto", cmap=colours, vmin=0.0, vmax=most)
    for (row, column), value in np.ndenumerate(lost):
        text = f"{value:.2f}" if is_money else f"{value:.2g}"
        if np.isfinite(value):
            nothing = abs(value) < 0.005 if is_money else abs(value) < 1e-9
            shade = LIGHT if value > 0.7 * most else DARK
            panel.text(column, row, "0" if nothing else text, ha="center", va="center", fontsize=8, color=shade)
    frame = Rectangle((-0.5, len(rows) - 1.5), len(variants), 1, fill=False, edgecolor=VERMILION, linewidth=3)
    frame.set_clip_on(False)
    panel.add_patch(frame)
    panel.set_xticks(
        range(len(variants)), [f"{fill(one.name, WRAP)}\n{one.weight:.2g}" for one in variants], fontsize=8
    )
    panel.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
    panel.set_xlabel("variant and its weight")
    bar = figure.colorbar(drawn, ax=panel)
    bar.set_label(f"regret [{of}]", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure
