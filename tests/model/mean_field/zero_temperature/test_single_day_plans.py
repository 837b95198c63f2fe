"""Compiled plans of a single day equal those of the household's own dynamic program, whatever batteries are stacked."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import WEATHER, small_battery, small_economy, small_household, small_tariff

from meanwatt.agents.household.best_response import respond
from meanwatt.agents.household.decision_problem import HeldDay, OneDay
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day
from meanwatt.model.mean_field.population.flow import household_flow
from meanwatt.model.mean_field.population.population_response import decision_problem, own_decision_problem
from meanwatt.model.mean_field.population.type_stack import stack_types, terms_of
from meanwatt.model.mean_field.population.worth_left import worth_left_usd
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.mean_field.zero_temperature.column_pool import free_unused, take_means
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import ExactSolution, solve_exact
from meanwatt.model.mean_field.zero_temperature.market_clearing import clear, outcome_of, start_at
from meanwatt.model.mean_field.zero_temperature.single_day_plans import SingleDayPlans
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

SLOTS, LEVELS = 6, 4
CHARGE = np.array([0.1, 0.4, 0.2, 0.3])


def mixed_economy(*, held: bool = False, **changes: object) -> Economy:
    """A strong battery, none, and a weak one; if held, the weak one has fewer levels, and every type its own day."""
    economy = small_economy(slots=SLOTS, levels=LEVELS, temperature_usd=0.0, **changes)
    size = (3, SLOTS)
    weak_levels = LEVELS - 1 if held else LEVELS
    types = (
        small_household(*size, share=0.4, battery=small_battery(LEVELS, power_limit_kw=0.7), seed=1),
        small_household(*size, share=0.3, battery=None, technology="pv", seed=2),
        small_household(*size, share=0.3, battery=small_battery(weak_levels, power_limit_kw=0.3), seed=3),
    )
    if not held:
        day = OneDay(charge_law=CHARGE, salvage_usd_per_kwh=0.12)
        return replace(economy, types=types, one_day=day)
    rng = np.random.default_rng(5)
    shocks = economy.shock_probability.size
    days = tuple(
        HeldDay(
            start_law=rng.dirichlet(np.ones(t.levels * shocks), 3).reshape(3, t.levels, shocks),
            tomorrow_usd=np.sort(rng.uniform(0.0, 0.5, (3, shocks, t.levels)), axis=-1),
        )
        for t in types
    )
    return replace(economy, types=types, held=days)


def random_price(economy: Economy, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(0.0, 0.4, economy.rest_load_kw.shape)


def exact(economy: Economy, tariff: Tariff | None = None) -> ExactSolution:
    return solve_exact(economy, tariff or small_tariff(economy), 0.0, first_guess(economy), watch=Watch())


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_plan_is_the_households_own_best_response_and_its_flow(seed: int, held: bool) -> None:
    economy = mixed_economy(held=held)
    horizon = decision_problem(economy)
    types, terms = stack_types(economy), terms_of(economy, small_tariff(economy), 0.0)
    here = start_at(types, terms, random_price(economy, seed))
    plans = SingleDayPlans(economy, horizon, types)
    assert plans.answer(here) == np.inf
    take_means(plans.columns, here)
    for kind, (household, (response, flow)) in enumerate(zip(economy.types, plans.policies(here), strict=True)):
        view = own_decision_problem(economy, horizon, kind)
        own = respond(outcome_of(household, kind, here, economy.slot_hours), household.levels, view)
        own_flow = household_flow(own.policy, view, economy.common.backward)
        assert response.policy.probability == pytest.approx(own.policy.probability, abs=1e-12)
        assert response.value_usd == pytest.approx(own.value_usd, abs=1e-12)
        assert response.gain_usd_per_day == pytest.approx(own.gain_usd_per_day, abs=1e-12)
        assert flow.law == pytest.approx(own_flow.law, abs=1e-12)
        assert flow.frequency == pytest.approx(own_flow.frequency, abs=1e-12)
        left = worth_left_usd(own_flow, own.policy, view, response.outcome.level_kwh)
        assert here.worth_usd[kind] == pytest.approx(left, abs=1e-12)


def test_at_constant_prices_idle_batteries_without_wear_split_every_tie() -> None:
    """All is worth nothing after the day, and moving is free: every move on the grid is as good as any other."""
    free = small_battery(LEVELS, charge_efficiency=1.0, discharge_efficiency=1.0, wear_usd_per_kwh=0.0)
    economy = small_economy(slots=SLOTS, levels=LEVELS, temperature_usd=0.0, elasticity=0.0)
    types = (small_household(3, SLOTS, battery=free, elasticity=0.0),)
    economy = replace(economy, types=types, one_day=OneDay(charge_law=CHARGE), supply=SupplyCurve.polynomial([0.0]))
    tariff = small_tariff(economy, energy_usd_per_kwh=np.zeros((3, SLOTS)), export_usd_per_kwh=np.zeros((3, SLOTS)))
    policy = exact(economy, tariff).answer.responses[0].policy
    for e in range(LEVELS):
        open_to = (e + policy.moves >= 0) & (e + policy.moves < LEVELS)
        assert policy.probability[:, :, e] == pytest.approx(np.broadcast_to(open_to / open_to.sum(), (3, SLOTS, 2, 3)))


@pytest.mark.parametrize("held", [False, True])
def test_any_mix_of_batteries_and_days_clears_to_an_exact_equilibrium(held: bool) -> None:
    economy = mixed_economy(held=held)
    tariff = small_tariff(economy)
    found = exact(economy, tariff)
    assert found.converged
    for household, response, flow in zip(economy.types, found.answer.responses, found.answer.flows, strict=True):
        response.policy.check()
        assert response.policy.probability.shape[2] == household.levels
        assert flow.law.sum(axis=(2, 3)) == pytest.approx(np.ones((3, SLOTS)))
    exploitability = exploitability_usd_per_day(economy, tariff, found.answer)
    assert exploitability == pytest.approx(found.gap_usd_per_day, abs=1e-12)


def test_a_held_day_that_starts_and_ends_like_the_single_day_is_the_single_day() -> None:
    economy = mixed_economy()
    day = economy.one_day
    assert day is not None
    shape = (3, economy.shock_probability.size)
    held = tuple(
        HeldDay(
            start_law=np.broadcast_to(day.start(t.levels, economy.shock_probability), (3, t.levels, shape[1])),
            tomorrow_usd=np.broadcast_to(
                day.midnight_usd(t.levels, t.battery.level_kwh if t.battery else 0.0), (*shape, t.levels)
            ),
        )
        for t in economy.types
    )
    one, other = exact(economy), exact(replace(economy, one_day=None, held=held))
    assert other.answer.wholesale_usd_per_kwh == pytest.approx(one.answer.wholesale_usd_per_kwh, abs=1e-9)


def test_a_pool_that_fills_up_grows_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    economy = mixed_economy(steepness=0.6)
    wide = exact(economy)
    monkeypatch.setattr("meanwatt.model.mean_field.zero_temperature.single_day_plans.ROOM_PER_TYPE", 1)
    narrow = exact(economy)
    assert narrow.rounds == wide.rounds
    assert (narrow.answer.wholesale_usd_per_kwh == wide.answer.wholesale_usd_per_kwh).all()


def test_only_places_without_weight_are_freed() -> None:
    economy = mixed_economy()
    types, terms = stack_types(economy), terms_of(economy, small_tariff(economy), 0.0)
    plans = SingleDayPlans(economy, decision_problem(economy), types)
    plans.answer(start_at(types, terms, first_guess(economy)))
    room = len(plans.columns.type_index)
    assert free_unused(plans.columns) == room - len(economy.types)
    assert sorted(plans.columns.type_index[plans.columns.mixture > 0]) == [0, 1, 2]


# The clearing price of given frequencies


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
def test_the_bend_is_the_rise_of_the_clearing_price_with_the_load(elasticity: float) -> None:
    """s'/(1 − s'·∂L/∂λ) by central differences in the load of the rest of the system."""
    economy = small_economy(slots=SLOTS, temperature_usd=0.0, elasticity=elasticity, steepness=0.4, weather=WEATHER)
    tariff = small_tariff(economy)
    types = stack_types(economy)

    def cleared(shift_kw: float) -> tuple[Floats, Floats]:
        shifted = replace(economy, rest_load_kw=economy.rest_load_kw + shift_kw)
        terms = terms_of(shifted, tariff, 0.0)
        here = start_at(types, terms, random_price(economy, 0))
        frequency = np.random.default_rng(7).dirichlet(np.ones(here.frequency[0, 0, 0].size), here.frequency.shape[:3])
        here.frequency[:] = frequency.reshape(here.frequency.shape)
        clear(types, terms, here)
        load_kw = shifted.rest_load_kw.copy()
        for k, share in enumerate(types.share):
            load_kw += share * (here.frequency[k] * here.net_load_kw[k]).sum(axis=(2, 3))
        assert here.load_kw == pytest.approx(load_kw, abs=1e-12)
        assert here.price == pytest.approx(economy.supply.price(load_kw), abs=1e-13)
        return here.price.copy(), here.bend.copy()

    step = 1e-6
    slope = (cleared(step)[0] - cleared(-step)[0]) / (2 * step)
    assert cleared(0.0)[1] == pytest.approx(slope, rel=1e-6)
