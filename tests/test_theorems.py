"""Theorems of ``docs/reference/theory.md`` that no other test checks: bounds and identities on small worlds."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import SHOCK, WEATHER, random_game, small_decision_problem, small_economy, small_tariff

from meanwatt.agents.household import best_response as solver
from meanwatt.agents.household.backward_induction import DayProblem
from meanwatt.agents.household.best_response import respond
from meanwatt.agents.household.day_operator import day_operators, move_kernel
from meanwatt.agents.household.decision_problem import ValueRule
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.household.storage import every_move
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.finite_game.deviation import finite_exploitability_usd_per_day
from meanwatt.model.mean_field.certificates import softmax_bound_usd_per_day
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope, rate_slopes
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.mean_field.population.observables import use_slopes
from meanwatt.model.mean_field.population.population_response import (
    decision_problem,
    induced_wholesale,
    population_response,
)
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import solve_exact
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.weather import CommonStates, common_states

SHOCK_LAW = np.array([2 / 3, 1 / 3])


def of_price(economy: Economy, squares: Floats) -> float:
    """Σ p_c Δ of something (c, h)."""
    return float(economy.common.probability @ squares.sum(axis=1)) * economy.slot_hours


# One household


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("rule", "temperature"), [("entropy", 0.03), ("boltzmann", 0.03), ("entropy", 0.0)])
def test_the_gain_lies_within_its_bounds_when_the_iteration_stops_early(
    rule: str, temperature: float, seed: int
) -> None:
    game = random_game(seed, states=3, levels=6)
    horizon = small_decision_problem(temperature, rule=ValueRule(rule))
    early, late = respond(game, 6, horizon, tolerance_usd=3.0), respond(game, 6, horizon)
    assert early.days < late.days
    assert early.span_usd > 1e-6
    assert abs(early.gain_usd_per_day - late.gain_usd_per_day) <= early.span_usd
    entropy = temperature if rule == "entropy" else 0.0  # under the other rule the gain is that of the best moves
    best = late if entropy or temperature == 0 else respond(game, 6, small_decision_problem(0.0))
    assert late.gain_usd_per_day == pytest.approx(earned_usd_per_day(game, best.policy, entropy), abs=1e-9)


def earned_usd_per_day(game: SlotOutcome, policy: PolicyTable, temperature: float) -> float:
    """Reward of a policy under its own law, with its entropy times a temperature."""
    horizon, chance = small_decision_problem(temperature), policy.probability
    law = stationary_flow(policy, SHOCK, SHOCK_LAW, common_states(("a", "b", "c"), WEATHER, 0).backward).law
    surprise = -np.log(np.where(chance > 0, chance, 1.0))
    bonus = game.reward_usd[:, :, None] + temperature * surprise
    return float(horizon.common_probability @ np.einsum("chez,chezj,chezj->c", law, chance, bonus))


def policy_steps(game: SlotOutcome, levels: int, temperature: float) -> list[tuple[float, Floats, float]]:
    """After 0, 1, 2, … Newton steps: gain with entropy of the policy, midnight values, and how little a day mixes."""
    horizon = small_decision_problem(temperature)
    reward = game.reward_usd
    states, slots, shocks, count = reward.shape
    weight = np.exp((reward - reward.max(axis=-1, keepdims=True)) / temperature)
    choice = every_move(slots, count)
    day = DayProblem(
        *(reward, weight, game.moves, horizon.common_kernel, horizon.shock_kernel, choice.bounds, choice.given),
        discount=1.0,
        temperature=temperature,
        soft=True,
        anchor=np.empty((0, 0, 0, 0, 0)),
    )
    trail = []
    for steps in range(7):
        midnight = np.zeros((states, shocks, levels))
        value = np.empty((states, slots, shocks, levels))
        chance = np.empty((states, slots, levels, shocks, count))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(solver, "POLICY_STEPS", steps)
            solver._iterate_policies(day, horizon, midnight, 0.0, value, chance, lambda: None)
        solver.sweep_day(day, midnight, value, chance)
        policy = PolicyTable(moves=game.moves, probability=chance, net_load_kw=game.net_load_kw, use_kw=game.use_kw)
        rows = day_operators(move_kernel(chance, game.moves), SHOCK, 1.0).reshape(states, shocks, levels, -1)
        mixing = 0.5 * np.abs(rows[:, :, :, None] - rows[:, :, None]).sum(axis=-1).max()
        trail.append((earned_usd_per_day(game, policy, temperature), midnight, float(mixing)))
    return trail


@pytest.mark.parametrize("seed", range(3))
def test_soft_policy_iteration_never_lowers_the_gain_and_squares_its_error(seed: int) -> None:
    """Width of the error: w' ≤ T/(8 η (1 − ρ)) w², ρ the most that a day lets two levels differ."""
    slots, temperature = 3, 0.05
    trail = policy_steps(random_game(seed, states=3, levels=6), 6, temperature)
    assert (np.diff([gain for gain, _, _ in trail]) >= -1e-12).all()
    error = np.array([np.ptp(midnight - trail[-1][1], axis=2).max() for _, midnight, _ in trail])
    assert error[0] > 0.1
    assert error[5] < 1e-11
    for before, after, (_, _, mixing) in zip(error[:5], error[1:6], trail[:5], strict=True):
        assert after <= slots / (8 * temperature * (1 - mixing)) * before**2 + 1e-12


