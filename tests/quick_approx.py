"""`pytest.approx` of whole arrays at once: pytest makes an object of every entry, four seconds for a million of them.

The rule is pytest's own, |actual − expected| ≤ max(rel · |expected|, abs), in the same double precision. Only a yes is
given here: whatever is not so, or is of another kind, is left to pytest, which judges anew and tells what differs.
"""

from typing import Any, Final

import numpy as np
import pytest

RELATIVE: Final = 1e-6
"""Pytest's own tolerance where neither is asked for, or the relative one alone is not,"""
ABSOLUTE: Final = 1e-12
"""and the absolute one."""
OF_ARRAYS: Final[Any] = type(pytest.approx(np.zeros(1)))
OF_NUMBERS: Final[Any] = type(pytest.approx(0.0))


def surely_equal(actual: Any, expected: Any, rel: float | None, abs_: float | None) -> bool:
    """Whether doubles, an array of them and an array of the same shape or a number, are within tolerance everywhere."""
    if not isinstance(actual, np.ndarray) or actual.dtype != np.float64:
        return False
    if isinstance(expected, np.ndarray):
        if expected.dtype != np.float64 or expected.shape != actual.shape:
            return False
    elif type(expected) not in (int, float, np.float64):
        return False
    relative = (RELATIVE if abs_ is None else 0.0) if rel is None else float(rel)
    absolute = ABSOLUTE if abs_ is None else float(abs_)
    if not (relative >= 0.0 and absolute >= 0.0):
        return False  # pytest says what is wrong with it
    wanted = np.asarray(expected, dtype=np.float64)
    with np.errstate(all="ignore"):
        near = np.abs(wanted - actual) <= np.maximum(relative * np.abs(wanted), absolute)
    return bool(((near & np.isfinite(wanted)) | (actual == wanted)).all())


def quicken(kind: Any) -> None:
    """Let pytest's class ask here first."""
    plainly = kind.__eq__

    def equal(self: Any, actual: Any) -> bool:
        return surely_equal(actual, self.expected, self.rel, self.abs) or bool(plainly(self, actual))

    kind.__eq__, kind.__hash__ = equal, None


def install() -> None:
    """Quicken both kinds, once in a process."""
    for kind in (OF_ARRAYS, OF_NUMBERS):
        if kind.__eq__.__module__ != __name__:
            quicken(kind)
