"""Policy tables that nobody solved for: the prices they induce and what they forgo."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_decision_problem, small_economy, small_tariff

from meanwatt.agents.behaviour.rules import rule_policies
from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.tariff.tariff import rates
from meanwatt.model.mean_field.certificates import policy_value_usd
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.induced_play import follow, table_reward_usd
from meanwatt.model.mean_field.population.population_response import (
    decision_problem,
    induced_wholesale,
    population_response,
)
from meanwatt.model.scenario.economy import Economy

ONE = np.ones(1)


def solved(economy: Economy, **changes: object) -> Equilibrium:
    found = solve_equilibrium(economy, small_tariff(economy, **changes))
    assert found.converged
    return found


def rule(economy: Economy, name: str) -> tuple[PolicyTable, ...]:
    expected = rates(small_tariff(economy), economy.common.today, np.full(economy.rest_load_kw.shape, 0.1), 0.0)
    return rule_policies(name, economy.types, [expected] * len(economy.types), decision_problem(economy))


@pytest.mark.parametrize("settings", [{}, {"discount_per_day": 0.8}, {"value_rule": "boltzmann"}, {"memory": 1}])
def test_the_tables_of_the_equilibrium_have_its_prices_and_its_exploitability(settings: dict) -> None:
    economy = small_economy(**settings)
    found = solved(economy, discount=np.array([0.3, 0.0]), pass_through=0.7)
    followed = follow(economy, found.tariff, found.adder_usd_per_kwh, [found.policies], ONE)
    np.testing.assert_allclose(followed.net_load_kw, found.net_load_kw, atol=1e-9)
    np.testing.assert_allclose(followed.wholesale_usd_per_kwh, found.wholesale_usd_per_kwh, atol=1e-8)
    expected = found.exploitability_usd_per_household_day
    assert expected > 1e-4
    assert followed.exploitability_usd_per_household_day == pytest.approx(expected, abs=1e-8)


def test_a_cohort_in_two_halves_is_the_cohort() -> None:
    economy = small_economy()
    found = solved(economy)
    passive = rule(economy, "passive")
    whole = follow(economy, found.tariff, 0.0, [found.policies, passive], np.array([0.4, 0.6]))
    halves = follow(economy, found.tariff, 0.0, [found.policies, passive, found.policies], np.array([0.1, 0.6, 0.3]))
    np.testing.assert_allclose(halves.net_load_kw, whole.net_load_kw, atol=1e-12)
    assert halves.exploitability_usd_per_household_day == pytest.approx(whole.exploitability_usd_per_household_day)
    assert halves.forgone_usd_per_day[[0, 1]] == pytest.approx(whole.forgone_usd_per_day)
    mixed = np.array([0.4, 0.6]) @ whole.forgone_usd_per_day
    assert whole.exploitability_usd_per_household_day == pytest.approx(mixed)


@pytest.mark.parametrize("name", ["passive", "self_consumption", "price_threshold"])
@pytest.mark.parametrize("discount_per_day", [1.0, 0.9])
def test_nobody_gains_by_leaving_the_best_response(name: str, discount_per_day: float) -> None:
    economy = small_economy(temperature_usd=0.0, discount_per_day=discount_per_day)
    tariff = small_tariff(economy)
    followed = follow(economy, tariff, 0.0, [rule(economy, name)], ONE)
    assert followed.exploitability_usd_per_household_day > 1e-4  # rules of thumb forgo something
    charged = rates(tariff, economy.common.today, followed.wholesale_usd_per_kwh, 0.0)
    best = [best_response(household, charged, decision_problem(economy)).policy for household in economy.types]
    tiny = 1e-9  # a cohort too small to move the prices
    beside = follow(economy, tariff, 0.0, [rule(economy, name), best], np.array([1 - tiny, tiny]))
    assert beside.forgone_usd_per_day[1] == pytest.approx(0.0, abs=1e-7)
    assert beside.forgone_usd_per_day[0] == pytest.approx(followed.exploitability_usd_per_household_day, abs=1e-7)


def test_what_a_table_forgoes_is_what_a_long_simulation_of_it_loses() -> None:
    """One household by hand: its table's reward per day, by its discounted value as the discount goes to one."""
    economy = small_economy(battery_share=1.0)
    found = solved(economy)
    policies = rule(economy, "self_consumption")
    followed = follow(economy, found.tariff, 0.0, [policies], ONE)
    charged = rates(found.tariff, economy.common.today, followed.wholesale_usd_per_kwh, 0.0)
    patient = small_decision_problem(0.0, discount=0.999)
    lost = 0.0
    for kind, household in enumerate(economy.types):
        reward = table_reward_usd(economy, household, policies[kind], charged)
        value = policy_value_usd(reward, policies[kind].probability, policies[kind].moves, patient)
        best = best_response(household, charged, small_decision_problem(0.0)).gain_usd_per_day
        lost += household.share * (best - (1 - 0.999) * float(value.mean()))
    assert followed.exploitability_usd_per_household_day == pytest.approx(lost, abs=2e-3)


def test_use_planned_at_wrong_prices_is_forgone_too() -> None:
    """A household without battery loses ½·s·Δr² of consumer surplus per slot, s the slope of its demand."""
    economy = small_economy(battery_share=0.0, elasticity=0.2)
    tariff = small_tariff(economy, pass_through=0.0, export_pass_through=0.0, energy_usd_per_kwh=np.full((3, 3), 0.2))
    off = replace(tariff, energy_usd_per_kwh=np.full((3, 3), 0.2 + 0.01))
    misled = population_response(economy, off, np.full(economy.rest_load_kw.shape, 0.1), 0.0)
    policies = [response.policy for response in misled.responses]
    followed = follow(economy, tariff, 0.0, [policies], ONE)
    slope = sum(
        household.share
        * float(economy.common.probability @ household.reference_kw.sum(axis=1))
        * household.elasticity
        / household.reference_price_usd_per_kwh
        for household in economy.types
    )
    assert followed.exploitability_usd_per_household_day == pytest.approx(
        0.5 * slope * 0.01**2 * economy.slot_hours, rel=1e-6
    )


def test_prices_are_those_of_the_load_that_the_tables_make() -> None:
    economy = small_economy(memory=1)
    followed = follow(economy, small_tariff(economy), 0.0, [rule(economy, "price_threshold")], ONE)
    np.testing.assert_array_equal(followed.wholesale_usd_per_kwh, induced_wholesale(economy, followed.net_load_kw))


def test_a_start_nearby_changes_nothing() -> None:
    economy = small_economy()
    found = solved(economy)
    first = follow(economy, found.tariff, 0.0, [rule(economy, "price_threshold")], ONE)
    cold, warm = (follow(economy, found.tariff, 0.0, [found.policies], ONE, start=start) for start in (None, first))
    assert warm.exploitability_usd_per_household_day == pytest.approx(
        cold.exploitability_usd_per_household_day, abs=1e-9
    )


def test_no_cohort_and_single_days_are_refused() -> None:
    economy = small_economy()
    with pytest.raises(ValueError, match=r"^there is no cohort; give at least one sequence of policies$"):
        follow(economy, small_tariff(economy), 0.0, [], np.zeros(0))
