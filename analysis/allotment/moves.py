"""Which homes a shift of load turns into which: those that keep what they own, and those that gain or lose it.

A group's shares by technology before and after do not say which home moved. Homes keep what they own as far as the
shares allow. Of the others those come first that differ by a home battery alone; the rest is matched in proportion.
At each of these steps homes stay on their branch of the feeder, and in the rate class that they chose, as far as the
shares allow.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.scenario.technologies import TECHNOLOGIES, battery_of

LEAST_SHARE: Final = 1e-12
"""A share of the population below it is rounding."""

_KEPT: Final = {one.name: (one.solar, None if one.storage is battery_of else one.storage) for one in TECHNOLOGIES}
"""What a home has beside a home battery, by technology."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Homes that are of one type before a shift and of one type after it.

    Attributes
    ----------
    before, after
        Places of the types.
    share
        Of the population, above 0.
    """

    before: int
    after: int
    share: float


def entries_of(before: tuple[HouseholdType, ...], after: tuple[HouseholdType, ...]) -> list[Entry]:
    """Match the household types of two populations whose income groups have the same shares.

    Returns
    -------
    list of Entry
        By type before, then by type after; their shares sum to one, and over either side to the types' shares.
    """
    old, new = (np.array([one.share for one in types]) for types in (before, after))
    moved = np.zeros((len(before), len(after)))
    for allowed in _steps(before, after):
        for place in sorted({one.group for one in before}):
            own = np.array([one.group == place for one in before])[:, None]
            for block in _blocks(allowed & own):
                moved += _in_proportion(old - moved.sum(axis=1), new - moved.sum(axis=0), block)
    return [Entry(before=i, after=j, share=float(moved[i, j])) for i, j in np.argwhere(moved > LEAST_SHARE).tolist()]


def _steps(before: tuple[HouseholdType, ...], after: tuple[HouseholdType, ...]) -> list[Bools]:
    """Which type before may turn into which after, step by step, those first that change least. (before, after) each"""

    def alike(what: Callable[[HouseholdType], Hashable]) -> Bools:
        return np.array([[what(one) == what(other) for other in after] for one in before])

    group, there = alike(lambda one: one.group), alike(lambda one: one.branch)
    anything = np.ones_like(group)
    owned = (alike(lambda one: one.technology), alike(lambda one: _KEPT[one.technology]), anything)
    chosen = alike(lambda one: one.rate_class)
    near = [own & alone for own in owned for alone in (chosen, anything)]
    return [group & place & one for place in (there, anything) for one in near]


def _blocks(allowed: Bools) -> list[Bools]:
    """The pairs allowed, apart by the set of types after that a type before may turn into."""
    rows = {row.tobytes() for row in allowed if row.any()}
    return [allowed & (allowed == np.frombuffer(row, dtype=bool)).all(axis=1)[:, None] for row in sorted(rows)]


def _in_proportion(losing: Floats, gaining: Floats, block: Bools) -> Floats:
    """As many homes as both sides of a block have left to match, in proportion to either."""
    out = np.maximum(losing, 0.0) * block.any(axis=1)
    to = np.maximum(gaining, 0.0) * block.any(axis=0)
    if not out.sum() > LEAST_SHARE or not to.sum() > LEAST_SHARE:
        return np.zeros(block.shape)
    return np.asarray(min(out.sum(), to.sum()) * np.outer(out / out.sum(), to / to.sum()))
