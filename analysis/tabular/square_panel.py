"""Both best-response maps of players with two actions each, in one square: where they cross, each answers the other."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.analysis.figures.inline import BLUE, GREEN, INK, ORANGE, VERMILION
from meanwatt.analysis.tabular.drawn import LABEL, drawn_runs, frame_unit_square, run_label, shown_policies
from meanwatt.analysis.tabular.response_slices import ExactLine, Pair, exact_line, soft_line
from meanwatt.analysis.tabular.solution import GameSolution, TemperatureRun
from meanwatt.model.tabular.softmax_games import follower_map, leader_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEADER, FOLLOWER = VERMILION, BLUE
STYLES: Final = ("--", "-")
"""Of softmax responses at the warmer and the colder temperature drawn."""
SHORT_WAY: Final = 0.05
"""TemperatureRun that move less than this are not drawn."""
JUMP: Final = 1e-6
"""Width along a line that tells a stretch from a jump."""
MARKS: Final = (
    ("commitment", "commitment", "*", GREEN, 30),
    ("feedback", "feedback, pure", "D", ORANGE, 13),
    ("feedback_mixed", "feedback, lottery", "s", ORANGE, 9),
)
"""Concept, label, marker, colour, size."""


def draw_square(panel: "Axes", solution: GameSolution, pair: Pair) -> None:
    """Draw both maps: leader's probability of its first action to the right, the follower's up."""
    _exact(panel, solution, pair)
    runs = drawn_runs(solution.runs)
    for one, style in zip(runs, STYLES[-len(runs) :], strict=True):
        _soft(panel, solution, pair, one, style)
    _cobweb(panel, solution, runs[-1], pair)
    _marks(panel, solution, pair)
    named = solution.named
    panel.set_title(_where(solution, pair), fontsize=LABEL, loc="left")
    panel.set_xlabel(f"{named.leader}: probability of {named.leader_actions[0]}", fontsize=LABEL)
    panel.set_ylabel(f"{named.follower}: probability of {named.follower_actions[0]}", fontsize=LABEL)
    frame_unit_square(panel)
    panel.set_box_aspect(1)


def _exact(panel: "Axes", solution: GameSolution, pair: Pair) -> None:
    """Draw both exact responses, where a player's action matters, beside the commitment."""
    named, game = solution.named, solution.named.game
    r, s = pair.leader_state, pair.follower_state
    x, y = held_policies(solution)
    thick: dict[str, Any] = {"linewidth": 9, "alpha": 0.3}
    faint: dict[str, Any] = {"linewidth": 0, "alpha": 0.15}
    if named.follower_matters[s]:
        line = exact_line(follower_map(game, 1.0), x, r, s)
        along, answer = answer_path(line)
        panel.plot(along, answer, color=FOLLOWER, label=f"{named.follower}, exact", **thick)
        panel.fill_between(line.probability, 0, 1, where=list(indifferent(line)), color=FOLLOWER, **faint)
    if named.leader_matters[r]:
        line = exact_line(leader_map(game, 1.0), y, s, r)
        along, answer = answer_path(line)
        panel.plot(answer, along, color=LEADER, label=f"{named.leader}, exact", **thick)
        panel.fill_betweenx(line.probability, 0, 1, where=list(indifferent(line)), color=LEADER, **faint)


def _soft(panel: "Axes", solution: GameSolution, pair: Pair, one: TemperatureRun, style: str) -> None:
    """Draw both softmax responses at a temperature beside where its iteration ended."""
    named, t, run = solution.named, one.temperature, one.run
    r, s = pair.leader_state, pair.follower_state
    look: dict[str, Any] = {"linestyle": style, "linewidth": 2.5}
    if named.follower_matters[s]:
        p, soft = soft_line(follower_map(named.game, t), run.leader_policy, r, s)
        panel.plot(p, soft[:, 0], color=FOLLOWER, label=f"{named.follower}, η = {t:g}", **look)
    if named.leader_matters[r]:
        p, soft = soft_line(leader_map(named.game, t), run.follower_policy, s, r)
        panel.plot(soft[:, 0], p, color=LEADER, label=f"{named.leader}, η = {t:g}", **look)


