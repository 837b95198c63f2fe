"""The equilibrium's derivative in the tariff's parameters against solving the neighbours."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from rate_class_worlds import BUYERS, STORING, in_classes, posted
from scenarios import preset_economy, small_economy

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.derivatives import nearby_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent, predicted
from meanwatt.model.mean_field.leader.tariff_family import tariff_family
from meanwatt.model.scenario.economy import Economy

STEP = 1e-5
FINE = {"certify": False, "tolerance_usd_per_kwh": 1e-12}
MEASURES: dict[str, Callable[[Equilibrium], object]] = {
    "wholesale": lambda e: e.wholesale_usd_per_kwh,
    "net load": lambda e: e.net_load_kw,
    "net load of types": lambda e: e.type_net_load_kw,
    "bills": lambda e: e.bill_usd_per_day,
    "utility": lambda e: e.answer.utility_usd_per_day,
    "wear": lambda e: e.answer.wear_usd_per_day,
    "import": lambda e: [one.import_usd_per_kwh for one in e.rates.of_classes],
    "export": lambda e: [one.export_usd_per_kwh for one in e.rates.of_classes],
    "charges": lambda e: e.fixed_charge_usd_per_day,
    "surplus": lambda e: e.surplus_usd_per_household_day,
    "adder": lambda e: e.adder_usd_per_kwh,
    "billed": lambda e: e.answer.billed_kwh_per_day,
}


def posted_by(economy: Economy, recovery: Recovery, **changes: object) -> Callable[[Floats], Tariff]:
    """The leader's family as a function of unit coordinates, with some fields of the tariff replaced."""
    family = tariff_family(economy, Recovery.FIXED if recovery is Recovery.FIXED else Recovery.POSTED)
    width = family.high - family.low
    return lambda unit: replace(family.tariff(family.low + unit * width), recovery=recovery, **changes)


def worst_error(economy: Economy, tariff_at: Callable[[Floats], Tariff], unit: Floats) -> dict[str, float]:
    """Largest difference to central differences over the size of the derivative, by what is measured."""
    found = solve_equilibrium(economy, tariff_at(unit), **FINE)
    assert found.outcome is Outcome.CONVERGED
    tangent = equilibrium_tangent(found, tariff_at, unit)
    worst = dict.fromkeys(MEASURES, 0.0)
    for change in np.eye(len(unit)):
        up, down = (
            solve_equilibrium(economy, tariff_at(unit + sign * STEP * change), start=found, **FINE) for sign in (1, -1)
        )
        ahead = predicted(found, tangent, change)
        for name, measure in MEASURES.items():
            there, back, mine, here = (np.asarray(measure(e), dtype=float) for e in (up, down, ahead, found))
            error = np.abs((there - back) / (2 * STEP) - (mine - here)).max()
            worst[name] = max(worst[name], float(error / max(np.abs(mine - here).max(), 1e-2)))
    return worst


@pytest.mark.parametrize(
    ("recovery", "unit"),
    [
        (Recovery.FIXED, [0.3, 0.4, 0.35, 0.5, 0.6]),
        (Recovery.POSTED, [0.3, 0.4, 0.35, 0.5, 0.6]),
        (Recovery.VOLUMETRIC, [0.05, 0.4, 0.1, 0.5, 0.6]),
    ],
)
def test_the_textbooks_equilibrium_moves_as_its_derivative_says(recovery: Recovery, unit: list[float]) -> None:
    economy = preset_economy("textbook")
    # a residual of 1e-12 USD/kWh over a step of 1e-5 is 1e-7; the steepest price map here makes ten times that of it
    worst = worst_error(economy, posted_by(economy, recovery), np.array(unit))
    assert max(worst.values()) < 1e-5, worst


@pytest.mark.parametrize("rule", list(ExportRule))
def test_weather_discounts_and_every_export_rule_are_in_the_derivative(rule: ExportRule) -> None:
    economy = small_economy(temperature_usd=0.05)
    discount = np.full(len(economy.groups), 0.2)

    def tariff_at(unit: Floats) -> Tariff:
        slots = np.array([0.2, 0.3, 0.1]) * unit[0]
        return Tariff(
            name="test",
            energy_usd_per_kwh=np.tile(slots, (3, 1)),
            export_usd_per_kwh=np.full((3, 3), 0.05),
            pass_through=float(unit[1]),
            export_pass_through=float(unit[1]),
            export_rule=rule,
            recovery=Recovery.FIXED,
            fixed_charge_usd_per_day=np.zeros(len(economy.groups)),
            fixed_charge_shape=np.linspace(1, 1 + unit[0], len(economy.groups)),
            discount=discount,
        )

    worst = worst_error(economy, tariff_at, np.array([0.8, 0.6]))
    assert max(worst.values()) < 1e-5, worst


