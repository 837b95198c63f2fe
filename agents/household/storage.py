"""What stands behind the meter that can hold energy, as the day's arrays: the one step that solvers and markets share.

A storage offers moves between levels. A battery offers the same ones in every slot. An electric vehicle offers them
only while it is plugged in; on the road it does what the trip asks for, and that is a draw by nature: in such a slot
the probability of every move is given, whatever the household would prefer, and none of them passes the meter. So a
slot's step is always a probability of moves, chosen or given, and what carries a law or a value along a policy needs to
know nothing of vehicles.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, read_only
from meanwatt.agents.numerics.short_repr import short_repr

NO_TRIP = read_only(np.empty(0))
ALWAYS_CHOSEN = read_only(np.empty((0, 0, 0)))
"""Given probabilities of a storage that is never on the road."""


def feasible(levels: int, move: Ints) -> Bools:
    """Tell which moves stay on the grid.

    Returns
    -------
    (level, move) bool
    """
    target = np.arange(levels)[:, None] + move[None, :]
    return np.asarray((target >= 0) & (target < levels))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """Which moves are chosen among in each slot, and how nature draws them where nobody chooses.

    Attributes
    ----------
    bounds : (h, 2) int
        Number of the first move to choose from and of the one after the last; equal where nature draws.
    given : (h, e, j)
        Probability of each move from each level where nature draws, 0 elsewhere; empty where that is in no slot.
    """

    __repr__ = short_repr

    bounds: Ints
    given: Floats = field(default_factory=lambda: ALWAYS_CHOSEN)

    @property
    def chosen(self) -> Bools:
        """Slots in which the household chooses. (h,)"""
        return np.asarray(self.bounds[:, 0] < self.bounds[:, 1])

    def impose(self, probability: Floats) -> None:
        """Write the given probabilities into a policy (…, h, e, z, j), where nature draws."""
        if self.given.size:
            drawn = ~self.chosen
            probability[..., drawn, :, :, :] = self.given[drawn][:, :, None]

    def open_moves(self, levels: int, move: Ints) -> Bools:
        """Moves that may be made: on the grid, and to choose from or drawn with a positive probability. (h, e, j)"""
        number = np.arange(move.size)
        among = (number >= self.bounds[:, :1]) & (number < self.bounds[:, 1:])
        open_to = among[:, None, :] & feasible(levels, move)
        return np.asarray(open_to | (self.given > 0) if self.given.size else open_to)


@cache
def every_move(slots: int, count: int) -> Choice:
    """The choice among all moves in every slot."""
    return Choice(bounds=frozen(np.tile(np.array([0, count], dtype=np.int64), (slots, 1))))


def frozen(numbers: Ints) -> Ints:
    """The same, refusing to be written to: one kind of array for everybody, so that kernels are compiled once."""
    numbers.setflags(write=False)
    return numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StorageDay:
    """Moves of a storage over the slots of a day.

    Attributes
    ----------
    levels
        Number of levels; 1 without a storage.
    level_kwh
        Energy between two levels; 0 without a storage. [kWh]
    moves : (j,) int
        Level changes, consecutive and ascending.
    power_kw : (h, j)
        Power drawn from the grid side; positive charges, negative discharges. [kW]
    cost_usd : (j,) or (h, 1, j)
        What a move costs beside its electricity: wear, and what a trip lacks. [USD]
    choice
        Which of the moves are chosen among.
    trip_levels : (h,)
        Levels that the trip which begins with a slot needs; empty where there are no trips.
    """

    __repr__ = short_repr

    levels: int
    level_kwh: float
    moves: Ints
    power_kw: Floats
    cost_usd: Floats
    choice: Choice
    trip_levels: Floats = field(default_factory=lambda: NO_TRIP)

    @property
    def open_moves(self) -> Bools:
        """Moves that may be made. (h, e, j)"""
        return self.choice.open_moves(self.levels, self.moves)

    @property
    def still(self) -> int:
        """Number of the move that stands still."""
        return -int(self.moves[0])

    @property
    def level_cost_usd(self) -> float:
        """What a level costs beside its electricity in a slot whose moves are those of every slot. [USD]"""
        return float(self.cost_by_slot_usd()[0, self.still + 1]) if self.moves[-1] > 0 else 0.0

    def total_cost_usd(self, charged: Ints, discharged: Ints, households: int) -> float:
        """What a day's moves cost so many households, from the levels they charged and discharged by slot. [USD]

        The cost of a move is a straight line on either side of standing still; what a trip lacks is what it needs less
        what the batteries gave.
        """
        cost, still = self.cost_by_slot_usd(), self.still
        up, down = (cost[:, np.clip(still + step, 0, self.moves.size - 1)] - cost[:, still] for step in (1, -1))
        return float(households * cost[:, still].sum() + charged @ up + discharged @ down)

    def unmet_kwh(self, discharged: Floats) -> float:
        """Energy that a day's trips need and do not get, of mean levels (h,) that households discharged. [kWh]

        Exact in expectation. Where a trip is no whole number of levels it is drawn between two, and the mean of
        finitely many draws scatters about it, also below zero.
        """
        if not self.trip_levels.size:
            return 0.0
        return self.level_kwh * float((self.trip_levels - discharged * (self.trip_levels > 0)).sum())

    def cost_by_slot_usd(self) -> Floats:
        """What a move costs beside its electricity. (h, j) [USD]"""
        return np.asarray(np.broadcast_to(self.cost_usd.reshape(-1, self.moves.size), self.power_kw.shape))


class Storage(Protocol):
    """A battery behind the meter, at home or in a vehicle."""

    @property
    def levels(self) -> int:
        """Number of levels."""

    @property
    def level_kwh(self) -> float:
        """Energy between two neighbouring levels. [kWh]"""

    def day(self, slots: int, slot_hours: float) -> StorageDay:
        """Moves over the slots of a day."""


@cache
def storage_day(storage: Storage | None, slots: int, slot_hours: float) -> StorageDay:
    """Work out the day of a storage, once; None is a household without one.

    Parameters
    ----------
    slots
        Slots of the day.
    slot_hours
        Length of a slot. [h]
    """
    if storage is not None:
        return storage.day(slots, slot_hours)
    return StorageDay(
        levels=1,
        level_kwh=0.0,
        moves=frozen(np.zeros(1, dtype=np.int64)),
        power_kw=read_only(np.zeros((slots, 1))),
        cost_usd=read_only(np.zeros(1)),
        choice=every_move(slots, 1),
    )
