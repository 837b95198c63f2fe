"""The game of a single day: it starts as told, ends at the worth of what is stored, and backward induction solves it.

Within the day the weather stays, so without shocks a plan is a list of moves, and all plans can be written down.
"""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scenarios import (
    WEATHER,
    preset_economy,
    preset_tariff,
    small_decision_problem,
    small_economy,
    small_household,
    small_rates,
    small_tariff,
)

from meanwatt.agents.household.best_response import Response, best_response
from meanwatt.agents.household.decision_problem import DecisionProblem, OneDay, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule
from meanwatt.analysis.cli import main
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day, softmax_bound_usd_per_day
from meanwatt.model.mean_field.derivatives.household_sensitivity import Directions, TypePlay, type_sensitivity
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.population.flow import Flow, household_flow
from meanwatt.model.mean_field.population.population_response import PopulationResponse, population_response
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.weather import common_states

BACKWARD = common_states(("a", "b", "c"), WEATHER, 0).backward
CHARGE = np.array([0.1, 0.4, 0.2, 0.3])


def single(salvage: float = 0.1, charge: Floats = CHARGE) -> OneDay:
    return OneDay(charge_law=charge, salvage_usd_per_kwh=salvage)


def world(temperature: float = 0.05, one_day: OneDay | None = None, **changes: object) -> Economy:
    """Three kinds of days of six slots; batteries of four levels, one of them a slot."""
    economy = small_economy(**{"slots": 6, "temperature_usd": temperature, **changes})
    return replace(economy, one_day=one_day or single())


def solve(economy: Economy, **changes: object) -> Equilibrium:
    found = solve_equilibrium(economy, small_tariff(economy, **changes), certify=False)
    assert found.outcome is Outcome.CONVERGED
    return found


def stored_at_the_end(economy: Economy, response: Response, flow: Flow) -> Floats:
    """Law (c, e) of the level after the last move, pushed move by move."""
    law, policy = flow.law[:, -1], response.policy
    after = np.zeros(law.shape[:2])
    for e in range(law.shape[1]):
        for j, step in enumerate(policy.moves):
            if 0 <= e + step < law.shape[1]:
                after[:, e + step] += (law[:, e] * policy.probability[:, -1, e, :, j]).sum(axis=-1)
    return after


def stores(economy: Economy) -> list[int]:
    return [k for k, household in enumerate(economy.types) if household.battery]


# How the day starts


@pytest.mark.parametrize(
    ("charge", "law"),
    [
        ("uniform", np.full(4, 0.25)),
        ("empty", np.eye(4)[0]),
        ("full", np.eye(4)[3]),
        ("[0.1, 0.4, 0.2, 0.3]", CHARGE),
        ("[0.0, 0.3333333, 0.3333333, 0.3333333]", np.array([0, 1, 1, 1]) / 3),
    ],
)
def test_the_laws_start_from_the_given_charge_whatever_the_weather(charge: str, law: Floats) -> None:
    overrides = ("battery_levels=4", f"one_day.charge={charge}", "one_day.salvage_usd_per_kwh=0.07")
    economy = build_economy(load_scenario("oahu", overrides=overrides))
    assert economy.one_day is not None
    assert economy.one_day.salvage_usd_per_kwh == 0.07
    assert economy.one_day.charge_law == pytest.approx(law, abs=1e-12)
    found = population_response(economy, preset_tariff("oahu", "rtp"), np.full(economy.rest_load_kw.shape, 0.2), 0.0)
    for household, flow in zip(economy.types, found.flows, strict=True):
        start = np.outer(law, economy.shock_probability) if household.battery else economy.shock_probability[None]
        assert flow.law[:, 0] == pytest.approx(np.broadcast_to(start, flow.law[:, 0].shape), abs=1e-12)
        assert flow.law.sum(axis=(2, 3)) == pytest.approx(1.0, abs=1e-12)


def test_without_a_table_days_go_on_for_ever() -> None:
    assert load_scenario("oahu").one_day is None
    assert preset_economy("oahu").one_day is None


