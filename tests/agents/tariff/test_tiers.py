"""Ladders of tiers: their bill, the adder a household acts on, and ladders that are refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from meanwatt.agents.tariff.components.minimum_bill import MinimumBill
from meanwatt.agents.tariff.components.tiers import Perception, Tiers

LADDER = Tiers(limits_kwh_per_month=(300.0, 500.0), adders_usd_per_kwh=(-0.02, 0.05, 0.12))


def bill_by_hand(tiers: Tiers, kwh: float, months: float = 1.0, step: float = 0.25) -> float:
    """Every quarter of a kWh at the adder of its tier; steps must divide the limits."""
    total, used = 0.0, 0.0
    while used < kwh - 1e-9:
        tier = sum(used >= limit * months - 1e-9 for limit in tiers.limits_kwh_per_month)
        total += step * tiers.adders_usd_per_kwh[tier]
        used += step
    return total


@pytest.mark.parametrize("kwh", [0.0, 120.25, 300.0, 300.25, 499.75, 500.0, 812.5])
@pytest.mark.parametrize("months", [1.0, 0.5])
def test_the_tier_bill_is_that_of_every_quarter_of_a_kwh(kwh: float, months: float) -> None:
    assert float(LADDER.cost_usd(np.array(kwh), months)) == pytest.approx(bill_by_hand(LADDER, kwh, months), abs=1e-9)


@given(st.floats(-500, 2000), st.floats(-500, 2000), st.floats(0, 1))
def test_the_bill_of_rising_tiers_is_convex(a: float, b: float, part: float) -> None:
    between, ends = LADDER.cost_usd(np.array(part * a + (1 - part) * b)), LADDER.cost_usd(np.array([a, b]))
    assert between <= part * ends[0] + (1 - part) * ends[1] + 1e-9


@given(st.floats(-500, 2000), st.floats(0.1, 3))
def test_limits_are_as_long_as_the_period(kwh: float, months: float) -> None:
    whole = float(LADDER.cost_usd(np.array(kwh)))
    assert float(LADDER.cost_usd(np.array(kwh * months), months)) == pytest.approx(months * whole, abs=1e-9)


@given(st.floats(-500, 2000, allow_subnormal=False))
def test_tiers_with_equal_adders_are_no_tiers(kwh: float) -> None:
    for perception in Perception:
        tiers = Tiers(limits_kwh_per_month=(300.0,), adders_usd_per_kwh=(0.03, 0.03), perception=perception)
        assert float(tiers.cost_usd(np.array(kwh))) == pytest.approx(0.03 * kwh, abs=1e-12)
        assert tiers.adder_at(kwh) == pytest.approx(0.03, abs=1e-12)
        assert tiers.answering_adder(kwh, 0.5, 200.0) == pytest.approx(0.03, abs=1e-15)


@given(st.floats(50, 1500), st.floats(1, 5000))
def test_the_answering_adder_is_that_of_the_month_that_is_worth_most(wanted: float, slope: float) -> None:
    """Demand M(a) = wanted − slope·a is that of a value v(M) with v' = (wanted − M)/slope; the best M is searched."""
    kinks = [0.0, *LADDER.limits_kwh_per_month, 2000.0]

    def loss(month: float) -> float:
        value = (wanted * month - month**2 / 2) / slope
        return float(LADDER.cost_usd(np.array(month))) - value

    pieces = [minimize_scalar(loss, bounds=(a, b), method="bounded", options={"xatol": 1e-9}) for a, b in
              itertools.pairwise(kinks)]  # fmt: skip
    best = min(pieces, key=lambda piece: piece.fun).x
    adder = LADDER.answering_adder(wanted, 0.0, slope)
    assert max(wanted - slope * adder, 0.0) == pytest.approx(best, abs=2e-3 + 1e-6 * slope)


def test_bunching_in_a_two_tier_household_with_iso_elastic_use_is_as_by_hand() -> None:
    """Use M(p) = k·p^(−e): at the first rate it is above the limit, at the second below, and so it is at the limit."""
    rate, elasticity, limit = 0.20, 0.3, 400.0
    k = 405.0 * rate**elasticity  # at the rate alone 405 kWh; at rate + 0.1 it is 358.6
    tiers = Tiers(limits_kwh_per_month=(limit,), adders_usd_per_kwh=(0.0, 0.1))
    by_hand = (k / limit) ** (1 / elasticity) - rate
    adder, slope = 0.0, 500.0
    for _ in range(50):
        month = k * (rate + adder) ** -elasticity
        slope = elasticity * month / (rate + adder)
        adder = tiers.answering_adder(month, adder, slope)
    assert adder == pytest.approx(by_hand, abs=1e-12)
    assert k * (rate + adder) ** -elasticity == pytest.approx(limit, abs=1e-9)


def test_the_average_adder_is_the_bill_over_the_month_and_the_first_one_where_there_is_none() -> None:
    average = Tiers(limits_kwh_per_month=(300.0,), adders_usd_per_kwh=(0.1, 0.04), perception=Perception.AVERAGE)
    assert average.adder_at(600.0) == pytest.approx((300 * 0.1 + 300 * 0.04) / 600)
    assert average.adder_at(0.0) == average.adder_at(-50.0) == 0.1
    adder = average.answering_adder(600.0, 0.0, 500.0)
    assert adder == pytest.approx(average.adder_at(600.0 - 500.0 * adder), abs=1e-12)


@pytest.mark.parametrize(
    ("limits", "adders", "said"),
    [
        ((300.0,), (0.1,), "adders_usd_per_kwh has 1 entries and tiers.limits_kwh_per_month 1; give one adder more"),
        ((300.0, 300.0), (0.0, 0.1, 0.2), r"limits_kwh_per_month is \[300.0, 300.0\]; give positive numbers that rise"),
        ((0.0,), (0.0, 0.1), "give positive numbers that rise"),
        ((300.0,), (0.1, 0.05), r"adders_usd_per_kwh is .0.1, 0.05.: where adders fall, .*perception = average"),
        ((300.0,), (0.1, float("nan")), "give finite numbers"),
    ],
)
def test_what_is_no_ladder_is_refused_in_one_line(
    limits: tuple[float, ...], adders: tuple[float, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as told:
        Tiers(limits_kwh_per_month=limits, adders_usd_per_kwh=adders)
    assert "\n" not in str(told.value)


def test_a_minimum_bill_raises_what_is_below_it_by_the_length_of_the_period() -> None:
    minimum = MinimumBill(usd_per_month=30.0)
    np.testing.assert_allclose(minimum.added_usd(np.array([-10.0, 29.0, 30.0, 50.0])), [40.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(minimum.added_usd(np.array([10.0]), 0.5), [5.0])
    with pytest.raises(ValueError, match=r"minimum_bill\.usd_per_month is inf; give a finite number"):
        MinimumBill(usd_per_month=float("inf"))
