"""A leader who commits to a follower that answers by softmax: what it gets, and how far that is from the exact game.

A follower at temperature η slips: it plays other actions than its best now and then. A leader who knows makes its wish
the clearer the warmer the follower is: it gives up some of what it could promise for a margin by which the follower
prefers to answer as wished. What that costs bounds the error, see ``promise_error_bound``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.tabular.promise_ascent import ascend, doubles
from meanwatt.model.tabular.softmax_games import ResponseMap, follower_map
from meanwatt.model.tabular.stackelberg_games import StackelbergEquilibrium, optimal_action_values
from meanwatt.model.tabular.tabular_game import StackelbergGame, evaluate

ROUNDS: Final = 60
"""Of the search for a promise to a softmax follower."""
MARGINS: Final = tuple(2.0**-k for k in range(1, 15))
"""Margins tried, in units of the follower's largest reward."""
SHARPER: Final = 50
"""Times that the bound of the follower's bonus is put into its own right-hand side."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClearPromise:
    """A promise that one answer is best for by a margin.

    Attributes
    ----------
    policy : (state, leader action)
    worth
        To the leader under the law of the first state, if the follower answers exactly.
    margin
        By which the answer is worth more than any other action to the follower, in the state where it is least.
    slip
        Most that one other action of the follower, once, costs the leader in its value from then on.
    doubled
        Whether an answer has a double, an action that is the same by another name; doubles have no margin and no slip.
    """

    policy: Floats
    worth: float
    margin: float
    slip: float
    doubled: bool


def clear_promise(game: StackelbergGame, policy: Floats) -> ClearPromise:
    """Measure by how much the follower prefers its answer to a promise, and what its slips would cost."""
    kernel = np.einsum("sabt,sa->sbt", game.kernel, policy)
    own, other = (np.einsum("sab,sa->sb", reward, policy) for reward in (game.reward_leader, game.reward_follower))
    worth = optimal_action_values(other, kernel, game.discount_follower, np.ones(other.shape, dtype=np.bool_))
    answer = worth.argmax(axis=1)
    reply, alike = np.eye(worth.shape[1])[answer], doubles(game, answer)
    leader = evaluate(game, policy, reply)[0]
    behind = np.where(alike, np.inf, worth.max(axis=1, keepdims=True) - worth)
    lost = leader[:, None] - (own + game.discount_leader * kernel @ leader)
    return ClearPromise(
        policy=policy,
        worth=float(game.start_law @ leader),
        margin=float(behind.min()),
        slip=float(np.where(alike, 0.0, lost).max()),
        doubled=bool(alike.sum() > len(answer)),
    )


def clear_promises(game: StackelbergGame, best: StackelbergEquilibrium) -> list[ClearPromise]:
    """Best promises near the best of all that the same answer is best for by a margin, for margins from large to small.

    Those that no promise keeps are left out; so there may be none.
    """
    answer = best.follower_policy.argmax(axis=1)
    unit = float(np.abs(game.reward_follower).max())
    found, policy = [clear_promise(game, best.leader_policy)], best.leader_policy
    for margin in reversed(MARGINS):
        policy = ascend(game, policy, answer, margin * unit)
        found.append(clear_promise(game, policy))
    return [one for one in found if one.margin > 0.0]


def slip_bound(game: StackelbergGame, promise: ClearPromise, temperature: float) -> float:
    """Bound what a follower's slips at a temperature cost the leader who makes a clear promise.

    The follower's values with the entropy bonus are above those without by at most c ≤ η·ln(n)/(1 − δ), for n actions,
    and then by at most η·ln(1 + (n − 1)·exp(−(margin − δc)/η))/(1 − δ), put in for c again and again. So it
    slips with probability at most (n − 1)·exp(−(margin − δc)/η) in a state, and a slip costs ``promise.slip`` at most.
    """
    others, discount = game.reward_follower.shape[2] - 1, game.discount_follower
    if others == 0 or promise.slip <= 0.0:
        return 0.0
    bonus = temperature * np.log(1.0 + others) / (1.0 - discount)
    chance = 1.0
    for _ in range(SHARPER):
        weight = others * np.exp(min((discount * bonus - promise.margin) / temperature, 0.0))
        chance = min(chance, weight / (1.0 + weight) if weight < others else 1.0)
        if promise.doubled:  # the bonus of a lottery over doubles stays
            break
        bonus = min(bonus, temperature * np.log1p(weight) / (1.0 - discount))
    return float(min(chance, 1.0) * promise.slip / (1.0 - game.discount_leader))


def promise_error_bound(
    game: StackelbergGame, best: StackelbergEquilibrium, promises: Sequence[ClearPromise], temperature: float
) -> float:
    """Bound the true Stackelberg value less what the leader gets by the best promise to a softmax follower.

    The least, over clear promises, of what each gives up and what slips then cost it; at most what a follower could
    spoil of the best promise, at any temperature. Proof: theory.md H7.
    """
    bound = best.leader_objective if best.bound is None else best.bound
    sides = [bound - one.worth + slip_bound(game, one, temperature) for one in promises]
    return min([*sides, spoiled(game, best)])


def turns_error_bound(game: StackelbergGame, best: StackelbergEquilibrium, temperature: float) -> float:
    """Bound the true Stackelberg value less what the leader gets where softmax responses answer each other.

    There the leader forgoes at most η·ln(actions)/(1 − δ) against the follower's policy, against which the best promise
    is worth no less than if the follower spoiled it. It does not vanish with η, as the leader takes the follower as
    frozen.
    """
    actions = game.reward_leader.shape[1]
    return spoiled(game, best) + float(temperature * np.log(actions) / (1.0 - game.discount_leader))


def spoiled(game: StackelbergGame, best: StackelbergEquilibrium) -> float:
    """Bound on all promises less what the best one found is worth if the follower did its worst to the leader."""
    bound = best.leader_objective if best.bound is None else best.bound
    return bound - float(game.start_law @ _worst(game, best.leader_policy))


def _worst(game: StackelbergGame, policy: Floats) -> Floats:
    """Leader's value of a promise from each state if the follower minimised it. (state,)"""
    kernel, reward = np.einsum("sabt,sa->sbt", game.kernel, policy), np.einsum("sab,sa->sb", game.reward_leader, policy)
    every = np.ones(reward.shape, dtype=np.bool_)
    return np.asarray(-optimal_action_values(-reward, kernel, game.discount_leader, every).max(axis=1))