@pytest.mark.parametrize("law", [[0.5, 0.6], [1.5, -0.5], [[0.5, 0.5]], [np.nan, 1.0]])
def test_a_law_that_is_none_is_refused(law: list[float]) -> None:
    with pytest.raises(ValueError) as caught:
        OneDay(charge_law=np.array(law))
    assert str(caught.value) == f"charge_law is {law}; give one probability a level, summing to 1"


# How it ends


@pytest.mark.parametrize("temperature", [0.0, 0.01])
def test_storage_worth_a_fortune_is_full_at_the_end(temperature: float) -> None:
    economy = world(temperature, single(salvage=5.0))
    found = solve(economy)
    for k in stores(economy):
        end = stored_at_the_end(economy, found.answer.responses[k], found.answer.flows[k])
        assert end[:, -1] == pytest.approx(1.0, abs=1e-9)


def test_worthless_storage_is_empty_at_the_end() -> None:
    economy = world(0.0, single(salvage=0.0))
    found = solve(economy)
    lowest = found.rates.export_usd_per_kwh.min()
    battery = economy.types[stores(economy)[0]].battery
    assert battery is not None
    assert lowest * battery.discharge_efficiency > battery.wear_usd_per_kwh, "it always pays to sell the last of it"
    for k in stores(economy):
        end = stored_at_the_end(economy, found.answer.responses[k], found.answer.flows[k])
        assert end[:, 0] == pytest.approx(1.0, abs=1e-9)


def test_the_more_storage_is_worth_the_more_is_left() -> None:
    left = []
    for salvage in (0.0, 0.05, 0.1, 0.2, 0.4):
        economy = world(0.01, single(salvage))
        found = solve(economy).answer
        kept = [stored_at_the_end(economy, found.responses[k], found.flows[k]) @ np.arange(4) for k in stores(economy)]
        left.append(float(economy.common.probability @ sum(kept)))
    assert left == sorted(left)
    assert left[-1] > left[0] + 1


# Backward induction


def tiny(seed: int, temperature: float, salvage: float) -> tuple[HouseholdType, Rates, DecisionProblem]:
    """A household without shocks, three kinds of weather, five slots."""
    problem = replace(
        small_decision_problem(temperature, slots=5),
        shock_levels=np.ones(1),
        shock_kernel=np.ones((1, 1)),
        shock_probability=np.ones(1),
        one_day=single(salvage),
    )
    return small_household(3, 5, seed=seed), small_rates(3, 5, seed=seed + 50), problem


def plans(response: Response, c: int, e: int, salvage: float) -> dict[tuple[int, ...], float]:
    """What every list of moves from a level earns in one kind of weather, salvage included. [USD]"""
    move, reward = response.policy.moves, response.outcome.reward_usd[c, :, 0]
    earned = {}
    for plan in product(range(move.size), repeat=len(reward)):
        level = e + np.cumsum(move[list(plan)])
        if (level >= 0).all() and (level < 4).all():
            reached = float(level[-1]) * 1.0  # a level is a kilowatt-hour
            earned[plan] = sum(reward[h, j] for h, j in enumerate(plan)) + salvage * reached
    return earned


@pytest.mark.parametrize("salvage", [0.0, 0.15])
@pytest.mark.parametrize("seed", range(3))
def test_the_value_at_temperature_zero_is_that_of_the_best_of_all_plans(seed: int, salvage: float) -> None:
    household, rates, problem = tiny(seed, 0.0, salvage)
    response = best_response(household, rates, problem)
    assert response.converged
    assert response.days == 1
    expected = 0.0
    for c, e in np.ndindex(3, 4):
        earned = plans(response, c, e, salvage)
        best = max(earned, key=lambda plan: earned[plan])
        assert response.value_usd[c, 0, 0, e] == pytest.approx(earned[best], abs=1e-12)
        expected += problem.common_probability[c] * CHARGE[e] * earned[best]
        level = e
        for h, j in enumerate(best):
            assert response.policy.probability[c, h, level, 0, j] > 0, "the best plan is followed"
            level += response.policy.moves[j]
    assert response.gain_usd_per_day == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("temperature", [0.02, 0.3])
