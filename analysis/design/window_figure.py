"""The best objective by place of each window: a heat map of start and width."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import VERMILION
from meanwatt.analysis.report.page import Picture
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.window_search import WindowCommitment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL: Final = (0.62, 0.5)
"""Width and height of a cell. [in]"""
SMALLEST: Final = (4.6, 2.6)
MOST_LABELLED: Final = 60
"""Cells that have their number written into them."""
CENTS: Final = 100.0
HATCH: Final = "#9a9a9a"
LIGHT: Final = "#fdfdfd"
DARK: Final = "#1a1b1d"
"""Numbers on dark and on light cells; no colours of the page, for the cells stay as they are on a dark one, too."""


def window_maps(found: WindowCommitment, name: str) -> tuple[Floats, Floats, list[float], list[float]]:
    """Best objective and bound (width, start) of a window over all places of the others, and both axes in hours.

    The objective is nan where every combination was pruned, or no tariff was feasible; the bound is the highest of
    what was not searched, nan where all was, or no place of the others is allowed.
    """
    hours = 24 / found.families.scenario.slots_per_day
    places = [(one.windows[name].width, one.windows[name].start) for one in found.combinations]
    widths, starts = (sorted({place[k] for place in places}) for k in (0, 1))
    best, bound = (np.full((len(widths), len(starts)), np.nan) for _ in range(2))
    for one, (width, start) in zip(found.combinations, places, strict=True):
        cell = widths.index(width), starts.index(start)
        if not one.searched:
            bound[cell] = np.fmax(bound[cell], one.bound)
        if one.objective is not None:
            best[cell] = np.fmax(best[cell], one.objective)
    return best, bound, [hours * k for k in widths], [hours * k for k in starts]


def window_pictures(found: Commitment | None, unit: str, *, is_money: bool = True) -> list[Picture]:
    """The figure as a part of a report; nothing where the windows have one place."""
    if not isinstance(found, WindowCommitment) or len(found.combinations) == 1:
        return []
    return [
        Picture(
            name="windows",
            title="Where the windows lie",
            text="What the best tariff with a window at each place loses to the best of all, over all places of the"
            " other windows. Framed: the one chosen. Hatched: pruned, with what its bound says is lost at least.",
            figure=window_figure(found, unit, is_money=is_money),
        )
    ]


def window_figure(found: WindowCommitment, unit: str, *, is_money: bool = True) -> "Figure":
    """Draw what the best tariff of each place of a window lacks to the best of all, a panel for every window.

    Parameters
    ----------
    unit
        Of the objective.
    is_money
        Whether that is USD, and the differences are shown in cents.
    """
    from meanwatt.analysis.figures.shown import ShownFigure

    axes = [window_maps(found, name)[2:] for name in found.windows]
    wide = sum(max(SMALLEST[0], CELL[0] * len(starts) + 1.6) for _, starts in axes)
    high = max(max(SMALLEST[1], CELL[1] * len(widths) + 1.4) for widths, _ in axes)
    figure = ShownFigure(figsize=(wide, high), layout="constrained")
    for panel, name in zip(np.atleast_1d(figure.subplots(1, len(axes))), found.windows, strict=True):
        draw_window(panel, found, name, unit, is_money=is_money)
        panel.set_title(f"window {name}", loc="left")
    return figure


def draw_window(panel: Any, found: WindowCommitment, name: str, unit: str, *, is_money: bool = True) -> None:
    """The same of one window, on a panel given."""
    best, bound, widths, starts = window_maps(found, name)
    scale, of = (CENTS, unit.replace("USD", "cents")) if is_money else (1.0, unit)
    at_least = ~(best >= np.where(np.isnan(bound), -np.inf, bound))
    lost = scale * (found.objective - np.where(at_least, np.where(np.isfinite(bound), bound, np.nan), best))
    drawn = _draw(panel, lost, at_least, (widths, starts))
    hours = 24 / found.families.scenario.slots_per_day
    chosen = found.windows[name]
    panel.add_patch(_frame(starts.index(chosen.start * hours), widths.index(chosen.width * hours)))
    panel.set_xlabel("starts at [h]")
    panel.set_ylabel("hours wide")
    bar = panel.figure.colorbar(drawn, ax=panel)
    bar.set_label(f"lost to the best\n[{of}]", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _frame(start: int, width: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((start - 0.5, width - 0.5), 1, 1, fill=False, edgecolor=VERMILION, linewidth=3)


def _draw(panel: Any, lost: Floats, at_least: npt.NDArray[np.bool_], axes: tuple[list[float], list[float]]) -> Any:
    """One map; hatched where the loss is known by a bound alone."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    colours = LinearSegmentedColormap.from_list("lost", ["#0072b2", "#9ecae1", "#f2f2f2"])
    most = float(np.nanmax(lost)) if np.isfinite(lost).any() else 0.0
    drawn = panel.imshow(lost, origin="lower", aspect="auto", cmap=colours, vmin=0.0, vmax=max(most, 1e-9))
    few = lost.size <= MOST_LABELLED
    for (row, column), value in np.ndenumerate(lost):
        if at_least[row, column]:
            corner = (column - 0.5, row - 0.5)
            panel.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=HATCH, hatch="//", linewidth=0))
        if few and np.isfinite(value):
            text = f"{value:.2f}" if value >= 0.005 else "0"
            text = f"≥ {text}" if at_least[row, column] else text
            shade = LIGHT if value < 0.3 * most else DARK
            panel.text(column, row, text, ha="center", va="center", fontsize=8, color=shade)
    widths, starts = axes
    panel.set_xticks(range(len(starts)), [f"{hour:g}" for hour in starts])
    panel.set_yticks(range(len(widths)), [f"{hours:g}" for hours in widths])
    return drawn