def softmax_worth(game: StackelbergGame, policy: Floats, follow: ResponseMap) -> tuple[float, Floats]:
    """What a promise is worth if the follower answers it by softmax, and its slope in the promise.

    Returns
    -------
    (float, (state, leader action) float)
    """
    reply = follow(policy)
    step = np.einsum("sabt,sa,sb->st", game.kernel, policy, reply)
    inverse = np.linalg.inv(np.eye(len(step)) - game.discount_leader * step)
    value = inverse @ np.einsum("sab,sa,sb->s", game.reward_leader, policy, reply)
    pair = game.reward_leader + game.discount_leader * game.kernel @ value
    visits = game.start_law @ inverse
    direct = visits[:, None] * np.einsum("sab,sb->sa", pair, reply)
    by_reply = visits[:, None] * np.einsum("sab,sa->sb", pair, policy)
    return float(game.start_law @ value), direct + np.einsum("sb,sbra->ra", by_reply, follow.derivative(policy))


def softmax_promise(game: StackelbergGame, temperature: float, starts: Sequence[Floats]) -> tuple[float, Floats]:
    """Best promise found to a follower that answers by softmax, no worse than any of those to start from.

    By sequential quadratic programming from the two best of them: its worth, and the promise (state, leader action).
    """
    follow = follower_map(game, temperature)
    ranked = sorted(((softmax_worth(game, one, follow)[0], k) for k, one in enumerate(starts)), reverse=True)
    best, policy = ranked[0][0], starts[ranked[0][1]]
    shape = policy.shape
    rows = np.repeat(np.eye(shape[0]), shape[1], axis=1)

    def loss(x: Floats) -> tuple[float, Floats]:
        point = np.maximum(x.reshape(shape), 1e-12)
        worth, slope = softmax_worth(game, point / point.sum(axis=1, keepdims=True), follow)
        return -worth, -slope.ravel()

    for _, k in ranked[:2]:
        found = minimize(
            loss,
            starts[k].ravel(),
            jac=True,
            bounds=[(0.0, 1.0)] * policy.size,
            constraints=[{"type": "eq", "fun": lambda x: rows @ x - 1.0, "jac": lambda _: rows}],
            method="SLSQP",
            options={"maxiter": ROUNDS, "ftol": 1e-10},
        )
        point = np.maximum(np.nan_to_num(found.x.reshape(shape)), 0.0) + 1e-12
        point /= point.sum(axis=1, keepdims=True)
        worth = softmax_worth(game, point, follow)[0]
        if worth > best:
            best, policy = worth, point
    return best, policy
