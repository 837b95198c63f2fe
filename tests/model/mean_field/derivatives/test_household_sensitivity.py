"""The exact derivative of the continuum's answer against finite differences, and the laws it obeys."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import (
    WEATHER,
    preset_economy,
    preset_tariff,
    small_decision_problem,
    small_economy,
    small_household,
    small_rates,
    small_tariff,
    solved,
)

from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule
from meanwatt.model.mean_field.derivatives.household_sensitivity import (
    BLOCK,
    Directions,
    LinearType,
    TypePlay,
    type_sensitivity,
)
from meanwatt.model.mean_field.derivatives.population_sensitivity import (
    adder_direction,
    net_load_slope,
    population_sensitivity,
    price_directions,
    rate_slopes,
)
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.scenario.weather import common_states

BACKWARD = common_states(("a", "b", "c"), WEATHER, 0).backward
STEP = 1e-5
FIELDS = ("net_load_kw", "payment_usd", "utility_usd", "wear_usd", "imported_kw")


def means(household: HouseholdType, rates: Rates, horizon: DecisionProblem) -> dict[str, Floats]:
    """What `Sensitivity` differentiates, (c, h)."""
    response = best_response(household, rates, horizon, tolerance_usd=1e-14)
    flow = stationary_flow(response.policy, horizon.shock_kernel, horizon.shock_probability, BACKWARD)
    brought = response.outcome
    seen = (
        brought.net_load_kw,
        brought.payment_usd,
        brought.utility_usd,
        np.broadcast_to(brought.wear_usd, brought.net_load_kw.shape),
        np.maximum(brought.net_load_kw, 0.0),
    )
    return {name: (flow.frequency * x).sum(axis=(2, 3)) for name, x in zip(FIELDS, seen, strict=True)}


def shifted(rates: Rates, directions: Directions, k: int, step: float) -> Rates:
    return Rates(
        import_usd_per_kwh=rates.import_usd_per_kwh + step * directions.import_usd_per_kwh[k],
        export_usd_per_kwh=rates.export_usd_per_kwh + step * directions.export_usd_per_kwh[k],
    )


def largest_error(household: HouseholdType, rates: Rates, horizon: DecisionProblem, seed: int, count: int = 3) -> float:
    """Difference between the exact derivative and central differences along random directions, over its size.

    A direction moves both rates alike where they are equal, for there the net load has a kink.
    """
    rng = np.random.default_rng(seed)
    bought = rng.normal(size=(count, *rates.import_usd_per_kwh.shape))
    alike = rates.import_usd_per_kwh == rates.export_usd_per_kwh
    directions = Directions(
        import_usd_per_kwh=bought, export_usd_per_kwh=np.where(alike, bought, rng.normal(size=bought.shape))
    )
    response = best_response(household, rates, horizon, tolerance_usd=1e-14)
    flow = stationary_flow(response.policy, horizon.shock_kernel, horizon.shock_probability, BACKWARD)
    exact = type_sensitivity(TypePlay(household, rates, response, flow), horizon, BACKWARD, directions)
    worst = 0.0
    for k in range(count):
        up, down = (means(household, shifted(rates, directions, k, sign * STEP), horizon) for sign in (1, -1))
        for name in FIELDS:
            measured, mine = (up[name] - down[name]) / (2 * STEP), getattr(exact, name)[..., k]
            worst = max(worst, float(np.abs(measured - mine).max()) / max(float(np.abs(mine).max()), 1.0))
    return worst


@settings(max_examples=15)
@given(seed=st.integers(0, 999), temperature=st.sampled_from([0.02, 0.1]), spread=st.sampled_from([0.0, 0.05]))
def test_the_derivative_of_random_households_agrees_with_finite_differences(
    seed: int, temperature: float, spread: float
) -> None:
    household, rates = small_household(seed=seed), small_rates(spread=spread, seed=seed + 1)
    # central differences are off by step² times the third derivative, which grows like temperature⁻³
    assert largest_error(household, rates, small_decision_problem(temperature), seed) < 1e-6


@pytest.mark.parametrize("rule", list(ValueRule))
@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_the_derivative_holds_for_both_value_rules_and_with_a_discount(rule: ValueRule, discount: float) -> None:
    horizon = small_decision_problem(0.05, discount=discount, rule=rule)
    # where idling is as good at one level as at another (seed 1), Boltzmann values at no discount have a kink
    for seed in (0, 2, 3):
        assert largest_error(small_household(seed=seed), small_rates(seed=seed), horizon, seed) < 1e-6


@pytest.mark.parametrize("rule", list(ValueRule))
@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_an_answer_linearised_for_many_calls_tells_each_what_one_call_is_told(rule: ValueRule, discount: float) -> None:
    household, rates = small_household(), small_rates(spread=0.05)
    horizon = small_decision_problem(0.05, discount=discount, rule=rule)
    response = best_response(household, rates, horizon)
    flow = stationary_flow(response.policy, horizon.shock_kernel, horizon.shock_probability, BACKWARD)
    play = TypePlay(household, rates, response, flow)
    linear = LinearType(play, horizon, BACKWARD, often=True)
    for bought, sold in np.random.default_rng(0).normal(size=(2, 2, 2, 3, 3)):
        along = Directions(import_usd_per_kwh=bought, export_usd_per_kwh=sold)
        once, often = type_sensitivity(play, horizon, BACKWARD, along), linear.along(along)
        for name in FIELDS:
            assert getattr(often, name) == pytest.approx(getattr(once, name), rel=1e-9, abs=1e-11)
        alone = linear.along(along, only_net_load=True)
        assert alone.net_load_kw == pytest.approx(once.net_load_kw, rel=1e-9, abs=1e-11)


def test_a_household_without_battery_moves_by_its_use_alone() -> None:
    household = small_household(battery=None, technology="pv", pv_kw=np.zeros((3, 3)))
    rates, horizon = small_rates(), small_decision_problem()
    response = best_response(household, rates, horizon)
    flow = stationary_flow(response.policy, horizon.shock_kernel, horizon.shock_probability, BACKWARD)
    one = np.ones((1, 3, 3))
    both = Directions(import_usd_per_kwh=one, export_usd_per_kwh=one)
    found = type_sensitivity(TypePlay(household, rates, response, flow), horizon, BACKWARD, both)
    by_elasticity = -household.elasticity * household.reference_kw / household.reference_price_usd_per_kwh
    assert (np.abs(household.elasticity * (1 - rates.import_usd_per_kwh / 0.2)) < household.flexibility).all()
    assert found.net_load_kw[..., 0] == pytest.approx(by_elasticity, rel=1e-12)
    assert largest_error(household, rates, horizon, 0) < 1e-6


def test_more_directions_than_are_carried_at_once_make_no_difference() -> None:
    household, rates, horizon = small_household(), small_rates(), small_decision_problem()
    response = best_response(household, rates, horizon)
    flow = stationary_flow(response.policy, horizon.shock_kernel, horizon.shock_probability, BACKWARD)
    bought = np.random.default_rng(0).normal(size=(BLOCK + 3, 3, 3))
    many = Directions(import_usd_per_kwh=bought, export_usd_per_kwh=0.5 * bought)
    last = Directions(import_usd_per_kwh=bought[-1:], export_usd_per_kwh=0.5 * bought[-1:])
    together, alone = (
        type_sensitivity(TypePlay(household, rates, response, flow), horizon, BACKWARD, which) for which in (many, last)
    )
    assert together.payment_usd[..., -1:] == pytest.approx(alone.payment_usd, rel=1e-10)


def test_at_temperature_zero_the_derivative_is_refused() -> None:
    household, rates, cold = small_household(), small_rates(), small_decision_problem(0.0)
    response = best_response(household, rates, cold)
    flow = stationary_flow(response.policy, cold.shock_kernel, cold.shock_probability, BACKWARD)
    every = Directions(import_usd_per_kwh=np.ones((1, 3, 3)), export_usd_per_kwh=np.ones((1, 3, 3)))
    with pytest.raises(
        ValueError, match=r"^sensitivity is undefined at temperature_usd = 0, where answers jump; give it above 0$"
    ):
        type_sensitivity(TypePlay(household, rates, response, flow), cold, BACKWARD, every)


# The population


def weighed_slope(**scenario: object) -> Floats:
    """P ∂L/∂λ of a small economy at random prices, (9, 9)."""
    economy = small_economy(temperature_usd=0.05, **scenario)
    tariff = small_tariff(economy)
    prices = np.random.default_rng(4).uniform(0.05, 0.3, (3, 3))
    slope = net_load_slope(economy, tariff, population_response(economy, tariff, prices, 0.0))
    return np.repeat(economy.common.probability, economy.slots)[:, None] * slope


def test_where_there_is_a_potential_the_slope_is_symmetric_and_falls_with_price_and_only_there() -> None:
    slope = weighed_slope()
    assert np.abs(slope - slope.T).max() < 1e-10 * np.abs(slope).max()
    assert np.linalg.eigvalsh((slope + slope.T) / 2).max() < 1e-10
    for broken in ({"discount_per_day": 0.7}, {"value_rule": "boltzmann"}):
        tilted = weighed_slope(**broken)
        assert np.abs(tilted - tilted.T).max() > 1e-3 * np.abs(tilted).max()


@pytest.mark.parametrize(
    ("rule", "adder"),
    [(ExportRule.NET_METERING, 0.0), (ExportRule.NET_BILLING, 0.3), (ExportRule.NONE, 0.3)],
)
def test_the_slope_in_prices_and_adder_agrees_with_finite_differences(rule: ExportRule, adder: float) -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = replace(small_tariff(economy), export_rule=rule, discount=np.full(len(economy.groups), 0.2))
    prices = np.random.default_rng(2).uniform(0.05, 0.3, (3, 3))
    found = population_response(economy, tariff, prices, adder)
    slope = net_load_slope(economy, tariff, found)
    for k in (0, 4, 8):
        nudge = STEP * (np.arange(9) == k).reshape(3, 3)
        up, down = (population_response(economy, tariff, prices + sign * nudge, adder).net_load_kw for sign in (1, -1))
        measured = ((up - down) / (2 * STEP)).ravel()
        assert slope[:, k] == pytest.approx(measured, abs=1e-6 * np.abs(slope).max())
    up, down = (population_response(economy, tariff, prices, adder + sign * STEP).net_load_kw for sign in (1, -1))
    by_adder = population_sensitivity(economy, tariff, found, adder_direction(tariff, found.rates))
    share = economy.type_share
    mean = sum(w * s.net_load_kw[..., 0] for w, s in zip(share, by_adder, strict=True))
    assert mean == pytest.approx((up - down) / (2 * STEP), abs=1e-6 * np.abs(slope).max())


def test_an_export_rate_at_its_cap_moves_with_the_import_rate() -> None:
    economy = small_economy()
    tariff = replace(
        small_tariff(economy),
        export_rule=ExportRule.NET_BILLING,
        pass_through=0.5,
        export_pass_through=1.0,
        capped_at_import=True,
    )
    capped = Rates(import_usd_per_kwh=np.array([[0.2, 0.2]]), export_usd_per_kwh=np.array([[0.2, 0.1]]))
    bought, sold = rate_slopes(tariff, capped)
    assert bought.tolist() == [[0.5, 0.5]]
    assert sold.tolist() == [[0.5, 1.0]]
    assert adder_direction(tariff, capped)[0].export_usd_per_kwh.tolist() == [[[1.0, 0.0]]]
    assert price_directions(tariff, capped)[0].export_usd_per_kwh[1].tolist() == [[0.0, 1.0]]


def test_on_the_textbook_the_slope_is_symmetric_to_rounding() -> None:
    found = solved("textbook", "rtp")
    slope = net_load_slope(found.economy, preset_tariff("textbook", "rtp"), found.answer)
    assert slope.shape == (24, 24)
    assert preset_economy("textbook") is found.economy
    assert np.abs(slope - slope.T).max() < 1e-12 * np.abs(slope).max()
