"""Equilibria in which not everybody has the same tariff: laws that any number of classes must obey."""

from dataclasses import replace

import numpy as np
import pytest
from monotone import rises
from rate_class_worlds import BUYERS, STORING, WORLDS, in_classes, one_held, posted, storing_held
from scenarios import small_economy

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.certificates import uniqueness
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope, surplus_slope_usd
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import population_response, surplus_usd_per_day
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess, solve_prices
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import solve_exact
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

SAID = "unique by Theorem U"


def numbers(found: Equilibrium) -> list[Floats]:
    """What an equilibrium says, to the last bit."""
    return [
        found.wholesale_usd_per_kwh,
        np.array([found.adder_usd_per_kwh, found.surplus_usd_per_household_day, found.residual_usd_per_kwh]),
        found.net_load_kw,
        found.type_net_load_kw,
        found.bill_usd_per_day,
        *(policy.probability for policy in found.policies),
        *found.laws,
    ]


def same(one: Equilibrium, other: Equilibrium) -> bool:
    return all(np.array_equal(*pair) for pair in zip(numbers(one), numbers(other), strict=True))


ALIKE = {
    "volumetric": {"pass_through": 0.5, "export_pass_through": 0.5, "recovery": Recovery.VOLUMETRIC},
    "volumetric, nothing couples": {
        "pass_through": 0.0,
        "export_pass_through": 0.0,
        "recovery": Recovery.VOLUMETRIC,
    },
    "fixed": {"recovery": Recovery.FIXED, "fixed_charge_shape": np.array([1.0, 2.0])},
    "net metering at a discount": {"export_rule": ExportRule.NET_METERING, "discount": np.array([0.3, 0.0])},
}


@pytest.mark.parametrize("temperature", [0.05, 0.0])
@pytest.mark.parametrize("name", ALIKE)
def test_two_classes_with_one_tariff_are_one_class_to_the_last_bit(name: str, temperature: float) -> None:
    economy = small_economy(temperature_usd=temperature)
    tariff = posted(economy, **ALIKE[name])
    alone = solve_equilibrium(economy, tariff)
    parted = solve_equilibrium(economy, in_classes((tariff, BUYERS), (tariff, STORING)))
    assert alone.converged
    assert same(alone, parted)
    assert alone.contraction == parted.contraction
    assert alone.uniqueness == parted.uniqueness
    assert alone.exploitability_usd_per_household_day == parted.exploitability_usd_per_household_day


@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_the_order_of_the_classes_changes_nothing(recovery: Recovery) -> None:
    economy = small_economy()
    buyers = posted(economy, pass_through=0.0, export_pass_through=0.0, recovery=recovery)
    storing = posted(economy, pass_through=0.7, export_pass_through=0.7, recovery=recovery)
    one = solve_equilibrium(economy, in_classes((buyers, BUYERS), (storing, STORING)))
    other = solve_equilibrium(economy, in_classes((storing, STORING), (buyers, BUYERS)))
    assert one.converged
    assert same(one, other)


def balanced(economy: Economy, recovery: Recovery, *, kept: bool) -> Tariff:
    """A flat class, and one that follows the price; the flat one may keep its posted rates."""
    rule = Recovery.POSTED if kept else recovery
    flat = posted(economy, pass_through=0.0, export_pass_through=0.0, recovery=rule, discount=np.array([0.2, 0.0]))
    live = posted(economy, pass_through=0.7, export_pass_through=0.7, recovery=recovery)
    shaped = replace(live, fixed_charge_shape=np.array([1.0, 3.0]))
    return in_classes((flat, BUYERS), (shaped, STORING))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_the_books_of_the_whole_utility_balance_and_posted_classes_keep_their_rates(
    recovery: Recovery, *, kept: bool
) -> None:
    economy = small_economy()
    economy = replace(economy, fixed_cost_usd_per_day=0.5)
    tariff = balanced(economy, recovery, kept=kept)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.outcome is Outcome.CONVERGED
    bills = float(economy.type_share @ found.bill_usd_per_day)
    weight = economy.common.probability[:, None] * economy.slot_hours
    energy = float((weight * found.net_load_kw * found.wholesale_usd_per_kwh).sum())
    billed = found.answer.billed_kwh_per_day if recovery is Recovery.VOLUMETRIC else 1.0
    assert abs(bills - energy - economy.fixed_cost_usd_per_day) <= 1e-9 * max(billed, 1.0) + 1e-12
    assert (found.adder_usd_per_kwh > 0) == (recovery is Recovery.VOLUMETRIC)
    if kept:
        first = tariff.classes[0].tariff
        assert np.array_equal(found.rates.import_usd_per_kwh, first.energy_usd_per_kwh[economy.common.today])
        assert found.fixed_charge_usd_per_day[:2].tolist() == first.fixed_charge_usd_per_day.tolist()
    if recovery is Recovery.FIXED:
        low, high = found.fixed_charge_usd_per_day[2:]
        assert high == pytest.approx(3 * low)


@pytest.mark.parametrize("kept", [False, True])
def test_the_adder_moves_the_books_as_their_derivative_says(*, kept: bool) -> None:
    economy = small_economy()
    tariff = balanced(economy, Recovery.VOLUMETRIC, kept=kept)

    def at(adder: float) -> tuple[float, float]:
        found = solve_prices(economy, tariff, adder, tolerance=1e-12, watch=Watch()).answer
        return surplus_usd_per_day(economy, tariff, found), surplus_slope_usd(economy, tariff, found)

    (low, _), (_, slope), (high, _) = (at(0.05 + step) for step in (-1e-4, 0.0, 1e-4))
    assert slope == pytest.approx((high - low) / 2e-4, rel=1e-5)


