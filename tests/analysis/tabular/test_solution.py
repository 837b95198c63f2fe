"""A game solved for the classroom: laws between its concepts, errors below their bounds, and games solved by hand."""

import json
from functools import cache
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.analysis.output.strict_json import dumps
from meanwatt.analysis.tabular import solution as solving
from meanwatt.analysis.tabular.report import solution_json
from meanwatt.analysis.tabular.solution import (
    PRODUCT,
    GameSolution,
    Solved,
    default_temperatures,
    solve_commitment,
    solve_game,
    solve_mixed_commitment,
    solve_mixed_feedback,
    solve_pure_feedback,
    start_policy,
)
from meanwatt.model.tabular.game_file import games, load_game
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.softmax_games import contractive_temperature
from meanwatt.model.tabular.stackelberg_games import GameOutcome, best_response
from meanwatt.model.tabular.tabular_game import StackelbergGame, random_game

ROUNDING = 1e-8
"""The linear programmes are asked for 1e-10, values are of order 10."""


TEMPERATURES = {"peak": (1.5, 0.4)}
"""Where the default ones would take the tests seconds."""


@cache
def solved(name: str) -> GameSolution:
    return solve_game(load_game(name), temperatures=TEMPERATURES.get(name, ()))


def named(game: StackelbergGame) -> NamedGame:
    states, actions, replies = game.reward_leader.shape
    return NamedGame(
        name="drawn",
        title="Drawn",
        leader="leader",
        follower="follower",
        unit="",
        states=tuple(f"s{k}" for k in range(states)),
        leader_actions=tuple(f"a{k}" for k in range(actions)),
        follower_actions=tuple(f"b{k}" for k in range(replies)),
        game=game,
    )


def drawn(seed: int, states: int = 2) -> StackelbergGame:
    rng = np.random.default_rng(seed)
    return random_game(rng, states=states, leader_actions=2, follower_actions=2, discount=0.8)


# --- the concepts ------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_pure_promise_is_worth_no_less_than_any_pure_feedback_and_a_lottery_keeps_its_worth_when_promised(
    seed: int,
) -> None:
    game = drawn(seed)
    promise, daily, lottery = solve_commitment(game), solve_pure_feedback(game), solve_mixed_feedback(game)
    assert promise.equilibrium is not None
    assert (promise.exists, promise.mixed) == (True, False)
    if daily.equilibrium is not None:  # its policies answer each other, so commitment could choose them
        assert daily.equilibrium.leader_objective <= promise.equilibrium.leader_objective + ROUNDING
    else:
        assert daily.exists is False
        assert daily.message == "None exists: each of the 16 pairs of pure policies was tried."
    if lottery.equilibrium is not None:
        found = lottery.equilibrium
        promised = best_response(game, found.leader_policy)
        assert float(game.start_law @ promised.leader_value) >= found.leader_objective - 1e-6


def test_of_leaving_the_grid_everything_is_said() -> None:
    """By hand in docs/tutorial/tabular_games.md: pure promise 20, pure feedback none, the lottery of a quarter 25.

    The lottery of feedback, promised for ever, is the best promise of all.
    """
    found = solved("defection")
    assert found.outcome is Solved.SOLVED
    assert found.message == "Solved, but for feedback."
    promise, daily, lottery = (found.concepts[name] for name in ("commitment", "feedback", "feedback_mixed"))
    assert promise.equilibrium is not None
    assert promise.equilibrium.leader_objective == pytest.approx(20.0)
    assert (daily.equilibrium, daily.exists, daily.outcome) == (None, False, "none")
    assert lottery.equilibrium is not None
    assert lottery.equilibrium.leader_objective == pytest.approx(25.0, abs=1e-7)
    assert found.messages == (
        "commitment: only the 4 pure promises were compared, as the follower moves the state; a lottery, promised for"
        " ever, earns 25.",
    )
    best = found.concepts["commitment_mixed"].equilibrium
    assert best is not None
    assert best.outcome is GameOutcome.EXACT
    assert best.leader_policy[0] == pytest.approx([0.25, 0.75], abs=ROUNDING)
    assert best.leader_objective == pytest.approx(25.0, abs=1e-7)
    assert best.bound == pytest.approx(25.0, abs=2e-6)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_concept_is_worth_more_than_the_best_promise_with_lotteries(seed: int) -> None:
    game = drawn(seed)
    others = {
        "commitment": solve_commitment(game),
        "feedback": solve_pure_feedback(game),
        "feedback_mixed": solve_mixed_feedback(game),
    }
    best = solve_mixed_commitment(game, others).equilibrium
    assert best is not None
    for one in others.values():
        if one.equilibrium is not None:
            assert one.equilibrium.leader_objective <= best.leader_objective + 1e-6


