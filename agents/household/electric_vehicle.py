"""An electric vehicle: a battery that leaves every day, and must have its trip's energy when it does.

Between departure and return it is on the road. At departure the trip's energy leaves the battery; where less is there,
what is missing is bought on the way, at a price. A trip that is no whole number of levels is the next smaller or the
next larger number, with the right mean (``docs/reference/theory.md`` A7).
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.battery import Battery, grid_power_kw, moves, wear_usd
from meanwatt.agents.household.storage import Choice, StorageDay, frozen
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, read_only

WHOLE = 1e-9
"""A trip this near to a whole number of levels is one; a time this near to the edge of a slot lies on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricVehicle(Battery):
    """A car's battery with its daily trip; the battery's parameters as in `Battery`.

    Parameters
    ----------
    departure_hour, return_hour
        When the car is unplugged and plugged in, on edges of slots; a return before the departure is on the next day.
        [h after midnight, in [0, 24)]
    trip_kwh
        Energy in the cell that a day's trip takes, at most the capacity. [kWh]
    unmet_usd_per_kwh
        Price of energy that the trip needs and the battery lacks, ≥ 0. [USD/kWh]
    vehicle_to_grid
        Whether the car may give energy to the house and the grid.

    Raises
    ------
    ValueError
        If a parameter lies outside its range.
    """

    departure_hour: float
    return_hour: float
    trip_kwh: float
    unmet_usd_per_kwh: float
    vehicle_to_grid: bool = False

    def __post_init__(self) -> None:
        """Check every parameter once."""
        Battery.__post_init__(self)
        for name in ("departure_hour", "return_hour"):
            value = getattr(self, name)
            if not 0 <= value < 24:
                raise ValueError(f"ev {name} is {value}; give an hour in [0, 24)")
        if self.departure_hour == self.return_hour:
            raise ValueError(f"ev return_hour is {self.return_hour}, its departure_hour; give two different hours")
        if not 0 <= self.trip_kwh <= self.capacity_kwh:
            raise ValueError(f"ev trip_kwh is {self.trip_kwh}; give a number from 0 to capacity_kwh")
        if not (np.isfinite(self.unmet_usd_per_kwh) and self.unmet_usd_per_kwh >= 0):
            raise ValueError(f"ev unmet_usd_per_kwh is {self.unmet_usd_per_kwh}; give a number >= 0")

    @property
    def charges_only(self) -> bool:
        """Whether it never gives energy back to the house or the grid."""
        return not self.vehicle_to_grid

    @property
    def trip_levels(self) -> float:
        """A day's trip in levels, a whole number where it is one but for rounding."""
        levels = self.trip_kwh / self.level_kwh
        whole = round(levels)
        return float(whole) if abs(levels - whole) <= WHOLE * max(levels, 1.0) else levels

    def slot_of(self, hour: float, slots: int) -> int:
        """Number of the slot that begins at an hour; ValueError if none does."""
        place = hour * slots / 24
        if abs(place - round(place)) > WHOLE * slots:
            raise ValueError(f"hour {hour:g} lies within a slot of {24 / slots:g} h; give a multiple of it")
        return round(place) % slots

    def away(self, slots: int) -> Bools:
        """Slots in which the vehicle is on the road. (h,)"""
        leaves, returns = (self.slot_of(hour, slots) for hour in (self.departure_hour, self.return_hour))
        return np.asarray((np.arange(slots) - leaves) % slots < (returns - leaves) % slots)

    def day(self, slots: int, slot_hours: float) -> StorageDay:
        """Moves over the slots of a day: charging at home, the trip at departure, none on the road."""
        at_home = moves(self, slot_hours)
        furthest = int(np.ceil(self.trip_levels))
        deepest = -int(at_home[0]) if self.vehicle_to_grid else 0
        move = frozen(np.arange(-max(deepest, furthest), at_home[-1] + 1, dtype=np.int64))
        away, leaves = self.away(slots), self.slot_of(self.departure_hour, slots)
        first = int(np.searchsorted(move, -deepest))
        home = ~away[:, None] & (np.arange(move.size) >= first)
        cost = np.where(home, wear_usd(self, move), 0.0)
        cost[leaves] = self.unmet_usd_per_kwh * self.level_kwh * (self.trip_levels + np.minimum(move, 0))
        given = np.zeros((slots, self.levels, move.size))
        given[away, :, int(np.searchsorted(move, 0))] = 1.0
        given[leaves] = self._trip(move)
        bounds = np.where(away[:, None], 0, np.array([first, move.size], dtype=np.int64))
        return StorageDay(
            levels=self.levels,
            level_kwh=self.level_kwh,
            moves=move,
            power_kw=read_only(np.where(home, grid_power_kw(self, move, slot_hours), 0.0)),
            cost_usd=read_only(cost[:, None, :]),
            choice=Choice(bounds=frozen(np.ascontiguousarray(bounds)), given=read_only(given)),
            trip_levels=read_only(np.where(np.arange(slots) == leaves, self.trip_levels, 0.0)),
        )

    def _trip(self, move: Ints) -> Floats:
        """Probability of each level change at departure: as much of the trip as is there. (e, j)"""
        shorter = int(np.floor(self.trip_levels))
        longer = self.trip_levels - shorter
        taken = np.zeros((self.levels, move.size))
        level = np.arange(self.levels)
        for trip, chance in ((shorter, 1.0 - longer), (shorter + 1, longer)):
            if chance > 0:
                taken[level, np.searchsorted(move, -np.minimum(trip, level))] += chance
        return taken
