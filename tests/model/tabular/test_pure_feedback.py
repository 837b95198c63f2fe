"""Every pair of pure policies tried: what is found is an equilibrium, and what is not found does not exist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.tabular.game_file import games, load_game
from meanwatt.model.tabular.pure_feedback import pure_feedback_equilibria, pure_pairs
from meanwatt.model.tabular.stackelberg_games import Concept, GameOutcome, Ties, best_response, feedback_equilibrium
from meanwatt.model.tabular.tabular_game import StackelbergGame, random_game

seeds = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9


def drawn(seed: int) -> StackelbergGame:
    rng = np.random.default_rng(seed)
    return random_game(rng, states=2, leader_actions=2, follower_actions=2, discount=0.8)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_pair_found_is_one_that_neither_leaves_today_and_the_follower_never(seed: int) -> None:
    game = drawn(seed)
    for found in pure_feedback_equilibria(game):
        assert (found.concept, found.outcome, found.rounds) == (Concept.FEEDBACK, GameOutcome.EXACT, 16)
        x, y = found.leader_policy.argmax(axis=1), found.follower_policy.argmax(axis=1)
        leader, follower = found.leader_value, found.follower_value
        answered = best_response(game, found.leader_policy)
        assert follower == pytest.approx(answered.follower_value, abs=ROUNDING)
        for s in range(2):
            today = game.reward_leader[s] + 0.8 * game.kernel[s] @ leader
            theirs = game.reward_follower[s] + 0.8 * game.kernel[s] @ follower
            replies = theirs.argmax(axis=1)  # no ties in a game drawn from densities
            assert replies[x[s]] == y[s]
            assert today[x[s], y[s]] >= max(today[a, replies[a]] for a in range(2)) - ROUNDING


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_where_rounds_of_values_come_to_rest_it_is_at_one_of_the_pairs(seed: int) -> None:
    game = drawn(seed)
    rounds = feedback_equilibrium(game)
    pairs = pure_feedback_equilibria(game)
    if rounds.outcome is GameOutcome.CONVERGED:
        assert any(np.array_equal(one.leader_policy, rounds.leader_policy) for one in pairs)
    else:
        assert rounds.outcome is GameOutcome.CYCLE  # of which there may be none, or one that the rounds miss


@pytest.mark.parametrize("name", games())
@pytest.mark.parametrize("ties", list(Ties))
def test_the_built_in_games_have_the_pairs_that_their_rounds_find(name: str, ties: Ties) -> None:
    game = load_game(name).game
    rounds, pairs = feedback_equilibrium(game, ties=ties), pure_feedback_equilibria(game, ties=ties)
    if name == "defection":  # by hand: see test_a_utility_that_cannot_bind_itself_finds_no_charge_that_lasts
        assert (rounds.outcome, pairs) == (GameOutcome.CYCLE, [])
    else:
        assert rounds.leader_objective == pytest.approx(max(one.leader_objective for one in pairs))


def test_a_tied_follower_answers_as_the_leader_likes_best_or_least() -> None:
    # an indifferent follower: favoured, the leader takes max max = 5; spited, max min = 2
    game = StackelbergGame(
        reward_leader=np.array([[[5.0, 0.0], [3.0, 2.0]]]),
        reward_follower=np.ones((1, 2, 2)),
        kernel=np.ones((1, 2, 2, 1)),
        discount_leader=0.0,
        discount_follower=0.0,
    )
    assert [one.leader_objective for one in pure_feedback_equilibria(game)] == [5.0]
    assert [one.leader_objective for one in pure_feedback_equilibria(game, ties=Ties.WEAK)] == [2.0]


def test_a_leader_who_does_not_mind_does_not_make_the_follower_take_less() -> None:
    game = StackelbergGame(
        reward_leader=np.ones((1, 2, 2)),
        reward_follower=np.array([[[1.0, 0.0], [0.0, 1.0]]]),
        kernel=np.ones((1, 2, 2, 1)),
        discount_leader=0.5,
        discount_follower=0.5,
    )
    pairs = [(one.leader_policy.tolist(), one.follower_policy.tolist()) for one in pure_feedback_equilibria(game)]
    assert pairs == [([[1, 0]], [[1, 0]]), ([[0, 1]], [[0, 1]])]


def test_too_many_pairs_are_refused_with_their_number() -> None:
    game = drawn(0)
    assert pure_pairs(game) == 16
    with pytest.raises(ValueError, match=r"^there are 16 pairs of pure policies to try, the limit is 15; merge states"):
        pure_feedback_equilibria(game, max_pairs=15)
