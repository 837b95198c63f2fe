"""The equilibrium under a charge on the day's largest import that households carry in their state."""

from functools import cache

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.household.peak_response import peak_response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.rates import Rates
from meanwatt.model.mean_field.closure import closure_error_kw
from meanwatt.model.mean_field.components.month_peak import month_peak
from meanwatt.model.mean_field.components.perceived import carries_peak, perceiving_economy
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.population.population_response import decision_problem, population_response
from meanwatt.model.scenario.economy import Economy

WINDOW = np.array([False, True, True])


def charge(
    usd: float, decision: DemandView = DemandView.STATE, levels: int = 8, counted: Floats = WINDOW
) -> DemandCharge:
    return DemandCharge(usd_per_kw_day=usd, counted=counted, decision=decision, demand_levels=levels)


def under(economy: Economy, component: DemandCharge, **changes: object) -> Composed:
    return solve_composed(economy, small_tariff(economy, components=(component,), **changes), certify=False)


@cache
def flexible(usd: float, levels: int = 8, decision: DemandView = DemandView.STATE) -> Composed:
    return under(small_economy(temperature_usd=0.1), charge(usd, decision, levels))


def peak_kw(found: Composed, usd: float) -> Floats:
    """Expected largest import of a day of each type. (θ,) [kW]"""
    return found.amounts.usd_per_day["demand_charge"] / usd


def grid_kw(found: Composed) -> Floats:
    """The same as households decide by it, rounded to their grids. (θ,) [kW]"""
    answered, chance = found.equilibrium.answer, found.economy.common.probability[:, None, None, None]
    return np.array(
        [
            float((flow.frequency * chance * response.policy.peak.raised_kw).sum())
            for flow, response in zip(answered.flows, answered.responses, strict=True)
        ]
    )


def test_homes_without_a_battery_and_with_fixed_use_do_and_pay_as_if_they_did_not_see_it() -> None:
    """And nothing is rounded: levels are the imports that there can be."""
    economy = small_economy(elasticity=0.0, battery_share=0.0)
    unseen, seen = under(economy, charge(0.7, DemandView.IGNORED)), under(economy, charge(0.7, levels=16))
    np.testing.assert_allclose(
        seen.equilibrium.wholesale_usd_per_kwh, unseen.equilibrium.wholesale_usd_per_kwh, atol=1e-9
    )
    np.testing.assert_allclose(peak_kw(seen, 0.7), peak_kw(unseen, 0.7), rtol=3e-4)
    np.testing.assert_allclose(grid_kw(seen), peak_kw(unseen, 0.7), rtol=1e-12)


def test_a_day_is_a_month_of_one_day() -> None:
    """The largest import of a day as in plain loops over its paths of shocks."""
    economy = small_economy(battery_share=0.0)
    cells = np.random.default_rng(3).uniform(0.0, 2.0, (3, 3, 2))
    expected = 0.0
    for c, first, second, third in np.ndindex(3, 2, 2, 2):
        path = economy.shock_probability[first] * economy.shock_kernel[first, second]
        path *= economy.shock_kernel[second, third] * economy.common.probability[c]
        expected += path * max(cells[c, 1, second], cells[c, 2, third])
    assert month_peak(economy, cells, WINDOW, 1.0).expected_kw == pytest.approx(expected, rel=1e-12)


def test_the_dearer_the_smaller_the_largest_import_of_every_home() -> None:
    unseen = flexible(0.3, decision=DemandView.IGNORED)
    peaks = np.array([peak_kw(unseen, 0.3), peak_kw(flexible(0.3), 0.3), peak_kw(flexible(1.2), 1.2)])
    assert (np.diff(peaks, axis=0) < 0).all()
    stores = np.array([household.battery is not None for household in unseen.economy.types])
    fallen = 1 - peaks[-1] / peaks[0]
    assert fallen[stores].min() > 0.1  # what adders by the slot do not bring about


def test_levels_err_by_less_than_the_widest_of_them_and_less_the_more_they_are() -> None:
    """Whatever is drawn, the level at night is that below the day's largest import, or the one above."""
    missed = []
    for levels in (5, 40):
        found = flexible(1.2, levels)
        gaps = [np.diff(policy.peak.levels_kw).max() for policy in found.equilibrium.policies]
        miss = np.abs(grid_kw(found) - peak_kw(found, 1.2))
        assert (miss < np.array(gaps)).all()
        missed.append(miss.max())
    assert missed[1] < 0.2 * missed[0]


