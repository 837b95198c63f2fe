"""Theorem S: what tariffs do is continuous in them, a best one exists, and when its outcome is unique."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, in_classes
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.cold import solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent
from meanwatt.model.mean_field.leader.tariff_continuity import (
    SupplySlopes,
    day_norm,
    load_box,
    outcome_shift,
    price_slope_bound,
    rate_shift,
    supply_slopes,
)
from meanwatt.model.mean_field.leader.tariff_family import tariff_family
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

FLAT_BELOW = SupplyCurve.piecewise_linear([-2.0, 0.4, 2.0], [0.08, 0.08, 0.3])
"""A supply curve that is flat where load is low."""


def along(economy: Economy, start: Tariff, end: Tariff, points: int) -> list[Equilibrium]:
    """Equilibria at tariffs evenly spread from one to another."""
    found: list[Equilibrium] = []
    for part in np.linspace(0.0, 1.0, points):
        between = {
            name: (1 - part) * getattr(start, name) + part * getattr(end, name)
            for name in ("energy_usd_per_kwh", "export_usd_per_kwh", "pass_through", "export_pass_through")
        }
        found.append(solve_equilibrium(economy, replace(start, **between), certify=False))
    assert all(one.converged for one in found)
    return found


def outcomes(found: Equilibrium) -> Floats:
    """Prices, loads of each type, bills and policies in one row."""
    policies = [policy.probability.ravel() for policy in found.policies]
    return np.concatenate(
        [found.wholesale_usd_per_kwh.ravel(), found.type_net_load_kw.ravel(), found.bill_usd_per_day, *policies]
    )


def largest_step(found: list[Equilibrium], every: int) -> float:
    rows = [outcomes(one) for one in found[::every]]
    return max(float(np.abs(after - before).max()) for before, after in pairwise(rows))


@pytest.mark.parametrize("recovery", [Recovery.POSTED, Recovery.FIXED])
def test_what_a_tariff_does_is_continuous_down_to_no_pass_through_on_flat_supply_and_for_absent_types(
    recovery: Recovery,
) -> None:
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.05)
    absent = replace(economy.types[-1], share=0.0, technology="battery", pv_kw=0 * economy.types[-1].pv_kw)
    economy = replace(economy, supply=FLAT_BELOW, types=(*economy.types, absent))
    start = small_tariff(economy, recovery=recovery, capped_at_import=True)
    evening = np.array([[0.0, 0.0, 0.25]])
    end = replace(start, energy_usd_per_kwh=0.1 + evening, export_usd_per_kwh=0.3 + 0 * evening)
    end = replace(end, pass_through=0.0, export_pass_through=0.0)
    found = along(economy, start, end, 65)
    loads = np.array([one.net_load_kw + economy.rest_load_kw for one in found])
    assert (loads < 0.4).any()  # the flat part of the curve is met
    assert (loads > 0.4).any()
    steps = [largest_step(found, every) for every in (16, 4, 1)]
    assert steps[0] > 2.5 * steps[1] > 2.5 * 2.5 * steps[2]  # a jump would stay as large


def test_at_temperature_zero_what_a_tariff_does_may_jump() -> None:
    """The assumption that is dropped: which slot is dearer decides everything."""
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.0)
    start = small_tariff(economy, pass_through=0.0, export_pass_through=0.0)
    rates = np.array([[0.1, 0.5, 0.4]])
    start = replace(start, energy_usd_per_kwh=rates, export_usd_per_kwh=rates)
    end = replace(start, energy_usd_per_kwh=rates[:, [0, 2, 1]], export_usd_per_kwh=rates[:, [0, 2, 1]])
    found = along(economy, start, end, 66)
    steps = [largest_step(found, every) for every in (13, 5, 1)]
    assert steps[2] == pytest.approx(steps[0], rel=0.2)
    assert steps[2] > 0.05


@pytest.mark.parametrize("seed", range(4))
def test_the_slope_bound_is_never_below_the_slope_of_prices(seed: int) -> None:
    economy = small_economy(temperature_usd=[0.2, 0.05, 0.02, 0.01][seed], seed=seed, steepness=0.1 + 0.2 * seed)
    base = small_tariff(economy, pass_through=0.7, export_pass_through=0.7)
    shape = np.random.default_rng(seed).uniform(-1, 1, (2, *base.energy_usd_per_kwh.shape))

    def tariff_at(unit: Floats) -> Tariff:
        return replace(
            base,
            energy_usd_per_kwh=0.05 + 0.2 * unit[0] * shape[0],
            export_usd_per_kwh=0.02 + 0.2 * unit[1] * shape[1],
            capped_at_import=True,
        )

    unit = np.array([0.4, 0.6])
    found = solve_equilibrium(economy, tariff_at(unit), certify=False)
    bound = price_slope_bound(found, tariff_at, unit)
    exact = day_norm(economy, equilibrium_tangent(found, tariff_at, unit).wholesale_usd_per_kwh)
    assert (exact > 0).all()
    assert (exact <= bound * (1 + 1e-9)).all()
    step = 1e-3
    for k, change in enumerate(step * np.eye(2)):
        beside = solve_equilibrium(economy, tariff_at(unit + change), start=found, certify=False)
        apart = day_norm(economy, beside.wholesale_usd_per_kwh - found.wholesale_usd_per_kwh) / step
        assert apart == pytest.approx(exact[k], rel=0.05)
    assert (bound < 40 * exact).all()


@pytest.mark.parametrize("temperature", [0.05, 0.005, 0.0])
@pytest.mark.parametrize("seed", range(3))
def test_prices_and_loads_never_move_by_more_than_the_bound_at_any_temperature(temperature: float, seed: int) -> None:
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=temperature, seed=seed, elasticity=0.4)
    slopes = supply_slopes(economy)
    rng = np.random.default_rng(seed)
    base = small_tariff(economy, pass_through=0.8, export_pass_through=0.8)
    found = solve_equilibrium(economy, base, certify=False)
    closest = np.inf
    for size in (1e-3, 0.03, 0.3):
        moved = size * rng.uniform(-1, 1, base.energy_usd_per_kwh.shape)
        passed = 0.8 - 0.5 * min(1.0, size * 3) * rng.uniform()
        other = replace(
            base,
            energy_usd_per_kwh=base.energy_usd_per_kwh + moved,
            export_usd_per_kwh=base.export_usd_per_kwh + moved,
            pass_through=passed,
            export_pass_through=passed,
        )
        there = solve_equilibrium(economy, other, certify=False)
        bound = outcome_shift(float(day_norm(economy, rate_shift(found, other))), passed, slopes)
        load = day_norm(economy, there.net_load_kw - found.net_load_kw)
        price = day_norm(economy, there.wholesale_usd_per_kwh - found.wholesale_usd_per_kwh)
        assert load <= bound.load_kw * (1 + 1e-6) + 1e-8
        assert price <= bound.wholesale_usd_per_kwh * (1 + 1e-6) + 1e-8
        closest = min(closest, bound.load_kw / load)
    assert closest < 50


def test_the_bound_needs_pass_through_a_rising_curve_and_the_same_spread() -> None:
    economy = small_economy(temperature_usd=0.05)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    assert outcome_shift(1.0, 0.0, supply_slopes(economy)).load_kw == np.inf
    assert supply_slopes(replace(economy, supply=FLAT_BELOW)).least == 0.0
    assert outcome_shift(1.0, 1.0, SupplySlopes(least=0.0, most=1.0)).wholesale_usd_per_kwh == np.inf
    wider = replace(found.tariff, energy_usd_per_kwh=found.tariff.energy_usd_per_kwh + 0.1)
    with pytest.raises(ValueError, match=r"the spread of import and export rate changes by 0\.1 USD/kWh"):
        rate_shift(found, wider)
    with pytest.raises(ValueError, match="export and import pass through different shares"):
        rate_shift(found, replace(found.tariff, export_pass_through=0.5))
    balanced = replace(found.tariff, recovery=Recovery.VOLUMETRIC)
    with pytest.raises(ValueError, match="tariff small: an adder that balances the books; give one of Theorem U's"):
        rate_shift(found, balanced)
    with pytest.raises(ValueError, match="tariff small: an adder that balances the books; give one of Theorem U's"):
        price_slope_bound(replace(found, tariff=balanced), lambda unit: balanced, np.zeros(0))
    classes = in_classes((found.tariff, BUYERS), (found.tariff, STORING))
    with pytest.raises(ValueError, match="tariff small: rate classes; give one that everybody pays alike"):
        rate_shift(found, classes)
    metered = replace(found.tariff, export_rule=ExportRule.NET_METERING, discount=np.array([0.3, 0.0]))
    with pytest.raises(ValueError, match="tariff small: a group discount; give one that everybody pays alike"):
        rate_shift(found, metered)


def test_the_slopes_of_supply_are_those_met_between_the_least_and_the_largest_load() -> None:
    economy = preset_economy("oahu")
    slopes = supply_slopes(economy)
    low, high = load_box(economy)
    between = np.linspace(0.0, 1.0, 400)[:, None, None] * (high - low) + low + economy.rest_load_kw
    sampled = economy.supply.slope(between)
    assert slopes.least <= sampled.min() + 1e-12
    assert slopes.most >= sampled.max() - 1e-12
    assert slopes.most == pytest.approx(sampled.max(), rel=0.05)
    load = solved("oahu", "rtp").net_load_kw
    assert (low <= load).all()
    assert (load <= high).all()


def test_whatever_comes_close_to_the_first_best_has_its_loads() -> None:
    """W* − W ≥ ½ σ_min ‖L − L*‖², so at weight 0 with marginal-cost pricing in the family the outcome is unique."""
    economy = preset_economy("textbook")
    slopes, best = supply_slopes(economy), solve_first_best(economy)
    assert slopes.least > 0
    worth = {}
    for name in ("rtp", "income_graduated", "filed", "tou"):
        found = solve_cold(economy, preset_tariff("textbook", name)).equilibrium
        assert found is not None
        gap = equilibrium_metrics(found, best).efficiency_gap_usd_per_household_day
        assert gap is not None
        worth[name] = gap, float(day_norm(economy, found.net_load_kw - best.net_load_kw))
        assert worth[name][1] ** 2 * slopes.least / 2 <= gap + best.duality_gap_usd + 1e-7
    assert worth["rtp"][0] == pytest.approx(0.0, abs=1e-6)
    assert worth["income_graduated"][1] == pytest.approx(worth["rtp"][1], abs=1e-9)  # two best tariffs, one outcome
    assert worth["filed"][1] > 0.1


def test_two_tariffs_may_be_best_with_different_outcomes() -> None:
    """A utility, two like slots, charges k + t and k − t: at k demand stops falling, so the middle is worst."""
    economy = small_economy(slots=2, weather=np.ones((1, 1)), battery_share=0.0, elasticity=0.5)
    types = tuple(replace(one, reference_kw=np.full((1, 2), one.reference_kw.mean())) for one in economy.types)
    economy = replace(economy, types=types, rest_load_kw=np.full((1, 2), 0.1))
    household = types[0]
    knee = household.reference_price_usd_per_kwh * (1 + household.flexibility / household.elasticity)
    base = small_tariff(economy, pass_through=0.0, export_pass_through=0.0)

    def margin(t: float) -> tuple[float, Equilibrium]:
        energy = np.array([[knee + t, knee - t]])
        found = solve_equilibrium(economy, replace(base, energy_usd_per_kwh=energy), certify=False)
        return found.surplus_usd_per_household_day, found

    worth = {t: margin(t)[0] for t in np.linspace(-0.15, 0.15, 13)}
    best = max(worth, key=lambda t: worth[t])
    assert worth[best] > worth[0.0] + 1e-4
    assert margin(-best)[0] == pytest.approx(worth[best], abs=1e-12)
    loads = [margin(t)[1].net_load_kw for t in (best, -best)]
    assert np.abs(loads[0] - loads[1]).max() > 0.01


def test_parameters_are_never_unique() -> None:
    """Free energy has no spread, and a credit above the import rate is cut to it."""
    economy = preset_economy("textbook")
    family = tariff_family(economy, Recovery.FIXED)
    one, other = (dict(zip(family.free, family.low, strict=True)) for _ in range(2))
    one |= {"pass_through": 0.5, "tou_spread": 0.2, "export_credit_usd_per_kwh": 0.05}
    other |= {"pass_through": 0.5, "tou_spread": 1.1, "export_credit_usd_per_kwh": 0.12}
    found = [
        solve_equilibrium(economy, family.tariff(np.array(list(chosen.values()))), certify=False)
        for chosen in (one, other)
    ]
    assert np.array_equal(found[0].net_load_kw, found[1].net_load_kw)
    assert np.array_equal(found[0].bill_usd_per_day, found[1].bill_usd_per_day)
