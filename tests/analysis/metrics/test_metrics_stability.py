"""Stability metrics: volatility, peak to average, ramp and load factor."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.metrics.stability import (
    expected_imv,
    expected_imv_log,
    expected_maximal_ramp_kw_per_hour,
    load_factor,
    mean_wholesale_usd_per_kwh,
    peak_to_average,
    realised_imv,
    realised_imv_log,
    realised_maximal_ramp_kw_per_hour,
)

# two states, two slots; p P = p: p0 = p0/2 + p1, so p = (2/3, 1/3)
PRICE = np.array([[1.0, 3.0], [2.0, 6.0]])
PROBABILITY = np.array([2 / 3, 1 / 3])
KERNEL = np.array([[0.5, 0.5], [1.0, 0.0]])


def random_chain(rng: np.random.Generator, states: int) -> tuple[np.ndarray, np.ndarray]:
    """A kernel with some zeros and its stationary law."""
    kernel = rng.uniform(size=(states, states)) * (rng.uniform(size=(states, states)) < 0.7) + 1e-3 * np.eye(states)
    kernel += 1e-2 * np.roll(np.eye(states), 1, axis=1)  # one cycle through all states: irreducible
    kernel /= kernel.sum(axis=1, keepdims=True)
    law = np.linalg.matrix_power(kernel, 2**20)[0]
    return kernel, law / law.sum()


def days(rng: np.random.Generator, kernel: np.ndarray, count: int) -> np.ndarray:
    """Common state of each of ``count`` days."""
    state, path = 0, np.empty(count, dtype=int)
    cumulative = kernel.cumsum(axis=1)
    for day, draw in enumerate(rng.uniform(size=count)):
        path[day] = state
        state = min(int(np.searchsorted(cumulative[state], draw, side="right")), len(kernel) - 1)
    return path


seeds = st.integers(0, 2**32 - 1)


def test_imv_by_hand() -> None:
    # within days: 2/3 · 2 + 1/3 · 4 = 8/3;  midnight: 2/3 · (|1-3| + |2-3|)/2 + 1/3 · |1-6| = 1 + 5/3;  over 2 slots
    assert expected_imv(PRICE, PROBABILITY, KERNEL) == pytest.approx(8 / 3, rel=1e-14)


@given(seeds, st.integers(1, 4), st.integers(1, 6))
def test_imv_equals_enumeration_of_every_day_and_its_morrow(seed: int, states: int, slots: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, law = random_chain(rng, states)
    price = rng.uniform(0.01, 1.0, size=(states, slots))
    total = total_log = 0.0
    for today, tomorrow in product(range(states), repeat=2):
        series = [*price[today], price[tomorrow, 0]]
        chance = law[today] * kernel[today, tomorrow]
        total += chance * sum(abs(b - a) for a, b in pairwise(series)) / slots
        total_log += chance * sum(abs(np.log(b / a)) for a, b in pairwise(series)) / slots
    assert expected_imv(price, law, kernel) == pytest.approx(total, rel=1e-9, abs=1e-14)
    assert expected_imv_log(price, law, kernel) == pytest.approx(total_log, rel=1e-9, abs=1e-14)


@given(seeds, st.floats(0.001, 10.0))
def test_imv_of_a_constant_price_is_zero(seed: int, usd_per_kwh: float) -> None:
    kernel, law = random_chain(np.random.default_rng(seed), 3)
    price = np.full((3, 24), usd_per_kwh)
    assert expected_imv(price, law, kernel) == 0
    assert expected_imv_log(price, law, kernel) == 0
    assert realised_imv(price) == 0
    assert realised_imv_log(price) == 0


@given(seeds, st.floats(0.1, 10.0), st.floats(-1.0, 1.0))
def test_imv_scales_with_the_price_and_ignores_its_level_and_log_imv_ignores_its_unit(
    seed: int, scale: float, shift: float
) -> None:
    rng = np.random.default_rng(seed)
    kernel, law = random_chain(rng, 3)
    price = rng.uniform(0.01, 1.0, size=(3, 8))
    assert expected_imv(scale * price + shift, law, kernel) == pytest.approx(
        scale * expected_imv(price, law, kernel), rel=1e-9, abs=1e-12
    )
    assert expected_imv_log(scale * price, law, kernel) == pytest.approx(
        expected_imv_log(price, law, kernel), rel=1e-9, abs=1e-12
    )


def test_imv_of_weather_that_alternates_equals_that_of_the_series_it_makes() -> None:
    price = np.random.default_rng(5).uniform(0.05, 0.4, size=(2, 24))
    series = np.tile(price, (50, 1))  # days 0 1 0 1 …; the last midnight is missing from the series
    ends = [*series.ravel(), series[0, 0]]
    periodic = np.abs(np.diff(ends)).mean()
    assert expected_imv(price, [0.5, 0.5], [[0, 1], [1, 0]]) == pytest.approx(periodic, rel=1e-12)
    steps = series.size - 1
    assert realised_imv(series) == pytest.approx(
        (periodic * (steps + 1) - abs(series[0, 0] - series[-1, -1])) / steps, rel=1e-12
    )


def test_imv_of_a_long_simulated_chain_is_within_four_standard_errors() -> None:
    rng = np.random.default_rng(2024)
    kernel, law = random_chain(rng, 3)
    price = rng.uniform(0.05, 0.4, size=(3, 24))
    series = price[days(rng, kernel, 40_000)]
    # batch means: 400 batches of 100 days, far longer than the chain remembers
    batches = [realised_imv(batch) for batch in series.reshape(400, 100, 24)]
    error = np.std(batches, ddof=1) / np.sqrt(400)
    assert error < 0.01 * expected_imv(price, law, kernel)  # else the test could not fail
    # a batch lacks the midnight after its last day: 1 step in 2400, far below the error
    assert realised_imv(series) == pytest.approx(expected_imv(price, law, kernel), abs=4 * error)
    logs = [realised_imv_log(batch) for batch in series.reshape(400, 100, 24)]
    assert realised_imv_log(series) == pytest.approx(
        expected_imv_log(price, law, kernel), abs=4 * np.std(logs, ddof=1) / np.sqrt(400)
    )


def test_realised_imv_counts_the_midnight_between_days() -> None:
    # |2-1| + |5-2| + |4-5| over three steps
    assert realised_imv([[1.0, 2.0], [5.0, 4.0]]) == pytest.approx(5 / 3, rel=1e-15)


@pytest.mark.parametrize("bad", [0.0, -0.01])
def test_log_imv_is_undefined_if_any_price_is_not_positive(bad: float) -> None:
    price = PRICE.copy()
    price[1, 0] = bad
    assert expected_imv_log(price, PROBABILITY, KERNEL) is None
    assert realised_imv_log(price) is None
    assert expected_imv(price, PROBABILITY, KERNEL) > 0


def test_a_single_slot_has_no_step() -> None:
    assert realised_imv([[0.3]]) is None
    assert realised_imv_log([[0.3]]) is None
    assert realised_maximal_ramp_kw_per_hour([[0.3]], slot_hours=1.0) is None


def test_mean_wholesale_by_hand() -> None:
    # 2/3 · 2 + 1/3 · 4
    assert mean_wholesale_usd_per_kwh(PRICE, PROBABILITY) == pytest.approx(8 / 3, rel=1e-14)
    assert mean_wholesale_usd_per_kwh(PRICE) == pytest.approx(3.0, rel=1e-14)


def test_peak_to_average_by_hand() -> None:
    # mean 2/3 · 2 + 1/3 · 4 = 8/3, peak 6
    assert peak_to_average(PRICE, PROBABILITY) == pytest.approx(6 / (8 / 3), rel=1e-14)
    assert load_factor(PRICE, PROBABILITY) == pytest.approx((8 / 3) / 6, rel=1e-14)


def test_a_state_that_never_happens_makes_no_peak() -> None:
    assert peak_to_average(PRICE, [1.0, 0.0]) == pytest.approx(3 / 2, rel=1e-14)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=24), st.floats(0.1, 10.0))
def test_peak_to_average_is_at_least_one_whatever_the_unit_and_undefined_without_net_purchases(
    load: list[float], unit: float
) -> None:
    ratio = peak_to_average([load])
    mean = float(np.mean(load))
    if mean < -1e-12:
        assert ratio is None
        assert load_factor([load]) is None
    elif mean > 1e-3:
        assert ratio is not None
        assert ratio >= 1
        assert ratio == pytest.approx(max(load) / mean, rel=1e-9)
        assert peak_to_average([[unit * value for value in load]]) == pytest.approx(ratio, rel=1e-9)
        assert load_factor([load]) == pytest.approx(1 / ratio, rel=1e-14)


def test_peak_to_average_is_undefined_where_the_mean_load_is_rounding() -> None:
    assert peak_to_average([[0.1, 0.2, -0.3]]) is None
    assert peak_to_average([[0.0, 0.0]]) is None


@given(st.floats(0.01, 100.0), st.integers(1, 96))
def test_a_flat_load_has_peak_to_average_one_and_no_ramp(kw: float, slots: int) -> None:
    load = np.full((2, slots), kw)
    assert peak_to_average(load, [0.3, 0.7]) == pytest.approx(1, rel=1e-12)
    assert load_factor(load, [0.3, 0.7]) <= 1  # type: ignore[operator]
    assert expected_maximal_ramp_kw_per_hour(load, [0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], slot_hours=1.0) == 0


def test_ramp_counts_falls_midnights_and_the_length_of_a_slot() -> None:
    # steps of PRICE: 2, 4; midnights 0→0: -2, 0→1: -1, 1→0: -5; 1→1 (-4) never happens
    assert expected_maximal_ramp_kw_per_hour(PRICE, PROBABILITY, KERNEL, slot_hours=0.25) == pytest.approx(20)
    assert realised_maximal_ramp_kw_per_hour([[1.0, 2.0], [9.0, 4.0]], slot_hours=0.5) == pytest.approx(14)
    assert realised_maximal_ramp_kw_per_hour([[9.0, 1.0], [2.0, 4.0]], slot_hours=0.5) == pytest.approx(16)


def test_a_midnight_that_never_happens_makes_no_ramp() -> None:
    load = [[0.0, 1.0], [8.0, 9.0]]
    never_meet = [[1.0, 0.0], [0.0, 1.0]]
    assert expected_maximal_ramp_kw_per_hour(load, [0.5, 0.5], never_meet, slot_hours=1.0) == 1
    assert expected_maximal_ramp_kw_per_hour(load, [0.5, 0.5], [[0, 1], [1, 0]], slot_hours=1.0) == 9


@given(seeds, st.integers(1, 4), st.integers(1, 6))
def test_ramp_bounds_the_mean_step(seed: int, states: int, slots: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, law = random_chain(rng, states)
    load = rng.normal(size=(states, slots))
    ramp = expected_maximal_ramp_kw_per_hour(load, law, kernel, slot_hours=24 / slots)
    assert expected_imv(load, law, kernel) <= ramp * 24 / slots + 1e-12
    assert ramp * 24 / slots <= load.max() - load.min() + 1e-12


def test_bad_chains_prices_and_slots_are_named() -> None:
    with pytest.raises(ValueError, match=r"common_kernel row 1 is \[0\.5, 0\.4\]; give probabilities"):
        expected_imv(PRICE, PROBABILITY, [[1, 0], [0.5, 0.4]])
    with pytest.raises(ValueError, match=r"common_kernel row 0 is \[1\.5, -0\.5\]"):
        expected_imv(PRICE, PROBABILITY, [[1.5, -0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match=r"common_kernel has shape \(1, 1\); give \(2, 2\)"):
        expected_imv(PRICE, PROBABILITY, [[1.0]])
    with pytest.raises(ValueError, match=r"probability has shape \(3,\); give \(2,\)"):
        expected_imv(PRICE, [0.2, 0.3, 0.5], KERNEL)
    with pytest.raises(ValueError, match=r"wholesale_usd_per_kwh is inf at index \[0, 1\]"):
        realised_imv([[0.1, float("inf")]])
    with pytest.raises(ValueError, match=r"net_load_kw has shape \(2,\); give axes \(row, slot\)"):
        peak_to_average([1.0, 2.0])
    for hours in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"slot_hours is .*; give a positive number"):
            realised_maximal_ramp_kw_per_hour(PRICE, slot_hours=hours)
