"""What becomes of softmax responses in turn, over temperature: whether they settle, and errors below their bounds."""

import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.tabular.drawn import LABEL, TICK, TITLE
from meanwatt.analysis.tabular.solution import NO_STRETCH, GameSolution
from meanwatt.model.tabular.softmax_games import follower_map, leader_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEADER, FOLLOWER = VERMILION, BLUE
LINES: Final = (GREEN, ORANGE, "#cc79a7")
"""Colours of the runs whose error is drawn by round."""
FLOOR: Final = 1e-12
"""Distance at which the iteration stops; below it is rounding."""
AT_ONCE: Final = 2
"""Rounds after which a constant response has been answered and found again."""
DECADES: Final = 1e-4
"""What is forgone and is below this share of the largest bound is counted, not drawn."""
TICKS: Final = 7
"""Parts of an axis as wide as the name of a temperature."""


def turns_figure(solution: GameSolution) -> "Figure":
    """Draw the product of the Lipschitz constants, the distance by round, and what each forgoes, with all bounds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 7.0), layout="constrained")
    panels: Any = figure.subplots(1, 3)
    _product(panels[0], solution)
    _distance(panels[1], solution)
    _forgone(panels[2], solution)
    for panel in panels:
        panel.tick_params(labelsize=TICK)
        panel.spines[["top", "right"]].set_visible(False)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=TICK, frameon=False)
    unit = f" [{solution.named.unit}]" if solution.named.unit else ""
    for panel in (panels[0], panels[2]):
        panel.set_xlabel(f"temperature η{unit}", fontsize=LABEL)
        _name_temperatures(panel, solution)
    figure.suptitle(textwrap.fill(f"{solution.named.title}: softmax responses in turn", 80), fontsize=TITLE)
    return figure


def _name_temperatures(panel: "Axes", solution: GameSolution) -> None:
    """Put the temperatures on the axis, as far as they find room."""
    from matplotlib.ticker import NullLocator

    t = sorted((one.temperature for one in solution.turns), reverse=True)
    room = (t[0] / t[-1]) ** (1 / TICKS)
    shown = t[:1]
    for value in t[1:]:
        if value * room <= shown[-1] * 1.001:
            shown.append(value)
    panel.set_xticks(shown, [f"{value:g}" for value in shown])
    panel.xaxis.set_minor_locator(NullLocator())


def _product(panel: "Axes", solution: GameSolution) -> None:
    """Draw d_L·d_F over temperature, measured and proven; below 1 the turns settle."""
    turns, game = solution.turns, solution.named.game
    t = np.array([one.temperature for one in turns])
    span = np.geomspace(t.min() / 1.3, t.max() * 1.3, 60)
    unit = leader_map(game, 1.0).lipschitz_bound() * follower_map(game, 1.0).lipschitz_bound()
    panel.loglog(span, np.full(60, 1.0), color=INK, linewidth=1.5, linestyle=":")
    if unit > 0:
        panel.loglog(span, unit / span**2, color=BLUE, linewidth=2.5, linestyle="--", label="at most, proven")
    for settled, marker, label in ((True, "o", "measured; the turns settle"), (False, "X", "measured; they do not")):
        found = [one for one in turns if one.settled is settled]
        found = [one for one in found if one.lipschitz.product_measured > NO_STRETCH]
        if found:
            panel.loglog(
                [one.temperature for one in found],
                [one.lipschitz.product_measured for one in found],
                marker,
                markersize=12,
                color=GREEN if settled else VERMILION,
                label=label,
            )
    if all(one.lipschitz.product_measured <= NO_STRETCH for one in turns):
        said = "d = 0: a player does not\nanswer the other at all"
        panel.annotate(said, (0.5, 0.6), xycoords="axes fraction", ha="center", fontsize=LABEL)
    panel.set_title("stretch in a round, $d = d_L d_F$", fontsize=LABEL, loc="left")


def _distance(panel: "Axes", solution: GameSolution) -> None:
    """Draw the distance to where the turns settle by round, and Banach's bound, at the warmest temperatures."""
    from matplotlib.ticker import MaxNLocator

    settled = sorted((one for one in solution.turns if one.settled), key=lambda one: -one.temperature)
    slow = [one for one in settled if len(one.run.residuals) > AT_ONCE]
    for one, colour in zip(slow, LINES, strict=False):
        errors = one.errors
        assert errors is not None
        rounds = np.arange(len(errors))
        shown = errors > FLOOR
        panel.semilogy(rounds[shown], errors[shown], "o", color=colour, markersize=7, label=f"η = {one.temperature:g}")
        bounds, style = one.error_bounds(one.lipschitz.product_bound), "--"
        if bounds is None:
            bounds, style = one.error_bounds(one.lipschitz.product_measured), ":"
        if bounds is not None:
            shown = bounds > FLOOR
            panel.semilogy(rounds[shown], bounds[shown], style, color=colour, linewidth=2.5)
    for style, name in (("--", "at most, by the proven d"), (":", "at most, by the measured d")):
        if any(line.get_linestyle() == style for line in panel.lines):
            panel.plot([], [], style, color=INK, linewidth=2.5, label=name)
    if max((len(one.run.residuals) for one in settled), default=0) <= AT_ONCE:
        said = "the turns settle at once" if settled else "the turns settle nowhere"
        panel.annotate(said, (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=LABEL)
        panel.set_yticks([])
    panel.set_title("distance to where they settle", fontsize=LABEL, loc="left")
    panel.set_xlabel("round", fontsize=LABEL)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))


def _forgone(panel: "Axes", solution: GameSolution) -> None:
    """Draw what each forgoes where the turns settle, and η·ln(actions)/(1 − δ), over temperature."""
    named, turns = solution.named, solution.turns
    t = np.array([one.temperature for one in turns])
    span = np.geomspace(t.min() / 1.3, t.max() * 1.3, 60)
    sides = (
        (named.leader, leader_map(named.game, 1.0), "leader_regret", LEADER, "o"),
        (named.follower, follower_map(named.game, 1.0), "follower_regret", FOLLOWER, "s"),
    )
    below, foot = 0, DECADES * max(response.regret_bound() for _, response, *_ in sides) * t.max() or NO_STRETCH
    for who, response, name, colour, marker in sides:
        panel.loglog(
            span, span * response.regret_bound(), "--", color=colour, linewidth=2.5, label=f"by {who}, at most"
        )
        found = [(one.temperature, getattr(one.run, name)) for one in turns if one.settled]
        shown = [pair for pair in found if pair[1] >= foot]
        below += len(found) - len(shown)
        panel.loglog(*np.array(shown).reshape(-1, 2).T, marker, markersize=10, color=colour, label=f"by {who}")
    if below:
        panel.annotate(f"{below} below the axis", (0.97, 0.03), xycoords="axes fraction", ha="right", fontsize=TICK)
    panel.set_ylim(bottom=foot)
    panel.set_title("forgone by softness", fontsize=LABEL, loc="left")
