"""Shocks that return in whole days only: households fall into groups that never mix, each with a gain and a law."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import random_game, small_battery, small_decision_problem, small_household, small_rates

from meanwatt.agents.behaviour.q_learning import believed_values
from meanwatt.agents.household.best_response import best_response, respond
from meanwatt.agents.household.day_operator import closed_groups, group_weights
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.scenario.weather import common_states, stationary_law

CYCLE = np.roll(np.eye(3), 1, axis=1)
"""Shock 0 leads to 1, 1 to 2, 2 to 0: with three slots a day every midnight is like the last."""
TWO_SIDES = np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
"""From 0 to 1 or 2 and back: with an even number of slots {0} and {1, 2} never meet at midnight."""
LEAVING = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]])
"""Shocks 0 and 1 alternate; 2 is left for ever."""
ALTERNATING = np.array([[0.0, 1.0], [1.0, 0.0]])
ALONE = np.ones((1, 1))


def problem_of(
    shock_kernel: np.ndarray, temperature: float, *, weather: np.ndarray, **changes: object
) -> DecisionProblem:
    return replace(
        small_decision_problem(temperature, weather=weather),
        shock_levels=np.ones(len(shock_kernel)),
        shock_kernel=shock_kernel,
        shock_probability=stationary_law(shock_kernel),
        **changes,
    )


def test_a_cycle_that_fits_into_a_day_makes_as_many_groups_as_it_has_shocks() -> None:
    assert closed_groups(ALONE, CYCLE, 3).tolist() == [[0, 1, 2]]
    assert closed_groups(ALONE, CYCLE, 24).tolist() == [[0, 1, 2]]
    assert closed_groups(ALONE, CYCLE, 4).max() == 0


def test_a_period_that_shares_a_divisor_with_the_slots_makes_that_many_groups() -> None:
    six = np.roll(np.eye(6), 1, axis=1)
    assert closed_groups(ALONE, six, 4).max() == 1  # 4 and 6 share 2
    assert closed_groups(ALONE, TWO_SIDES, 24).tolist() == [[0, 1, 1]]
    assert closed_groups(ALONE, TWO_SIDES, 3).max() == 0


def test_weather_and_shock_that_alternate_in_step_never_part() -> None:
    assert closed_groups(ALTERNATING, ALTERNATING, 3).tolist() == [[0, 1], [1, 0]]


def test_shocks_that_are_left_for_ever_belong_to_no_group() -> None:
    assert closed_groups(ALONE, LEAVING, 4).tolist() == [[0, 1, -1]]
    assert closed_groups(ALONE, LEAVING, 3).tolist() == [[0, 0, -1]]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_fixed_numbers_make_every_system_regular(seed: int, levels: int) -> None:
    weight = np.random.default_rng(seed).uniform(0.1, 1.0, 3 * levels)
    for kernel, slots in ((CYCLE, 3), (TWO_SIDES, 2), (LEAVING, 2), (LEAVING, 3)):
        day = np.kron(np.linalg.matrix_power(kernel, slots), np.full((levels, levels), 1 / levels))
        system = np.eye(3 * levels) - day + group_weights(closed_groups(ALONE, kernel, slots), levels, weight)
        assert np.linalg.cond(system) < 1e6


def group_gains(kernel: np.ndarray, temperature: float, rule: ValueRule, seed: int) -> tuple[np.ndarray, float]:
    """Bounds (2, z) on the gain of each shock at midnight after 600 lazy days, by theorem A4; the response's gain."""
    outcome = random_game(seed, states=1, shocks=3, levels=4)
    horizon = problem_of(kernel, temperature, weather=ALONE, value_rule=rule)
    response = respond(outcome, 4, horizon)
    assert response.converged
    reward = outcome.reward_usd[0]
    value = before = np.zeros((3, 4))
    target = np.arange(4)[:, None] + outcome.moves
    inside = (target >= 0) & (target < 4)
    for _ in range(600):
        before = value = 0.5 * (before + value)
        for h in (2, 1, 0):
            ahead = kernel @ value
            worth = np.where(inside, reward[h][:, None, :] + ahead[:, np.clip(target, 0, 3)], -np.inf)
            top = worth.max(axis=-1, keepdims=True)
            soft = temperature > 0 and rule is ValueRule.ENTROPY
            value = top[..., 0] + (
                temperature * np.log(np.exp((worth - top) / temperature).sum(axis=-1)) if soft else 0.0
            )
    change = value - before
    return np.array([change.min(axis=1), change.max(axis=1)]), response.gain_usd_per_day


