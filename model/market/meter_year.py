"""A year of a market's meters on the wall clock of a time zone, with its days of 23 and of 25 hours.

A market's day has the same slots all year, those of the wall clock. Where the clock skips an hour its energy is read
with the interval after it, and where an hour comes twice each time half of it: no kWh is lost, and none made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr

HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WallClock:
    """The intervals of a calendar year in a time zone.

    Attributes
    ----------
    starts : (interval,) datetime64, in UTC
        When each begins.
    source : (interval,)
        The market's interval, day after day, that each is read from.
    share : (interval,)
        The part of its energy.
    skipped, read_with : (few,)
        The market's intervals that the clock leaves out, and the intervals that their energy is read with.
    """

    __repr__ = short_repr

    starts: npt.NDArray[np.datetime64]
    source: Ints
    share: Floats
    skipped: Ints
    read_with: Ints

    def read(self, net_kwh: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Meters on the clock, from (household, the market's interval) net energy. (household, interval) [kWh]"""
        read = net_kwh[:, self.source] * self.share.astype(np.float32)
        for missing, place in zip(self.skipped.tolist(), self.read_with.tolist(), strict=True):
            read[:, place] += net_kwh[:, missing]
        return np.asarray(read)


def wall_clock(year: int, zone: str, slots: int) -> WallClock:
    """The intervals of a calendar year in a time zone.

    Parameters
    ----------
    slots
        Intervals of a day of 24 hours.

    Raises
    ------
    ValueError
        In one line, if the clock changes by a part of an interval.
    """
    step, place = timedelta(hours=HOURS) / slots, ZoneInfo(zone)
    begin, end = (datetime(one, 1, 1, tzinfo=place).astimezone(UTC) for one in (year, year + 1))
    rows = (end - begin) // step
    first = datetime(year, 1, 1)
    offsets = [((begin + row * step).astimezone(place).replace(tzinfo=None) - first) for row in range(rows)]
    if rows * step != end - begin or any(offset % step for offset in offsets):
        minutes = round(step.total_seconds() / 60)
        raise ValueError(
            f"calendar.time_zone is {zone}, whose clock changes by a part of a slot of {minutes} minutes; give more"
            " slots_per_day, or leave time_zone out"
        )
    source = np.array([offset // step for offset in offsets])
    whole = (datetime(year + 1, 1, 1) - first) // step
    count = np.bincount(source, minlength=whole)
    skipped = np.flatnonzero(count == 0)
    later = [int(np.flatnonzero(source > missing)[0]) for missing in skipped.tolist()]
    return WallClock(
        starts=np.array([np.datetime64((begin + row * step).replace(tzinfo=None), "s") for row in range(rows)]),
        source=source,
        share=1.0 / count[source],
        skipped=skipped,
        read_with=np.array(later, dtype=np.int64),
    )


def clock_messages(clock: WallClock, year: int, zone: str, slots: int) -> tuple[str, ...]:
    """What is done on the days on which the clock changes."""
    twice = clock.source[clock.share < 1]
    changes = (
        (clock.skipped, "the hour that the clock leaves out is read with the next one"),
        (twice, "the hour that comes twice is read half each time"),
    )
    return tuple(
        f"Meters in {zone}: on {np.datetime64(f'{year}-01-01') + day} {what}; no kWh is lost or made."
        for intervals, what in changes
        for day in np.unique(intervals // slots).tolist()
    )
