"""Tabular Stackelberg games: three solved by hand, laws of the exact equilibria, and the softmax iteration's bounds."""

import runpy
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from meanwatt.model.tabular.game_file import load_game
from meanwatt.model.tabular.softmax_games import (
    contractive_temperature,
    follower_map,
    iterate_softmax,
    leader_map,
    lipschitz,
    steepest,
)
from meanwatt.model.tabular.stackelberg_games import (
    Concept,
    GameOutcome,
    StackelbergEquilibrium,
    Ties,
    best_response,
    commitment_equilibrium,
    feedback_equilibrium,
    optimal_mixture,
    recurrence,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame, chase_game, evaluate, random_game

seeds = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9
"""Values are of order 10 and come from linear solves with condition numbers up to 100; HiGHS is asked for 1e-10."""


def one_state(leader: Any, follower: Any, discount: float = 0.0) -> StackelbergGame:
    """A bimatrix game played for ever."""
    return StackelbergGame(
        reward_leader=np.array([leader], dtype=float),
        reward_follower=np.array([follower], dtype=float),
        kernel=np.ones((1, *np.shape(leader), 1)),
        discount_leader=discount,
        discount_follower=discount,
    )


def drawn(seed: int, states: int = 3, discount: float = 0.8, actions: tuple[int, int] = (2, 3)) -> StackelbergGame:
    rng = np.random.default_rng(seed)
    return random_game(rng, states=states, leader_actions=actions[0], follower_actions=actions[1], discount=discount)


def altered(game: StackelbergGame, **changes: Any) -> StackelbergGame:
    names = ("reward_leader", "reward_follower", "kernel", "discount_leader", "discount_follower", "start")
    return StackelbergGame(**{name: changes.get(name, getattr(game, name)) for name in names})


# --- three games by hand -----------------------------------------------------------------------------------------


def test_committing_beats_nash_and_a_mixture_beats_every_pure_commitment() -> None:
    """Conitzer and Sandholm's opening game, for ever at discount 1/2 (every sum doubles).

    Rows U, D; columns L, R; (leader, follower): U: (1, 1) (3, 0); D: (0, 0) (2, 1).
    Nash: U beats D in both columns (1 > 0, 3 > 2); the follower answers U by L: the leader gets 1.
    Pure commitment: to U gives 1; to D the follower answers R: 2.
    Mixed: with U at probability p the follower gets p from L and 1 − p from R, so R is a best answer up to p = 1/2;
    the leader then gets 3p + 2(1 − p) = 2 + p, best at p = 1/2: 2.5. The follower gets 1/2.
    Weak ties: at p = 1/2 the follower would choose L; 2.5 is approached, never reached, so only pure ones count.
    """
    game = load_game("lottery").game
    mixed = commitment_equilibrium(game)
    assert mixed.concept is Concept.COMMITMENT
    assert mixed.outcome is GameOutcome.CONVERGED
    assert "the best of all as the game separates by state" in mixed.message
    assert mixed.leader_policy == pytest.approx(np.array([[0.5, 0.5]]), abs=ROUNDING)
    assert mixed.follower_policy.tolist() == [[0, 1]]
    assert mixed.leader_objective == pytest.approx(2 * 2.5, abs=ROUNDING)
    assert mixed.follower_value == pytest.approx([2 * 0.5], abs=ROUNDING)
    pure = commitment_equilibrium(game, ties=Ties.WEAK)
    assert pure.leader_policy.tolist() == [[0, 1]]
    assert pure.leader_objective == pytest.approx(2 * 2.0)
    assert "mixed policies were left out" in pure.message
    nash, _ = evaluate(game, np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert nash == pytest.approx([2 * 1.0])
    assert best_response(game, np.array([[0.5, 0.5]]), ties=Ties.WEAK).policy.tolist() == [[1, 0]]


def test_a_utility_that_cannot_bind_itself_finds_no_charge_that_lasts() -> None:
    """Grid defection with discount 9/10: a day's money for ever is 1 + 0.9 + 0.81 + … = 10 times it.

    Commitment, pure: high for ever costs 40 > 25, homes leave, the utility gets 0. Low for ever costs 20 < 25, homes
    stay, the utility gets 20. So low, 20.
    Feedback, pure, has none. If low is expected for ever, V = −20; today's high costs 4 + 0.9·20 = 22 < 25, homes
    stay, so the utility charges high. If high is expected, homes leave, V = −25; then high today costs
    4 + 0.9·25 = 26.5 > 25 but low 2 + 22.5 = 24.5 < 25: the utility charges low. The rounds cycle.
    Feedback with a lottery: high with probability p leaves homes indifferent at V = −25 if 2 + 2p + 22.5 = 25, so
    p = 1/4, and the utility gets (2 + 2p)·10 = 25: all that homes would pay to be free.
    """
    game = load_game("defection").game
    promise = commitment_equilibrium(game)
    assert promise.outcome is GameOutcome.EXACT
    assert promise.message == "Exact: the best of 4 deterministic leader policies; a mixed one might earn more."
    assert promise.leader_policy[0].tolist() == [0, 1]
    assert promise.leader_objective == pytest.approx(20.0)
    assert promise.follower_value == pytest.approx([-20.0, 0.0])
    assert commitment_equilibrium(game, ties=Ties.WEAK).leader_objective == pytest.approx(20.0)
    pure = feedback_equilibrium(game)
    assert pure.outcome is GameOutcome.CYCLE
    assert "no stage-by-stage equilibrium in actions was reached" in pure.message
    lottery = feedback_equilibrium(game, mixed=True)
    assert lottery.outcome is GameOutcome.CONVERGED
    assert lottery.leader_policy[0] == pytest.approx([0.25, 0.75], abs=ROUNDING)
    assert lottery.leader_objective == pytest.approx(25.0, abs=1e-7)


def test_a_promise_that_the_leader_would_break_is_worth_making() -> None:
    """Export credits and batteries, discount 1/2: from tomorrow on, a day's money for ever counts 1/2 + 1/4 + … = 1.

    State 0, no battery: the home waits (0, 0) or buys, paying 1, and has a battery tomorrow. State 1, a battery for
    ever: the utility credits exports low (3 for it, 0 for the home) or high (2, 2).
    Commitment to high: buying gains −1 + 2 = 1 > 0, so the home buys; the utility gets 2 from state 0, 4 in state 1.
    Commitment to low: buying gains −1, the home waits, 0. So high, 2.
    Feedback: once the battery is there, low pays more every day (3 > 2): 6 in state 1, the home 0. Seen from state 0
    buying loses 1, the home waits: 0 for both. The leader has 4 in state 1 where it promised, 6 where it did not.
    A start that has a battery three times in four makes the promise too dear: 2/4 + 4·3/4 = 3.5 < 6·3/4 = 4.5.
    """
    game = load_game("battery").game
    late = commitment_equilibrium(altered(game, start=np.array([0.25, 0.75])))
    assert late.leader_objective == pytest.approx(0.75 * 6.0)
    promise, daily = commitment_equilibrium(game), feedback_equilibrium(game)
    assert promise.leader_policy[1].tolist() == [0, 1]
    assert promise.follower_policy[0].tolist() == [0, 1]
    assert promise.leader_value == pytest.approx([2.0, 4.0])
    assert promise.follower_value == pytest.approx([1.0, 4.0])
    assert daily.concept is Concept.FEEDBACK
    assert daily.outcome is GameOutcome.CONVERGED
    assert daily.leader_policy[1].tolist() == [1, 0]
    assert daily.follower_policy[0].tolist() == [1, 0]
    assert daily.leader_value == pytest.approx([0.0, 6.0])
    assert daily.follower_value == pytest.approx([0.0, 0.0])


# --- values and best responses -----------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_values_are_the_discounted_sums_they_claim_to_be(seed: int) -> None:
    game = drawn(seed)
    rng = np.random.default_rng(seed)
    x, y = rng.dirichlet(np.ones(2), size=3), rng.dirichlet(np.ones(3), size=3)
    law, sums = np.eye(3), np.zeros((2, 3))
    for day in range(200):  # 0.8^200 is 4e-20
        pair = law[:, :, None, None] * x[None, :, :, None] * y[None, :, None, :]
        sums[0] += 0.8**day * (pair * game.reward_leader).sum(axis=(1, 2, 3))
        sums[1] += 0.8**day * (pair * game.reward_follower).sum(axis=(1, 2, 3))
        law = np.einsum("isab,sabt->it", pair, game.kernel)
    assert np.stack(evaluate(game, x, y)) == pytest.approx(sums, abs=ROUNDING)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_no_deterministic_policy_beats_the_best_response_from_any_state(seed: int) -> None:
    game = drawn(seed)
    x = np.random.default_rng(seed).dirichlet(np.ones(2), size=3)
    response = best_response(game, x)
    every = [evaluate(game, x, np.eye(3)[list(choice)])[1] for choice in product(range(3), repeat=3)]
    assert response.follower_value == pytest.approx(np.max(every, axis=0), abs=ROUNDING)
    assert abs(response.regret) <= ROUNDING


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_ties_go_for_or_against_the_leader_as_asked(seed: int) -> None:
    # an indifferent follower: the strong answer is the leader's own optimum, the weak one its worst
    game = altered(drawn(seed), reward_follower=np.ones((3, 2, 3)))
    x = np.random.default_rng(seed).dirichlet(np.ones(2), size=3)
    every = [evaluate(game, x, np.eye(3)[list(choice)])[0] for choice in product(range(3), repeat=3)]
    strong, weak = best_response(game, x), best_response(game, x, ties=Ties.WEAK)
    assert strong.best.all()
    assert strong.leader_value == pytest.approx(np.max(every, axis=0), abs=ROUNDING)
    assert weak.leader_value == pytest.approx(np.min(every, axis=0), abs=ROUNDING)


def test_a_tied_follower_favours_or_spites_the_leader_of_the_day_too() -> None:
    # an indifferent follower: favoured, the leader takes max max = 5; spited, max min = 2
    game = one_state([[5, 0], [3, 2]], [[1, 1], [1, 1]])
    assert feedback_equilibrium(game).leader_objective == 5.0
    assert feedback_equilibrium(game, ties=Ties.WEAK).leader_objective == 2.0


# --- laws of the two concepts ------------------------------------------------------------------------------------


def forgone_by_the_follower(found: StackelbergEquilibrium) -> float:
    """By the answer that a commitment counts on, from the state where it is most."""
    return float((best_response(found.game, found.leader_policy).follower_value - found.follower_value).max())


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_no_sampled_mixture_beats_the_exact_one_in_a_one_state_game(seed: int) -> None:
    game = drawn(seed, states=1, actions=(3, 3))
    found = commitment_equilibrium(game)
    exact = found.leader_objective
    assert forgone_by_the_follower(found) <= 1e-8
    rng = np.random.default_rng(seed)
    for mixture in [*np.eye(3), *rng.dirichlet(np.full(3, 0.5), size=100)]:
        assert best_response(game, mixture[None]).leader_value[0] <= exact + 1e-7


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_committing_is_never_worse_than_a_nash_equilibrium(seed: int) -> None:
    """Nash of a 2×2 game: pure ones by inspection, else the mixture that leaves the other indifferent."""
    rng = np.random.default_rng(seed)
    leader, follower = rng.normal(size=(2, 2, 2))
    equilibria = [
        leader[a, b]
        for a, b in product(range(2), repeat=2)
        if leader[a, b] >= leader[:, b].max() and follower[a, b] >= follower[a].max()
    ]
    with np.errstate(divide="ignore"):
        p = (follower[1, 1] - follower[1, 0]) / (follower[0, 0] - follower[0, 1] + follower[1, 1] - follower[1, 0])
        q = (leader[1, 1] - leader[0, 1]) / (leader[0, 0] - leader[1, 0] + leader[1, 1] - leader[0, 1])
    if 0 < p < 1 and 0 < q < 1:
        equilibria.append(float(np.array([p, 1 - p]) @ leader @ np.array([q, 1 - q])))
    assert equilibria
    assert commitment_equilibrium(one_state(leader, follower)).leader_objective >= max(equilibria) - 1e-8


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_enumeration_finds_the_best_deterministic_policy_and_feedback_never_exceeds_it(seed: int) -> None:
    game = altered(drawn(seed), start=np.random.default_rng(seed).dirichlet(np.ones(3)))
    exact = commitment_equilibrium(game)
    assert exact.outcome is GameOutcome.EXACT
    every = []
    for choice in product(range(2), repeat=3):
        x = np.eye(2)[list(choice)]
        answers = [evaluate(game, x, np.eye(3)[list(reply)]) for reply in product(range(3), repeat=3)]
        best = max(answers, key=lambda pair: pair[1].sum())  # optimal from every state, so the sum's best is it
        every.append(float(game.start_law @ best[0]))
    assert exact.leader_objective == pytest.approx(max(every), abs=ROUNDING)
    daily = feedback_equilibrium(game)
    if daily.outcome is GameOutcome.CONVERGED:  # its policies answer each other, so commitment could choose them
        assert daily.leader_objective <= exact.leader_objective + ROUNDING
        response = best_response(game, daily.leader_policy)
        assert daily.follower_value == pytest.approx(response.follower_value, abs=1e-8)


@settings(max_examples=8, deadline=None)
@given(seeds, st.booleans())
def test_where_the_follower_answers_for_today_feedback_is_commitment_and_beats_every_sampled_mixture(
    seed: int, myopic: bool
) -> None:
    game = drawn(seed, states=2)
    assert not game.separates
    if myopic:
        game = altered(game, discount_follower=0.0)
    else:  # only the leader moves the state
        game = altered(game, kernel=np.broadcast_to(game.kernel[:, :, :1], game.kernel.shape))
    assert game.separates
    exact, daily = commitment_equilibrium(game), feedback_equilibrium(game, mixed=True)
    assert exact.leader_value == pytest.approx(daily.leader_value, abs=1e-8)
    assert forgone_by_the_follower(exact) <= 1e-8
    rng = np.random.default_rng(seed)
    for x in rng.dirichlet(np.full(2, 0.5), size=(100, 2)):
        assert (best_response(game, x).leader_value <= exact.leader_value + 1e-7).all()
    pure = feedback_equilibrium(game)
    every = [best_response(game, np.eye(2)[list(choice)]).leader_value for choice in product(range(2), repeat=2)]
    assert pure.leader_value == pytest.approx(np.max(every, axis=0), abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_where_nobody_moves_the_state_each_state_is_a_game_of_its_own(seed: int) -> None:
    game = drawn(seed, states=2)
    game = altered(game, kernel=np.broadcast_to(game.kernel[:, :1, :1], game.kernel.shape))
    exact = commitment_equilibrium(game)
    today = []
    for leader, follower in zip(game.reward_leader, game.reward_follower, strict=True):
        mixture, reply = optimal_mixture(leader, follower)
        today.append(mixture @ leader[:, reply])
    expected = np.linalg.solve(np.eye(2) - 0.8 * game.kernel[:, 0, 0], np.array(today))
    assert exact.leader_value == pytest.approx(expected, abs=1e-7)


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_the_follower_s_unit_and_zero_of_reward_change_nothing(seed: int, unit: float, zero: float) -> None:
    game = drawn(seed)
    other = altered(game, reward_follower=unit * game.reward_follower + zero)
    for solve in (commitment_equilibrium, feedback_equilibrium):
        before, after = solve(game), solve(other)
        assert after.outcome is before.outcome
        if before.outcome is not GameOutcome.CYCLE:  # whose last round is any of its rounds
            assert after.leader_value == pytest.approx(before.leader_value, abs=1e-8)
            assert after.follower_value == pytest.approx(unit * before.follower_value + 5 * zero, abs=1e-7)


def test_private_states_join_into_the_game_they_describe() -> None:
    rng = np.random.default_rng(4)
    own, other = rng.dirichlet(np.ones(2), size=(2, 2, 3)), rng.dirichlet(np.ones(3), size=(3, 2, 3))
    reward_leader, reward_follower = rng.normal(size=(2, 2, 3, 2, 3))
    game = StackelbergGame.from_product(
        kernel_leader=own,
        kernel_follower=other,
        reward_leader=reward_leader,
        reward_follower=reward_follower,
        discount_leader=0.5,
        discount_follower=0.9,
    )
    for i, j, a, b, k, m in product(range(2), range(3), range(2), range(3), range(2), range(3)):
        assert game.kernel[3 * i + j, a, b, 3 * k + m] == pytest.approx(own[i, a, b, k] * other[j, a, b, m])
        assert game.reward_leader[3 * i + j, a, b] == reward_leader[i, j, a, b]
        assert game.reward_follower[3 * i + j, a, b] == reward_follower[i, j, a, b]
    assert (game.discount_leader, game.discount_follower) == (0.5, 0.9)


# --- softmax responses -------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.05, 5.0))
def test_a_softmax_response_solves_the_decision_problem_with_entropy(seed: int, temperature: float) -> None:
    """V = η log Σ exp(Q/η) by plain value iteration, and π = exp((Q − V)/η)."""
    game = drawn(seed)
    x = np.random.default_rng(seed).dirichlet(np.ones(2), size=3)
    reward, kernel = np.einsum("sab,sa->sb", game.reward_follower, x), np.einsum("sabt,sa->sbt", game.kernel, x)
    value = np.zeros(3)
    for _ in range(200):
        worth = reward + 0.8 * kernel @ value
        top = worth.max(axis=1)
        value = top + temperature * np.log(np.exp((worth - top[:, None]) / temperature).sum(axis=1))
    expected = np.exp((worth - value[:, None]) / temperature)
    assert follower_map(game, temperature)(x) == pytest.approx(expected, abs=1e-10 / temperature)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_a_cold_response_is_the_exact_one_and_its_regret_keeps_within_the_bound(seed: int) -> None:
    game = drawn(seed)
    x = np.random.default_rng(seed).dirichlet(np.ones(2), size=3)
    exact = best_response(game, x)
    for temperature in (2.0, 0.2, 0.002):
        response = follower_map(game, temperature)
        y = response(x)
        lost = float((exact.follower_value - evaluate(game, x, y)[1]).max())
        assert response.regret(y, x) == pytest.approx(lost, abs=ROUNDING)
        assert response.regret_bound() == pytest.approx(temperature * np.log(3) / 0.2)
        assert -ROUNDING <= lost <= response.regret_bound()


def test_the_leader_s_map_is_the_follower_s_with_the_roles_exchanged() -> None:
    game = altered(drawn(1), discount_leader=0.3)
    exchanged = StackelbergGame(
        reward_leader=game.reward_follower.swapaxes(1, 2),
        reward_follower=game.reward_leader.swapaxes(1, 2),
        kernel=game.kernel.swapaxes(1, 2),
        discount_leader=game.discount_follower,
        discount_follower=game.discount_leader,
    )
    y = np.random.default_rng(0).dirichlet(np.ones(3), size=3)
    assert leader_map(game, 0.4)(y) == pytest.approx(follower_map(exchanged, 0.4)(y), abs=1e-14)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0.2, 1.0, 5.0]), st.booleans())
