"""Which month, day, hour and kind of day each interval of a meter belongs to."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr

MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BillingCalendar:
    """The intervals of a meter in the months that are billed.

    Parameters
    ----------
    month : (interval,)
        Index of the billed month, rising by steps of one from 0.
    day : (interval,)
        Index of the day, rising from 0.
    hour : (interval,)
        Hour of the local clock, 0 to 23.
    weekend : (interval,)
        Whether the weekend's schedule holds: Saturday, Sunday, or a holiday.
    number : (month,)
        The months' place in the year, 0 to 11.
    days : (month,)
        Days billed of each month.
    interval_hours
        Length of an interval. [h]
    days_of_year
        365, or 366.
    """

    __repr__ = short_repr

    month: Ints
    day: Ints
    hour: Ints
    weekend: Bools
    number: Ints
    days: Floats
    interval_hours: float
    days_of_year: int = DAYS_PER_YEAR

    @property
    def intervals(self) -> int:
        """Number of intervals."""
        return len(self.month)

    @property
    def months(self) -> int:
        """Number of months billed."""
        return len(self.number)

    def part(self, first: int, last: int) -> "BillingCalendar":
        """The months from ``first`` to before ``last`` by themselves."""
        inside = slice(*np.searchsorted(self.month, (first, last)).tolist())
        return BillingCalendar(
            month=self.month[inside] - first,
            day=self.day[inside],
            hour=self.hour[inside],
            weekend=self.weekend[inside],
            number=self.number[first:last],
            days=self.days[first:last],
            interval_hours=self.interval_hours,
            days_of_year=self.days_of_year,
        )


def reference_year(intervals_per_hour: int = 1) -> BillingCalendar:
    """A year of 365 days whose 1 January is a Monday, without daylight saving time and holidays."""
    steps = 24 * intervals_per_hour
    day = np.repeat(np.arange(DAYS_PER_YEAR), steps)
    return BillingCalendar(
        month=np.repeat(np.repeat(np.arange(12), MONTH_DAYS), steps),
        day=day,
        hour=np.tile(np.repeat(np.arange(24), intervals_per_hour), DAYS_PER_YEAR),
        weekend=day % 7 >= 5,
        number=np.arange(12),
        days=np.array(MONTH_DAYS, dtype=float),
        interval_hours=1 / intervals_per_hour,
    )
