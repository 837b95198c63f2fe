"""Feedback equilibria in pure actions by trial of every pair of policies: all of them, or proof that there is none."""

from itertools import product

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.tabular.stackelberg_games import (
    MAX_POLICIES,
    Concept,
    GameOutcome,
    StackelbergEquilibrium,
    Ties,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame, evaluate, least_tie


def pure_pairs(game: StackelbergGame) -> int:
    """Pairs of pure stationary policies of leader and follower."""
    states, actions, replies = game.reward_leader.shape
    return int((actions * replies) ** states)


def pure_feedback_equilibria(
    game: StackelbergGame, *, ties: Ties = Ties.STRONG, max_pairs: int = MAX_POLICIES
) -> list[StackelbergEquilibrium]:
    """Find all stage-by-stage stationary equilibria in pure actions.

    A pair of policies is one if, its own values taken for tomorrow's, leader and follower choose it today in every
    state. An empty list proves that there is none; rounds of ``feedback_equilibrium`` that cycle prove nothing.

    Raises
    ------
    ValueError
        If there are more than ``max_pairs`` pairs to try.
    """
    states, actions, replies = game.reward_leader.shape
    pairs = pure_pairs(game)
    if pairs > max_pairs:
        raise ValueError(
            f"there are {pairs} pairs of pure policies to try, the limit is {max_pairs}; merge states or actions, or"
            " raise max_pairs"
        )
    found = []
    for choice in product(range(actions), repeat=states):
        for reply in product(range(replies), repeat=states):
            x, y = np.eye(actions)[list(choice)], np.eye(replies)[list(reply)]
            lost = _forgone(game, x, y, ties)
            if lost.max() <= least_tie(game.reward_leader, game.discount_leader):
                found.append(
                    StackelbergEquilibrium(
                        game=game,
                        concept=Concept.FEEDBACK,
                        ties=ties,
                        leader_policy=x,
                        follower_policy=y,
                        residual=float(lost.max()),
                        rounds=pairs,
                        outcome=GameOutcome.EXACT,
                        message=f"Exact: a stage-by-stage equilibrium in actions; all {pairs} pairs of policies tried.",
                    )
                )
    return found


def _forgone(game: StackelbergGame, x: Floats, y: Floats, ties: Ties) -> Floats:
    """What the leader forgoes today by a pure pair (state,); infinite where the follower would not answer so."""
    values = evaluate(game, x, y)
    leader = game.reward_leader + game.discount_leader * game.kernel @ values[0]
    follower = game.reward_follower + game.discount_follower * game.kernel @ values[1]
    tied: Bools = follower >= follower.max(axis=2, keepdims=True) - least_tie(
        game.reward_follower, game.discount_follower
    )
    strong = ties is Ties.STRONG
    worth = np.where(tied, leader, -np.inf).max(axis=2) if strong else np.where(tied, leader, np.inf).min(axis=2)
    states, choice, reply = np.arange(len(x)), x.argmax(axis=1), y.argmax(axis=1)
    as_tied = np.abs(leader[states, choice, reply] - worth[states, choice]) <= least_tie(
        game.reward_leader, game.discount_leader
    )
    answered = tied[states, choice, reply] & as_tied
    return np.asarray(np.where(answered, worth.max(axis=1) - worth[states, choice], np.inf))
