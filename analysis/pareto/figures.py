"""The Pareto surface in its three projections, large enough to be read from the last row."""

import textwrap
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.saved import image
from meanwatt.analysis.pareto.surface import Surface
from meanwatt.model.scenario.counted import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS: Final = ("welfare gap to first best\n[USD/household-day]", "burden gap\n[% of income]", "IMV(λ)\n[USD/kWh]")
UNITS: Final = np.array([1.0, 100.0, 1.0])
PAIRS: Final = ((0, 1), (0, 2), (1, 2))
FRONT, KNEE, BEST, IN_FORCE, OTHER = "#9db7d1", "#e69f00", "#009e73", "#d55e00", "#444444"
MARKERS: Final = "sDP^vX<>"
VIEW: Final = 1.6
"""Axes end at this multiple of what the named tariffs, the knee and the best compromise need: the rest of the front,
where one criterion is bought very dear, would squeeze them into a corner."""


def pareto_figure(surface: Surface, title: str) -> "Figure":
    """Draw the front, its knee, the named tariffs and the tariff that betters the one in force most evenly.

    Dotted lines pass through the tariff in force: what lies below and to the left is better in both.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 6.8))
    panels: Any = figure.subplots(1, 3)
    front = np.array([one.criteria for one in surface.front]).reshape(-1, len(LABELS)) * UNITS
    marks = _marks(surface)
    for panel, (x, y) in zip(panels, PAIRS, strict=True):
        panel.scatter(
            front[:, x], front[:, y], s=45, color=FRONT, label=f"Pareto front ({counted(len(front), 'tariff')})"
        )
        for label, criteria, style in marks:
            panel.plot(criteria[x], criteria[y], linestyle="none", label=label, **style)
        _frame(panel, x, y, surface.tariffs[surface.in_force] * UNITS, np.array([point for _, point, _ in marks]))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.suptitle(title, fontsize=20, y=0.985)
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.935), ncols=5, fontsize=14, frameon=False)
    if surface.verdicts:
        sentence = surface.verdicts[surface.in_force].sentence
        figure.text(0.5, 0.015, textwrap.fill(sentence, 130), ha="center", va="bottom", fontsize=14)
    figure.subplots_adjust(left=0.075, right=0.985, top=0.79, bottom=0.26, wspace=0.36)
    return figure


def pareto_image(surface: Surface, title: str, form: Literal["svg", "png"], *, dpi: float = 100) -> bytes:
    """The figure as a file's bytes; equal for equal surfaces."""
    return image(pareto_figure(surface, title), form, dpi=dpi)


def _marks(surface: Surface) -> list[tuple[str, Floats, dict[str, Any]]]:
    """Label, criteria in the figure's units, and style of every point drawn by itself."""
    marks: list[tuple[str, Floats, dict[str, Any]]] = []
    others = (name for name in surface.tariffs if name != surface.in_force)
    for name, marker in zip(others, MARKERS * len(surface.tariffs), strict=False):
        marks.append((name, surface.tariffs[name], _style(marker, 10, OTHER)))
    if surface.knee is not None:
        marks.append(("knee", surface.front[surface.knee].criteria, _style("*", 22, KNEE)))
    if surface.verdicts:
        found = surface.verdicts[surface.in_force]
        label = f"beats {surface.in_force} on all three" if found.beaten else "best compromise"
        marks.append((label, found.best.criteria, _style("o", 14, BEST)))
    marks.append((f"{surface.in_force} (in force)", surface.tariffs[surface.in_force], _style("d", 15, IN_FORCE)))
    return [(label, criteria * UNITS, style) for label, criteria, style in marks]


def _style(marker: str, size: float, colour: str) -> dict[str, Any]:
    return {"marker": marker, "markersize": size, "color": colour, "markeredgecolor": "white"}


def _frame(panel: "Axes", x: int, y: int, in_force: Floats, shown: Floats) -> None:
    panel.axvline(in_force[x], color=IN_FORCE, linestyle=":", linewidth=1.5, zorder=0)
    panel.axhline(in_force[y], color=IN_FORCE, linestyle=":", linewidth=1.5, zorder=0)
    for limit, axis in ((panel.set_xlim, x), (panel.set_ylim, y)):
        limit(min(0.0, 1.1 * shown[:, axis].min()), VIEW * max(shown[:, axis].max(), 1e-12))
    panel.set_xlabel(LABELS[x], fontsize=16)
    panel.set_ylabel(LABELS[y], fontsize=16)
    panel.tick_params(labelsize=13)
    panel.locator_params(nbins=5)
    panel.spines[["top", "right"]].set_visible(False)
