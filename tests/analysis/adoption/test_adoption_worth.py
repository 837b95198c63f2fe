"""What solar and storage are worth: against plain loops over the years."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.adoption.worth import Worth, annuity_years, worth

RATES = st.floats(0.0, 0.5)
LIVES = st.integers(1, 40)
MONEY = st.floats(1.0, 1e5)


def one(saving: float, parts: list[float], lives: list[float], rate: float) -> Worth:
    """One income group, one technology."""
    return worth(
        np.array([[saving]]), np.array(parts).reshape(-1, 1, 1), np.array(lives, dtype=float), np.array([rate])
    )


@given(st.floats(-1e4, 1e4), MONEY, LIVES, RATES)
def test_the_net_present_value_is_what_a_loop_over_the_years_adds_up(
    saving: float, cost: float, life: int, rate: float
) -> None:
    value = -cost
    for year in range(1, life + 1):
        value += saving / (1 + rate) ** year
    found = one(saving, [cost], [life], rate)
    assert found.npv_usd[0, 0] == pytest.approx(value, abs=1e-9 * life * (abs(saving) + cost))
    assert found.capital_usd[0, 0] == cost


@given(MONEY, MONEY, st.integers(1, 10), st.integers(1, 4), RATES)
def test_a_part_that_lives_a_whole_fraction_is_bought_again_each_time(
    long: float, short: float, life: int, times: int, rate: float
) -> None:
    cost = long + sum(short / (1 + rate) ** (life * bought) for bought in range(times))
    found = one(0.0, [long, short], [life * times, life], rate)
    assert found.npv_usd[0, 0] == pytest.approx(-cost, rel=1e-9)
    assert found.capital_usd[0, 0] == long + short


@given(MONEY, st.floats(1.0, 1e4))
def test_payback_is_when_the_savings_of_a_loop_have_repaid_the_cost(cost: float, saving: float) -> None:
    left, years = cost, 0.0
    while left > saving:
        left, years = left - saving, years + 1
        if years > 200:
            return
    assert one(saving, [cost], [25], 0.07).payback_years[0, 0] == pytest.approx(years + left / saving, rel=1e-9)


def test_what_costs_nothing_is_repaid_at_once_and_what_saves_nothing_never() -> None:
    assert one(0.0, [0.0], [25], 0.07).payback_years[0, 0] == 0.0
    assert one(0.0, [0.0], [25], 0.07).npv_usd[0, 0] == 0.0
    for saving in (0.0, -5.0):
        assert one(saving, [100.0], [25], 0.07).payback_years[0, 0] == np.inf


def test_what_a_group_cannot_own_has_no_worth() -> None:
    found = one(np.nan, [100.0], [25], 0.07)
    for name in ("capital_usd", "saving_usd_per_year", "npv_usd", "payback_years"):
        assert np.isnan(getattr(found, name)[0, 0])


def test_an_annuity_without_discount_is_its_length_and_falls_with_the_rate() -> None:
    assert annuity_years(0.0, 25.0) == 25.0
    rates = np.linspace(0, 1, 50)
    falling = annuity_years(rates, 25.0)
    assert (np.diff(falling) < 0).all()
    assert annuity_years(1e-12, 25.0) == pytest.approx(25.0, rel=1e-9)
