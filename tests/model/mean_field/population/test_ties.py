"""Prices that rest in a jump of the load: credits above the import rate, and curtailed sun."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import WEATHER, real_time, small_economy, small_tariff, toy

from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.household.split import Ties
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.certificates import softmax_bound_usd_per_day
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.game import potential_failures
from meanwatt.model.mean_field.population.population_response import (
    decision_problem,
    induced_wholesale,
    population_response,
)
from meanwatt.model.mean_field.population.ties import parts_somewhere, tie_slots
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


def refuted(found: Equilibrium) -> float:
    """How far the net load, recomputed plan by plan from laws, policies and shares, is from answering its price."""
    load = np.array(found.economy.rest_load_kw)
    for household, policy, law in zip(found.economy.types, found.policies, found.laws, strict=True):
        net = policy.net_load_kw
        if policy.split is not None:
            assert policy.split.share.sum(axis=-1) == pytest.approx(1.0, abs=1e-12)
            net = (policy.split.share * policy.split.net_load_kw).sum(axis=-1)
            np.testing.assert_allclose(net, policy.net_load_kw, rtol=0, atol=1e-12, equal_nan=False)
        frequency = np.einsum("chez,chezj->chzj", law, policy.probability)
        load += household.share * (frequency * net).sum(axis=(2, 3))
    return float(np.abs(found.economy.supply.price(load) - found.wholesale_usd_per_kwh).max())


@pytest.mark.parametrize("temperature", [0.0, 0.02])
@pytest.mark.parametrize("rest_kw", [0.0, 0.05, -0.11])
def test_the_price_rests_where_the_load_jumps_and_households_part_as_supply_needs(
    temperature: float, rest_kw: float
) -> None:
    """A toy with r⁻ = r⁺ + 0.1; at 0.15 use jumps from 1.125 to 0.875 kW, whatever else is drawn."""
    economy = toy(temperature, rest_kw=rest_kw)
    tariff = real_time(economy, credit=0.1)
    found = solve_equilibrium(economy, tariff)
    assert found.converged
    assert found.wholesale_usd_per_kwh == pytest.approx(0.15, abs=1e-9)
    assert found.net_load_kw == pytest.approx(-rest_kw, abs=1e-8)
    split = found.policies[0].split
    assert split is not None
    buys = (split.share * (split.net_load_kw > 0)).sum(axis=-1)
    assert buys == pytest.approx(0.5 - rest_kw / 0.25, abs=1e-7)
    assert found.exploitability_usd_per_household_day <= 1e-9
    assert refuted(found) <= 1e-9
    assert found.contraction is None
    assert found.uniqueness == "unique by Theorem U"


def test_no_pure_answer_clears_the_toy() -> None:
    economy = toy(0.0)
    tariff = real_time(economy, credit=0.1)
    for away in (-1e-6, 1e-6):
        load = population_response(economy, tariff, np.full((1, 3), 0.15 + away), 0.0).net_load_kw
        assert load == pytest.approx(-0.125 * np.sign(away), abs=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_a_price_rests_at_zero_with_part_of_the_sun_curtailed(temperature: float) -> None:
    """S = −0.1 + 0.4 x is zero at 0.25 kW; use at a price of zero is 1.5 kW, and of 2.0 kW of sun 1.25 are used."""
    economy = toy(temperature, supply=SupplyCurve.polynomial([-0.1, 0.4]), pv_kw=np.full((1, 3), 2.0))
    found = solve_equilibrium(economy, real_time(economy))
    assert found.converged
    assert found.wholesale_usd_per_kwh == pytest.approx(0.0, abs=1e-9)
    assert found.net_load_kw == pytest.approx(0.25, abs=1e-8)
    assert found.policies[0].use_kw == pytest.approx(1.5, abs=1e-8)
    assert refuted(found) <= 1e-9
    forced = solve_equilibrium(
        replace(economy, types=(replace(economy.types[0], curtailable=False),)), real_time(economy)
    )
    assert (forced.wholesale_usd_per_kwh < -0.05).all()


@pytest.mark.parametrize("temperature", [0.0, 0.02])
@pytest.mark.parametrize(("floor", "price", "load"), [(0.0, 0.0, -0.5), (-0.03, 0.0, 0.25), (0.02, 0.02, None)])
def test_on_a_flat_floor_sun_is_used_unless_it_costs(
    temperature: float, floor: float, price: float, load: float | None
) -> None:
    """At a floor of exactly zero nothing is gained by curtailment, and none is made; with one below the price is 0."""
    supply = SupplyCurve.polynomial([-0.1, 0.4], floor_usd_per_kwh=floor)
    economy = toy(temperature, supply=supply, pv_kw=np.full((1, 3), 2.0))
    found = solve_equilibrium(economy, real_time(economy))
    assert found.converged
    assert found.wholesale_usd_per_kwh == pytest.approx(price, abs=1e-9)
    if load is not None:
        assert found.net_load_kw == pytest.approx(load, abs=1e-6)
    assert refuted(found) <= 1e-9


def test_a_credit_of_exactly_nothing_that_follows_no_price_is_no_tie() -> None:
    economy = toy(0.02, supply=SupplyCurve.polynomial([0.5, 0.3]))
    for rule in (ExportRule.NONE, ExportRule.NET_BILLING):
        tariff = real_time(economy, export_rule=rule, export_pass_through=0.0)
        assert tie_slots(economy, tariff, 0.0) is None
    assert tie_slots(economy, real_time(economy, export_rule=ExportRule.NET_METERING), 0.0) is None


def random_game(seed: int) -> tuple[Economy, Tariff]:
    """Two income groups with and without batteries, rates of any sign and order, supply through zero."""
    rng = np.random.default_rng(seed)
    economy = small_economy(
        temperature_usd=float(rng.choice([0.003, 0.02, 0.1])),
        value_rule=str(rng.choice(["entropy", "boltzmann"])),
        discount_per_day=float(rng.choice([1.0, 0.9])),
        elasticity=float(rng.choice([0.0, 0.3])),
        battery_share=float(rng.uniform(0.2, 0.9)),
        seed=seed,
    )
    supply = [
        SupplyCurve.polynomial([-0.05, 0.1]),
        SupplyCurve.polynomial([-0.05, 0.3], floor_usd_per_kwh=0.0),
        SupplyCurve.piecewise_linear([-1, -0.3, 0.2, 1.0], [-0.1, 0, 0, 0.4]),
        SupplyCurve.polynomial([0.05, 0.2]),
    ][seed % 4]
    economy = replace(economy, supply=supply, rest_load_kw=np.zeros_like(economy.rest_load_kw))
    shape = (len(WEATHER), economy.slots)
    passed = float(rng.choice([1.0, 0.5]))
    tariff = small_tariff(
        economy,
        energy_usd_per_kwh=rng.uniform(-0.05, 0.15, shape),
        export_usd_per_kwh=rng.uniform(-0.05, 0.2, shape),
        pass_through=passed,
        export_pass_through=float(rng.choice([passed, 0.25])),
        discount=np.array([float(rng.choice([0.0, 0.2])), 0.0]),
    )
    return economy, tariff


@pytest.mark.parametrize("seed", range(16))
def test_random_games_with_rates_of_any_order_are_solved_and_stand_up_to_recomputation(seed: int) -> None:
    economy, tariff = random_game(seed)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.converged
    assert refuted(found) <= 1e-8
    bound = softmax_bound_usd_per_day(economy)
    assert -1e-9 <= found.exploitability_usd_per_household_day <= bound + 1e-9


def test_households_part_in_some_random_games() -> None:
    assert sum(parts_somewhere(solve_equilibrium(*random_game(seed), certify=False).answer) for seed in range(16)) >= 4


def parting_game() -> tuple[Economy, Tariff]:
    """A game with a potential in which households with and without batteries part, in three kinds of weather."""
    economy = replace(small_economy(temperature_usd=0.02), supply=SupplyCurve.polynomial([-0.1, 0.2]))
    return economy, small_tariff(economy, export_usd_per_kwh=np.full((len(WEATHER), economy.slots), 0.2))


def test_with_a_potential_every_start_ends_at_the_same_price() -> None:
    economy, tariff = parting_game()
    assert not potential_failures(economy, tariff)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert parts_somewhere(found.answer)
    rng = np.random.default_rng(1)
    for _ in range(3):
        start_kw = economy.rest_load_kw + rng.uniform(-1.0, 1.5, economy.rest_load_kw.shape)
        again = solve_prices(economy, tariff, 0.0, tolerance=1e-9, watch=Watch(), load_start_kw=start_kw)
        assert again.converged
        assert again.answer.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-8)


def test_temperature_zero_is_the_limit_of_cold_games() -> None:
    economy, tariff = parting_game()
    cold = economy.scenario.model_copy(update={"temperature_usd": 0.0})
    exact = solve_equilibrium(replace(economy, scenario=cold), tariff, certify=False)
    assert exact.converged
    assert exact.exploitability_usd_per_household_day <= 1e-9
    assert refuted(exact) <= 1e-9
    last = np.inf
    for temperature in (0.01, 0.001, 0.0001):
        warm = economy.scenario.model_copy(update={"temperature_usd": temperature})
        found = solve_equilibrium(replace(economy, scenario=warm), tariff, certify=False)
        assert found.converged
        away = float(np.abs(found.wholesale_usd_per_kwh - exact.wholesale_usd_per_kwh).max())
        assert away < last
        last = away
    assert last <= 1e-3


@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_revenue_balances_where_households_part(recovery: Recovery) -> None:
    economy, tariff = parting_game()
    found = solve_equilibrium(economy, replace(tariff, recovery=recovery), certify=False)
    assert found.converged
    assert found.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-8)
    billed = 0.0
    for household, policy, law in zip(economy.types, found.policies, found.laws, strict=True):
        net, share = policy.net_load_kw[..., None], np.ones(1)
        if policy.split is not None:
            net, share = policy.split.net_load_kw, policy.split.share
        frequency = np.einsum("chez,chezj->chzj", law, policy.probability)
        imported = frequency * (share * np.maximum(net, 0)).sum(axis=-1)
        by_state = imported.sum(axis=(1, 2, 3)) * economy.slot_hours
        billed += household.share * float(economy.common.probability @ by_state)
    assert found.answer.billed_kwh_per_day == pytest.approx(billed, abs=1e-9)


def smoothed(economy: Economy, tariff: Tariff, temperature: float = 0.02) -> Economy:
    """The economy with choices between plans at a warm logit."""
    where = tie_slots(economy, tariff, 0.0)
    assert where is not None
    return replace(economy, ties=tuple(Ties(where=here, before=None, temperature_usd=temperature) for here in where))


def test_the_slope_of_a_smoothed_load_is_the_difference_quotient_and_symmetric() -> None:
    economy, tariff = parting_game()
    tied = smoothed(economy, tariff)
    prices = np.random.default_rng(0).uniform(-0.05, 0.1, economy.rest_load_kw.shape)

    def load(price: Floats) -> Floats:
        return population_response(tied, tariff, price, 0.0).net_load_kw.ravel()

    found = population_response(tied, tariff, prices, 0.0)
    slope = net_load_slope(tied, tariff, found)
    step = 1e-6
    for k in range(prices.size):
        nudge = np.zeros(prices.size)
        nudge[k] = step
        quotient = (load(prices + nudge.reshape(prices.shape)) - load(prices - nudge.reshape(prices.shape))) / (
            2 * step
        )
        assert slope[:, k] == pytest.approx(quotient, abs=1e-5 * np.abs(slope).max())
    weighted = np.repeat(economy.common.probability, economy.slots)[:, None] * slope
    assert np.abs(weighted - weighted.T).max() <= 1e-9 * np.abs(weighted).max()
    assert (np.linalg.eigvalsh(weighted) <= 1e-9).all()


def test_shares_at_a_solution_are_ties_to_rounding() -> None:
    """Two plans both in use are worth the same at the rates found, in every slot and at every move."""
    economy, tariff = parting_game()
    found = solve_equilibrium(economy, tariff, certify=False)
    from meanwatt.agents.household.slot_outcome import plan_reward_usd

    for household, policy in zip(economy.types, found.policies, strict=True):
        split = policy.split
        if split is None:
            continue
        worth = plan_reward_usd(household, found.rates, split, economy.shock_levels, economy.slot_hours)
        lost = (worth.max(axis=-1, keepdims=True) - worth) * split.share
        assert lost.max() <= 1e-9
        best = slot_outcome(household, found.rates, economy.shock_levels, economy.slot_hours)
        assert found.answer.responses[0].converged
        assert best.moves.tolist() == policy.moves.tolist()
    assert induced_wholesale(economy, found.net_load_kw) == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-9)
    assert decision_problem(economy).temperature_usd > 0