def test_soft_households_draw_their_plan_from_the_softmax_over_all_plans(temperature: float) -> None:
    """Entropy of moves adds up to that of plans: V = η log Σ_plans exp(earned/η)."""
    household, rates, problem = tiny(4, temperature, 0.1)
    response = best_response(household, rates, problem)
    for c, e in np.ndindex(3, 4):
        earned = plans(response, c, e, 0.1)
        value = temperature * np.logaddexp.reduce(np.array(list(earned.values())) / temperature)
        assert response.value_usd[c, 0, 0, e] == pytest.approx(value, abs=1e-12)
        for plan, worth in earned.items():
            level, chance = e, 1.0
            for h, j in enumerate(plan):
                chance *= response.policy.probability[c, h, level, 0, j]
                level += response.policy.moves[j]
            assert chance == pytest.approx(np.exp((worth - value) / temperature), abs=1e-12)


# What it is worth


def earned_by_loops(economy: Economy, found: PopulationResponse, k: int) -> float:
    """Expected reward and salvage of one type, level by level. [USD per household-day]"""
    response, flow = found.responses[k], found.flows[k]
    policy, reward = response.policy, response.outcome.reward_usd
    total = 0.0
    for c, h, e, z, j in np.ndindex(policy.probability.shape):
        chance = economy.common.probability[c] * flow.law[c, h, e, z] * policy.probability[c, h, e, z, j]
        total += chance * reward[c, h, z, j]
    battery = economy.types[k].battery
    if battery is not None:
        assert economy.one_day is not None
        level_kwh = battery.capacity_kwh / (battery.levels - 1)
        end = economy.common.probability @ stored_at_the_end(economy, response, flow)
        total += economy.one_day.salvage_usd_per_kwh * level_kwh * float(end @ np.arange(battery.levels))
    return total


def test_the_gain_at_temperature_zero_is_expected_reward_and_salvage() -> None:
    economy = world(0.0, single(0.2))
    found = population_response(
        economy, small_tariff(economy), np.random.default_rng(0).uniform(0.05, 0.3, (3, 6)), 0.0
    )
    for k, response in enumerate(found.responses):
        assert response.gain_usd_per_day == pytest.approx(earned_by_loops(economy, found, k), abs=1e-12)


@pytest.mark.parametrize("rule", ["entropy", "boltzmann"])
@pytest.mark.parametrize("temperature", [0.01, 0.05, 0.2])
def test_exploitability_is_what_the_hard_answer_earns_more_and_keeps_its_bound(temperature: float, rule: str) -> None:
    economy = world(temperature, single(0.2), value_rule=rule)
    found = solve(economy)
    hard = population_response(economy, found.tariff, found.wholesale_usd_per_kwh, 0.0, temperature_usd=0.0)
    lead = sum(
        household.share * (earned_by_loops(economy, hard, k) - earned_by_loops(economy, found.answer, k))
        for k, household in enumerate(economy.types)
    )
    assert lead > 1e-4
    # prices that answer themselves to 1e-9 USD/kWh move the gain of some kWh by no more than 1e-7
    assert found.exploitability_usd_per_household_day == pytest.approx(lead, abs=1e-7)
    assert lead <= softmax_bound_usd_per_day(economy)


def test_at_temperature_zero_nobody_can_gain() -> None:
    found = solve(world(0.0))
    assert found.exploitability_usd_per_household_day == pytest.approx(0, abs=1e-9)
    assert exploitability_usd_per_day(found.economy, found.tariff, found.answer) >= -1e-12


# Theorem U holds for it, too


@pytest.mark.parametrize("rule", [ExportRule.NET_BILLING, ExportRule.NET_METERING])
def test_its_equilibrium_is_unique_by_theorem_u_and_found_from_everywhere(rule: ExportRule) -> None:
    economy = world(0.02, steepness=0.4)
    found = solve(economy, export_rule=rule)
    assert found.uniqueness == "unique by Theorem U"
    for seed in range(3):
        load_kw = economy.rest_load_kw + np.random.default_rng(seed).uniform(-1, 1.5, economy.rest_load_kw.shape)
        again = solve_prices(economy, found.tariff, 0.0, tolerance=1e-10, watch=Watch(), load_start_kw=load_kw)
        assert again.converged
        assert again.answer.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-8)


