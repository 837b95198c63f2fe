"""The best response against dynamic programming in plain loops and against a linear program over frequencies."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import SHOCK, WEATHER, random_game, small_decision_problem, small_household, small_rates
from scipy.special import logsumexp
from slow_oracles import occupation_optimum

from meanwatt.agents.household import best_response as solver
from meanwatt.agents.household.backward_induction import iterate_days
from meanwatt.agents.household.best_response import best_response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.household.soft_slot import SAFE_EXPONENT

LEVELS = 4
TWO_WEATHERS = np.array([[0.8, 0.2], [0.5, 0.5]])
RULES = [("entropy", 0.05), ("entropy", 0.002), ("boltzmann", 0.05), ("entropy", 0.0), ("boltzmann", 0.0)]


def problem_of(rule: str, temperature: float, discount: float) -> DecisionProblem:
    return small_decision_problem(temperature, discount=discount, rule=ValueRule(rule), weather=TWO_WEATHERS)


@dataclass
class ByHand:
    """Value differences to level 0 (c, h, z, e), probabilities (c, h, e, z, j), gain per day, and values at δ < 1."""

    value: np.ndarray
    probability: np.ndarray
    gain: float


def value_iteration(game: SlotOutcome, problem: DecisionProblem, levels: int = LEVELS) -> ByHand:
    """Days backward until nothing changes, slot by slot, state by state, in plain loops."""
    reward = game.reward_usd
    states, slots, shocks, count = reward.shape
    per_slot = problem.discount_per_day ** (1 / slots)
    eta = problem.temperature_usd
    value = np.zeros((states, slots + 1, shocks, levels))  # value[:, slots] is next midnight's, seen from today
    probability = np.zeros((states, slots, levels, shocks, count))
    midnight = np.zeros((states, shocks, levels))
    for _ in range(3000):
        for c in range(states):
            for z in range(shocks):
                for e in range(levels):
                    value[c, slots, z, e] = sum(problem.common_kernel[c, d] * midnight[d, z, e] for d in range(states))
            for h in reversed(range(slots)):
                for z in range(shocks):
                    ahead = [
                        per_slot * sum(problem.shock_kernel[z, y] * value[c, h + 1, y, e] for y in range(shocks))
                        for e in range(levels)
                    ]
                    for e in range(levels):
                        q = {
                            j: reward[c, h, z, j] + ahead[e + m]
                            for j, m in enumerate(game.moves)
                            if 0 <= e + m < levels
                        }
                        best = max(q.values())
                        worth = np.array(list(q.values()))
                        if eta == 0:
                            chance = {j: float(best - x < 1e-10) for j, x in q.items()}
                        else:
                            chance = {j: float(np.exp((x - best) / eta)) for j, x in q.items()}
                        total = sum(chance.values())
                        for j, weight in chance.items():
                            probability[c, h, e, z, j] = weight / total
                        soft = eta > 0 and problem.value_rule is ValueRule.ENTROPY
                        value[c, h, z, e] = eta * logsumexp(worth / eta) if soft else best
        change = value[:, 0] - midnight
        settled = np.ptp(change) if problem.discount_per_day == 1 else np.abs(change).max()
        if settled < 1e-13:
            break
        midnight = value[:, 0].copy()
        if problem.discount_per_day == 1:
            midnight -= midnight[0, 0, 0]
    else:
        pytest.fail("the loops did not settle")
    gain = change.mean() if problem.discount_per_day == 1 else (1 - problem.discount_per_day) * midnight
    if problem.discount_per_day < 1:
        weight = problem.common_probability[:, None] * problem.shock_probability
        gain = (weight * gain[:, :, 0]).sum()
    return ByHand(value=value[:, :slots].copy(), probability=probability, gain=float(gain))


@pytest.mark.parametrize("discount", [1.0, 0.9])
@pytest.mark.parametrize(("rule", "temperature"), RULES)
def test_policy_value_and_gain_equal_dynamic_programming_in_plain_loops(
    rule: str, temperature: float, discount: float
) -> None:
    game, problem = random_game(3), problem_of(rule, temperature, discount)
    expected = value_iteration(game, problem)
    found = respond(game, LEVELS, problem)
    assert found.converged
    assert found.policy.probability == pytest.approx(expected.probability, abs=1e-8)
    assert found.gain_usd_per_day == pytest.approx(expected.gain, abs=1e-10)
    lead = found.value_usd - found.value_usd[..., :1]
    assert lead == pytest.approx(expected.value - expected.value[..., :1], abs=1e-10)
    if discount < 1:  # with a discount the values themselves are defined, not only their differences
        assert found.value_usd == pytest.approx(expected.value, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_household_at_random_rates_does_what_the_loops_say(seed: int) -> None:
    home = small_household(states=2, seed=seed)
    problem = problem_of("entropy", 0.03, 1.0)
    found = best_response(home, small_rates(states=2, seed=seed), problem)
    expected = value_iteration(found.outcome, problem)
    assert found.policy.probability == pytest.approx(expected.probability, abs=1e-8)
    assert found.gain_usd_per_day == pytest.approx(expected.gain, abs=1e-10)


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 1e-4, 0.01, 1.0]),
    st.sampled_from(ValueRule),
    st.sampled_from([1.0, 0.95]),
)
def test_rows_sum_to_one_and_moves_off_the_grid_have_exactly_no_chance(
    seed: int, temperature: float, rule: ValueRule, discount: float
) -> None:
    game = random_game(seed)
    found = respond(game, LEVELS, problem_of(rule, temperature, discount))
    found.policy.check()
    assert found.policy.probability.sum(axis=-1) == pytest.approx(1, abs=1e-12)
    for e in range(LEVELS):
        for j, m in enumerate(game.moves):
            if not 0 <= e + m < LEVELS:
                assert (found.policy.probability[:, :, e, :, j] == 0).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 0.9]))
def test_values_solve_the_bellman_equation(seed: int, discount: float) -> None:
    game, problem = random_game(seed), problem_of("entropy", 0.02, discount)
    value = respond(game, LEVELS, problem).value_usd
    for c, h, z in np.ndindex(value.shape[:3]):
        if h + 1 < value.shape[1]:
            following = value[c, h + 1]
        else:
            following = np.tensordot(problem.common_kernel[c], value[:, 0], axes=1)
        ahead = discount ** (1 / 3) * problem.shock_kernel[z] @ following
        own = [
            0.02 * logsumexp([(game.reward_usd[c, h, z, j] + ahead[e + m]) / 0.02
                              for j, m in enumerate(game.moves) if 0 <= e + m < LEVELS])
            for e in range(LEVELS)
        ]  # fmt: skip
        gap = value[c, h, z] - own
        if discount == 1:  # values are known up to a function of weather and shock
            gap = gap - gap[0]
        assert np.abs(gap).max() < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_the_hard_gain_is_the_optimum_of_a_linear_program_over_frequencies(seed: int) -> None:
    game, problem = random_game(seed), problem_of("entropy", 0.0, 1.0)
    found, best = respond(game, LEVELS, problem), occupation_optimum(game, problem, LEVELS)
    assert found.gain_usd_per_day == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_entropy_gain_lies_between_the_hard_gain_and_that_plus_the_largest_entropy(seed: int) -> None:
    game = random_game(seed)
    hard = respond(game, LEVELS, problem_of("entropy", 0.0, 1.0)).gain_usd_per_day
    for temperature in (0.1, 0.01, 0.001):
        soft = respond(game, LEVELS, problem_of("entropy", temperature, 1.0)).gain_usd_per_day
        # three slots a day; from the middle levels all but one of the five moves are feasible
        assert hard - 1e-12 <= soft <= hard + temperature * 3 * np.log(4) + 1e-12


def with_a_ruinous_move(game: SlotOutcome, loss_usd: float) -> SlotOutcome:
    """The same game with one more upward move that nobody takes."""
    wider = {
        name: np.concatenate([getattr(game, name), getattr(game, name)[..., -1:]], axis=-1)
        for name in ("use_kw", "net_load_kw", "utility_usd", "payment_usd", "wear_usd")
    }
    wider["payment_usd"][..., -1] += loss_usd
    return replace(game, moves=np.append(game.moves, game.moves[-1] + 1), **wider)


@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_log_sum_exp_and_the_exponential_domain_give_the_same_answer(discount: float) -> None:
    game, problem = random_game(7), problem_of("entropy", 0.05, discount)
    assert np.ptp(game.reward_usd) / 0.05 < SAFE_EXPONENT / 10, "the plain game is to stay in the exponential domain"
    fast = respond(game, LEVELS, problem)
    slow = respond(with_a_ruinous_move(game, 1.1 * SAFE_EXPONENT * 0.05 + 10), LEVELS, problem)
    assert slow.policy.probability[..., :-1] == pytest.approx(fast.policy.probability, abs=1e-11)
    assert (slow.policy.probability[..., -1] == 0).all()
    assert slow.gain_usd_per_day == pytest.approx(fast.gain_usd_per_day, abs=1e-12)


@pytest.mark.parametrize("temperature", [1e-3, 3e-4, 1e-4, 1e-5])
def test_temperatures_that_overflow_the_exponential_domain_agree_with_the_loops(temperature: float) -> None:
    game, problem = random_game(11), problem_of("entropy", temperature, 1.0)
    expected = value_iteration(game, problem)
    found = respond(game, LEVELS, problem)
    assert found.policy.probability == pytest.approx(expected.probability, abs=1e-7)
    assert found.gain_usd_per_day == pytest.approx(expected.gain, abs=1e-10)


def test_those_temperatures_straddle_the_limit_of_the_exponential_domain() -> None:
    ranges = np.ptp(random_game(11).reward_usd, axis=-1)
    assert (ranges / 1e-3 < SAFE_EXPONENT).any()
    assert (ranges / 1e-5 > SAFE_EXPONENT).all()


def test_ties_at_temperature_zero_are_split_equally() -> None:
    game = random_game(0)
    nothing = np.zeros_like(game.payment_usd)
    idle = replace(game, utility_usd=nothing, payment_usd=nothing, wear_usd=np.zeros_like(game.wear_usd))
    chance = respond(idle, LEVELS, problem_of("entropy", 0.0, 1.0)).policy.probability
    for e in range(LEVELS):
        possible = [j for j, m in enumerate(game.moves) if 0 <= e + m < LEVELS]
        assert chance[:, :, e][..., possible] == pytest.approx(1 / len(possible), abs=1e-15)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from(RULES), st.sampled_from([1.0, 0.9]))
def test_where_the_iteration_starts_does_not_matter(
    seed: int, other: int, rule: tuple[str, float], discount: float
) -> None:
    game, problem = random_game(seed), problem_of(*rule, discount)
    cold = respond(game, LEVELS, problem)
    warm = respond(game, LEVELS, problem, start=respond(random_game(other), LEVELS, problem))
    assert warm.gain_usd_per_day == pytest.approx(cold.gain_usd_per_day, abs=1e-10)
    if problem.temperature_usd > 0:
        assert warm.policy.probability == pytest.approx(cold.policy.probability, abs=1e-7)


def test_a_start_of_another_shape_is_ignored() -> None:
    game, problem = random_game(1), problem_of("entropy", 0.05, 1.0)
    other = respond(random_game(1, levels=6), 6, problem)
    found = respond(game, LEVELS, problem, start=other)
    assert (found.policy.probability == respond(game, LEVELS, problem).policy.probability).all()


def test_starting_at_the_answer_ends_at_once() -> None:
    game, problem = random_game(1), problem_of("entropy", 0.05, 1.0)
    cold = respond(game, LEVELS, problem)
    assert respond(game, LEVELS, problem, start=cold).days <= 2 < cold.days


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5))
def test_a_payment_that_no_move_can_avoid_changes_the_gain_and_nothing_else(seed: int, usd: float) -> None:
    game, problem = random_game(seed), problem_of("entropy", 0.05, 1.0)
    found = respond(game, LEVELS, problem)
    charged = respond(replace(game, payment_usd=game.payment_usd + usd), LEVELS, problem)
    assert charged.policy.probability == pytest.approx(found.policy.probability, abs=1e-8)
    assert charged.gain_usd_per_day == pytest.approx(found.gain_usd_per_day - 3 * usd, abs=1e-9)


def test_seasons_that_almost_never_change_cost_no_extra_days() -> None:
    rare = 1e-6
    slow = np.kron([[1 - rare, rare], [rare, 1 - rare]], WEATHER)
    game = random_game(5, states=6)
    problem = small_decision_problem(0.05, weather=slow)
    found = respond(game, LEVELS, problem)
    fast = small_decision_problem(0.05, weather=np.kron(np.full((2, 2), 0.5), WEATHER))
    assert found.converged
    assert found.days <= respond(game, LEVELS, fast).days + 5  # a step of policy iteration or two
    expected = value_iteration_of_differences(game, problem)
    assert found.policy.probability == pytest.approx(expected, abs=1e-8)


def value_iteration_of_differences(game: SlotOutcome, problem: DecisionProblem) -> np.ndarray:
    """Policy from iterating differences along the levels for a fixed, generous number of days, by arrays of Q."""
    states, slots, shocks, count = game.reward_usd.shape
    midnight = np.zeros((states, shocks, LEVELS))
    chance = np.zeros((states, slots, LEVELS, shocks, count))
    for _ in range(400):
        later = np.einsum("cd,dze->cze", problem.common_kernel, midnight)
        for h in reversed(range(slots)):
            ahead = np.einsum("zy,cye->cze", problem.shock_kernel, later)
            q = np.full((states, LEVELS, shocks, count), -np.inf)
            for e in range(LEVELS):
                for j, m in enumerate(game.moves):
                    if 0 <= e + m < LEVELS:
                        q[:, e, :, j] = game.reward_usd[:, h, :, j] + ahead[:, :, e + m]
            weight = logsumexp(q / problem.temperature_usd, axis=-1)
            chance[:, h] = np.exp(q / problem.temperature_usd - weight[..., None])
            later = problem.temperature_usd * weight.transpose(0, 2, 1)
        midnight = later - later[:, :, :1]
    return chance


def test_a_lone_state_without_shocks_repeats_its_best_cycle() -> None:
    # one weather, no shock: the best average reward is the best mean of a cycle over midnight levels of 1 to 4 days
    game = random_game(2, states=1, shocks=1)
    problem = replace(
        small_decision_problem(0.0, weather=np.ones((1, 1))), shock_kernel=np.ones((1, 1)), shock_probability=np.ones(1)
    )
    day = np.full((LEVELS, LEVELS), -np.inf)  # best reward from midnight level to midnight level
    for start in range(LEVELS):
        best = np.full(LEVELS, -np.inf)
        best[start] = 0
        for h in range(3):
            following = np.full(LEVELS, -np.inf)
            for e in range(LEVELS):
                for j, m in enumerate(game.moves):
                    if 0 <= e + m < LEVELS:
                        following[e + m] = max(following[e + m], best[e] + game.reward_usd[0, h, 0, j])
            best = following
        day[start] = best
    several, cycle = day, np.diag(day).max()
    for days in (2, 3, 4):
        several = (several[:, :, None] + day[None]).max(axis=1)
        cycle = max(cycle, np.diag(several).max() / days)
    assert respond(game, LEVELS, problem).gain_usd_per_day == pytest.approx(cycle, abs=1e-11)


def test_shocks_that_come_and_go_are_planned_for() -> None:
    """Swapping the shock kernel for independent draws changes the policy: the chain is really used."""
    game, problem = random_game(3), problem_of("entropy", 0.05, 1.0)
    independent = replace(problem, shock_kernel=np.tile(problem.shock_probability, (2, 1)))
    assert not np.allclose(SHOCK, independent.shock_kernel)
    gap = respond(game, LEVELS, problem).policy.probability - respond(game, LEVELS, independent).policy.probability
    assert np.abs(gap).max() > 1e-4


@pytest.mark.parametrize("fast_days", [300, 0])
def test_a_plan_that_repeats_only_every_other_day_is_found(fast_days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By acceleration, and without it by lazy days, where plain ones would go round for ever."""
    monkeypatch.setattr(solver, "FAST_DAYS", fast_days)
    # one slot a day: up earns .3, down .1, standing still costs 1; up and down in turn earn .2 a day
    rewards = np.broadcast_to([0.1, -1.0, 0.3], (1, 1, 1, 3))
    nothing = np.zeros((1, 1, 1, 3))
    game = SlotOutcome(
        moves=np.array([-1, 0, 1]),
        use_kw=nothing,
        net_load_kw=nothing,
        utility_usd=rewards,
        payment_usd=nothing,
        wear_usd=np.zeros(3),
    )
    calm = small_decision_problem(0.0, weather=np.ones((1, 1)), slots=1)
    problem = replace(calm, shock_kernel=np.ones((1, 1)), shock_probability=np.ones(1))
    found = respond(game, 2, problem)
    assert found.converged
    assert found.gain_usd_per_day == pytest.approx(0.2, abs=1e-12)
    assert found.policy.probability[0, 0, :, 0].tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(("levels", "temperature"), [(40, 0.02), (40, 0.0), (25, 0.0)])
