"""Rounding to whole units: it adds up, it stays close, and it does not care about the sign."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.shared.rounding import largest_remainder

EXACT = st.lists(st.floats(-5000, 5000), min_size=1, max_size=12)


@given(EXACT)
def test_rounded_parts_sum_to_the_total_and_each_is_within_a_unit(parts: list[float]) -> None:
    total = round(math.fsum(parts))
    rounded = largest_remainder(parts, total)
    assert sum(rounded) == total
    assert all(abs(whole - part) <= 1 for whole, part in zip(rounded, parts, strict=True))


@given(EXACT, st.integers(-3, 3))
def test_a_total_that_is_a_little_off_is_met_all_the_same(parts: list[float], off: int) -> None:
    total = round(math.fsum(parts)) + off
    rounded = largest_remainder(parts, total)
    assert sum(rounded) == total
    assert all(abs(whole - part) <= 2 + abs(off) for whole, part in zip(rounded, parts, strict=True))


@given(st.lists(st.one_of(st.floats(-50, 50), st.integers(-20, 20).map(lambda n: n / 4)), min_size=1, max_size=8))
def test_turning_every_sign_turns_every_result(parts: list[float]) -> None:
    total = round(math.fsum(parts))
    assert largest_remainder([-part for part in parts], -total) == [-whole for whole in largest_remainder(parts, total)]


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=8))
def test_whole_numbers_stay(parts: list[int]) -> None:
    assert largest_remainder(parts, sum(parts)) == parts


@given(EXACT)
def test_no_other_rounding_to_the_same_total_is_closer(parts: list[float]) -> None:
    """Moving a unit from one part to another never lowers the sum of squared errors (Hamilton's method)."""
    total = round(math.fsum(parts))
    assume(abs(total - math.fsum(parts)) <= 0.5)
    rounded = largest_remainder(parts, total)
    errors = [whole - part for whole, part in zip(rounded, parts, strict=True)]
    assert max(errors) - min(errors) <= 1 + 1e-9


def test_the_largest_remainders_get_what_is_left() -> None:
    assert largest_remainder([1.4, 2.4, 3.2], 7) == [1, 3, 3] or largest_remainder([1.4, 2.4, 3.2], 7) == [2, 2, 3]
    assert largest_remainder([0.6, 0.6, 0.8], 2) == [1, 0, 1]


def test_nothing_to_share_among_is_refused() -> None:
    with pytest.raises(ValueError, match="parts is empty; give at least one number"):
        largest_remainder([], 0)
