"""Softmax errors of many games over temperature, beside their bounds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import BLUE, INK, VERMILION
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST: Final = 1e-5
"""Errors that are drawn; those of the value itself are up to a tenth of it."""


def error_figure(errors: Sequence[SoftmaxErrors]) -> "Figure":
    """Draw the error of a leader who commits to softmax followers, and of softmax responses in turn, with bounds.

    Left and middle: a line a game, and their bounds in dashes. Right: each error against its bound, both as they are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    panels: Any = figure.subplots(1, 3)
    t = errors[0].temperatures
    parts = (
        ("the leader commits, the follower softens", [e.promise for e in errors], [e.promise_bound for e in errors]),
        ("both soften, and take turns", [e.turns for e in errors], [e.turns_bound for e in errors]),
    )
    for panel, (title, error, bound), colour in zip(panels, parts, (BLUE, VERMILION), strict=False):
        _over_temperature(panel, t, np.stack(error), np.stack(bound), colour)
        panel.set_title(title, loc="left")
        panels[2].loglog(np.ravel(bound), np.ravel(error), ".", color=colour, markersize=4, label=title)
    low, high = LEAST, max(float(np.max(bound)) for _, _, bound in parts) * 1.5
    panels[2].plot([low, high], [low, high], ":", color=INK, label="error = bound")
    panels[2].set(xlim=(low, high), ylim=(low, high), xlabel="bound")
    panels[2].set_title("none is above its bound", loc="left")
    panels[2].legend(frameon=False, fontsize="small")
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_ylabel("Stackelberg value − what the leader gets")
    return figure


def _over_temperature(panel: "Axes", t: Floats, error: Floats, bound: Floats, colour: str) -> None:
    for one, most in zip(error, bound, strict=True):
        panel.loglog(t, np.where(one > LEAST, one, np.nan), color=colour, alpha=0.45, linewidth=1)
        panel.loglog(t, np.where(most > LEAST, most, np.nan), "--", color=INK, alpha=0.2, linewidth=0.8)
    panel.plot([], [], color=colour, label="error, a game")
    panel.plot([], [], "--", color=INK, label="its bound")
    panel.set_ylim(bottom=LEAST)
    panel.set_xlabel("temperature η")
    panel.legend(frameon=False, fontsize="small", loc="lower right")
