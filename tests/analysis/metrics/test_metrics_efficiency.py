"""Efficiency metrics: supply cost, carbon, surplus, welfare and the gap to the first best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.metrics.efficiency import (
    carbon_usd_per_household_day,
    efficiency_gap_usd_per_household_day,
    energy_purchase_usd_per_household_day,
    per_day,
    price_of_anarchy,
    supply_cost_usd_per_household_day,
    surplus_usd_per_household_day,
    welfare_usd_per_household_day,
)
from meanwatt.model.scenario.supply import SupplyCurve

AFFINE = SupplyCurve.polynomial([0.05, 0.10], emissions_t_per_kwh=0.0005)
CURVES = [
    AFFINE,
    SupplyCurve.polynomial([0.1365, 0.0277, 0.1245], clamp_below_kw=-0.111),
    SupplyCurve.piecewise_linear([-1.0, 0.5, 2.0], [0.02, 0.1, 0.4], emissions_t_per_kwh=[0.0, 0.0004]),
]
loads = st.lists(st.floats(-3, 3), min_size=1, max_size=6)


def test_supply_cost_by_hand() -> None:
    # S(x) = .05 x + .05 x²: S(1 + 2) - S(2) = .6 - .3 = .3 USD/h; S(0) - S(0) = 0; half-hour slots, weights 1/4 and 3/4
    cost = supply_cost_usd_per_household_day(
        AFFINE, [[1.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [2.0, 5.0]], slot_hours=0.5, probability=[0.25, 0.75]
    )
    assert cost == pytest.approx(0.25 * 0.5 * 0.3, rel=1e-14)


@pytest.mark.parametrize("supply", CURVES)
@given(loads, st.floats(-2, 5))
def test_supply_cost_lies_between_the_load_at_the_price_without_and_with_it(
    supply: SupplyCurve, load: list[float], rest: float
) -> None:
    net, other = np.array([load]), np.full((1, len(load)), rest)
    cost = supply_cost_usd_per_household_day(supply, net, other, slot_hours=1.0)
    with_it = energy_purchase_usd_per_household_day(supply.price(net + other), net, slot_hours=1.0)
    without = energy_purchase_usd_per_household_day(supply.price(other), net, slot_hours=1.0)
    assert without - 1e-9 <= cost <= with_it + 1e-9


@pytest.mark.parametrize("supply", CURVES)
@given(loads)
def test_households_that_draw_nothing_cost_nothing(supply: SupplyCurve, rest: list[float]) -> None:
    nothing = np.zeros((1, len(rest)))
    assert supply_cost_usd_per_household_day(supply, nothing, [rest], slot_hours=1.0) == 0
    assert carbon_usd_per_household_day(supply, nothing, [rest], carbon_usd_per_t=190.0, slot_hours=1.0) == 0


@given(loads, st.floats(0, 400))
def test_carbon_of_a_constant_intensity_is_energy_times_intensity_times_price(load: list[float], price: float) -> None:
    cost = carbon_usd_per_household_day(AFFINE, [load], [[1.0] * len(load)], carbon_usd_per_t=price, slot_hours=2.0)
    assert cost == pytest.approx(price * 0.0005 * 2.0 * sum(load), rel=1e-9, abs=1e-12)


@given(loads, st.floats(0, 400))
def test_carbon_is_what_the_supply_cost_rises_by_under_a_carbon_price(load: list[float], price: float) -> None:
    supply = CURVES[2]
    net, rest = np.array([load]), np.ones((1, len(load)))
    taxed = supply_cost_usd_per_household_day(supply.shifted_by_carbon(price), net, rest, slot_hours=1.0)
    private = supply_cost_usd_per_household_day(supply, net, rest, slot_hours=1.0)
    carbon = carbon_usd_per_household_day(supply, net, rest, carbon_usd_per_t=price, slot_hours=1.0)
    assert taxed == pytest.approx(private + carbon, rel=1e-9, abs=1e-11)


def test_a_flat_rate_lasts_the_whole_day_at_any_slot_length() -> None:
    for slots in (24, 48, 96):
        assert per_day(np.full((3, slots), 2.0), slot_hours=24 / slots, probability=[0.2, 0.3, 0.5]) == pytest.approx(
            48
        )


def test_energy_purchase_and_surplus_by_hand() -> None:
    purchase = energy_purchase_usd_per_household_day([[0.1, 0.2]], [[3.0, -1.0]], slot_hours=12.0)
    assert purchase == pytest.approx(12 * (0.3 - 0.2), rel=1e-12)
    assert surplus_usd_per_household_day(5.0, 1.2, 3.0) == pytest.approx(0.8)


money = st.floats(-100, 100)


@given(money, money, money, money, money)
def test_welfare_is_utility_less_every_cost(u: float, wear: float, supply: float, fixed: float, carbon: float) -> None:
    assert welfare_usd_per_household_day(u, wear, supply, fixed, carbon) == pytest.approx(
        u - sum([wear, supply, fixed, carbon]), abs=1e-12
    )


def test_gap_and_price_of_anarchy_compare_with_the_first_best() -> None:
    assert efficiency_gap_usd_per_household_day(-5.0, -4.0) == 1.0
    assert efficiency_gap_usd_per_household_day(-5.0, None) is None
    assert price_of_anarchy(-5.0, -4.0) == 1.25
    assert price_of_anarchy(-4.0, -4.0) == 1.0
    assert price_of_anarchy(-5.0, 0.0) is None
    assert price_of_anarchy(-5.0, 2.0) is None


def test_loads_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rest_load_kw has shape \(1, 2\); give \(1, 1\)"):
        supply_cost_usd_per_household_day(AFFINE, [[1.0]], [[1.0, 2.0]], slot_hours=1.0)
    with pytest.raises(ValueError, match=r"net_load_kw has shape \(1, 1\); give \(1, 2\)"):
        energy_purchase_usd_per_household_day([[1.0, 2.0]], [[1.0]], slot_hours=1.0)
    with pytest.raises(ValueError, match="slot_hours is 0; give a positive number"):
        per_day([[1.0]], slot_hours=0)
