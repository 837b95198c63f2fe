"""Demand charges: not seen, or seen as adders that equalise the month's largest imports."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from scenarios import SHOCK_LEVELS, small_economy, small_household, small_rates, small_tariff

from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field.components.peak_search import TOLERANCE
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.scenario.economy import Economy

ALL = np.ones(3, dtype=bool)


def charge(usd: float, decision: DemandView = DemandView.EX_ANTE, counted: np.ndarray = ALL) -> DemandCharge:
    return DemandCharge(usd_per_kw_month=usd, counted=counted, decision=decision)


def under(economy: Economy, component: DemandCharge, **changes: object) -> Composed:
    return solve_composed(economy, small_tariff(economy, components=(component,), **changes), certify=False)


def test_households_that_do_not_see_it_do_as_without_and_pay_for_their_expected_peak() -> None:
    economy = small_economy()
    plain = solve_equilibrium(economy, small_tariff(economy), certify=False)
    found = under(economy, charge(6.0, DemandView.IGNORED))
    np.testing.assert_allclose(found.equilibrium.wholesale_usd_per_kwh, plain.wholesale_usd_per_kwh, atol=2e-9)
    peaks = np.array([peak.expected_kw for peak in found.amounts.peaks if peak]) + found.amounts.spread_kw
    np.testing.assert_allclose(
        found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day + 6.0 * peaks / DAYS_PER_MONTH, atol=1e-6
    )
    for k, household in enumerate(economy.types):  # without a battery the largest cell is met with certainty, nearly
        if household.battery is None:
            largest = float(found.equilibrium.policies[k].net_load_kw.max())
            assert 0.9 * largest < peaks[k] <= largest + 1e-12


@pytest.mark.parametrize("decision", list(DemandView))
def test_a_charge_of_nothing_is_no_charge(decision: DemandView) -> None:
    economy = small_economy()
    plain = solve_equilibrium(economy, small_tariff(economy), certify=False)
    found = under(economy, charge(0.0, decision))
    np.testing.assert_allclose(found.equilibrium.net_load_kw, plain.net_load_kw, atol=1e-7)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, plain.bill_usd_per_day, atol=1e-8)


def test_the_adders_of_a_month_come_to_the_charge_and_bring_it_all_but_what_is_reported() -> None:
    economy = small_economy(temperature_usd=0.1)
    found = under(economy, charge(6.0, counted=np.array([False, True, True])))
    assert found.equilibrium.outcome is Outcome.CONVERGED
    met = economy.common.probability[:, None, None] * economy.shock_probability
    for adder in found.seen.peak_adder_usd_per_kwh:
        assert (adder >= 0).all()
        assert not adder[:, 0].any()  # outside the window
        assert (adder * DAYS_PER_MONTH * met * economy.slot_hours).sum() == pytest.approx(6.0, rel=1e-9)
    assert found.peak_missed.max() <= 2 * TOLERANCE
    paid, unseen = found.amounts.usd_per_day["demand_charge"], found.amounts.beyond_usd_per_day["demand_charge"]
    spread = 6.0 * found.amounts.spread_kw / DAYS_PER_MONTH  # what the stored energy adds is billed, and not seen
    np.testing.assert_allclose(unseen - spread, found.peak_missed * (paid - spread), atol=1e-9)
    stores = np.array([household.battery is not None for household in economy.types])
    assert not spread[~stores].any()
    assert (spread[stores] > 0).all()
    assert found.equilibrium.uniqueness.startswith("observed only")


def test_the_dearer_the_smaller_the_peak() -> None:
    economy = small_economy(temperature_usd=0.1)
    peaks = []
    for usd in (0.0, 4.0, 12.0):
        found = under(economy, charge(usd), pass_through=0.0, energy_usd_per_kwh=np.full((3, 3), 0.2))
        peaks.append([peak.expected_kw for peak in found.amounts.peaks if peak])
    drop = np.diff(np.array(peaks), axis=0)
    assert (drop < 1e-3 * np.array(peaks)[:-1]).all()
    assert (np.array(peaks)[2] < 0.99 * np.array(peaks)[0]).all()


def test_where_every_day_is_the_same_use_is_that_of_a_convex_program_with_the_largest_import_in_it() -> None:
    economy = small_economy(weather=np.ones((1, 1)), battery_share=0.0)
    economy = replace(economy, shock_levels=np.ones(1), shock_kernel=np.ones((1, 1)), shock_probability=np.ones(1))
    usd, rate = 3.0, 0.2
    found = under(economy, charge(usd), pass_through=0.0, energy_usd_per_kwh=np.full((1, 3), rate))
    for k, household in enumerate(economy.types):
        reference = household.reference_kw.ravel()
        use = cp.Variable(3)
        off, p0, elasticity = use - reference, household.reference_price_usd_per_kwh, household.elasticity
        worth = p0 * cp.sum(off) - cp.sum(cp.multiply(p0 / (2 * elasticity * reference), cp.square(off)))
        day = economy.slot_hours * (worth - rate * cp.sum(use)) - usd * cp.max(use) / DAYS_PER_MONTH
        cp.Problem(cp.Maximize(day), [use >= 0.5 * reference, use <= 1.5 * reference]).solve(solver=cp.CLARABEL)
        peak = found.amounts.peaks[k]
        assert peak is not None
        assert peak.expected_kw == pytest.approx(float(use.value.max()), rel=2 * TOLERANCE)
        np.testing.assert_allclose(
            found.equilibrium.policies[k].use_kw.ravel(), use.value, atol=4 * TOLERANCE * reference.max()
        )


@pytest.mark.parametrize("recovery", [Recovery.VOLUMETRIC, Recovery.FIXED])
def test_the_books_balance_with_the_charge_in_them(recovery: Recovery) -> None:
    economy = small_economy(temperature_usd=0.1)
    found = under(economy, charge(3.0), recovery=recovery, fixed_charge_usd_per_day=np.zeros(2))
    bills = found.equilibrium.bill_usd_per_day
    load, price = found.equilibrium.net_load_kw, found.equilibrium.wholesale_usd_per_kwh
    cost = float(economy.common.probability @ (load * price).sum(axis=1)) * economy.slot_hours
    assert float(economy.type_share @ bills) == pytest.approx(cost + economy.fixed_cost_usd_per_day, abs=1e-6)


def test_an_adder_alike_in_all_shocks_is_a_higher_rate() -> None:
    household, rates = small_household(), small_rates()
    adder = np.random.default_rng(0).uniform(0.0, 0.2, (3, 3))
    seen = slot_outcome(
        replace(household, import_adder_usd_per_kwh=np.repeat(adder[..., None], 2, axis=2)), rates, SHOCK_LEVELS, 8.0
    )
    raised = Rates(import_usd_per_kwh=rates.import_usd_per_kwh + adder, export_usd_per_kwh=rates.export_usd_per_kwh)
    plain = slot_outcome(household, raised, SHOCK_LEVELS, 8.0)
    for name in ("use_kw", "net_load_kw", "utility_usd", "payment_usd"):
        assert getattr(seen, name).tobytes() == getattr(plain, name).tobytes()


def test_the_derivative_knows_the_adders() -> None:
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.1)
    rng = np.random.default_rng(2)
    types = tuple(
        replace(household, import_adder_usd_per_kwh=rng.uniform(0.0, 0.3, (1, 3, 2))) for household in economy.types
    )
    economy, tariff = replace(economy, types=types), small_tariff(economy)
    price, step = np.array([[0.1, 0.16, 0.13]]), 1e-5
    slope = net_load_slope(economy, tariff, population_response(economy, tariff, price, 0.0))
    for h in range(3):
        moved = np.zeros((1, 3))
        moved[0, h] = step
        up, down = (population_response(economy, tariff, price + sign * moved, 0.0).net_load_kw for sign in (1, -1))
        np.testing.assert_allclose(slope[:, h], ((up - down) / (2 * step)).ravel(), atol=2e-4)


def test_cold_households_are_refused_in_one_line() -> None:
    economy = small_economy(temperature_usd=0.0)
    with pytest.raises(
        ValueError, match="ex_ante needs a temperature: at 0 all move at once; give temperature_usd > 0"
    ):
        under(economy, charge(3.0))
