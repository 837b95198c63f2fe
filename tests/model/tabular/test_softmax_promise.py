"""Promises to a softmax follower: their worth and slope, and the bound on what softmax costs a leader who commits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.tabular.game_file import load_game
from meanwatt.model.tabular.mixed_commitment import mixed_commitment
from meanwatt.model.tabular.softmax_games import follower_map, iterate_softmax
from meanwatt.model.tabular.softmax_promise import (
    clear_promise,
    clear_promises,
    promise_error_bound,
    slip_bound,
    softmax_promise,
    softmax_worth,
    turns_error_bound,
)
from meanwatt.model.tabular.stackelberg_games import GameOutcome
from meanwatt.model.tabular.tabular_game import StackelbergGame, evaluate, random_game

seeds = st.integers(0, 2**32 - 1)
TEMPERATURES = (1.0, 0.2, 0.05, 0.01)


def drawn(seed: int, replies: int = 2) -> StackelbergGame:
    rng = np.random.default_rng(seed)
    return random_game(rng, states=2, leader_actions=2, follower_actions=replies, discount=0.8)


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.1, 2.0))
def test_the_worth_of_a_promise_to_softmax_is_its_discounted_sum_and_the_slope_is_the_slope(
    seed: int, temperature: float
) -> None:
    game, rng = drawn(seed, 3), np.random.default_rng(seed)
    follow = follower_map(game, temperature)
    x = rng.dirichlet(np.ones(2), size=2) * 0.8 + 0.1
    worth, slope = softmax_worth(game, x, follow)
    assert worth == pytest.approx(game.start_law @ evaluate(game, x, follow(x))[0], abs=1e-10)
    way = np.array([[1.0, -1.0], [-0.5, 0.5]])
    step = 1e-6
    ahead, behind = (softmax_worth(game, x + sign * step * way, follow)[0] for sign in (1, -1))
    assert (slope * way).sum() == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-5)


@settings(max_examples=6, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_the_leader_who_commits_to_a_softmax_follower_is_short_of_the_true_stackelberg_value_by_the_bound_at_most(
    seed: int, replies: int
) -> None:
    game = drawn(seed, replies)
    best = mixed_commitment(game, max_nodes=60)
    assert best.bound is not None
    clear = clear_promises(game, best)
    starts = [best.leader_policy, *[one.policy for one in clear]]
    for t in TEMPERATURES:
        worth, policy = softmax_promise(game, t, starts)
        assert worth == pytest.approx(softmax_worth(game, policy, follower_map(game, t))[0], abs=1e-9)
        assert best.bound - worth <= promise_error_bound(game, best, clear, t) + 1e-9
        run = iterate_softmax(game, leader_temperature=t, follower_temperature=t)
        if run.outcome is GameOutcome.CONVERGED:
            assert best.bound - game.start_law @ run.leader_value <= turns_error_bound(game, best, t) + 1e-9


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(0.01, 1.0))
def test_slips_of_a_softmax_follower_cost_no_more_than_their_bound(seed: int, temperature: float) -> None:
    game, rng = drawn(seed, 3), np.random.default_rng(seed)
    for x in rng.dirichlet(np.full(2, 0.5), size=(10, 2)):
        promise = clear_promise(game, x)
        assert promise.margin >= 0.0
        paid = softmax_worth(game, x, follower_map(game, temperature))[0]
        assert promise.worth - paid <= slip_bound(game, promise, temperature) + 1e-9


def test_where_a_promise_can_be_clear_the_bound_falls_to_nothing_as_the_follower_cools() -> None:
    game = drawn(2)  # at the best promise the answer is better than any other by .47
    best = mixed_commitment(game)
    clear = clear_promises(game, best)
    bounds = [promise_error_bound(game, best, clear, t) for t in (1.0, 0.1, 0.05, 0.02)]
    assert bounds == sorted(bounds, reverse=True)
    assert clear[0].margin > 0.4
    assert bounds[-1] <= 1e-6


def test_a_leader_of_homes_that_may_leave_asks_a_little_less_of_softmax_homes() -> None:
    """Exact homes stay up to p = 1/4. At η = 0.2 they leave there half the time; a little less is asked, not much."""
    game = load_game("defection").game
    best = mixed_commitment(game)
    starts = [best.leader_policy, *[one.policy for one in clear_promises(game, best)]]
    at_the_edge = softmax_worth(game, best.leader_policy, follower_map(game, 0.2))[0]
    worth, policy = softmax_promise(game, 0.2, starts)
    assert at_the_edge < 15.0 < worth < 25.0
    assert 0.0 < policy[0, 0] < 0.25


def test_a_follower_without_a_choice_cannot_slip() -> None:
    game = drawn(1, 1)
    promise = clear_promise(game, np.full((2, 2), 0.5))
    assert slip_bound(game, promise, 10.0) == 0.0


def test_actions_that_are_one_by_another_name_take_no_margin_away() -> None:
    """Once gone, homes have two names for the same; on the grid staying can still be made clearly better."""
    game = load_game("defection").game
    promise = clear_promise(game, np.array([[0.0, 1.0], [0.5, 0.5]]))
    assert promise.doubled
    assert promise.margin == pytest.approx(25.0 - 20.0)  # low for ever costs 20, to leave 25
    assert promise.slip == pytest.approx(20.0)
    for t in (0.05, 0.2, 0.5):
        paid = softmax_worth(game, promise.policy, follower_map(game, t))[0]
        assert promise.worth - paid <= slip_bound(game, promise, t) + 1e-9