@pytest.mark.parametrize("rule", list(ValueRule))
@pytest.mark.parametrize("temperature", [0.1, 0.005, 0.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gain_is_that_of_every_group_weighted_by_the_shocks_law(
    temperature: float, rule: ValueRule, seed: int
) -> None:
    gains, found = group_gains(CYCLE, temperature, rule, seed)
    assert np.ptp(gains, axis=0).max() < 1e-4 < 1e-3 < np.ptp(gains, axis=1).min()  # the groups differ
    assert gains[0].mean() - 1e-9 <= found <= gains[1].mean() + 1e-9


@pytest.mark.parametrize("temperature", [0.1, 0.005, 0.0])
@pytest.mark.parametrize(("kernel", "memory"), [(CYCLE, 0), (ALTERNATING, 0), (ALTERNATING, 1)])
def test_the_law_is_stationary_and_every_group_as_large_as_the_shocks_law_says(
    temperature: float, kernel: np.ndarray, memory: int
) -> None:
    weather = common_states(("odd", "even"), ALTERNATING, memory)
    horizon = problem_of(kernel, temperature, weather=ALTERNATING)
    shocks = len(kernel)
    for seed in range(4):
        response = respond(random_game(seed, states=2, shocks=shocks, levels=4), 4, horizon)
        flow = stationary_flow(response.policy, kernel, horizon.shock_probability, weather.backward)
        assert flow.defect <= 1e-12
        shares = np.broadcast_to(horizon.shock_probability, (*flow.law.shape[:2], shocks))
        assert flow.law.sum(axis=2) == pytest.approx(shares, abs=1e-12)
        policy = response.policy
        later = pushed_a_day(flow.law[:, 0], policy.probability, policy.moves, kernel, weather.backward)
        assert later == pytest.approx(flow.law[:, 0], abs=1e-11)


@pytest.mark.parametrize("temperature", [0.1, 0.005, 0.0])
def test_groups_of_unlike_shocks_are_as_large_as_the_shocks_law_says(temperature: float) -> None:
    """Shock 0 is as likely as 1 and 2 together, and half of all households have it at every midnight."""
    assert closed_groups(ALONE, TWO_SIDES, 2).tolist() == [[0, 1, 1]]
    horizon = problem_of(TWO_SIDES, temperature, weather=ALONE)
    for seed in range(4):
        response = respond(random_game(seed, states=1, slots=2, shocks=3, levels=4), 4, horizon)
        flow = stationary_flow(response.policy, TWO_SIDES, horizon.shock_probability, ALONE)
        assert flow.law.sum(axis=2) == pytest.approx(np.broadcast_to([0.5, 0.25, 0.25], (1, 2, 3)), abs=1e-12)


def pushed_a_day(
    midnight: np.ndarray, probability: np.ndarray, moves: np.ndarray, kernel: np.ndarray, backward: np.ndarray
) -> np.ndarray:
    """The law (c, e, z) at midnight a day on, in plain loops."""
    end = np.zeros_like(midnight)
    for c in range(len(midnight)):
        law = midnight[c]
        for h in range(probability.shape[1]):
            after = np.zeros_like(law)
            for e, z in np.ndindex(law.shape):
                for j, move in enumerate(moves):
                    if probability[c, h, e, z, j] > 0:
                        after[e + move] += law[e, z] * probability[c, h, e, z, j] * kernel[z]
            law = after
        end[c] = law
    return np.tensordot(backward, end, axes=1)


def loads_of_a_day(midnight: np.ndarray, policy: PolicyTable, kernel: np.ndarray) -> np.ndarray:
    """Mean net load of each slot (h,) when the law (e, z) at midnight is this, in plain loops. [kW]"""
    probability, law, load = policy.probability[0], midnight, []
    for h in range(len(probability)):
        now, after = 0.0, np.zeros_like(law)
        for e, z in np.ndindex(law.shape):
            for j, move in enumerate(policy.moves):
                if probability[h, e, z, j] > 0:
                    now += law[e, z] * probability[h, e, z, j] * policy.net_load_kw[0, h, z, j]
                    after[e + move] += law[e, z] * probability[h, e, z, j] * kernel[z]
        load.append(now)
        law = after
    return np.array(load)


def alternating_home(slots: int) -> tuple[PolicyTable, DecisionProblem]:
    """The best response, at a temperature, of a home with a battery whose use alternates between .6 and 1.4."""
    home = small_household(1, slots, battery=small_battery(4, power_limit_kw=1.2))
    horizon = replace(
        problem_of(ALTERNATING, 0.1, weather=ALONE), shock_levels=np.array([0.6, 1.4]), slot_hours=24 / slots
    )
    return best_response(home, small_rates(1, slots), horizon).policy, horizon


def limits(policy: PolicyTable, kernel: np.ndarray) -> np.ndarray:
    """Law (e, z) at midnight after very many days, from every level and shock: (e, z, e', z')."""
    levels, shocks = policy.probability.shape[2:4]
    starts = np.eye(levels * shocks).reshape(-1, 1, levels, shocks)
    days = [pushed_a_day(start, policy.probability, policy.moves, kernel, np.ones((1, 1))).ravel() for start in starts]
    return np.linalg.matrix_power(np.array(days), 2**16).reshape(levels, shocks, levels, shocks)


def test_two_shocks_that_alternate_have_stationary_days_of_different_load_and_the_program_takes_the_mean() -> None:
    """With an even number of slots each shock returns at midnight: any shares of the two groups are stationary."""
    assert closed_groups(ALONE, ALTERNATING, 24).tolist() == [[0, 1]]
    policy, horizon = alternating_home(24)
    ends = limits(policy, ALTERNATING)
    assert np.ptp(ends, axis=0).max() <= 1e-9, "within a group it does not matter where the level starts"
    for shock in (0, 1):
        assert ends[0, shock].sum(axis=0) == pytest.approx(np.eye(2)[shock], abs=1e-9)
        later = pushed_a_day(ends[0, [shock]], policy.probability, policy.moves, ALTERNATING, np.ones((1, 1)))
        assert later[0] == pytest.approx(ends[0, shock], abs=1e-9), "a stationary day"
    one, other = (loads_of_a_day(ends[0, shock], policy, ALTERNATING) for shock in (0, 1))
    assert np.abs(one - other).max() > 0.3, "one policy, two stationary days with other loads"
    taken = stationary_flow(policy, ALTERNATING, horizon.shock_probability, np.ones((1, 1)))
    assert (taken.frequency * policy.net_load_kw).sum(axis=(2, 3))[0] == pytest.approx((one + other) / 2, abs=1e-9)


def test_two_shocks_that_alternate_over_an_odd_number_of_slots_have_one_stationary_day() -> None:
    """Midnight finds the other shock every day, so that the joint chain of slot and shock has one class."""
    assert closed_groups(ALONE, ALTERNATING, 23).max() == 0
    policy, horizon = alternating_home(23)
    ends = limits(policy, ALTERNATING)
    followed = np.array(
        [pushed_a_day(ends[0, [z]], policy.probability, policy.moves, ALTERNATING, np.ones((1, 1)))[0] for z in (0, 1)]
    )
    means = (ends[0] + followed) / 2  # of an even and an odd day: the chain has period two
    assert means[0] == pytest.approx(means[1], abs=1e-9)
    taken = stationary_flow(policy, ALTERNATING, horizon.shock_probability, np.ones((1, 1)))
    assert taken.law[0, 0] == pytest.approx(means[0], abs=1e-9)


@pytest.mark.parametrize("temperature", [0.1, 0.03])
def test_believed_values_solve_the_bellman_equation_of_each_group(temperature: float) -> None:
    """Q = r − g + E V(next) with V the softmax value of Q, g the gain of the group, at every slot and midnight."""
    outcome = random_game(5, states=1, shocks=3, levels=4)
    horizon = problem_of(CYCLE, temperature, weather=ALONE)
    (gains, above), _ = group_gains(CYCLE, temperature, ValueRule.ENTROPY, 5)
    assert above == pytest.approx(gains, abs=1e-10)
    response = respond(outcome, 4, horizon)
    value = believed_values(response, horizon, shock=True)[0]
    target = np.arange(4)[:, None] + outcome.moves
    inside = ((target >= 0) & (target < 4))[:, None, :]
    worth = temperature * np.log(np.where(inside, np.exp(value / temperature), 0.0).sum(axis=-1))  # (h, e, z)
    for h in range(3):
        for z in range(3):
            gain = gains[(z - h) % 3] / 3  # the group is the shock at midnight
            following = worth[(h + 1) % 3, np.clip(target, 0, 3), (z + 1) % 3]
            expected = outcome.reward_usd[0, h, z] - gain + following
            assert np.where(inside[:, 0], value[h, :, z] - expected, 0.0) == pytest.approx(0.0, abs=1e-9)
