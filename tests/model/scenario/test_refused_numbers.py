"""Numbers that are not finite, or too many to count, are refused in one line before compiled code works with them."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import SHOCK, WEATHER, random_game, small_decision_problem, small_household, small_rates

from meanwatt.agents.household.best_response import best_response, respond
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.market.apportionment import divide
from meanwatt.model.market.billing import settle
from meanwatt.model.market.day_tables import alias_table
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.market.setup import require_population
from meanwatt.model.mean_field.population.flow import moves_taken, push_days, stationary_flow
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.weather import common_states


def small_policy() -> PolicyTable:
    return best_response(small_household(), small_rates(), small_decision_problem()).policy


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rates_that_are_not_finite_are_refused_before_values_are_computed(bad: float) -> None:
    rates = small_rates()
    bought = rates.import_usd_per_kwh.copy()
    bought[1, 2] = bad
    with pytest.raises(ValueError, match=r"^import_usd_per_kwh is -?(nan|inf) at index \[1, 2\]; give finite"):
        best_response(
            small_household(),
            Rates(import_usd_per_kwh=bought, export_usd_per_kwh=rates.export_usd_per_kwh),
            small_decision_problem(),
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rewards_that_are_not_finite_are_refused(bad: float) -> None:
    outcome = random_game(0, states=3)
    payment = outcome.payment_usd.copy()
    payment[0, 0, 0, 0] = bad
    with pytest.raises(ValueError, match="what a slot brings is not finite"):
        respond(replace(outcome, payment_usd=payment), 4, small_decision_problem())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_policy_that_is_not_finite_has_no_stationary_day(bad: float) -> None:
    policy, backward = small_policy(), common_states(("a", "b", "c"), WEATHER, 0).backward
    probability = policy.probability.copy()
    probability[0, 0] = bad
    with pytest.raises(ValueError, match="a policy holds a probability that is not finite"):
        stationary_flow(replace(policy, probability=probability), SHOCK, np.array([2 / 3, 1 / 3]), backward)


def test_a_day_of_any_policy_stays_in_its_row() -> None:
    # all chance on moves that leave the grid: on the commit before, mass landed in the rows of other shocks and beyond
    policy, backward = small_policy(), common_states(("a", "b", "c"), WEATHER, 0).backward
    states, slots, levels, shocks, count = policy.probability.shape
    off_grid = np.zeros_like(policy.probability)
    off_grid[:, :, 0, :, 0] = 1.0  # discharge from empty
    off_grid[:, :, -1, :, count - 1] = 1.0  # charge when full
    law = np.zeros((states, slots, levels, shocks))
    midnight = np.full((states, levels, shocks), 1 / (levels * shocks))
    push_days(midnight, off_grid, moves_taken(off_grid), policy.moves, SHOCK, backward, 0, 1e-9, 0.0, np.inf, law)
    assert (law[:, 1:] == 0).all()


@pytest.mark.parametrize("row", [[0.5, np.nan], [np.inf, 0.0], [0.0, 0.0], [1.5, -0.5]])
def test_nobody_draws_from_numbers_that_are_no_probabilities(row: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities to draw from are negative, not finite or all zero"):
        alias_table(np.array([[0.5, 0.5], row]))


def test_nobody_starts_from_a_law_that_is_none() -> None:
    population = Population(share=np.ones(1), customers=np.array([3]), households=10, slots=3, key=1)
    with pytest.raises(ValueError, match="the law that households of type 0 start from is none"):
        population.draw_start([np.array([[0.5, np.nan]])])
    with pytest.raises(ValueError, match="shares of the cohorts are"):
        divide(np.array([5, 5]), np.array([0.5, np.nan]))


def test_bills_that_whole_numbers_cannot_count_are_refused() -> None:
    population = Population(share=np.ones(1), customers=np.array([3]), households=10, slots=3, key=1)
    population.energy_kwh[:] = 1e4
    rate = np.full((1, 3), 1e3)
    settle(population, import_usd_per_kwh=rate / 1e4, export_usd_per_kwh=rate / 1e4, standing_charge_usd=np.zeros(1))
    for prices in (rate * 10, rate * 1e30, np.full((1, 3), np.nan)):
        with pytest.raises(ValueError, match=r"bills of up to 16384 households come to more than 6.71e"):
            settle(population, import_usd_per_kwh=prices, export_usd_per_kwh=prices, standing_charge_usd=np.zeros(1))


def test_energy_that_whole_numbers_cannot_count_is_refused_with_the_number_that_can() -> None:
    economy = build_economy(load_scenario("textbook", overrides=["load.use_kwh_per_day=1e6"]))
    with pytest.raises(ValueError, match=r"^households is 1000, of up to .* kWh in a slot.*; give at most 72, or a"):
        require_population(economy, 1000)
    with pytest.raises(ValueError, match="give at most 72, or a smaller"):
        require_population(economy, 73)
    require_population(economy, 72)
    require_population(build_economy(load_scenario("textbook")), 1_000_000)


def test_more_households_than_the_machine_holds_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    economy = build_economy(load_scenario("textbook"))
    monkeypatch.setattr("meanwatt.model.progress.machine.free_bytes", lambda: 1e9)
    with pytest.raises(ValueError, match=r"^10000000 households take about 1.36 GB, 1 GB are free; give fewer"):
        require_population(economy, 10_000_000)
    require_population(economy, 10_000_000, 4)


@pytest.mark.parametrize("households", [10**12, -1, 2.5, True])
def test_a_market_of_no_number_of_households_is_refused(households: object) -> None:
    with pytest.raises(ValueError, match=r"households is .*; give a whole number from 1 to 1000000000, e.g. 1000"):
        ProsumerMarket("textbook", households=households)  # type: ignore[arg-type]


def test_a_household_too_large_for_its_feeder_is_told_with_the_keys() -> None:
    peak = build_economy(load_scenario("textbook", overrides=["load.use_kwh_per_day=1e6"])).peak_reference_kw
    with pytest.raises(ValueError, match=r"^feeder.name is 'textbook_line_5', .* or a smaller load.use_kwh_per_day$"):
        build_feeder("textbook_line_5", peak_reference_kw=peak)
