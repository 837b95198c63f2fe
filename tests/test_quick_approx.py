"""Whole arrays are judged as pytest judges them entry by entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quick_approx import OF_ARRAYS, OF_NUMBERS, surely_equal

NUMBERS = st.sampled_from(
    [0.0, -0.0, 1.0, 1.0 + 1e-7, 1.0 + 1e-6, 1.0 + 3e-6, -1.0, 1e-13, 1e300, np.inf, -np.inf, np.nan]
)
TOLERANCES = st.sampled_from([None, 0.0, 1e-12, 1e-6, 1e-3, 2.0, float("inf")])


def one_by_one(actual: np.ndarray, expected: np.ndarray, rel: float | None, absolute: float | None) -> bool:
    """Pytest's rule of plain floats, in a loop."""
    pairs = zip(actual.tolist(), expected.tolist(), strict=True)
    return all(one == pytest.approx(other, rel=rel, abs=absolute) for one, other in pairs)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4), TOLERANCES, TOLERANCES)
def test_arrays_and_numbers_are_equal_where_pytest_says_so(
    pairs: list[tuple[float, float]], rel: float | None, absolute: float | None
) -> None:
    actual, expected = np.array(pairs).T.copy()
    if rel == np.inf and (expected == 0).any():  # infinity times 0 is refused
        return
    same = one_by_one(actual, expected, rel, absolute)
    assert surely_equal(actual, expected, rel, absolute) == same
    assert (actual == pytest.approx(expected, rel=rel, abs=absolute)) == same
    number = float(expected[0])
    same = one_by_one(actual, np.full_like(actual, number), rel, absolute)
    assert surely_equal(actual, number, rel, absolute) == same
    assert (actual == pytest.approx(number, rel=rel, abs=absolute)) == same


def test_a_single_entry_too_far_away_is_found_and_told() -> None:
    expected = np.linspace(1.0, 2.0, 1000).reshape(10, 100)
    actual = expected.copy()
    assert actual == pytest.approx(expected, abs=1e-9)
    actual[3, 7] += 1e-8
    assert not surely_equal(actual, expected, None, 1e-9)
    with pytest.raises(AssertionError, match=r"Mismatched elements: 1 / 1000"):
        assert actual == pytest.approx(expected, abs=1e-9)
    assert actual != pytest.approx(expected[:5], abs=1.0)


def test_what_is_no_array_of_doubles_or_no_tolerance_is_left_to_pytest() -> None:
    assert not surely_equal([1.0], np.ones(1), None, None)
    assert not surely_equal(np.ones(1, dtype=int), np.ones(1), None, None)
    assert pytest.approx(np.ones(1)) == [1.0]
    assert np.ones(3, dtype=np.float32) == pytest.approx(1.0)
    for absolute, line in ((-1.0, "absolute tolerance can't be negative"), (np.nan, "absolute tolerance can't be NaN")):
        with pytest.raises(ValueError, match=line):
            assert np.zeros(2) == pytest.approx(np.ones(2), abs=absolute)
    assert OF_ARRAYS.__eq__.__module__ == OF_NUMBERS.__eq__.__module__ == "quick_approx", "installed by conftest.py"
