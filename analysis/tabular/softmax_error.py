"""How far softmax is from the true Stackelberg value, over games and temperatures, beside what bounds it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.tabular.mixed_commitment import mixed_commitment
from meanwatt.model.tabular.softmax_games import SoftmaxRun, iterate_softmax
from meanwatt.model.tabular.softmax_promise import (
    clear_promises,
    promise_error_bound,
    softmax_promise,
    turns_error_bound,
)
from meanwatt.model.tabular.stackelberg_games import (
    GameOutcome,
    StackelbergEquilibrium,
    optimal_action_values,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftmaxErrors:
    """Errors of one game: the true Stackelberg value, lotteries included, less what the leader gets by softmax.

    Attributes
    ----------
    best
        The promise of which the value is; its ``bound`` is what the bounds below are measured from.
    temperatures : (temperature,)
        Of the follower, and of the leader where both take turns.
    promise, promise_bound : (temperature,)
        Where the leader commits and the follower answers by softmax. Below 0 where slips serve the leader.
    turns, turns_bound : (temperature,)
        Where softmax responses answer each other; nan where taking turns does not converge.
    span
        The leader's best value less its worst, whatever both do: a bound above it says nothing.
    """

    best: StackelbergEquilibrium
    temperatures: Floats
    promise: Floats
    promise_bound: Floats
    turns: Floats
    turns_bound: Floats
    span: float


def softmax_errors(
    game: StackelbergGame,
    temperatures: Sequence[float],
    best: StackelbergEquilibrium | None = None,
    runs: Sequence[SoftmaxRun] = (),
) -> SoftmaxErrors:
    """Measure the softmax errors of a game against its Stackelberg value, and bound them.

    Parameters
    ----------
    best
        From ``mixed_commitment``; computed without it.
    runs
        Of softmax responses in turn, one a temperature; computed without them.
    """
    best = mixed_commitment(game) if best is None else best
    runs = runs or [iterate_softmax(game, leader_temperature=t, follower_temperature=t) for t in temperatures]
    value = best.leader_objective
    clear = clear_promises(game, best)
    even = np.full(best.leader_policy.shape, 1.0 / best.leader_policy.shape[1])
    starts = [best.leader_policy, even, *[one.policy for one in clear]]
    promise = []
    for t in temperatures:
        worth, policy = softmax_promise(game, t, starts)
        starts.append(policy)
        promise.append(value - worth)
    gets = [
        float(game.start_law @ run.leader_value) if run.outcome is GameOutcome.CONVERGED else np.nan for run in runs
    ]
    return SoftmaxErrors(
        best=best,
        temperatures=np.array(temperatures),
        promise=np.array(promise),
        promise_bound=np.array([promise_error_bound(game, best, clear, t) for t in temperatures]),
        turns=value - np.array(gets),
        turns_bound=np.array([turns_error_bound(game, best, t) for t in temperatures]),
        span=_span(game),
    )


def _span(game: StackelbergGame) -> float:
    """The leader's best value less its worst, if both worked for it or both against it."""
    states, actions, replies = game.reward_leader.shape
    kernel = game.kernel.reshape(states, actions * replies, states)
    reward = game.reward_leader.reshape(states, actions * replies)
    every = np.ones(reward.shape, dtype=np.bool_)
    most, least = (
        sign * optimal_action_values(sign * reward, kernel, game.discount_leader, every).max(axis=1)
        for sign in (1.0, -1.0)
    )
    return float(game.start_law @ (most - least))