def test_weathers_do_not_touch_each_other() -> None:
    """A day has no morrow, so the price of one kind of day is what it would be if there were no other."""
    economy = world(0.03, steepness=0.4)
    together = solve(economy).wholesale_usd_per_kwh
    one = np.ones((1, 1))
    for c in range(3):
        types = tuple(
            replace(t, reference_kw=t.reference_kw[c : c + 1], pv_kw=t.pv_kw[c : c + 1]) for t in economy.types
        )
        alone = replace(
            economy,
            common=common_states(("only",), one, 0),
            types=types,
            rest_load_kw=economy.rest_load_kw[c : c + 1],
        )
        assert solve(alone).wholesale_usd_per_kwh[0] == pytest.approx(together[c], abs=1e-8)


def test_the_slope_of_the_load_is_symmetric_and_knows_only_its_own_day() -> None:
    economy = world(0.05)
    tariff = small_tariff(economy)
    found = population_response(economy, tariff, np.random.default_rng(4).uniform(0.05, 0.3, (3, 6)), 0.0)
    slope = net_load_slope(economy, tariff, found)
    weighed = np.repeat(economy.common.probability, 6)[:, None] * slope
    assert np.abs(weighed - weighed.T).max() < 1e-10 * np.abs(weighed).max()
    assert np.linalg.eigvalsh((weighed + weighed.T) / 2).max() < 1e-10
    day = np.repeat(np.arange(3), 6)
    assert (slope[day[:, None] != day] == 0).all()


@pytest.mark.parametrize("rule", list(ValueRule))
@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_the_derivative_agrees_with_finite_differences(spread: float, rule: ValueRule) -> None:
    household, rates = small_household(seed=2), small_rates(spread=spread, seed=3)
    horizon = replace(small_decision_problem(0.05, rule=rule), one_day=single(0.15))
    step, rng = 1e-5, np.random.default_rng(0)

    def means(at: Rates) -> tuple[list[Floats], Response, Flow]:
        response = best_response(household, at, horizon)
        flow = household_flow(response.policy, horizon, BACKWARD)
        brought = response.outcome
        wear = np.broadcast_to(brought.wear_usd, brought.net_load_kw.shape)
        seen = (brought.net_load_kw, brought.payment_usd, brought.utility_usd, wear, np.maximum(brought.net_load_kw, 0))
        return [(flow.frequency * x).sum(axis=(2, 3)) for x in seen], response, flow

    bought = rng.normal(size=(4, 3, 3))
    sold = bought if spread == 0 else rng.normal(size=(4, 3, 3))  # at equal rates the net load has a kink
    along = Directions(import_usd_per_kwh=bought, export_usd_per_kwh=sold)
    _, response, flow = means(rates)
    exact = type_sensitivity(TypePlay(household, rates, response, flow), horizon, BACKWARD, along)
    fields = (exact.net_load_kw, exact.payment_usd, exact.utility_usd, exact.wear_usd, exact.imported_kw)
    for k in range(4):
        up, down = (
            means(
                Rates(
                    import_usd_per_kwh=rates.import_usd_per_kwh + sign * step * bought[k],
                    export_usd_per_kwh=rates.export_usd_per_kwh + sign * step * sold[k],
                )
            )[0]
            for sign in (1, -1)
        )
        for high, low, mine in zip(up, down, fields, strict=True):
            assert (high - low) / (2 * step) == pytest.approx(mine[..., k], abs=1e-6 * max(1.0, np.abs(mine).max()))


# What makes no sense is refused


def test_a_market_of_a_single_day_is_refused() -> None:
    economy = world()
    with pytest.raises(
        ValueError, match=r"^scenario textbook is a game of one_day, a market goes on; leave out one_day$"
    ):
        ProsumerMarket(economy, households=10)


def test_the_planner_of_a_single_day_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the planner's optimum is that of days without end; leave out one_day$"):
        solve_first_best(world())


def test_the_command_solves_it_and_says_that_there_is_no_first_best(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "textbook", "--tariff", "filed", "--set", "one_day.charge=uniform", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["converged"] is True
    best = said["first_best"]
    assert best["message"] == "No first best: the planner's optimum is that of days without end; leave out one_day."
    assert best["welfare_usd_per_household_day"] is None
    assert best["duality_gap_usd_per_household_day"] is None
    assert said["metrics"]["efficiency_gap_usd_per_household_day"] is None
