"""The way to the equilibrium: the feeder's hours outside limits summed over days, and whose bills learning raises."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from meanwatt.analysis.emergence.emergence import Emergence
from meanwatt.analysis.emergence.figures import COLOURS, NOISE, TARGET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTS = 100.0
FEEDER = (
    ("bus_hours_outside_limits", "outside voltage limits [bus·h]"),
    ("overload_hours", "line or transformer overloaded [h]"),
)


def path_figure(runs: Sequence[Emergence], title: str) -> "Figure":
    """Draw both hours summed from the first day on, and what learning adds to bills by income and technology.

    Dashed grey is the market that plays the equilibrium, on the same draws.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 6.4))
    panels: Any = figure.subplots(1, 3)
    for panel, (name, label) in zip(panels, FEEDER, strict=False):
        known = [run for run in runs if np.isfinite(getattr(run, name)).all()]
        for run, colour in zip(known, COLOURS * len(runs), strict=False):
            panel.plot(np.cumsum(getattr(run, name)), color=colour, linewidth=3, label=run.behaviour)
        if known:
            panel.plot(np.cumsum(getattr(known[0], f"floor_{name}")), color=NOISE, linestyle="--", linewidth=2)
            panel.set_ylim(bottom=0)
        else:
            panel.annotate("no feeder", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=14)
        panel.set_xlabel("day", fontsize=16)
        panel.set_title(label, fontsize=16, loc="left")
    _draw_regret(panels[2], runs)
    for panel in panels:
        panel.tick_params(labelsize=13)
        panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panels[2].get_legend_handles_labels()
    figure.suptitle(title, fontsize=20, y=0.985)
    figure.legend(handles, labels, loc="lower center", ncols=min(3, max(1, len(runs))), fontsize=14, frameon=False)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.84, bottom=0.2 + 0.045 * ((len(runs) - 1) // 3), wspace=0.22)
    return figure


def _draw_regret(panel: Any, runs: Sequence[Emergence]) -> None:
    """Bars by income and technology, side by side for the populations."""
    panel.set_title("learning adds to the bill [cents/household-day]", fontsize=16, loc="left")
    panel.axhline(0.0, color=TARGET, linewidth=1)
    parts = [{**one.regret.by_income, **one.regret.by_technology} for one in runs if one.regret is not None]
    if not parts:
        return
    names, width = list(parts[0]), 0.8 / len(parts)
    for place, (part, run, colour) in enumerate(zip(parts, runs, COLOURS * len(runs), strict=False)):
        left = np.arange(len(names)) + (place - (len(parts) - 1) / 2) * width
        panel.bar(left, [CENTS * part[name] for name in names], width, color=colour, label=run.behaviour)
    panel.set_xticks(range(len(names)), [name.replace("_", "\n") for name in names])