def test_the_derivative_is_the_limit_of_differences(seed: int, temperature: float, leads: bool) -> None:
    game = drawn(seed)
    response = (leader_map if leads else follower_map)(game, temperature)
    rng = np.random.default_rng(seed)
    other = response.reward.shape[1]
    x = 0.5 / other + 0.5 * rng.dirichlet(np.ones(other), size=3)
    direction = rng.normal(size=x.shape)
    direction -= direction.mean(axis=1, keepdims=True)
    h = 1e-5 * temperature  # the error is h² times a third derivative of order 1/temperature³
    slope = (response(x + h * direction) - response(x - h * direction)) / (2 * h)
    assert np.einsum("sbra,ra->sb", response.derivative(x), direction) == pytest.approx(slope, abs=1e-6 / temperature)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_the_local_constant_is_the_largest_push_over_all_corner_directions(seed: int) -> None:
    game = drawn(seed, states=2, actions=(3, 3))
    response = follower_map(game, 0.5)
    x = np.random.default_rng(seed).dirichlet(np.ones(3), size=2)
    derivative = response.derivative(x)
    corners = [(np.eye(3)[i] - np.eye(3)[j]) / 2 for i, j in product(range(3), repeat=2)]
    pushes = [
        np.abs(np.einsum("sbra,ra->sb", derivative, np.stack(pair))).sum(axis=1).max()
        for pair in product(corners, repeat=2)
    ]
    assert response.local_lipschitz(x) == pytest.approx(max(pushes), rel=1e-10)


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.05, 3.0), st.floats(0.0, 0.95))
def test_no_two_policies_are_pushed_apart_by_more_than_the_proven_constant(
    seed: int, temperature: float, discount: float
) -> None:
    game = drawn(seed, discount=discount)
    rng = np.random.default_rng(seed)
    for response in (leader_map(game, temperature), follower_map(game, temperature)):
        other = response.reward.shape[1]
        for _ in range(20):
            x, y = rng.dirichlet(np.full(other, 0.3), size=(2, 3))
            apart = np.abs(x - y).sum(axis=1).max()
            pushed = np.abs(response(x) - response(y)).sum(axis=1).max()
            assert pushed <= response.lipschitz_bound() * apart + 1e-12 / temperature