@pytest.mark.parametrize("rule", [Recovery.FIXED, Recovery.VOLUMETRIC, Recovery.POSTED])
def test_rates_charges_and_adder_of_every_rate_class_are_in_the_derivative(rule: Recovery) -> None:
    """One class keeps its posted rates and charges, whatever balances the utility."""
    economy = small_economy(temperature_usd=0.05)

    def tariff_at(unit: Floats) -> Tariff:
        buyers = posted(
            economy,
            name="buyers",
            recovery=rule,
            pass_through=0.3 * float(unit[0]),
            fixed_charge_usd_per_day=np.array([0.1, 0.2]) * unit[0],
            fixed_charge_shape=np.array([1.0, 1.0 + unit[1]]),
        )
        storing = posted(
            economy,
            name="storing",
            recovery=Recovery.POSTED,
            pass_through=0.5,
            energy_usd_per_kwh=buyers.energy_usd_per_kwh * (1 + unit[1]),
            fixed_charge_usd_per_day=np.array([0.3, 0.1]) * unit[1],
            discount=np.array([0.25, 0.0]),
        )
        return in_classes((buyers, BUYERS), (storing, STORING))

    worst = worst_error(economy, tariff_at, np.array([0.8, 0.6]))
    assert max(worst.values()) < 1e-5, worst


@cache
def volumetric() -> tuple[Equilibrium, Callable[[Floats], Tariff], Floats]:
    economy = preset_economy("textbook")
    tariff_at, unit = posted_by(economy, Recovery.VOLUMETRIC), np.array([0.05, 0.4, 0.1, 0.5, 0.6])
    return solve_equilibrium(economy, tariff_at(unit), **FINE), tariff_at, unit


def test_the_adder_moves_so_that_the_books_stay_balanced() -> None:
    found, tariff_at, unit = volumetric()
    tangent = equilibrium_tangent(found, tariff_at, unit)
    assert np.abs(tangent.adder_usd_per_kwh).max() > 0.01
    assert tangent.surplus_usd_per_day == pytest.approx(np.zeros(5), abs=1e-12)


def test_no_change_predicts_the_equilibrium_itself() -> None:
    found, tariff_at, unit = volumetric()
    same = predicted(found, equilibrium_tangent(found, tariff_at, unit), np.zeros(5))
    for measure in MEASURES.values():
        assert np.array_equal(np.asarray(measure(same)), np.asarray(measure(found)))


@pytest.mark.parametrize("recovery", [Recovery.FIXED, Recovery.VOLUMETRIC])
def test_a_derivative_nearby_changes_nothing_but_how_it_is_found(
    recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    economy = small_economy(temperature_usd=0.05)

    def tariff_at(unit: Floats) -> Tariff:
        slots = np.array([0.2, 0.3, 0.1]) * unit[0]
        return posted(
            economy, name="one", recovery=recovery, energy_usd_per_kwh=np.tile(slots, (3, 1)), pass_through=unit[1]
        )

    unit = np.array([0.2, 0.6])
    before = solve_equilibrium(economy, tariff_at(unit + 0.02), **FINE)
    nearby = equilibrium_tangent(before, tariff_at, unit + 0.02).net_load_slope
    found = solve_equilibrium(economy, tariff_at(unit), **FINE)
    exact = equilibrium_tangent(found, tariff_at, unit)
    monkeypatch.setattr(nearby_slope, "ACCURACY", 1e-12)
    quick = equilibrium_tangent(found, tariff_at, unit, slope_nearby=nearby)
    for change in np.eye(len(unit)):
        one, other = predicted(found, exact, change), predicted(found, quick, change)
        for measure in MEASURES.values():
            np.testing.assert_allclose(measure(other), measure(one), rtol=1e-10, atol=1e-10)
    # the derivative follows the search: nowhere farther from the exact one than it was
    error, was = (np.linalg.norm(s - exact.net_load_slope) for s in (quick.net_load_slope, nearby))
    assert 0 < error < was