def answer_path(line: ExactLine) -> tuple[Floats, Floats]:
    """Probability of the other's and of one's own first action, in order; a jump takes all values between.

    A stretch of indifference is left out, as anything is an answer there: see ``indifferent``.
    """
    along: list[float] = []
    answer: list[float] = []
    known: Floats = np.where(line.best.sum(axis=1) == 1, line.best[:, 0].astype(float), np.nan)
    beside = np.concatenate([[np.nan], known, [np.nan]])
    for k, p in enumerate(line.probability):
        if np.isnan(known[k]):
            before, after = beside[k], beside[k + 2]
            values = [1.0 - after if np.isnan(before) else before, 1.0 - before if np.isnan(after) else after]
        else:
            values = [known[k]]
        along += [float(p)] * len(values)
        answer += values
    return np.array(along), np.array(answer)


def indifferent(line: ExactLine) -> Bools:
    """Points of the stretches, more than a jump, along which both of two actions are best. (point,)"""
    tied: Bools = np.asarray(line.best.all(axis=1))
    wide = tied[:-1] & tied[1:] & (np.diff(line.probability) > JUMP)
    return np.asarray(np.append(wide, False) | np.append(False, wide))


def held_policies(solution: GameSolution) -> tuple[Floats, Floats]:
    """Policies of both that exact responses are drawn beside: commitment, or where the coldest run ended."""
    one = solution.concepts["commitment"].equilibrium
    if one is not None:
        return one.leader_policy, one.follower_policy
    run = solution.runs[-1].run
    return run.leader_policy, run.follower_policy


def cobweb(solution: GameSolution, one: TemperatureRun, pair: Pair) -> Floats:
    """Corners of the first rounds at a temperature, or of those of a cycle: two a round. (corner, player)"""
    policies = shown_policies(one)
    follow = follower_map(solution.named.game, one.temperature)
    points = []
    for policy, after in zip(policies, [*policies[1:], None], strict=True):
        up = follow(policy)[pair.follower_state, 0]
        points.append((policy[pair.leader_state, 0], up))
        if after is not None:
            points.append((after[pair.leader_state, 0], up))
    return np.array(points)


def _cobweb(panel: "Axes", solution: GameSolution, one: TemperatureRun, pair: Pair) -> None:
    points = cobweb(solution, one, pair)
    if np.ptp(points, axis=0).max() > SHORT_WAY:
        panel.plot(*points.T, color=INK, linewidth=2, label=run_label(one))


def _marks(panel: "Axes", solution: GameSolution, pair: Pair) -> None:
    """Mark where the concepts lie, and the fixed points of the softmax responses."""
    r, s = pair.leader_state, pair.follower_state
    for name, label, marker, colour, size in MARKS:
        one = solution.concepts[name].equilibrium
        if one is not None:
            panel.plot(
                one.leader_policy[r, 0],
                one.follower_policy[s, 0],
                linestyle="none",
                marker=marker,
                markersize=size,
                color=colour,
                markeredgecolor="white",
                label=label,
                clip_on=False,
                zorder=5,
            )
    converged = [one.run for one in drawn_runs(solution.runs) if one.converged]
    if converged:
        panel.plot(
            [run.leader_policy[r, 0] for run in converged],
            [run.follower_policy[s, 0] for run in converged],
            "o",
            markersize=11,
            color="white",
            markeredgecolor=INK,
            markeredgewidth=2,
            label="fixed point",
            zorder=6,
        )


def _where(solution: GameSolution, pair: Pair) -> str:
    """Title of a square: the state, or both."""
    states = solution.named.states
    if len(states) == 1:
        return ""
    if pair.leader_state == pair.follower_state:
        return f"in {states[pair.leader_state]}"
    named = solution.named
    return f"{named.leader} in {states[pair.leader_state]}, {named.follower} in {states[pair.follower_state]}"