# What a finite memory of the weather leaves out


def remembering(memory: int) -> tuple[CommonStates, Ints]:
    """The weather's chain with up to four days of memory, and the day types (c, memory + 1) of each state."""
    near = common_states(("a", "b", "c"), WEATHER, min(memory, 2))
    if memory <= 2:
        return near, near.histories
    far = common_states(tuple(str(k) for k in range(near.count)), near.kernel, memory - 2)
    first, *later = near.histories[far.histories].transpose(1, 0, 2)
    return far, np.hstack([first, *(days[:, -1:] for days in later)])


def test_forgetting_older_days_averages_over_them_and_errs_the_less_the_more_is_remembered() -> None:
    game = random_game(1, states=3, levels=6)
    policy = respond(game, 6, small_decision_problem(0.2)).policy
    operators = day_operators(move_kernel(policy.probability, policy.moves), SHOCK, 1.0)
    mixing = max(0.5 * np.abs(day[:, None] - day[None]).sum(axis=2).max() for day in operators)
    assert mixing < 1
    chains, loads = [remembering(memory) for memory in range(5)], []
    for states, histories in chains:  # the policy looks at today's type only, whatever is remembered
        today = histories[:, -1]
        lifted = {name: getattr(policy, name)[today] for name in ("probability", "net_load_kw", "use_kw")}
        flow = stationary_flow(PolicyTable(moves=policy.moves, **lifted), SHOCK, SHOCK_LAW, states.backward)
        loads.append((flow.frequency * lifted["net_load_kw"]).sum(axis=(2, 3)))
    (longest, paths), finest = chains[-1], loads[-1]
    squares = []
    for memory, (states, histories) in enumerate(chains[:-1]):
        recent = paths[:, -memory - 1 :]
        place = np.array([np.flatnonzero((histories == row).all(axis=1))[0] for row in recent])
        for c in range(states.count):  # the tower property: L[c] is the mean over all longer histories
            within = longest.probability * (place == c)
            assert within @ finest / within.sum() == pytest.approx(loads[memory][c], abs=1e-10)
        error = finest - loads[memory][place]
        assert np.abs(error).max() <= mixing**memory * np.ptp(policy.net_load_kw)
        squares.append(float(longest.probability @ (error**2).sum(axis=1)))
    assert (np.diff(squares) < 0).all()
    assert squares[-1] > 0


# The continuum


def test_loads_and_the_prices_they_induce_stay_in_a_box_whatever_the_price() -> None:
    economy = small_economy()
    tariff = small_tariff(economy)
    low, high = np.zeros_like(economy.rest_load_kw), np.zeros_like(economy.rest_load_kw)
    for household in economy.types:
        part = 0.0 if household.battery is None else household.battery.power_limit_kw
        swing = household.flexibility * household.reference_kw
        low += household.share * (household.reference_kw - swing - household.pv_kw - part)
        high += household.share * (household.reference_kw + swing + part)  # all sun may be curtailed
    rng = np.random.default_rng(0)
    for scale in (0.1, 1.0, 10.0):
        prices = scale * rng.uniform(-1, 1, low.shape)
        load = population_response(economy, tariff, prices, 0.0).net_load_kw
        assert (low - 1e-12 <= load).all()
        assert (load <= high + 1e-12).all()
        induced = induced_wholesale(economy, load)
        assert (induced_wholesale(economy, low) - 1e-12 <= induced).all()
        assert (induced <= induced_wholesale(economy, high) + 1e-12).all()


def test_the_slope_of_the_load_is_the_information_that_the_policy_has_on_prices() -> None:
    """−κ Σ p Δ u ∂L/∂λ u = η·E Σ (∂_u log π)² − κ² Σ p Δ u² E ∂n/∂r, for any direction u."""
    economy = small_economy(temperature_usd=0.05)
    tariff = small_tariff(economy)
    rng = np.random.default_rng(4)
    prices, direction = rng.uniform(0.05, 0.3, (2, 3, 3))
    direction -= direction.mean()
    found = population_response(economy, tariff, prices, 0.0)
    slope = (net_load_slope(economy, tariff, found) @ direction.ravel()).reshape(3, 3)
    step = 1e-5
    up, down = (population_response(economy, tariff, prices + sign * step * direction, 0.0) for sign in (1, -1))
    total = 0.0
    chance = economy.common.probability
    for k, household in enumerate(economy.types):
        middle, flow = found.responses[k].policy.probability, found.flows[k]
        ahead, behind = (np.log(np.where(middle > 0, side.responses[k].policy.probability, 1.0)) for side in (up, down))
        score = (ahead - behind) / (2 * step)
        information = np.einsum("c,chez,chezj,chezj->", chance, flow.law, middle, score**2)
        falls = sum(
            rate**2 * (flow.frequency * by_rate).sum(axis=(2, 3))
            for rate, by_rate in zip(
                rate_slopes(tariff, found.rates),
                use_slopes(household, found.rates, found.responses[k].outcome, decision_problem(economy)),
                strict=True,
            )
        )
        total += household.share * (0.05 * information - of_price(economy, direction**2 * falls))
    assert -of_price(economy, direction * slope) == pytest.approx(total, rel=1e-6)