def test_the_search_is_below_the_bound_above_its_samples_and_attains_it_in_matching_pennies() -> None:
    game = drawn(5)
    response = follower_map(game, 0.7)
    slope, where = steepest(response, np.random.default_rng(0))
    assert slope == response.local_lipschitz(where)
    samples = np.random.default_rng(1).dirichlet(np.ones(2), size=(50, 3))
    assert max(response.local_lipschitz(x) for x in samples) <= slope <= response.lipschitz_bound()
    # one state, matched 1 or missed 0: q = σ((2p − 1)/η), steepest at p = 1/2 with slope 1/(2η), and so says the proof
    pennies = follower_map(load_game("pennies").game, 0.4)
    slope, where = steepest(pennies, np.random.default_rng(0))
    assert where == pytest.approx(np.array([[0.5, 0.5]]))
    assert slope == pytest.approx(1 / (2 * 0.4))
    assert pennies.lipschitz_bound() == pytest.approx(1 / (2 * 0.4))


def test_a_hasty_search_ends_below_the_patient_one_at_a_policy_that_attains_what_it_says() -> None:
    response = follower_map(drawn(5), 0.3)
    patient, _ = steepest(response, np.random.default_rng(0))
    hasty, where = steepest(response, np.random.default_rng(0), least_gain=0.1)
    assert hasty == response.local_lipschitz(where)
    assert response.local_lipschitz(np.full((3, 2), 0.5)) <= hasty < patient
    found = [steepest(response, np.random.default_rng(0), least_gain=gain)[0] for gain in (1e-3, 0.0)]
    assert found[1] == patient
    assert found[0] == pytest.approx(patient, rel=0.02)


