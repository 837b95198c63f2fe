"""Best-response maps along a line: one player's choice in a state over the other's probability of its first action.

A response depends on the other's whole policy. Along a line one state's probability moves, the rest of it held.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.tabular.softmax_games import ResponseMap, follower_map, leader_map
from meanwatt.model.tabular.stackelberg_games import optimal_action_values
from meanwatt.model.tabular.tabular_game import StackelbergGame, least_tie

POINTS: Final = 201
"""Probabilities along a line, 0 and 1 among them."""
BISECTIONS: Final = 40
"""Halvings that find where the best action changes, to 1e-14."""
NO_MOVE: Final = 0.02
"""Change of a probability along a line that is not worth a panel."""


def line_of_policies(policy: Floats, state: int, probability: Floats) -> Floats:
    """Policies with another probability of the first action in a state. (point, state, action)

    The other actions there have equal shares of the rest; other states are held.
    """
    line = np.repeat(policy[None], len(probability), axis=0)
    line[:, state] = (1.0 - probability)[:, None] / max(policy.shape[1] - 1, 1)
    line[:, state, 0] = probability
    return line


def exact_best(response: ResponseMap, other: Floats) -> Bools:
    """All actions that are optimal against a policy, without entropy. (state, own action)"""
    kernel = np.einsum("sabt,sa->sbt", response.kernel, other)
    reward = np.einsum("sab,sa->sb", response.reward, other)
    worth = optimal_action_values(reward, kernel, response.discount, np.ones(reward.shape, dtype=bool))
    return np.asarray(worth >= worth.max(axis=1, keepdims=True) - least_tie(response.reward, response.discount))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExactLine:
    """The exact response in a state along a line, jumps found by bisection.

    Attributes
    ----------
    probability : (point,)
        Of the other's first action; a place where the best actions change comes three times: before, at, after.
    best : (point, own action)
        All optimal actions.
    """

    probability: Floats
    best: Bools


def exact_line(response: ResponseMap, policy: Floats, state: int, own_state: int) -> ExactLine:
    """The exact response in ``own_state`` while the other's first action in ``state`` goes from 0 to 1."""

    def best(p: float) -> Bools:
        return np.asarray(exact_best(response, line_of_policies(policy, state, np.array([p]))[0])[own_state])

    grid = np.linspace(0.0, 1.0, POINTS)
    masks = [best(p) for p in grid]
    points, found = [grid[0]], [masks[0]]
    for low, high, before, after in zip(grid, grid[1:], masks, masks[1:], strict=False):
        if (before != after).any():
            left, right = low, high
            for _ in range(BISECTIONS):
                middle = 0.5 * (left + right)
                left, right = (middle, right) if (best(middle) == before).all() else (left, middle)
            points += [left, 0.5 * (left + right), right]
            found += [before, before | after, after]
        points.append(high)
        found.append(after)
    return ExactLine(probability=np.array(points), best=np.array(found))


def soft_line(response: ResponseMap, policy: Floats, state: int, own_state: int) -> tuple[Floats, Floats]:
    """The softmax response in ``own_state`` along the line: probability (point,), response (point, own action)."""
    grid = np.linspace(0.0, 1.0, POINTS)
    return grid, np.stack([response(one)[own_state] for one in line_of_policies(policy, state, grid)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A state of the leader and one of the follower between which at least one of them answers the other.

    ``by_leader`` and ``by_follower`` are the largest changes of the follower's, of the leader's probabilities.
    """

    leader_state: int
    follower_state: int
    by_leader: float
    by_follower: float


def answering_pairs(game: StackelbergGame, x: Floats, y: Floats, temperature: float) -> list[Pair]:
    """Pairs of states between which a response moves, exact or soft, the strongest first."""
    follow, lead = follower_map(game, temperature), leader_map(game, temperature)
    states = range(len(game.kernel))
    moved_follower = np.array([_moves(follow, x, state) for state in states])  # (leader's state, follower's state)
    moved_leader = np.array([_moves(lead, y, state) for state in states]).T
    pairs = [
        Pair(
            leader_state=r,
            follower_state=s,
            by_leader=float(moved_follower[r, s]),
            by_follower=float(moved_leader[r, s]),
        )
        for r in states
        for s in states
        if max(moved_follower[r, s], moved_leader[r, s]) > NO_MOVE
    ]
    return sorted(pairs, key=lambda pair: -(pair.by_leader + pair.by_follower))


def _moves(response: ResponseMap, policy: Floats, state: int) -> Floats:
    """Largest change of any own probability along a line, exact or soft. (own state,)"""
    if policy.shape[1] == 1:
        return np.zeros(response.reward.shape[0])
    ends = line_of_policies(policy, state, np.linspace(0.0, 1.0, 11))
    soft = np.ptp(np.stack([response(one) for one in ends]), axis=0).max(axis=1)
    best = np.stack([exact_best(response, one) for one in ends])
    jumps = (best != best[0]).any(axis=(0, 2))
    return np.asarray(np.where(jumps, np.maximum(soft, 2 * NO_MOVE), soft))
