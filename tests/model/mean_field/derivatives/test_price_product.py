"""The derivative of the net load as a linear map: the dense matrix's products, its blocks, and when it stops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import small_economy, small_tariff

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.certificates import contraction
from meanwatt.model.mean_field.derivatives import household_sensitivity as sensitivity
from meanwatt.model.mean_field.derivatives.day_product import fixed_point
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope, own_slot_slope, recovery_slope
from meanwatt.model.mean_field.derivatives.price_product import LoadEquation, PriceProduct
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse, population_response
from meanwatt.model.mean_field.solvers.broyden_inverse import FORCING
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

ROUNDING = 1e-10
"""Midnight values and laws are good to 1e-12 of their largest; a day and its conditioning may lose two digits."""


def answered(seed: int, *, one_day: bool = False, **scenario: object) -> tuple[Economy, Tariff, PopulationResponse]:
    """A small economy's answer to random prices under a tariff that no symmetry helps."""
    economy = small_economy(temperature_usd=0.05, seed=seed, **scenario)
    if one_day:
        economy = replace(economy, one_day=OneDay(charge_law=np.array([0.1, 0.2, 0.3, 0.4]), salvage_usd_per_kwh=0.1))
    tariff = small_tariff(economy, discount=np.array([0.2, 0.0]), export_pass_through=0.6)
    prices = np.random.default_rng(seed).uniform(0.05, 0.3, economy.rest_load_kw.shape)
    return economy, tariff, population_response(economy, tariff, prices, 0.0)


def largest_difference(economy: Economy, tariff: Tariff, found: PopulationResponse, price: Floats) -> float:
    """Between the product and the dense matrix times a change of the prices, over the matrix's largest entry."""
    slope = net_load_slope(economy, tariff, found)
    product = PriceProduct(economy, tariff, found, Watch())(price)
    return float(np.abs(slope @ price.ravel() - product.ravel()).max() / np.abs(slope).max())


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 999),
    discount=st.sampled_from([1.0, 0.95, 0.7]),
    rule=st.sampled_from(["entropy", "boltzmann"]),
    one_day=st.booleans(),
)
def test_the_product_is_the_dense_derivative_times_the_vector(
    seed: int, discount: float, rule: str, one_day: bool
) -> None:
    game = answered(seed, one_day=one_day, discount_per_day=discount, value_rule=rule)
    price = np.random.default_rng(seed + 1).normal(size=game[0].rest_load_kw.shape)
    assert largest_difference(*game, price) < ROUNDING


@pytest.mark.parametrize("rule", [ExportRule.NET_METERING, ExportRule.NONE])
def test_the_product_knows_every_export_rule(rule: ExportRule) -> None:
    economy, tariff, _ = answered(3)
    tariff = replace(tariff, export_rule=rule)
    found = population_response(economy, tariff, np.full(economy.rest_load_kw.shape, 0.15), 0.3)
    assert largest_difference(economy, tariff, found, np.ones(economy.rest_load_kw.shape)) < ROUNDING


def test_on_a_single_day_the_blocks_are_the_whole_derivative() -> None:
    """A day that hands nothing on couples no two common states."""
    economy, tariff, found = answered(0, one_day=True)
    states, slots = economy.rest_load_kw.shape
    slope = net_load_slope(economy, tariff, found).reshape(states, slots, states, slots)
    blocks = PriceProduct(economy, tariff, found, Watch()).blocks()
    for c in range(states):
        for d in range(states):
            expected = blocks[c] if c == d else np.zeros((slots, slots))
            assert slope[c, :, d] == pytest.approx(expected, abs=ROUNDING * np.abs(slope).max())


@pytest.mark.parametrize("scenario", [{}, {"discount_per_day": 0.7}, {"value_rule": "boltzmann"}])
def test_the_equation_of_newtons_method_is_solved_as_by_the_dense_system(scenario: dict[str, object]) -> None:
    economy, tariff, found = answered(1, **scenario)
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw)
    right = np.random.default_rng(5).normal(size=steepness.shape)
    dense = np.eye(right.size) - net_load_slope(economy, tariff, found) * steepness.ravel()
    solved = LoadEquation(PriceProduct(economy, tariff, found, Watch()), steepness).solve(right, 1e-9)
    assert np.abs(dense @ solved.ravel() - right.ravel()).max() < 1e-8 * np.linalg.norm(right)


def test_without_matrices_the_sensitivity_of_all_observables_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    economy, tariff, found = answered(2)
    dense = recovery_slope(economy, tariff, found)
    monkeypatch.setattr(sensitivity, "JOINT_LIMIT", 0)
    swept = recovery_slope(economy, tariff, found)
    for name in ("load_by_price", "load_by_adder", "surplus_by_price", "surplus_by_adder"):
        expected = getattr(dense, name)
        assert getattr(swept, name) == pytest.approx(expected, abs=ROUNDING * np.abs(expected).max())