def test_a_search_that_ends_at_its_limit_is_called_the_best_found_and_says_what_it_may_miss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("meanwatt.model.tabular.mixed_commitment.NODES", 1)
    game = random_game(np.random.default_rng(0), states=3, leader_actions=2, follower_actions=2, discount=0.8)
    found = solve_game(named(game), temperatures=(5.0,))
    best = found.concepts["commitment_mixed"]
    assert (best.outcome, best.exists, found.outcome) == ("best_found", True, Solved.SOLVED)
    assert best.equilibrium is not None
    assert best.equilibrium.bound is not None
    assert found.messages[-1] == (
        f"commitment_mixed: the best found, worth {best.equilibrium.leader_objective:g}, after 1 box; the best of all"
        f" is worth no more than {best.equilibrium.bound:g}."
    )


def test_a_rebate_by_lottery_costs_no_more_than_it_must() -> None:
    """Insulation costs a home that looks no further than today 3, the rebate is 4; insulated saves 1 a day for ever.

    From tomorrow on the saving is worth 0.9 + 0.81 + … = 9. A rebate for certain: 9 − 4 = 5. With probability q the
    home insulates if 4q ≥ 3: at q = 3/4 the utility pays 3 in the mean, 9 − 3 = 6. The home is myopic, so lotteries
    are searched under commitment, and feedback finds the same.
    """
    found = solved("rebate")
    for name, rebate, worth in (("commitment", 0.75, 6), ("feedback", 1, 5), ("feedback_mixed", 0.75, 6)):
        one = found.concepts[name].equilibrium
        assert one is not None
        assert one.leader_policy[0, 1] == pytest.approx(rebate, abs=ROUNDING)
        assert one.follower_policy[0].tolist() == [0, 1]
        assert one.leader_value == pytest.approx([worth, 10.0], abs=1e-7)
    assert found.concepts["commitment"].mixed
    assert found.messages == ()


def test_a_price_that_chases_the_peak_keeps_homes_still_by_a_lottery_over_two_windows() -> None:
    """Each state is a game of its own: the utility plays two windows alike, homes use the one where it may meet them.

    Homes that stay one window ahead of noon or night get 1/2 either way, and favour the utility: it gets 1/2 in mild, 1
    in hot weather. With discount 1/2 and the weather's chain: V_mild = .5 + .5(.8 V_mild + .2 V_hot) and V_hot = 1 +
    .5(.5 V_mild + .5 V_hot), so V_hot = 29/17, V_mild = 19/17.
    """
    one = solved("peak").concepts["commitment"].equilibrium
    assert one is not None
    assert one.leader_value == pytest.approx([19 / 17, 29 / 17], abs=1e-8)
    assert one.follower_value == pytest.approx([19 / 17, 29 / 17], abs=1e-8)


def test_a_game_with_too_many_promises_is_solved_by_feedback_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.model.tabular.mixed_commitment.NODES", 1)
    game = random_game(
        np.random.default_rng(0), states=8, leader_actions=4, follower_actions=2, discount=0.5, coupling=0.2
    )
    found = solve_game(named(game), temperatures=(5.0,))
    promise = found.concepts["commitment"]
    assert (found.outcome, promise.outcome, promise.exists) == (Solved.TOO_LARGE, "too_large", None)
    assert "4**8 = 65536 of them; the limit is 20000" in found.message
    assert found.concepts["feedback_mixed"].equilibrium is not None
    assert found.runs[0].converged


# --- the iteration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", games())
def test_where_the_iteration_converges_error_and_regrets_keep_below_their_bounds(name: str) -> None:
    found = solved(name)
    converged = [one for one in found.runs if one.converged]
    assert converged[0].temperature == max(one.temperature for one in found.runs)
    proven = 0
    for one in converged:
        product = one.lipschitz.product_bound
        bounds = one.error_bounds(product)
        if bounds is not None:
            assert one.errors is not None
            assert (one.errors <= bounds + 1e-12 / (1 - product)).all()  # the last point stands for the fixed point
            proven += 1
        assert one.run.leader_regret <= one.run.leader_regret_bound
        assert one.run.follower_regret <= one.run.follower_regret_bound
        assert one.lipschitz.product_measured <= product * (1 + 1e-9) + 1e-12
    assert proven >= 1
    for one in found.runs:
        assert one.converged or (one.errors is None and one.error_bounds(0.5) is None)
        assert one.error_bounds(1.0) is None


@pytest.mark.parametrize("name", ["pennies", "peak"])
def test_a_chase_converges_when_warm_and_cycles_when_cold(name: str) -> None:
    first, *rest = solved(name).runs
    assert first.converged
    period = len(load_game(name).leader_actions)
    assert all(one.run.period == period for one in rest)


def test_temperatures_begin_where_the_iteration_converges_by_proof_and_by_search() -> None:
    for seed in (0, 1):  # in the second, choices are clear when cold and the product never reaches 1/2
        game = drawn(seed)
        first, second, *rest = default_temperatures(game)
        proven = contractive_temperature(game, PRODUCT)
        assert proven <= first <= 1.1 * proven  # to two digits
        found = solving.run_at(game, second, start_policy(game), 0)
        assert 0.25 < found.lipschitz.product_measured < 1
        assert all(second / t == pytest.approx(2 ** (k + 1), rel=0.12) for k, t in enumerate(rest))
    # nobody answers the leader in turn: from the range of the rewards on, 3 in each of these
    assert default_temperatures(load_game("battery").game)[0] == default_temperatures(load_game("lottery").game)[0] == 3


