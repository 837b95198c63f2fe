"""The day's largest import so far as a part of a household's state, beside its stored energy.

A charge on the day's largest import is paid as it rises: the charge times the kW by which a slot's import exceeds all
before it that day. So the day's charges add up to the charge on its largest import, whatever the path. The largest
import so far lies on a grid of levels. An import between two levels moves it to one of them by chance, with the right
mean, so that nothing is charged too much or too little on average where it is decided. At midnight it begins anew at 0.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats, read_only
from meanwatt.agents.numerics.short_repr import short_repr

if TYPE_CHECKING:
    from meanwatt.agents.household.household_type import HouseholdType

OWN_SHARE = 2 / 3
"""Share of the levels up to the largest import without charging; charging adds the others."""
TIE_KW = 1e-9
"""Imports this near to each other are one level. [kW]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayPeak:
    """A charge on the day's largest import that a household carries in its state.

    Parameters
    ----------
    usd_per_kw
        For each kW of the largest import of a day, ≥ 0. [USD/kW per day]
    counted : (h,)
        Whether a slot's import counts.
    levels_kw : (level of the largest import,)
        Grid of the largest import so far, rising from 0, at least two. [kW]

    Raises
    ------
    ValueError
        If the levels do not rise from 0.
    """

    __repr__ = short_repr

    usd_per_kw: float
    counted: Bools
    levels_kw: Floats

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        levels = read_only(self.levels_kw)
        if levels.size < 2 or levels[0] != 0 or not (np.diff(levels) > 0).all():
            raise ValueError(f"levels_kw is {levels.tolist()}; give at least two that rise from 0")
        object.__setattr__(self, "levels_kw", levels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakSteps:
    """How the largest import so far rises under a policy. A row is a state (e, z, largest import), numbered in order.

    Attributes
    ----------
    levels_kw : (level of the largest import,)
        As in `DayPeak`. [kW]
    lower : (c, h, row, j) int16
        Level after a move, or the next below.
    upper : (c, h, row, j)
        Chance that it is the level above that.
    """

    __repr__ = short_repr

    levels_kw: Floats
    lower: npt.NDArray[np.int16]
    upper: Floats

    @property
    def count(self) -> int:
        """Number of levels of the largest import."""
        return self.levels_kw.size

    @property
    def raised_kw(self) -> Floats:
        """Mean rise of the largest import. (c, h, row, j) [kW]"""
        gap = np.diff(self.levels_kw, append=self.levels_kw[-1])
        after = self.levels_kw[self.lower] + self.upper * gap[self.lower]
        rows = self.lower.shape[2]
        return np.asarray(after - np.tile(self.levels_kw, rows // self.count)[:, None])

    def by_shock(self, law: Floats) -> Floats:
        """A law (…, e, z · largest import) whatever the largest import is. (…, e, z)"""
        return np.asarray(law.reshape(*law.shape[:-1], -1, self.count).sum(axis=-1))


def peak_levels_kw(
    household: "HouseholdType", shock_levels: Floats, slot_hours: float, counted: Bools, count: int
) -> Floats:
    """Levels of the largest import so far, up to the largest that a household can draw in the slots that count. [kW]

    With fixed use, and no more of them than ``count``, they are all imports that there can be, and nothing is rounded.
    Else two thirds lie evenly up to the largest import without charging, and the others evenly above; without a battery
    all lie evenly.
    """
    power = household.storage_day(slot_hours).power_kw
    use = household.reference_kw[:, counted, None] * shock_levels
    sun = household.pv_kw[:, counted, None]
    fixed = household.elasticity == 0 or household.flexibility == 0
    if fixed and not (household.curtailable and household.pv_kw.any()):
        drawn = np.unique(np.maximum((use - sun)[..., None] + power[counted][:, None, :], 0.0))
        levels = drawn[np.concatenate([[True], np.diff(drawn) > TIE_KW])] if drawn.size else drawn
        levels = levels if levels.size and levels[0] == 0 else np.concatenate([[0.0], levels])
        if 2 <= levels.size <= count:
            return np.asarray(levels)
    most = use * (1.0 if fixed else 1.0 + household.flexibility)
    reach = most if household.curtailable else most - sun
    own = float(reach.max(initial=0.0))
    top = float((reach + np.maximum(power.max(axis=1), 0.0)[counted, None]).max(initial=0.0))
    if own <= TIE_KW or top - own <= TIE_KW or count < 4:
        return np.linspace(0.0, max(top, TIE_KW), count)
    below = max(round(OWN_SHARE * count), 2)
    return np.concatenate([np.linspace(0.0, own, below), np.linspace(own, top, count - below + 1)[1:]])