def test_a_promise_for_another_state_pushes_and_the_proof_counts_it() -> None:
    """State 0: stay or go to state 1, for ever, where the leader pays 1 with probability p. Only the promise moves.

    With η = 1, δ = 1/2, entropy log 2 a day: V1 = (p + log 2)/(1 − 1/2), so Q(go) − Q(stay) moves with δ·2·dp and, as
    staying puts it off, a little less. No pair of actions in one state says so: all mixed differences are zero.
    """
    reward, kernel = np.zeros((2, 2, 2)), np.zeros((2, 2, 2, 2))
    reward[1, 1] = 1.0
    kernel[0, :, 0, 0] = kernel[0, :, 1, 1] = kernel[1, :, :, 1] = 1.0
    game = StackelbergGame(
        reward_leader=reward, reward_follower=reward, kernel=kernel, discount_leader=0.5, discount_follower=0.5
    )
    response = follower_map(game, 1.0)
    slope, _ = steepest(response, np.random.default_rng(0))
    assert 0.1 < slope <= response.lipschitz_bound()


# --- the iteration -----------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0.05, 0.95), st.floats(0.0, 0.9))
def test_a_contractive_game_converges_from_anywhere_within_the_bound(
    seed: int, contraction: float, discount: float
) -> None:
    game = drawn(seed, discount=discount)
    temperature = contractive_temperature(game, contraction)
    rng = np.random.default_rng(seed)
    runs = [
        iterate_softmax(game, leader_temperature=temperature, follower_temperature=temperature, start=start)
        for start in (None, *rng.dirichlet(np.full(2, 0.2), size=(2, 3)))
    ]
    for run in runs:
        assert run.outcome is GameOutcome.CONVERGED
        # the last point stands for the fixed point, itself known within tolerance·d/(1 − d)
        slack = 1e-12 / (1 - contraction)
        assert (run.errors() <= run.error_bounds(contraction) + slack).all()
        assert (run.residuals[1:] <= contraction * run.residuals[:-1] + 1e-13).all()
        assert run.leader_policy == pytest.approx(runs[0].leader_policy, abs=2 * slack)
        assert run.leader_regret <= run.leader_regret_bound
        assert run.follower_regret <= run.follower_regret_bound