def test_where_there_is_a_potential_newtons_step_goes_downhill_and_damping_tames_plain_iteration() -> None:
    """The price map's eigenvalues are real and ≤ 0, so damping a < 2/(1 + ρ) settles where plain iteration departs."""
    economy = small_economy(steepness=0.6, battery_share=0.8, temperature_usd=0.05)
    economy = replace(economy, types=tuple(replace(household, curtailable=False) for household in economy.types))
    tariff = small_tariff(economy)
    weight = np.repeat(economy.common.probability, economy.slots) * economy.slot_hours
    rng = np.random.default_rng(2)
    for _ in range(3):
        load_kw = economy.rest_load_kw + rng.uniform(0.1, 1.0, (3, 3))
        found = population_response(economy, tariff, economy.supply.price(load_kw), 0.0)
        gap = (load_kw - economy.rest_load_kw - found.net_load_kw).ravel()
        steepness = economy.supply.slope(load_kw).ravel()
        step = np.linalg.solve(np.eye(9) - net_load_slope(economy, tariff, found) * steepness, -gap)
        assert (weight * gap * steepness) @ step < 0
    found = solve_equilibrium(economy, tariff, certify=False).answer
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw).ravel()
    eigenvalues = np.linalg.eigvals(steepness[:, None] * net_load_slope(economy, tariff, found))
    radius = np.abs(eigenvalues).max()
    assert radius > 1.2
    assert np.abs(eigenvalues.imag).max() < 1e-9
    assert eigenvalues.real.max() < 1e-9
    for damping, settles in ((1.8 / (1 + radius), True), (2.2 / (1 + radius), False)):
        prices = found.wholesale_usd_per_kwh + 1e-6 * rng.uniform(-1, 1, (3, 3))
        distance, last = [], found
        for _ in range(60):
            last = population_response(economy, tariff, prices, 0.0, start=last)
            prices = prices + damping * (induced_wholesale(economy, last.net_load_kw) - prices)
            distance.append(float(np.abs(prices - found.wholesale_usd_per_kwh).max()))
        assert (distance[-1] < 0.1 * distance[5]) is settles


@pytest.mark.parametrize("kappa", [1.0, 0.5])
def test_prices_of_cooling_households_are_as_near_the_exact_ones_as_the_square_root_of_the_bound(kappa: float) -> None:
    """Σ p Δ (λ_η − λ_0)² ≤ (2 max s'/κ)·η T Σ w ln|A|; and the same with the gap of an unfinished exact solve."""
    cold = small_economy(temperature_usd=0.0)
    tariff = small_tariff(cold, pass_through=kappa, export_pass_through=kappa)
    exact = solve_exact(cold, tariff, 0.0, first_guess(cold), watch=Watch(), gap_usd_per_day=1e-12)
    assert exact.converged
    target = exact.answer.wholesale_usd_per_kwh
    factor = 2 * 0.1 / kappa
    squares = []
    for temperature in (0.2, 0.05, 0.0125):
        economy = small_economy(temperature_usd=temperature)
        prices = solve_equilibrium(economy, tariff, certify=False).wholesale_usd_per_kwh
        squares.append(of_price(economy, (prices - target) ** 2))
        assert 0 < squares[-1] <= factor * softmax_bound_usd_per_day(economy)
    assert squares[0] > squares[1] > squares[2]
    for gap in (0.3, 0.01):
        rough = solve_exact(cold, tariff, 0.0, first_guess(cold), watch=Watch(), gap_usd_per_day=gap)
        square = of_price(cold, (rough.answer.wholesale_usd_per_kwh - target) ** 2)
        assert square <= factor * rough.gap_usd_per_day + 1e-12


# The finite market


def test_the_exploitability_in_a_crowd_differs_from_its_limit_by_no_more_than_a_constant_over_its_size() -> None:
    """Own impact changes a slot's reward by at most Δ κ s'/N |n| |n − L|, and ε by twice the day's sum."""
    economy = small_economy()
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    largest_kw = 0.0
    for household in economy.types:
        power = 0.0 if household.battery is None else household.battery.power_limit_kw
        use = household.reference_kw[:, :, None] * economy.shock_levels * (1 + household.flexibility)
        largest_kw = max(largest_kw, float((use + power).max()), float((household.pv_kw + power).max()))
    others_kw = float(np.abs(found.net_load_kw).max())
    most = 2 * economy.slots * economy.slot_hours * 0.1 * largest_kw * (largest_kw + others_kw)
    limit = finite_exploitability_usd_per_day(found, np.inf)
    for households in (1, 2, 30, 1000, 1e6):
        assert abs(finite_exploitability_usd_per_day(found, households) - limit) <= most / households
