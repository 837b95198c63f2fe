"""A scenario in the making: its table, where each part of it comes from, and what is to be said."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats

LEAST_FACTOR: Final = 1e-3
"""Factors below it are 0 in a file."""


@dataclass(slots=True)
class MadeScenario:
    """A scenario's table, where its tables come from, and what is to be said of it.

    Attributes
    ----------
    table
        As a file holds it.
    measured
        Dotted keys and tables that come from the readings, and what of them.
    messages
        A sentence each.
    """

    table: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


def rounded(value: float) -> float:
    """A number to six digits."""
    return float(f"{value:.6g}")


def listed(values: Floats) -> list[float]:
    """Numbers as a file holds them; what is all but 0 is 0."""
    return [0.0 if abs(one) < LEAST_FACTOR else float(f"{one:.4g}") for one in np.maximum(values, 0.0).tolist()]


def ratios(part: Floats | None, whole: Floats) -> list[float]:
    """A part of a whole hour by hour; 1 where there is no part, or nothing of the whole."""
    if part is None:
        return [1.0] * len(whole)
    return listed(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 1.0))
