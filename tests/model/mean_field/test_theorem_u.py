"""Theorem U as it is stated: discounts, caps and buyers lie within it, and what lies outside is not monotone."""

from dataclasses import replace

import numpy as np
import pytest
from discounted import DISCOUNTED, discounted
from monotone import rises, slope_with_adder
from scenarios import preset_economy, small_economy, small_tariff

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.certificates import uniqueness
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.tariff_family import tariff_family
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

SAID = "unique by Theorem U"


def random_load_kw(economy: Economy, seed: int) -> Floats:
    """System loads up to one and a half times the largest reference load away from the rest's."""
    away = np.random.default_rng(seed).uniform(-1, 1.5, economy.rest_load_kw.shape)
    return economy.rest_load_kw + economy.peak_reference_kw * away


# Within the theorem


def test_a_cap_after_the_discount_binds_in_some_slots_and_not_in_others() -> None:
    economy, tariff = discounted("exports cut at the discounted rate", temperature_usd=0.03)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert any("is cut to the import rate in 3 of 9 slots" in said for said in found.messages), found.messages


@pytest.mark.parametrize("temperature", [0.03, 0.002, 0.0])
@pytest.mark.parametrize("name", DISCOUNTED)
def test_from_anywhere_prices_and_loads_arrive_at_the_same_place(name: str, temperature: float) -> None:
    economy, tariff = discounted(name, temperature_usd=temperature, steepness=0.3)
    assert uniqueness(economy, tariff) == SAID
    starts = [
        solve_prices(economy, tariff, 0.0, tolerance=1e-10, watch=Watch(), load_start_kw=random_load_kw(economy, seed))
        for seed in range(3)
    ]
    first = starts[0].answer
    for found in starts:
        assert found.converged
        # a residual of 1e-10 moves prices by no more: λ − s(rest + L(λ)) rises at least as fast as λ in the norm of C4
        assert found.answer.wholesale_usd_per_kwh == pytest.approx(first.wholesale_usd_per_kwh, abs=1e-8)
        assert found.answer.net_load_kw == pytest.approx(first.net_load_kw, abs=1e-7)


def gains(economy: Economy, tariff: Tariff, prices: Floats) -> tuple[Floats, Floats]:
    """Gain of each type (θ,) [USD/day] and its net load (θ, c, h) [kW] at prices."""
    found = population_response(economy, tariff, prices, 0.0)
    return np.array([response.gain_usd_per_day for response in found.responses]), found.type_net_load_kw


@pytest.mark.parametrize("name", DISCOUNTED)
def test_every_types_gain_falls_with_the_price_by_its_own_share_of_its_net_load(name: str) -> None:
    """∂V_θ/∂λ = −κ_θ p Δ L_θ: V is convex, so a difference quotient lies between the slopes at its ends."""
    economy, tariff = discounted(name, temperature_usd=0.03)
    rng = np.random.default_rng(3)
    prices, step = rng.uniform(0.05, 0.3, (3, 3)), 1e-4
    passed = [(1 - tariff.discount[t.group]) * tariff.pass_through for t in economy.types]
    weight = economy.common.probability[:, None] * economy.slot_hours
    for direction in rng.uniform(0.5, 1.5, size=(4, 3, 3)):
        (low, low_kw), (high, high_kw) = (gains(economy, tariff, prices + s * step * direction) for s in (-1, 1))
        for k, slope in enumerate(passed):
            ends = [-slope * float((weight * direction * load[k]).sum()) for load in (low_kw, high_kw)]
            quotient = (high[k] - low[k]) / (2 * step)
            assert ends[0] - 1e-9 <= quotient <= ends[1] + 1e-9
            assert ends[1] - ends[0] <= 0.05 * abs(quotient), "the ends are near enough to tell a wrong share"


@pytest.mark.parametrize("name", DISCOUNTED)
def test_the_potential_that_newtons_method_descends_has_the_gap_of_the_market_for_its_slope(name: str) -> None:
    """F(s(x)) is convex in x for a straight s, so a difference quotient lies between the slopes at its ends."""
    economy, tariff = discounted(name, temperature_usd=0.03)
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


# Outside of it


OUTSIDE = {
    "exports for nothing": (3, 0.05, {}, {"export_rule": ExportRule.NONE}),
    "exports follow no price": (3, 0.05, {}, {"export_pass_through": 0.0}),
    "exports follow the price, imports less": (1, 0.05, {}, {"pass_through": 0.3}),
    "a discount on imports alone": (2, 0.003, {}, {"discount": np.array([0.35, 0.0])}),
    "a discount per day": (2, 0.003, {"discount_per_day": 0.5}, {}),
}
"""Seed, temperature, and what is changed in a world and a tariff to which Theorem U applies.

``boltzmann`` is not here: where its best moves tie, the slope is that of one side, and rounding decides which. Its
several prices, below, say the same without a slope: of two prices on a rising supply curve the higher has more load.
"""


