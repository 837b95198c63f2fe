"""The law of an error over the number of households, on errors whose law is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.validation.scaling import (
    Interval,
    falling,
    mean_interval,
    paired_ratio,
    pooled_ratio,
    power_slope,
    root,
    scaling,
)

SIZES = np.array([30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])


def chi_squares(expected: Floats, *, freedom: int = 200, replications: int = 20, seed: int = 0) -> Floats:
    """Mean squares (size, replication) with the given expectations (size,)."""
    rng = np.random.default_rng(seed)
    return expected[:, None] * rng.chisquare(freedom, (len(expected), replications)) / freedom


@given(st.floats(-1.5, -0.1), st.floats(0.01, 10.0))
def test_a_pure_power_law_is_found_exactly(slope: float, size: float) -> None:
    rms = size * SIZES**slope
    found = scaling(SIZES, np.tile(rms[:, None] ** 2, 3), seed=0)
    assert found.slope.value == pytest.approx(slope)
    assert found.slope.low == pytest.approx(slope)
    assert [interval.value for interval in found.rms] == pytest.approx(rms.tolist())
    assert power_slope(SIZES, -rms) == pytest.approx(slope)


@given(st.floats(0.01, 10.0), st.floats(1e-4, 1e-2))
def test_the_law_with_a_floor_is_found_exactly(a: float, floor: float) -> None:
    mean_square = a**2 / SIZES + floor**2
    found = scaling(SIZES, np.tile(mean_square[:, None], 3), seed=0)
    assert found.floor_squared.value == pytest.approx(floor**2, rel=1e-6)
    assert found.floor == pytest.approx(floor, rel=1e-6)


def test_a_floor_is_seen_where_there_is_one_and_not_where_there_is_none() -> None:
    with_floor = scaling(SIZES, chi_squares(0.75**2 / SIZES + 0.007**2), seed=0)
    assert with_floor.floor == pytest.approx(0.007, rel=0.1)
    without = scaling(SIZES, chi_squares(0.75**2 / SIZES), seed=0)
    assert without.floor == 0.0
    assert without.slope.value == pytest.approx(-0.5, abs=0.01)


def test_the_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """In 95 % of 400 trials, with a standard error of √(.95·.05/400) = 1.1 %.

    Bootstrap intervals of ten replications are known to be short of it by up to 3 %.
    """
    inside_slope = inside_floor = inside_rms = 0
    for seed in range(400):
        found = scaling(SIZES[:3], chi_squares(1 / SIZES[:3], replications=10, seed=seed), seed=seed)
        assert found.slope.low is not None
        assert found.slope.high is not None
        assert found.floor_squared.low is not None
        assert found.floor_squared.high is not None
        inside_slope += found.slope.low <= -0.5 <= found.slope.high
        inside_floor += found.floor_squared.low <= 0.0 <= found.floor_squared.high
        first = found.rms[0]
        assert first.low is not None
        assert first.high is not None
        inside_rms += first.low <= np.sqrt(1 / SIZES[0]) <= first.high
    for inside in (inside_slope, inside_floor, inside_rms):
        assert 0.95 - 0.03 - 4 * 0.011 <= inside / 400 <= 0.95 + 4 * 0.011


def test_one_replication_has_a_value_and_no_interval() -> None:
    found = scaling(SIZES, 1 / SIZES[:, None], seed=0)
    assert found.slope.value == pytest.approx(-0.5)
    assert (found.slope.low, found.slope.high, found.floor, found.rms[0].low) == (None, None, None, None)


def test_one_size_has_no_slope() -> None:
    found = scaling(SIZES[:1], np.ones((1, 4)), seed=0)
    assert (found.slope.value, found.floor_squared.value, found.floor) == (None, None, None)
    assert found.rms[0].value == 1.0
    assert power_slope(SIZES[:1], np.ones(1)) is None


def test_no_error_at_all_has_no_slope() -> None:
    found = scaling(SIZES, np.zeros((6, 4)), seed=0)
    assert (found.slope.value, found.rms[3].value, found.rms[3].high) == (None, 0.0, 0.0)
    assert power_slope(SIZES, np.zeros(6)) is None


def test_an_error_that_changes_sign_follows_no_power_law() -> None:
    assert power_slope(SIZES[:3], np.array([0.3, 0.1, -0.03])) is None
    assert power_slope(SIZES[:3], np.array([0.3, 0.0, 0.03])) == pytest.approx(-1.0)


def test_the_same_seed_gives_the_same_intervals() -> None:
    squares = chi_squares(1 / SIZES)
    assert scaling(SIZES, squares, seed=4) == scaling(SIZES, squares, seed=4)
    assert scaling(SIZES, squares, seed=4) != scaling(SIZES, squares, seed=5)


def test_the_mean_of_a_distance_falls_with_its_own_slope() -> None:
    found = falling(SIZES, np.tile(3.0 * SIZES[:, None] ** -0.5, 4), seed=0)
    assert found.slope.value == pytest.approx(-0.5)
    assert found.slope.low == pytest.approx(-0.5)
    assert [one.value for one in found.mean] == pytest.approx((3.0 * SIZES**-0.5).tolist())
    assert falling(SIZES, 1 / SIZES[:, None], seed=0).slope == Interval(value=pytest.approx(-1.0))


def test_measured_over_expected_is_one_where_they_agree_and_two_where_it_is_twice() -> None:
    """Forty chi-squares of 200 degrees of freedom a size: a standard error of √(2/200/40/6) = 0.65 % pooled."""
    squares = chi_squares(1 / SIZES, replications=40)
    for factor in (1.0, 2.0):
        found = pooled_ratio(factor * squares, 1 / SIZES, seed=0)
        assert found.value == pytest.approx(factor, rel=4 * 0.0065)
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        assert found.high - found.low == pytest.approx(2 * 2.02 * 0.0065 * factor, rel=0.4)
    assert pooled_ratio(np.zeros((6, 4)), 1 / SIZES, seed=0).value is None


def test_pairs_are_resampled_together() -> None:
    """Twice the same numbers, however scattered: the ratio is 1 without any doubt."""
    values = np.random.default_rng(0).uniform(1, 9, 12)
    assert paired_ratio(3 * values, values, seed=0) == Interval(
        value=pytest.approx(3.0), low=pytest.approx(3.0), high=pytest.approx(3.0)
    )
    assert paired_ratio(values, 0 * values, seed=0).value is None


def test_a_mean_alone_has_no_interval_and_a_root_no_negative_end() -> None:
    assert mean_interval(np.array([2.0]), seed=0) == Interval(value=2.0)
    assert mean_interval(np.full(5, 2.0), seed=0) == Interval(value=2.0, low=2.0, high=2.0)
    assert root(Interval(value=4.0, low=-1.0, high=9.0)) == Interval(value=2.0, low=0.0, high=3.0)
    assert root(Interval(value=None)) == Interval(value=None)