def test_bills_hold_the_expected_charge_and_nothing_is_left_to_settle() -> None:
    found = flexible(0.3)
    assert found.equilibrium.outcome is Outcome.CONVERGED
    assert found.residual_usd_per_day <= 1e-7
    paid = found.equilibrium.answer.payment_usd_per_day + found.amounts.usd_per_day["demand_charge"]
    base = found.base_tariff
    standing = base.standing_usd_per_day(base.payer_charge_usd_per_day, found.economy.types)
    np.testing.assert_allclose(found.equilibrium.bill_usd_per_day, paid + standing, atol=1e-7)
    gained = found.equilibrium.exploitability_usd_per_household_day
    assert 0 < gained <= found.equilibrium.softmax_bound_usd_per_household_day
    assert closure_error_kw(found.equilibrium.economy, found.equilibrium.answer) > 0


def test_theorem_u_gains_are_convex_and_loads_their_slopes() -> None:
    """C13: at fixed policies the day's charge does not depend on the price, so V is a maximum of straight lines."""
    economy = small_economy(temperature_usd=0.1)
    tariff = small_tariff(economy, components=(charge(0.8),))
    assert carries_peak(tariff)
    found = flexible(0.8)
    charged, seen = found.equilibrium.economy, found.equilibrium.tariff
    assert perceiving_economy(economy, tariff, found.seen).types[1].day_peak is not None
    assert found.equilibrium.uniqueness == "unique by Theorem U"
    rng = np.random.default_rng(4)
    share, chance = charged.type_share, charged.common.probability[:, None]

    def gain_and_slope(price: Floats) -> tuple[float, Floats]:
        there = population_response(charged, seen, price, 0.0)
        gain = sum(w * one.gain_usd_per_day for w, one in zip(share, there.responses, strict=True))
        return gain, -chance * charged.slot_hours * there.net_load_kw

    for _ in range(4):
        first, second = rng.uniform(0.0, 0.5, (2, 3, 3))
        (gain, slope), (other, its_slope) = gain_and_slope(first), gain_and_slope(second)
        rise = float((slope * (second - first)).sum())
        assert other >= gain + rise - 1e-9
        assert float(((its_slope - slope) * (second - first)).sum()) >= -1e-9
    small = 1e-5 * rng.standard_normal((3, 3))
    ahead, behind = gain_and_slope(first + small)[0], gain_and_slope(first - small)[0]
    assert (ahead - behind) / 2 == pytest.approx(float((slope * small).sum()), rel=1e-3)


def test_the_price_does_not_depend_on_where_the_search_begins() -> None:
    economy = small_economy(temperature_usd=0.1)
    tariff = small_tariff(economy, components=(charge(0.8),))
    found = solve_composed(economy, tariff, starts=2, solver="anderson")
    assert found.equilibrium.uniqueness == "unique by Theorem U"
    np.testing.assert_allclose(
        found.equilibrium.wholesale_usd_per_kwh, flexible(0.8).equilibrium.wholesale_usd_per_kwh, atol=1e-8
    )
    assert found.equilibrium.contraction is None


def test_what_cannot_be_held_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match="usd_per_kw_month = 2 and usd_per_kw_day = 3; give one of them, the other 0"):
        DemandCharge(usd_per_kw_month=2.0, usd_per_kw_day=3.0, counted=WINDOW)
    with pytest.raises(ValueError, match="state is for a charge on the day's largest import; give usd_per_kw_day"):
        DemandCharge(usd_per_kw_month=2.0, counted=WINDOW, decision=DemandView.STATE)
    with pytest.raises(ValueError, match="ex_ante is for a charge on the month's largest import; give usd_per_kw_mon"):
        DemandCharge(usd_per_kw_day=2.0, counted=WINDOW, decision=DemandView.EX_ANTE)
    economy = small_economy(temperature_usd=0.1)
    with pytest.raises(ValueError, match=r"solver is 'newton', which needs a derivative .* give 'auto' or 'anderson'"):
        solve_composed(economy, small_tariff(economy, components=(charge(0.8),)), solver="newton")
    cold = small_economy(temperature_usd=0.0)
    with pytest.raises(ValueError, match="state needs a temperature where the price acts on rates"):
        under(cold, charge(0.8))


def test_cold_homes_whose_rates_follow_no_price_are_solved() -> None:
    """With κ = 0 nothing couples, and best moves are found at temperature 0."""
    economy = small_economy(temperature_usd=0.0, levels=3)
    flat = {"pass_through": 0.0, "export_pass_through": 0.0, "energy_usd_per_kwh": np.full((3, 3), 0.2)}
    found, unseen = under(economy, charge(0.8), **flat), under(economy, charge(0.8, DemandView.IGNORED), **flat)
    assert found.equilibrium.outcome is Outcome.CONVERGED
    assert (peak_kw(found, 0.8) <= peak_kw(unseen, 0.8) + 1e-9).all()


def test_rates_that_are_no_numbers_are_refused() -> None:
    found = flexible(0.8)
    bad = Rates(import_usd_per_kwh=np.full((3, 3), np.nan), export_usd_per_kwh=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="import_usd_per_kwh is nan"):
        peak_response(found.equilibrium.economy.types[0], bad, decision_problem(found.economy))