def outside(seed: int, temperature: float, scenario: dict[str, object], **changes: object) -> tuple[Economy, Tariff]:
    economy = small_economy(
        seed=seed, temperature_usd=temperature, **{"slots": 6, "levels": 5, "elasticity": 0.0, **scenario}
    )
    return economy, small_tariff(economy, **changes)


@pytest.mark.parametrize("name", OUTSIDE)
def test_without_the_condition_that_fails_the_load_may_rise_with_its_price(name: str) -> None:
    seed, temperature, scenario, changes = OUTSIDE[name]
    within, tariff = outside(seed, temperature, {})
    found = solve_equilibrium(within, tariff, certify=False)
    assert found.uniqueness == SAID
    assert rises(within, net_load_slope(within, tariff, found.answer)) <= 1e-9

    economy, tariff = outside(seed, temperature, scenario, **changes)
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.converged
    assert found.uniqueness.startswith("observed only: ")
    assert rises(economy, net_load_slope(economy, tariff, found.answer)) > 1e-3


def test_an_adder_that_balances_the_books_lets_the_load_rise_with_its_price_where_a_given_one_does_not() -> None:
    economy, tariff = outside(
        3,
        0.003,
        {"elasticity": 0.1},
        recovery=Recovery.VOLUMETRIC,
        export_rule=ExportRule.NET_METERING,
        pass_through=0.01,
        fixed_charge_usd_per_day=np.zeros(2),
    )
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.adder_usd_per_kwh > 0
    given, followed = slope_with_adder(economy, tariff, found.answer)
    assert rises(economy, given) <= 1e-9
    assert rises(economy, followed) > 0.05


@pytest.mark.parametrize(("rule", "apart"), [("boltzmann", True), ("entropy", False)])
def test_boltzmann_has_several_prices_where_wear_keeps_batteries_still_and_entropy_has_one(
    rule: str, apart: bool
) -> None:
    """Every level is as good a place to stand for ever, and so many values along the levels solve max Q = V + g."""
    economy = small_economy(value_rule=rule, temperature_usd=0.03)
    worn = tuple(
        replace(home, battery=replace(home.battery, wear_usd_per_kwh=0.1)) if home.battery else home
        for home in economy.types
    )
    economy = replace(economy, types=worn)
    tariff = small_tariff(economy)
    found = [
        solve_prices(economy, tariff, 0.0, tolerance=1e-10, watch=Watch(), load_start_kw=random_load_kw(economy, seed))
        for seed in range(3)
    ]
    assert all(one.converged for one in found)
    prices = np.array([one.answer.wholesale_usd_per_kwh for one in found])
    farthest = np.ptp(prices, axis=0).max()
    assert (farthest > 1e-4) if apart else (farthest < 1e-8)
    if apart:  # and so the load is not monotone, without a slope: supply rises
        weight = economy.common.probability[:, None] * economy.slot_hours
        loads_kw = np.array([one.answer.net_load_kw for one in found])
        assert ((weight * np.diff(prices, axis=0) * np.diff(loads_kw, axis=0)).sum((1, 2)) > 1e-9).any()


MEMBERS = range(40)
"""Random members of the leader's family."""


def test_every_member_of_the_leaders_family_is_within_the_theorem_whether_or_not_its_cap_binds() -> None:
    economy = preset_economy("textbook")
    for recovery in (Recovery.FIXED, Recovery.POSTED):
        family = tariff_family(economy, recovery)
        rng = np.random.default_rng(0)
        members = [family.tariff(family.at(rng.random(len(family.free)))) for _ in MEMBERS]
        assert {uniqueness(economy, tariff) for tariff in members} == {SAID}


def test_five_members_whose_cap_binds_are_solved_at_temperature_zero() -> None:
    economy = preset_economy("textbook", "temperature_usd=0")
    family = tariff_family(economy, Recovery.FIXED)
    rng, bound = np.random.default_rng(0), 0
    for _ in MEMBERS:
        found = solve_equilibrium(economy, family.tariff(family.at(rng.random(len(family.free)))), certify=False)
        assert found.residual_usd_per_kwh <= 1e-10
        bound += any("is cut to the import rate" in said for said in found.messages)
        if bound == 5:
            break
    assert bound == 5
