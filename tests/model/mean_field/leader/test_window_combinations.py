"""Combinations of windows, beside plain loops over the clock."""

import itertools

import numpy as np
import pytest

from meanwatt.model.mean_field.leader.window_combinations import (
    NO_WINDOW,
    Window,
    window_combinations,
    window_of_slot,
    window_periods,
)
from meanwatt.model.scenario.family_file import WindowRange
from meanwatt.model.scenario.rate_tables import period_of_slot


def hours_of(start: int, width: int) -> set[int]:
    return {(start + k) % 24 for k in range(width)}


def test_every_start_and_width_comes_once_and_both_ends_count() -> None:
    found = window_combinations({"peak": WindowRange(start=(15, 19), width=(3, 5))}, 24)
    assert [(one["peak"].start, one["peak"].width) for one in found.allowed] == list(
        itertools.product(range(15, 20), range(3, 6))
    )
    assert found.skipped == 0


def test_steps_are_of_one_slot() -> None:
    found = window_combinations({"peak": WindowRange(start=(15.5, 16.5), width=(3, 3.5))}, 48)
    assert [(one["peak"].start, one["peak"].width) for one in found.allowed] == [
        (31, 6), (31, 7), (32, 6), (32, 7), (33, 6), (33, 7),
    ]  # fmt: skip


def test_overlapping_windows_and_those_that_leave_nothing_of_the_day_are_skipped() -> None:
    ranges = {"a": WindowRange(start=(14, 18), width=(4, 8)), "b": WindowRange(start=(20, 23), width=(2, 18))}
    found = window_combinations(ranges, 24)
    kept = []
    for a, m, b, n in itertools.product(range(14, 19), range(4, 9), range(20, 24), range(2, 19)):
        first, second = hours_of(a, m), hours_of(b, n)
        if not first & second and len(first | second) < 24:
            kept.append((a, m, b, n))
    listed = [(one["a"].start, one["a"].width, one["b"].start, one["b"].width) for one in found.allowed]
    assert listed == kept
    assert found.skipped == 5 * 5 * 4 * 17 - len(kept) > 0


@pytest.mark.parametrize("slots", [24, 48])
def test_a_window_may_wrap_over_midnight_and_reads_as_periods_of_a_tariff(slots: int) -> None:
    per_hour = slots // 24
    windows = {"night": Window(22 * per_hour, 8 * per_hour), "peak": Window(17 * per_hour, 4 * per_hour)}
    owner = window_of_slot(windows, slots)
    for slot in range(slots):
        hour = slot / per_hour
        expected = 0 if hour >= 22 or hour < 6 else 1 if 17 <= hour < 21 else NO_WINDOW
        assert owner[slot] == expected
    names = period_of_slot(window_periods(windows, "rest", slots), slots)
    assert names == [["night", "peak", "rest"][k] for k in owner]


def test_random_windows_read_as_periods_of_a_tariff() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        first = Window(int(rng.integers(24)), int(rng.integers(1, 12)))
        second = Window((first.start + first.width) % 24, int(rng.integers(1, 12)))  # side by side
        windows = {"a": first, "b": second}
        names = period_of_slot(window_periods(windows, "rest", 24), 24)
        assert names == [{0: "a", 1: "b", NO_WINDOW: "rest"}[k] for k in window_of_slot(windows, 24)]