def test_the_first_policy_leans_for_at_equal_shares_a_symmetric_game_would_stay() -> None:
    assert start_policy(load_game("peak").game) == pytest.approx(np.array([[7, 4, 4], [7, 4, 4]]) / 15)
    game = load_game("pennies").game
    for start, moves in ((np.array([[0.5, 0.5]]), False), (start_policy(game), True)):
        run = solving.run_at(game, 0.2, start, 0).run
        assert (len(run.residuals) > 1) is moves


def test_one_seed_is_one_solution_and_temperatures_are_taken_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.model.tabular.mixed_commitment.NODES", 1)  # the seed is not the promise's
    game = named(drawn(3))
    whole, part = solve_game(game, temperatures=(0.5, 2.0), seed=4), solve_game(game, temperatures=(2.0,), seed=4)
    assert [one.temperature for one in whole.runs] == [0.5, 2.0]
    assert whole.runs[1].lipschitz == part.runs[0].lipschitz
    np.testing.assert_array_equal(whole.runs[1].run.policies, part.runs[0].run.policies)


def test_a_run_that_neither_converges_nor_cycles_is_a_failure_only_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solving, "MAX_ROUNDS", 3)
    game = load_game("pennies")
    asked = solve_game(game, temperatures=(0.7,))
    assert asked.outcome is Solved.ROUND_LIMIT
    assert asked.message.startswith("temperature 0.7: Not converged: steps of ")
    assert solve_game(game).outcome is Solved.SOLVED


def test_a_request_to_stop_is_heard_between_the_parts() -> None:
    parts: list[str] = []
    asked = count()
    found = solve_game(load_game("pennies"), told=parts.append, cancelled=lambda: next(asked) >= 2)
    assert (found.outcome, found.message) == (Solved.CANCELLED, "Cancelled: some parts were not solved.")
    assert list(found.concepts) == parts[:2] == ["commitment", "feedback"]
    assert found.runs == ()


# --- the JSON ----------------------------------------------------------------------------------------------------


def test_the_json_names_everything_and_holds_the_same_numbers() -> None:
    found = solved("defection")
    result = json.loads(dumps(solution_json(found)))
    assert result["outcome"] == "converged"
    assert result["players"] == {"leader": "utility", "follower": "home"}
    assert result["states"] == ["grid", "gone"]
    assert result["actions"] == {"leader": ["high", "low"], "follower": ["stay", "leave"]}
    assert result["start"] == {"grid": 1.0, "gone": 0.0}
    assert result["separates"] is False
    promise, daily, lottery = (result["concepts"][name] for name in ("commitment", "feedback", "feedback_mixed"))
    assert promise["leader_policy"]["grid"] == {"high": 0.0, "low": 1.0}
    assert promise["follower_value"]["grid"] == pytest.approx(-20.0)
    best = result["concepts"]["commitment_mixed"]
    assert set(promise) == set(daily) == set(lottery) == set(best)
    assert promise["bound"] is daily["bound"] is None
    assert (best["outcome"], best["mixed"], best["exists"]) == ("exact", True, True)
    assert best["leader_objective"] <= best["bound"] <= best["leader_objective"] + 2e-6
    assert best["residual"] <= 1e-9
    assert daily["exists"] is False
    assert daily["leader_policy"] is daily["leader_objective"] is None
    assert lottery["leader_policy"]["grid"]["high"] == pytest.approx(0.25)
    runs = result["softmax"]["temperatures"]
    assert result["softmax"]["contractive_temperature"] == found.warm
    assert result["softmax"]["start_policy"]["grid"]["high"] == pytest.approx(0.6)
    assert [run["temperature"] for run in runs] == [one.temperature for one in found.runs]
    for run, one in zip(runs, found.runs, strict=True):
        assert run["rounds"] == len(one.run.residuals)
        assert (run["error"] is None) is not one.converged
        assert run["lipschitz"]["product_bound"] == one.lipschitz.product_bound
        assert run["leader_objective"] == pytest.approx(run["leader_value"]["grid"])
        worth = best["leader_objective"]
        assert run["stackelberg_error"] == pytest.approx(worth - run["leader_objective"])
        assert run["stackelberg_error"] <= run["stackelberg_error_bound"]
        assert run["promise_error"] <= run["promise_error_bound"]
    assert runs[-1]["promise_error"] < 10 < runs[-1]["stackelberg_error"]
    first, product = found.runs[0].run.residuals[0], runs[0]["lipschitz"]["product_bound"]
    assert runs[0]["error_bound_proven"][0] == pytest.approx(first / (1 - product))
    assert runs[-1]["error_bound_proven"] is runs[-1]["error_bound_measured"] is None


def test_a_cycle_has_a_period_and_no_distance_to_go() -> None:
    run = solution_json(solved("pennies"))["softmax"]["temperatures"][-1]
    assert (run["outcome"], run["period"], run["error"]) == (GameOutcome.CYCLE, 2, None)
    assert run["stackelberg_error"] is None
    assert run["promise_error"] is not None
