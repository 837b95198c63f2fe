"""The leader's best promise near a given one, with what the follower answers held."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import linprog, minimize

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.tabular.tabular_game import StackelbergGame

ROUNDS: Final = 100
RADII: Final = (1e-3, 1e-5, 1e-7)
"""Largest change of a probability in each of the last steps: each leaves constraints off by its square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Local:
    """A promise with its answer held: values, and slopes in the probabilities of the promise.

    Attributes
    ----------
    objective
        Leader's value under the law of the first state.
    slope : (state · leader action,)
    margins : (constraint,)
        What the answer is worth to the follower more than one other action today, in each state.
    slopes : (constraint, state · leader action)
    """

    objective: float
    slope: Floats
    margins: Floats
    slopes: Floats


def ascend(game: StackelbergGame, promise: Floats, answer: Ints, margin: float = 0.0) -> Floats:
    """Maximise the leader's value over promises that a follower's actions answer best, from a promise on.

    Parameters
    ----------
    promise : (state, leader action)
    answer : (state,)
        The follower's actions.
    margin
        What the answer must be worth more than any other action that is not its double, in every state.

    Returns
    -------
    (state, leader action) float
        A local optimum by sequential quadratic programming, its constraints met to rounding by linear programmes; no
        answer to ``answer`` where there is none nearby, so check it.
    """
    shape = promise.shape
    rows = np.repeat(np.eye(shape[0]), shape[1], axis=1)
    others = np.arange(game.reward_leader.shape[2]) != answer[:, None]
    needed = np.where(doubles(game, answer), 0.0, margin)[others]
    cache: dict[bytes, _Local] = {}

    def at(x: Floats) -> _Local:
        key = x.tobytes()
        if key not in cache:
            cache.clear()
            cache[key] = _local(game, x.reshape(shape), answer)
        return cache[key]

    constraints: list[dict[str, Any]] = [
        {"type": "eq", "fun": lambda x: rows @ x - 1.0, "jac": lambda _: rows},
    ]
    if game.reward_leader.shape[2] > 1:
        constraints.append(
            {"type": "ineq", "fun": lambda x: at(x).margins - needed, "jac": lambda x: at(x).slopes},
        )
    found = minimize(
        lambda x: -at(x).objective,
        promise.ravel(),
        jac=lambda x: -at(x).slope,
        bounds=[(0.0, 1.0)] * promise.size,
        constraints=constraints,
        method="SLSQP",
        options={"maxiter": ROUNDS, "ftol": 1e-12},
    )
    x = _probabilities(found.x, shape)
    for radius in RADII:
        x = _step(at(x.ravel()), x, rows, radius, needed)
    return x


def doubles(game: StackelbergGame, answer: Ints) -> Bools:
    """Whether an action of the follower is the answer by another name: same rewards and next state. (state, action)"""
    each = np.arange(len(answer))
    alike = np.ones((len(answer), game.reward_leader.shape[2]), dtype=np.bool_)
    for array in (game.reward_leader[..., None], game.reward_follower[..., None], game.kernel):
        alike &= (array == array[each, :, answer][:, :, None]).all(axis=(1, 3))
    return alike


def _step(here: _Local, x: Floats, rows: Floats, radius: float, needed: Floats) -> Floats:
    """Move to the best point of the linear model within a radius; stay where it has none."""
    flat = x.ravel()
    found = linprog(
        -here.slope,
        A_ub=-here.slopes if len(here.slopes) else None,
        b_ub=here.margins - needed if len(here.slopes) else None,
        A_eq=rows,
        b_eq=np.zeros(len(rows)),
        bounds=np.stack([np.maximum(-radius, -flat), np.minimum(radius, 1.0 - flat)], axis=1),
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return _probabilities(flat + found.x, x.shape) if found.status == 0 else x


def _probabilities(x: Floats, shape: tuple[int, ...]) -> Floats:
    policy = np.maximum(np.nan_to_num(x.reshape(shape)), 0.0)
    total = policy.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0.0, policy / np.where(total > 0.0, total, 1.0), 1.0 / shape[1]))


def _local(game: StackelbergGame, x: Floats, answer: Ints) -> _Local:
    """Values and slopes by two linear solves."""
    states, actions, replies = game.reward_leader.shape
    each = np.arange(states)
    kernel = game.kernel[each, :, answer]  # (state, leader action, next)
    step = np.einsum("sat,sa->st", kernel, x)
    slopes_of: list[Floats] = []
    pairs: list[Floats] = []
    for reward, discount in (
        (game.reward_leader, game.discount_leader),
        (game.reward_follower, game.discount_follower),
    ):
        inverse = np.linalg.inv(np.eye(states) - discount * step)
        value = inverse @ np.einsum("sa,sa->s", reward[each, :, answer], x)
        pair = reward + discount * game.kernel @ value  # (state, leader action, follower action)
        slopes_of.append(np.einsum("rs,sa->rsa", inverse, pair[each, :, answer]))
        pairs.append(pair)
        if reward is game.reward_leader:
            objective = float(game.start_law @ value)
    slope = np.einsum("r,rsa->sa", game.start_law, slopes_of[0])
    own = pairs[1][each, :, answer]
    margins, slopes = [], []
    for s in range(states):
        for b in range(replies):
            if b == answer[s]:
                continue
            more = own[s] - pairs[1][s, :, b]
            moved = game.discount_follower * x[s] @ (kernel[s] - game.kernel[s, :, b])  # (next,)
            row = np.einsum("t,tra->ra", moved, slopes_of[1])
            row[s] += more
            margins.append(float(x[s] @ more))
            slopes.append(row.ravel())
    return _Local(
        objective=objective,
        slope=slope.ravel(),
        margins=np.array(margins),
        slopes=np.array(slopes).reshape(len(margins), states * actions),
    )