def test_many_levels_crossed_one_at_a_time_settle(levels: int, temperature: float) -> None:
    game = random_game(3, levels=levels)  # the one with 25 levels defeats the acceleration
    near = np.abs(game.moves) <= 1
    slow = replace(
        game,
        moves=game.moves[near],
        **{
            name: getattr(game, name)[..., near]
            for name in ("use_kw", "net_load_kw", "utility_usd", "payment_usd", "wear_usd")
        },
    )
    found = respond(slow, levels, problem_of("entropy", temperature, 1.0))
    assert found.converged
    assert found.span_usd < 1e-9


def test_however_its_arrays_lie_a_response_is_computed_by_one_compiled_sweep() -> None:
    """Numba compiles for every order and writability of arrays: that of a day takes seconds."""
    problem, game = problem_of("entropy", 0.05, 1.0), random_game(3, levels=LEVELS)
    plain = respond(game, LEVELS, problem)
    compiled = set(iterate_days.dispatcher.signatures)
    turned = replace(
        game,
        moves=game.moves.copy(),
        **{name: np.asfortranarray(getattr(game, name)) for name in ("utility_usd", "payment_usd")},
    )
    start = replace(plain, value_usd=np.asfortranarray(plain.value_usd))
    writable = replace(problem, shock_kernel=np.array(SHOCK, order="F"), common_kernel=np.array(problem.common_kernel))
    again = respond(turned, LEVELS, writable)
    assert np.allclose(again.value_usd, plain.value_usd, rtol=0, atol=1e-12)
    respond(turned, LEVELS, writable, start=start)
    assert set(iterate_days.dispatcher.signatures) == compiled


def test_without_a_battery_the_gain_is_what_slots_bring_on_average_and_one_may_still_stop_it() -> None:
    problem, asked = problem_of("entropy", 0.05, 1.0), []
    found = best_response(
        small_household(2, battery=None), small_rates(2), problem, check=lambda: asked.append("whether to stop")
    )
    reward = found.outcome.reward_usd[..., 0].sum(axis=1) @ problem.shock_probability
    assert found.gain_usd_per_day == pytest.approx(problem.common_probability @ reward, abs=1e-14)
    assert (found.policy.probability == 1).all()
    assert found.converged
    assert asked