def test_days_that_mix_slowly_or_go_round_in_circles_are_solved_all_the_same() -> None:
    """Eigenvalues 0.999 and −1, for which plain iteration would take for ever."""
    turn = np.array([[0.999, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    right = np.array([1.0, 1.0, -1.0])  # nothing along (0, 1, 1), which stays as it is
    found = fixed_point(lambda x: turn @ x + right, np.zeros(3), 1e-10)
    assert found == pytest.approx([1000.0, 0.5, -0.5], rel=1e-8)


def test_the_contraction_factor_by_products_is_that_of_the_dense_derivative() -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = small_tariff(economy)
    found = solve_equilibrium(economy, tariff, certify=False).answer
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw).ravel()
    exact = np.abs(np.linalg.eigvals(steepness[:, None] * net_load_slope(economy, tariff, found))).max()
    assert contraction(economy, tariff, found, Watch()) == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("scenario", [{}, {"discount_per_day": 0.9}, {"value_rule": "boltzmann"}])
def test_newtons_method_without_the_matrix_finds_the_same_prices(
    monkeypatch: pytest.MonkeyPatch, scenario: dict[str, object]
) -> None:
    economy = small_economy(steepness=0.4, temperature_usd=0.02, **scenario)
    tariff = small_tariff(economy)
    dense = solve_equilibrium(economy, tariff, certify=False)
    for module in ("load_fixed_point", "methods"):
        monkeypatch.setattr(f"meanwatt.model.mean_field.solvers.{module}.dense_pays", lambda economy: False)
    swept = solve_equilibrium(economy, tariff, certify=False)
    assert swept.outcome is Outcome.CONVERGED
    assert swept.wholesale_usd_per_kwh == pytest.approx(dense.wholesale_usd_per_kwh, abs=1e-8)


def test_a_large_game_near_a_solved_one_starts_from_its_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    # the march of the adder solves dozens of such games; on the commit before, each began warm again and was cooled
    economy = small_economy(steepness=0.4, temperature_usd=0.01)
    tariff = small_tariff(economy)
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.methods.FEW_PRICES", 0)
    for module in ("load_fixed_point", "methods"):
        monkeypatch.setattr(f"meanwatt.model.mean_field.solvers.{module}.dense_pays", lambda economy: False)
    first = solve_equilibrium(economy, tariff, certify=False)
    again = solve_equilibrium(economy, tariff, certify=False, start=first)
    assert first.outcome is again.outcome is Outcome.CONVERGED
    assert again.iterations <= 2 < first.iterations
    assert again.wholesale_usd_per_kwh == pytest.approx(first.wholesale_usd_per_kwh, abs=1e-9)


# The cheap part of the derivative


def test_without_batteries_load_answers_the_price_of_its_own_slot_alone() -> None:
    economy, tariff, _ = answered(2)
    economy = replace(economy, types=tuple(replace(household, battery=None) for household in economy.types))
    found = population_response(
        economy, tariff, np.random.default_rng(2).uniform(0.05, 0.3, economy.rest_load_kw.shape), 0.0
    )
    own = own_slot_slope(economy, tariff, found)
    assert own.min() < 0
    assert net_load_slope(economy, tariff, found) == pytest.approx(np.diag(own.ravel()), abs=1e-12)


@pytest.mark.parametrize("large", [False, True])
def test_a_step_with_the_coupling_known_is_that_of_the_whole_derivative(
    monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    # of one common state the blocks are all there is
    economy = small_economy(steepness=0.4, temperature_usd=0.05, weather=np.ones((1, 1)))
    economy = replace(economy, one_day=OneDay(charge_law=np.array([0.1, 0.2, 0.3, 0.4]), salvage_usd_per_kwh=0.1))
    tariff = small_tariff(economy, discount=np.array([0.2, 0.0]))
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.load_fixed_point.dense_pays", lambda economy: not large)
    problem = LoadFixedPoint(
        Game(economy, tariff),
        0.0,
        temperature_usd=economy.scenario.temperature_usd,
        tolerance=1e-9,
        watch=Watch(),
    )
    point = problem.at(np.random.default_rng(1).uniform(0.1, 0.5, economy.rest_load_kw.shape), None)
    whole, coupling = problem.derivative(point)
    renewed = problem.renewed(point, coupling).step(point.gap_kw)
    loose = FORCING if large else 1e-10  # the equation of a large game is not solved to the end
    assert renewed == pytest.approx(whole.step(point.gap_kw), abs=loose * np.abs(renewed).max())


# Stopping


def test_every_sweep_asks_whether_to_stop() -> None:
    economy, tariff, found = answered(0)
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > limit

    limit = 10**9
    product = PriceProduct(economy, tariff, found, Watch(cancelled=cancelled))
    product(np.ones(economy.rest_load_kw.shape))
    total = len(asked)
    assert total > 4 * sum(household.battery is not None for household in economy.types)
    limit = total + 3
    with pytest.raises(Cancelled):
        product(np.ones(economy.rest_load_kw.shape))
    assert len(asked) <= limit + len(economy.types), "another type's thread may have asked, too"
