"""The iteration of softmax responses over temperature: whether it converges, and its errors below their bounds."""

import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.tabular.drawn import LABEL, TICK, TITLE
from meanwatt.analysis.tabular.solution import NO_SLOPE, GameSolution
from meanwatt.model.tabular.softmax_games import follower_map, leader_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEADER, FOLLOWER = VERMILION, BLUE
LINES: Final = (GREEN, ORANGE, "#cc79a7")
"""Colours of the runs whose error is drawn by round."""
FLOOR, FARTHEST = 1e-12, 10.0
"""Distances that are drawn: from where the iteration stops and the rest is rounding; none is above 2."""
AT_ONCE: Final = 2
"""Rounds after which a constant response has been answered and found again."""
DECADES: Final = 1e-4
"""A regret below this share of the largest bound is counted, not drawn."""
TICKS: Final = 7
"""Parts of an axis as wide as the name of a temperature."""


def iteration_figure(solution: GameSolution) -> "Figure":
    """Draw the product of the Lipschitz constants, the error by round, and the regret of each, with all bounds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 7.0), layout="constrained")
    panels: Any = figure.subplots(1, 3)
    _product(panels[0], solution)
    _distance(panels[1], solution)
    _regret(panels[2], solution)
    for panel in panels:
        panel.tick_params(labelsize=TICK)
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=TICK, frameon=False)
    unit = f" [{solution.named.unit}]" if solution.named.unit else ""
    for panel in (panels[0], panels[2]):
        panel.set_xlabel(f"temperature η{unit}", fontsize=LABEL)
        _name_temperatures(panel, solution)
    figure.suptitle(textwrap.fill(f"{solution.named.title}: iterated softmax responses", 80), fontsize=TITLE)
    return figure


def _name_temperatures(panel: "Axes", solution: GameSolution) -> None:
    """Put the temperatures on the axis, as far as they find room."""
    from matplotlib.ticker import NullLocator

    t = sorted((one.temperature for one in solution.runs), reverse=True)
    room = (t[0] / t[-1]) ** (1 / TICKS)
    shown = t[:1]
    for value in t[1:]:
        if value * room <= shown[-1] * 1.001:
            shown.append(value)
    panel.set_xticks(shown, [f"{value:g}" for value in shown])
    panel.xaxis.set_minor_locator(NullLocator())


def _product(panel: "Axes", solution: GameSolution) -> None:
    """Draw d_L·d_F over temperature, measured and proven; below 1 the iteration converges."""
    runs, game = solution.runs, solution.named.game
    t = np.array([one.temperature for one in runs])
    span = np.geomspace(t.min() / 1.3, t.max() * 1.3, 60)
    unit = leader_map(game, 1.0).lipschitz_bound() * follower_map(game, 1.0).lipschitz_bound()
    panel.loglog(span, np.full(60, 1.0), color=INK, linewidth=1.5, linestyle=":")
    if unit > 0:
        panel.loglog(span, unit / span**2, color=BLUE, linewidth=2.5, linestyle="--", label="at most, proven")
    for converged, marker, label in ((True, "o", "measured; it converges"), (False, "X", "measured; it does not")):
        found = [one for one in runs if one.converged is converged]
        found = [one for one in found if one.lipschitz.product_measured > NO_SLOPE]
        if found:
            panel.loglog(
                [one.temperature for one in found],
                [one.lipschitz.product_measured for one in found],
                marker,
                markersize=12,
                color=GREEN if converged else VERMILION,
                label=label,
            )
    if all(one.lipschitz.product_measured <= NO_SLOPE for one in runs):
        said = "d = 0: a player does not\nanswer the other at all"
        panel.annotate(said, (0.5, 0.6), xycoords="axes fraction", ha="center", fontsize=LABEL)
    panel.set_title("Lipschitz constant of a round, $d_L d_F$", fontsize=LABEL, loc="left")


def _distance(panel: "Axes", solution: GameSolution) -> None:
    """Draw the distance to the fixed point by round, and Banach's bound, at the warmest temperatures."""
    from matplotlib.ticker import MaxNLocator

    converged = sorted((one for one in solution.runs if one.converged), key=lambda one: -one.temperature)
    slow = [one for one in converged if len(one.run.residuals) > AT_ONCE][: len(LINES)]
    for one, colour in zip(slow, LINES, strict=False):
        rounds = np.arange(len(one.run.policies))
        panel.plot(rounds, one.run.errors(), "o", color=colour, markersize=7, label=f"η = {one.temperature:g}")
        bounds, style = one.error_bounds(one.lipschitz.product_bound), "--"
        if bounds is None:
            bounds, style = one.error_bounds(one.lipschitz.product_measured), ":"
        if bounds is not None:
            panel.plot(rounds, bounds, style, color=colour, linewidth=2.5)
    for style, name in (("--", "at most, by the proven product"), (":", "at most, by the measured product")):
        if any(line.get_linestyle() == style for line in panel.lines):
            panel.plot([], [], style, color=INK, linewidth=2.5, label=name)
    if slow:
        panel.set_ylim(FLOOR, FARTHEST)
        panel.set_yscale("log")
    else:
        said = "it converges at once" if converged else "it converges nowhere"
        panel.annotate(said, (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=LABEL)
        panel.set_yticks([])
    panel.set_title("distance to the fixed point", fontsize=LABEL, loc="left")
    panel.set_xlabel("round", fontsize=LABEL)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))


def _regret(panel: "Axes", solution: GameSolution) -> None:
    """Draw the regret of each at the fixed point, and η·ln(actions)/(1 − δ), over temperature."""
    named, runs = solution.named, solution.runs
    t = np.array([one.temperature for one in runs])
    span = np.geomspace(t.min() / 1.3, t.max() * 1.3, 60)
    sides = (
        (named.leader, leader_map(named.game, 1.0), "leader_regret", LEADER, "o"),
        (named.follower, follower_map(named.game, 1.0), "follower_regret", FOLLOWER, "s"),
    )
    below, foot = 0, DECADES * max(response.regret_bound() for _, response, *_ in sides) * t.max() or NO_SLOPE
    for who, response, name, colour, marker in sides:
        bound = response.regret_bound()
        if bound > 0:  # none of a player that has one action
            panel.loglog(span, span * bound, "--", color=colour, linewidth=2.5, label=f"{who}, at most")
        found = [(one.temperature, getattr(one.run, name)) for one in runs if one.converged]
        shown = [pair for pair in found if pair[1] >= foot]
        below += len(found) - len(shown)
        if shown:
            panel.loglog(*np.array(shown).T, marker, markersize=10, color=colour, label=f"{who}")
    if below:
        panel.annotate(f"{below} below the axis", (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize=TICK)
    if panel.lines:
        panel.set_ylim(bottom=foot)
    panel.set_title("regret at the fixed point", fontsize=LABEL, loc="left")
