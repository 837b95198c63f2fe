"""The logit of shares and the stock that follows it: closed forms, laws, and two types by hand."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from meanwatt.analysis.adoption.choice import deciding_rate, fitted_shares, logit_shares, next_stock

ALONE = np.zeros(2, dtype=np.int64)
POOLS = np.array([0, 0, 0, 1, 1])
"""Three alternatives without a vehicle, two with one."""


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of two groups over five technologies, what each gained, and the part that decides in a year."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = rng.dirichlet(np.ones(5), size=2)
    if draw(st.booleans()):
        share[0, 1] = 0.0
        share[0] /= share[0].sum()
    return share, rng.normal(0.0, 20_000.0, (2, 5)), rng.uniform(0.05, 1.0, (2, 5))


@given(worlds(), st.floats(0.0, 1.0))
def test_shares_are_the_logit_whose_constants_fit_today(
    world: tuple[np.ndarray, np.ndarray, np.ndarray], sensitivity: float
) -> None:
    share, gain, _ = world
    today = np.random.default_rng(1).normal(0.0, 5_000.0, share.shape)  # net present values that cancel out
    found = logit_shares(share, gain, sensitivity, POOLS)
    for group in range(2):
        for pool in (0, 1):
            inside = np.flatnonzero((pool == POOLS) & (share[group] > 0))
            constant = np.log(share[group, inside]) - sensitivity * today[group, inside] / 1000
            utility = constant + sensitivity * (today + gain)[group, inside] / 1000
            mass = share[group, inside].sum()
            assert found[group, inside] == pytest.approx(mass * softmax(utility), abs=1e-12)
    assert (found[share == 0] == 0).all()
    assert found.sum(axis=1) == pytest.approx(1.0)


@given(worlds())
def test_without_sensitivity_shares_stay(world: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    share, gain, rate = world
    aim = logit_shares(share, gain, 0.0, POOLS)
    assert aim == pytest.approx(share, abs=1e-15)
    assert next_stock(share, aim, rate, POOLS) == pytest.approx(share, abs=1e-15)


def test_two_types_by_hand() -> None:
    """Odds 1 : 4; a gain of ln 4 units of utility makes them 1 : 1.

    Panels live 10 years, 10 % of the others decide: of those without 0.10, of owners 0.1 + 0.9·0.1 = 0.19 a year.
    0.8·0.10 + 0.2·0.19 = 0.118 decide; they choose in the ratio 0.5·0.10 : 0.5·0.19, so 0.0773 take panels.
    """
    share = np.array([[0.8, 0.2]])
    aim = logit_shares(share, np.array([[0.0, 1000 * log(4) / 0.2]]), 0.2, ALONE)
    assert aim == pytest.approx(np.array([[0.5, 0.5]]))
    rate = deciding_rate(np.array([[0.0, 10.0]]), 0.1)
    assert rate == pytest.approx(np.array([[0.1, 0.19]]))
    after = next_stock(share, aim, rate, ALONE)
    assert after == pytest.approx(np.array([[0.8 - 0.08 + 0.118 * 50 / 145, 0.2 - 0.038 + 0.118 * 95 / 145]]))
    assert after[0, 1] == pytest.approx(0.2393, abs=1e-4)


def test_a_gain_of_one_thousand_multiplies_the_odds_by_the_exponential_of_the_sensitivity() -> None:
    found = logit_shares(np.array([[0.9, 0.1]]), np.array([[0.0, 1000.0]]), 0.2, ALONE)
    assert found[0, 1] / found[0, 0] == pytest.approx(exp(0.2) / 9)


@given(worlds())
def test_a_year_keeps_every_pool_and_moves_towards_the_aim(
    world: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    share, gain, rate = world
    aim = logit_shares(share, gain, 0.2, POOLS)
    after = next_stock(share, aim, rate, POOLS)
    assert (after >= -1e-15).all()
    for pool in (0, 1):
        assert after[:, pool == POOLS].sum(axis=1) == pytest.approx(share[:, pool == POOLS].sum(axis=1))
    assert next_stock(aim, aim, rate, POOLS) == pytest.approx(aim, abs=1e-14)
    for _ in range(400):
        share = next_stock(share, aim, rate, POOLS)
    assert share == pytest.approx(aim, abs=1e-6)


def test_what_nobody_owns_stays_so_unless_there_is_a_floor() -> None:
    today, offered = np.array([[0.9, 0.1, 0.0, 0.0]]), np.array([[True, True, True, False]])
    pools = np.zeros(4, dtype=np.int64)
    assert (fitted_shares(today, offered, 0.0, pools) == today).all()
    raised = fitted_shares(today, offered, 0.01, pools)
    assert raised == pytest.approx(np.array([[0.9, 0.1, 0.01, 0.0]]) / 1.01)
    high = logit_shares(today, np.array([[0.0, 0.0, 1e9, 1e9]]), 1.0, pools)
    assert high == pytest.approx(today)


def test_nobody_is_lost_where_worth_is_beyond_the_reach_of_exponentials() -> None:
    found = logit_shares(np.array([[0.5, 0.5]]), np.array([[-1e9, 1e9]]), 1e3, ALONE)
    assert found == pytest.approx(np.array([[0.0, 1.0]]))
