"""One player's softmax response at a pair of states: probabilities along a line, or colours over a triangle."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.figures.inline import BLUE, GREEN, ORANGE, VERMILION
from meanwatt.analysis.tabular.drawn import (
    LABEL,
    TICK,
    drawn_runs,
    frame_unit_square,
    in_state,
    run_label,
    shown_policies,
)
from meanwatt.analysis.tabular.response_slices import Pair, exact_line, soft_line
from meanwatt.analysis.tabular.solution import GameSolution
from meanwatt.analysis.tabular.triangle_panel import CORNERS, draw_triangle
from meanwatt.model.tabular.softmax_games import ResponseMap, follower_map, leader_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OWN_ACTIONS: Final = (BLUE, VERMILION, GREEN, ORANGE, "#cc79a7", "#56b4e9")
STRIP: Final = (1.06, 1.14)
"""Where a strip shows the exact response, above the probabilities."""


def draw_actions(panel: "Axes", solution: GameSolution, pair: Pair, *, leads: bool) -> None:
    """Draw one player's softmax response at the colder temperature, by its actions' colours or probabilities."""
    side = side_of(solution, pair, leads=leads)
    for name, colour in zip(side.actions, OWN_ACTIONS, strict=False):
        label = name if set(side.actions) == set(side.other) else f"{side.who}: {name}"
        panel.plot([], [], "s", markersize=13, color=colour, label=label)
    title = f"{side.who}{in_state(solution, side.own)}, answering {side.whom}{in_state(solution, side.state)}"
    panel.set_title(title, fontsize=LABEL, loc="left")
    if len(side.other) == len(CORNERS):
        colours = np.array([[int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)] for c in OWN_ACTIONS])
        draw_triangle(panel, side.response, side.held, (side.state, side.own), colours, side.path, side.label)
        for name, corner, where in zip(side.other, CORNERS, ("top", "top", "bottom"), strict=True):
            shift = -0.03 if where == "top" else 0.03
            panel.text(corner[0], corner[1] + shift, name, ha="center", va=where, fontsize=LABEL)
        return
    p, soft = soft_line(side.response, side.held, side.state, side.own)
    for row, colour in zip(soft.T, OWN_ACTIONS, strict=False):
        panel.plot(p, row, color=colour, linewidth=3)
    line = exact_line(side.response, side.held, side.state, side.own)
    alone = line.best.sum(axis=1) == 1
    for action, colour in zip(range(len(side.actions)), OWN_ACTIONS, strict=False):
        strip = list(line.best[:, action] & alone)
        panel.fill_between(line.probability, *STRIP, where=strip, color=colour, linewidth=0)
    panel.annotate("exact", (1.03, 1.1), va="center", fontsize=TICK, annotation_clip=False)
    panel.set_xlabel(f"probability of {side.other[0]}", fontsize=LABEL)
    panel.set_ylabel("probability", fontsize=LABEL)
    frame_unit_square(panel)
    panel.set_ylim(-0.03, 1.17)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One player's response at a pair of states.

    Attributes
    ----------
    held : (state, other's action)
        The other's policy where the iteration ended.
    path : (point, other's action)
        The other's lotteries in ``state`` on the way, called ``label``.
    state, own
        The other's state, and the player's own.
    """

    who: str
    whom: str
    actions: tuple[str, ...]
    other: tuple[str, ...]
    response: ResponseMap
    held: Floats
    path: Floats
    label: str
    state: int
    own: int


def side_of(solution: GameSolution, pair: Pair, *, leads: bool) -> Side:
    """One player's response at the colder temperature that is drawn, and the other's way to where that ended."""
    named, one = solution.named, drawn_runs(solution.runs)[-1]
    run, t = one.run, one.temperature
    policies = shown_policies(one)
    follow = follower_map(named.game, t)
    if leads:
        return Side(
            who=named.leader,
            whom=named.follower,
            actions=named.leader_actions,
            other=named.follower_actions,
            response=leader_map(named.game, t),
            held=run.follower_policy,
            path=np.stack([follow(policy)[pair.follower_state] for policy in policies]),
            label=run_label(one),
            state=pair.follower_state,
            own=pair.leader_state,
        )
    return Side(
        who=named.follower,
        whom=named.leader,
        actions=named.follower_actions,
        other=named.leader_actions,
        response=follow,
        held=run.leader_policy,
        path=policies[:, pair.leader_state],
        label=run_label(one),
        state=pair.leader_state,
        own=pair.follower_state,
    )