@pytest.mark.parametrize("name", WORLDS)
def test_the_load_moves_with_the_price_as_its_derivative_says_and_never_with_it(name: str) -> None:
    economy = small_economy(temperature_usd=0.05)
    tariff = WORLDS[name](economy)
    prices = np.random.default_rng(2).uniform(0.05, 0.3, economy.rest_load_kw.shape)
    found = population_response(economy, tariff, prices, 0.01)
    slope = net_load_slope(economy, tariff, found)
    direction = np.random.default_rng(3).normal(size=prices.shape)
    low, high = (
        population_response(economy, tariff, prices + step * direction, 0.01).net_load_kw for step in (-1e-5, 1e-5)
    )
    assert slope @ direction.ravel() == pytest.approx(((high - low) / 2e-5).ravel(), abs=2e-4)
    assert rises(economy, slope) <= 1e-9


@pytest.mark.parametrize("name", ["two shares of the price", "a class for each income group"])
def test_the_potential_of_rate_classes_has_the_gap_of_the_market_for_its_slope(name: str) -> None:
    """F(s(x)) is convex in x for a straight s, so a difference quotient lies between the slopes at its ends."""
    economy = small_economy(temperature_usd=0.03)
    tariff = WORLDS[name](economy)
    problem = LoadFixedPoint(Game(economy, tariff), 0.0, temperature_usd=0.03, tolerance=1e-12, watch=Watch())
    assert problem.has_potential
    rng = np.random.default_rng(5)
    for _ in range(4):
        load_kw, step = random_load_kw(economy, int(rng.integers(100))), 1e-3
        direction = rng.normal(size=load_kw.shape)
        low, high = (problem.at(load_kw + sign * step * direction, None) for sign in (-1, 1))
        quotient = (high.potential - low.potential) / (2 * step)
        assert problem.fall(low, direction) - 1e-8 <= quotient <= problem.fall(high, direction) + 1e-8
        assert problem.fall(high, direction) - problem.fall(low, direction) <= 0.05


def random_load_kw(economy: Economy, seed: int) -> Floats:
    away = np.random.default_rng(seed).uniform(-1, 1.5, economy.rest_load_kw.shape)
    return economy.rest_load_kw + economy.peak_reference_kw * away


@pytest.mark.parametrize("temperature", [0.03, 0.0])
@pytest.mark.parametrize("name", WORLDS)
def test_from_anywhere_prices_and_loads_of_rate_classes_arrive_at_one_place(name: str, temperature: float) -> None:
    economy = small_economy(temperature_usd=temperature, steepness=0.3)
    tariff = WORLDS[name](economy)
    assert SAID in uniqueness(economy, tariff)
    starts = [
        solve_prices(economy, tariff, 0.0, tolerance=1e-10, watch=Watch(), load_start_kw=random_load_kw(economy, seed))
        for seed in range(3)
    ]
    first = starts[0].answer
    for found in starts:
        assert found.converged
        induced = economy.supply.price(found.answer.net_load_kw + economy.rest_load_kw)
        assert np.abs(induced - found.answer.wholesale_usd_per_kwh).max() <= 1e-10
        # as for one class: λ − s(rest + L(λ)) rises at least as fast as λ in the norm of C4
        assert found.answer.wholesale_usd_per_kwh == pytest.approx(first.wholesale_usd_per_kwh, abs=1e-8)
        assert found.answer.net_load_kw == pytest.approx(first.net_load_kw, abs=1e-7)


@pytest.mark.parametrize("make", [one_held, storing_held])
def test_the_load_of_a_class_with_posted_rates_is_the_same_at_every_price(make: object) -> None:
    economy = small_economy()
    tariff = make(economy)  # type: ignore[operator]
    found = solve_equilibrium(economy, tariff, certify=False)
    for place, household in enumerate(economy.types):
        elsewhere = population_response(economy, tariff, found.wholesale_usd_per_kwh + 0.1, 0.0).type_net_load_kw[place]
        follows = tariff.of(household).pass_through > 0
        assert (np.abs(elsewhere - found.type_net_load_kw[place]).max() > 1e-6) == follows


def test_who_solves_without_the_load_that_follows_no_price_says_so_and_ties_of_theirs_are_named() -> None:
    economy = small_economy(temperature_usd=0.0)
    tariff = storing_held(economy)
    assert not Game(economy, tariff).has_potential
    with pytest.raises(ValueError, match="some rate classes do not follow the wholesale price; solve_prices finds"):
        solve_exact(economy, tariff, 0.0, first_guess(economy), watch=Watch())
    assert uniqueness(economy, tariff) == (
        f"{SAID} but for ties of households whose rates do not follow the wholesale price, split equally"
    )
    assert uniqueness(economy, one_held(economy)) == SAID


def test_what_breaks_the_theorem_in_a_class_is_named() -> None:
    economy = small_economy()
    whole = posted(economy)
    for changes, message in (
        ({"export_pass_through": 0.2}, "export and import pass through different shares of the wholesale price"),
        ({"export_rule": ExportRule.NONE}, "exports earn nothing while imports follow the wholesale price"),
    ):
        broken = in_classes((whole, BUYERS), (replace(whole, **changes), STORING))
        assert message in uniqueness(economy, broken)
        harmless = in_classes((replace(whole, **changes), BUYERS), (whole, STORING))
        assert uniqueness(economy, harmless) == SAID


def test_a_class_without_revenue_adequate_rates_ends_as_one_tariff_does() -> None:
    economy = replace(small_economy(), fixed_cost_usd_per_day=50.0)
    found = solve_equilibrium(economy, balanced(economy, Recovery.VOLUMETRIC, kept=True), certify=False)
    assert found.outcome is Outcome.NO_ADEQUATE_TARIFF
