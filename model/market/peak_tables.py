"""How the day's largest import rises in a market, where it is a part of households' states: tables for the kernel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Ints

_FULL = 2.0**32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakTables:
    """The rise of the largest import of all classes in one common state, one class behind the other.

    Attributes
    ----------
    ranks : (class,) int64
        Levels of the largest import; 1 of a class that carries none.
    lower : flat int16
        Level after a move, or the next below, (slot, row, move) per class.
    upper : flat uint32
        Chance of the level above that, of 2³².
    start : (class + 1,) int64
        Where each class begins in both.
    """

    ranks: Ints
    lower: npt.NDArray[np.int16]
    upper: npt.NDArray[np.uint32]
    start: Ints

    def of_class(self, class_index: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint32]]:
        """``lower`` and ``upper`` of one class; nothing of one that carries no largest import."""
        own = slice(self.start[class_index], self.start[class_index + 1])
        return self.lower[own], self.upper[own]

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What the kernel reads."""
        return self.ranks, self.lower, self.upper, self.start


def peak_tables(policies: Sequence[PolicyTable], common_state: int) -> PeakTables:
    """Tables of the classes' policies in one common state."""
    lower: list[Any] = [np.zeros(0, dtype=np.int16)]
    upper: list[Any] = [np.zeros(0, dtype=np.uint32)]
    for policy in policies:
        if policy.peak is not None:
            chance = np.minimum(np.rint(policy.peak.upper[common_state] * _FULL), _FULL - 1.0)
            lower.append(policy.peak.lower[common_state].astype(np.int16).ravel())
            upper.append(chance.astype(np.uint32).ravel())
    sizes = [policy.peak.lower[common_state].size if policy.peak else 0 for policy in policies]
    return PeakTables(
        ranks=np.array([policy.peak.count if policy.peak else 1 for policy in policies], dtype=np.int64),
        lower=np.concatenate(lower),
        upper=np.concatenate(upper),
        start=np.cumsum([0, *sizes], dtype=np.int64),
    )
