"""Figures of household data: the mean day of each group with the band of its homes, and how use is distributed."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.households.summary import band_kw, homes_of
from meanwatt.model.households.survey import Survey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS: Final = (BLUE, VERMILION, GREEN, ORANGE, INK)
MOST_PANELS: Final = 6
"""Groups that are drawn, those with most homes."""


def shapes_figure(survey: Survey) -> "Figure":
    """Draw a panel for each group: mean use by hour, and the band from the 10th to the 90th of a hundred homes."""
    from meanwatt.analysis.figures.shown import ShownFigure

    groups = sorted(survey.days.groups, key=lambda name: -int(homes_of(survey, name).sum()))[:MOST_PANELS]
    figure = ShownFigure(figsize=(3.4 * max(len(groups), 2), 3.7), layout="constrained")
    panels: Any = np.atleast_1d(figure.subplots(1, len(groups), sharey=True))
    for panel, name, color in zip(panels, groups, COLORS * 2, strict=False):
        mean, band = band_kw(survey, name)
        hours = np.arange(25)
        low, high = (np.append(edge, edge[-1]) for edge in (band[0], band[2]))
        panel.fill_between(
            hours, low, high, step="post", color=color, alpha=0.2, linewidth=0, label="10 to 90 % of homes"
        )
        panel.step(hours, np.append(mean, mean[-1]), where="post", color=color, linewidth=2, label="mean")
        _solar(panel, survey, name)
        panel.set_title(f"{name} ({int(homes_of(survey, name).sum())})", loc="left", fontsize=10)
        panel.set_xlabel("hour of the day")
        panel.set_xticks(range(0, 25, 6))
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", alpha=0.25)
    panels[0].set_ylabel("use [kW]")
    marks: dict[str, Any] = {}
    for panel in panels:
        handles, words = panel.get_legend_handles_labels()
        marks |= {word: handle for word, handle in zip(words, handles, strict=True) if word not in marks}
    figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def _solar(panel: Any, survey: Survey, name: str) -> None:
    """The mean generation of the group's homes with solar, if it is read."""
    days = survey.days
    rows = days.solar & (days.group == days.groups.index(name))
    if "generation" not in survey.form.roles or not rows.any():
        return
    generation = days.mean_kw(rows, "generation")
    panel.step(
        np.arange(25), np.append(generation, generation[-1]), where="post", color=INK, linewidth=1.2, linestyle="--",
        label="solar, of those who have it",
    )  # fmt: skip