def test_measured_constants_bound_the_error_more_tightly_than_proven_ones() -> None:
    game = drawn(8)
    temperature = contractive_temperature(game, 0.5)
    found = lipschitz(game, np.random.default_rng(0), leader_temperature=temperature, follower_temperature=temperature)
    assert found.product_bound == pytest.approx(0.5)
    assert found.product_measured < found.product_bound
    run = iterate_softmax(game, leader_temperature=temperature, follower_temperature=temperature)
    assert (run.errors() <= run.error_bounds(found.product_measured) + 1e-11).all()


@pytest.mark.parametrize("actions", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_a_chase_cycles_when_cold_and_settles_when_warm(actions: int, seed: int) -> None:
    game = chase_game(np.random.default_rng(seed), actions=actions)
    cold = iterate_softmax(game, leader_temperature=0.1, follower_temperature=0.1)
    assert cold.outcome is GameOutcome.CYCLE
    assert cold.period == actions
    assert f"Cycle of period {actions}" in cold.message
    follow, lead = follower_map(game, 0.1), leader_map(game, 0.1)
    policy = cold.leader_policy
    for _ in range(actions):  # the map itself comes back
        policy = lead(follow(policy))
    assert policy == pytest.approx(cold.leader_policy, abs=1e-5)
    warm = contractive_temperature(game, 0.9)
    settled = iterate_softmax(game, leader_temperature=warm, follower_temperature=warm)
    assert settled.outcome is GameOutcome.CONVERGED


def test_matching_pennies_stop_converging_exactly_where_the_product_of_slopes_passes_one() -> None:
    """Both slopes are 1/(2η) at the fixed point (1/2, 1/2), so the steps shrink by (1/(2η))² for η > 1/2."""
    game = load_game("pennies").game
    assert contractive_temperature(game, 1.0) == pytest.approx(0.5)
    start = np.array([[0.6, 0.4]])
    warm = iterate_softmax(game, leader_temperature=0.52, follower_temperature=0.52, start=start)
    assert warm.outcome is GameOutcome.CONVERGED
    small = int(np.argmax(warm.residuals < 1e-6))  # where neither the cubic term nor rounding reaches 1e-8
    assert warm.residuals[small + 1] / warm.residuals[small] == pytest.approx((1 / 1.04) ** 2, abs=1e-8)
    cold = iterate_softmax(game, leader_temperature=0.48, follower_temperature=0.48, start=start)
    assert cold.outcome is GameOutcome.CYCLE
    assert cold.period == 2
    with pytest.raises(ValueError, match=r"product is 1.08507; the bound needs one in \[0, 1\): raise the temper"):
        cold.error_bounds((1 / 0.96) ** 2)


def test_uncoupled_players_do_not_answer_each_other() -> None:
    game = random_game(
        np.random.default_rng(2), states=3, leader_actions=2, follower_actions=2, discount=0.9, coupling=0.0
    )
    assert follower_map(game, 0.1).lipschitz_bound() == pytest.approx(0.0, abs=1e-12)
    run = iterate_softmax(game, leader_temperature=0.1, follower_temperature=0.1)
    assert len(run.residuals) == 2


def test_the_round_limit_is_told() -> None:
    run = iterate_softmax(drawn(0), leader_temperature=1.0, follower_temperature=1.0, max_rounds=1)
    assert run.outcome is GameOutcome.ROUND_LIMIT
    assert run.message.startswith("Not converged: steps of ")
    daily = feedback_equilibrium(drawn(0), max_rounds=1)
    assert daily.outcome is GameOutcome.ROUND_LIMIT
    assert daily.message.endswith("after 1 round; raise max_rounds.")


def test_a_cycle_is_a_return_while_moving_and_slow_convergence_is_none() -> None:
    points = [np.array([v]) for v in (0.0, 1.0, 3.0, 0.0)]
    assert recurrence(points[:3], points[3]) == 3
    crawl = [np.array([(-0.999) ** k]) for k in range(40)]
    assert recurrence(crawl[:-1], crawl[-1]) == 0
    assert recurrence([np.zeros(2)], np.zeros(2)) == 0


# --- errors ------------------------------------------------------------------------------------------------------


def spoiled(name: str, place: tuple[int, ...], value: float) -> dict[str, Any]:
    array = np.array(getattr(drawn(0), name))
    array[place] = value
    return {name: array}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            spoiled("kernel", (1, 0, 2, 0), 0.0),
            r"kernel sums to 0\.\d+ over its last axis at index \[1, 0, 2\]; divide",
        ),
        (spoiled("kernel", (0, 1, 1, 2), -0.5), r"kernel is -0.5 at index \[0, 1, 1, 2\]; give probabilities >= 0"),
        (spoiled("reward_follower", (2, 1, 0), np.nan), r"reward_follower is nan at index \[2, 1, 0\]; give finite"),
        ({"reward_follower": np.zeros((3, 2, 2))}, r"reward_follower has shape \(3, 2, 2\); give \(3, 2, 3\), axes"),
        ({"reward_leader": np.zeros((3, 2))}, r"reward_leader has shape \(3, 2\); give \(state, leader action, follow"),
        ({"discount_leader": 1.0}, r"discount_leader is 1.0; give a number in \[0, 1\), e.g. 0.9"),
        ({"discount_follower": float("nan")}, r"discount_follower is nan; give a number in \[0, 1\)"),
        ({"start": np.array([0.5, 0.0, 0.0])}, "start sums to 0.5 over its last axis; divide the row by its sum"),
    ],
)
def test_a_wrong_game_is_refused_by_name_place_and_remedy(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        altered(drawn(0), **changes)
    assert "\n" not in str(raised.value)


def test_a_game_too_large_to_enumerate_is_refused_with_the_count() -> None:
    game = drawn(0, states=15)
    with pytest.raises(ValueError, match=r"enumerate 2\*\*15 = 32768 leader policies, the limit is 20000; merge"):
        commitment_equilibrium(game)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda g: best_response(g, np.full((3, 3), 1 / 3)), r"leader_policy has shape \(3, 3\); give \(3, 2\), axes"),
        (
            lambda g: best_response(g, np.full((3, 2), 0.4)),
            r"leader_policy sums to 0.8 over its last axis at index \[0",
        ),
        (lambda g: feedback_equilibrium(g, mixed=True, ties=Ties.WEAK), "ties is weak with mixed=True; the best mix"),
        (lambda g: feedback_equilibrium(g, max_rounds=0), "max_rounds is 0; give at least 1"),
        (lambda g: follower_map(g, 0.0), "temperature is 0.0; give a finite number > 0"),
        (lambda g: contractive_temperature(g, 0.0), "product is 0.0; give a number > 0"),
        (
            lambda _: follower_map(drawn(0, states=1, actions=(2, 13)), 1.0).local_lipschitz(np.array([[0.5, 0.5]])),
            "a player has 13 actions; the exact norm takes up to 12",
        ),
        (
            lambda _: StackelbergGame.from_product(**dict.fromkeys(PRODUCT, np.ones(2)), **DISCOUNTS),
            "kernel_leader has",
        ),
        (lambda _: random_game(np.random.default_rng(0), **SIZES, coupling=2.0), r"coupling is 2.0; give a number in"),
    ],
)
def test_a_wrong_question_is_refused_with_a_remedy(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        call(drawn(0))
    assert "\n" not in str(raised.value)


PRODUCT = ("kernel_leader", "kernel_follower", "reward_leader", "reward_follower")
DISCOUNTS = {"discount_leader": 0.5, "discount_follower": 0.5}
SIZES = {"states": 1, "leader_actions": 2, "follower_actions": 2, "discount": 0.5}


def test_the_page_for_students_prints_what_its_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/tutorial/tabular_games.md").read_text(encoding="utf-8")
    runpy.run_path(str(ROOT / "docs/examples/tabular_games.py"))["main"]([])
    printed = capsys.readouterr().out
    assert printed.count("\n") > 5
    assert f"```text\n{printed}```" in page
