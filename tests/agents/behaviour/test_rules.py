"""Rules of thumb keep their word in every state, and never beat the best response at the rates they expect."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import SHOCK_LEVELS, WEATHER, preset_economy, small_decision_problem, small_household, small_rates

from meanwatt.agents.behaviour.rules import RULES, rule_policies
from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.scenario.weather import common_states

SEEDS = st.integers(0, 10_000)


def world(seed: int) -> tuple[HouseholdType, Rates]:
    # four levels of 1 kWh, power for two levels a slot
    return small_household(seed=seed), small_rates(seed=seed + 1)


def chosen(policy: PolicyTable) -> Floats:
    """The one move of every state, (c, h, e, z); fails unless the rule is certain."""
    policy.check()
    assert set(np.unique(policy.probability)) <= {0.0, 1.0}
    return policy.moves[policy.probability.argmax(axis=-1)]


def follow(name: str, household: HouseholdType, rates: Rates) -> PolicyTable:
    (policy,) = rule_policies(name, [household], [rates], small_decision_problem())
    return policy


def at(policy: PolicyTable, moves: Floats) -> Floats:
    """Net load that goes with the chosen moves, (c, h, e, z)."""
    index = np.searchsorted(policy.moves, moves)
    net = np.broadcast_to(policy.net_load_kw[:, :, None], (*moves.shape, policy.moves.size))
    return np.take_along_axis(net, index[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=25)
@given(seed=SEEDS)
def test_use_and_net_load_are_those_of_the_best_use_at_the_expected_rates(name: str, seed: int) -> None:
    household, rates = world(seed)
    policy = follow(name, household, rates)
    brought = slot_outcome(household, rates, SHOCK_LEVELS, 8.0)
    assert np.array_equal(policy.net_load_kw, brought.net_load_kw)
    assert np.array_equal(policy.use_kw, brought.use_kw)
    chosen(policy)


@given(seed=SEEDS)
def test_a_passive_battery_stands_still(seed: int) -> None:
    assert not chosen(follow("passive", *world(seed))).any()


@settings(max_examples=40)
@given(seed=SEEDS)
def test_self_consumption_neither_charges_from_the_grid_nor_feeds_in_from_the_battery(seed: int) -> None:
    household, rates = world(seed)
    policy = follow("self_consumption", household, rates)
    moves = chosen(policy)
    net = at(policy, moves)
    assert (net[moves > 0] <= 0).all()
    assert (net[moves < 0] >= 0).all()
    further = np.clip(moves + np.sign(moves), policy.moves[0], policy.moves[-1])
    levels = np.arange(household.levels)[:, None] + further
    open_to = (further != moves) & (levels >= 0) & (levels < household.levels)
    beyond = at(policy, further)
    assert (beyond[open_to & (moves > 0)] > 0).all(), "it charges as much as the sun allows"
    assert (beyond[open_to & (moves < 0)] < 0).all(), "and discharges as much as it uses"


@given(seed=SEEDS)
def test_price_threshold_charges_when_cheap_and_discharges_when_dear(seed: int) -> None:
    household, rates = world(seed)
    moves = chosen(follow("price_threshold", household, rates))
    low, high = np.quantile(rates.import_usd_per_kwh, [0.25, 0.75], axis=1, keepdims=True)
    cheap, dear = rates.import_usd_per_kwh <= low, rates.import_usd_per_kwh >= high
    assert (moves[cheap] >= 0).all()
    assert (moves[dear] <= 0).all()
    assert not moves[~cheap & ~dear].any()
    assert (moves[cheap][:, :-1] > 0).all(), "whatever is not full charges"
    assert (moves[dear][:, 1:] < 0).all(), "whatever is not empty discharges"


def test_price_threshold_stands_still_on_a_flat_rate() -> None:
    household = small_household()
    flat = Rates(import_usd_per_kwh=np.full((3, 3), 0.2), export_usd_per_kwh=np.full((3, 3), 0.1))
    assert not chosen(follow("price_threshold", household, flat)).any()


@pytest.mark.parametrize("name", RULES)
def test_a_household_without_battery_has_nothing_to_decide(name: str) -> None:
    household = small_household(battery=None, technology="pv")
    assert chosen(follow(name, household, small_rates())).shape == (3, 3, 1, 2)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=20)
@given(seed=SEEDS)
def test_no_rule_earns_more_than_the_best_response(name: str, seed: int) -> None:
    household, rates = world(seed)
    cold = small_decision_problem(0.0)
    backward = common_states(("a", "b", "c"), WEATHER, 0).backward
    policy = follow(name, household, rates)
    flow = stationary_flow(policy, cold.shock_kernel, cold.shock_probability, backward)
    weight = flow.frequency * cold.common_probability[:, None, None, None]
    brought = slot_outcome(household, rates, SHOCK_LEVELS, 8.0)
    earned = float((weight * brought.reward_usd).sum())
    assert earned <= best_response(household, rates, cold).gain_usd_per_day + 1e-9


@pytest.mark.parametrize("name", RULES)
def test_a_market_goes_by_a_rule_of_thumb(name: str) -> None:
    market = ProsumerMarket(preset_economy("textbook"), households=200, behaviour=name, rng=1, tariff="tou")
    before = market.population.level.copy()
    market.step()
    assert market.behaviour.name == name
    assert np.array_equal(before, market.population.level) == (name == "passive")
