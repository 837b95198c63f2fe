"""The days of a calendar in patterns: hours of the clock and the month and period that each of them belongs to.

Within a month most days have one of two patterns, that of weekdays and that of weekends. So the readings of many days
can be added up hour by hour, all hours at once, and only the month's sums are shared out to periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Ints, as_input
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayPlan:
    """The days of a calendar under some schedules.

    Parameters
    ----------
    first, length : (day,)
        First interval of each day, and how many it has.
    pattern : (day,)
        Which of its month's patterns it has.
    month_first : (month + 1,)
        First day of each month.
    place : (schedule, month, pattern, interval of the day)
        Where each interval's numbers go: the month and the period under each schedule, numbered through all schedules.
    shapes : (schedule,) of (month, period)
        How the numbers of each schedule are laid out.
    """

    __repr__ = short_repr

    first: Ints
    length: Ints
    pattern: Ints
    month_first: Ints
    place: Ints
    shapes: tuple[tuple[int, int], ...]

    @property
    def places(self) -> int:
        """Months and periods of all schedules."""
        return sum(months * periods for months, periods in self.shapes)


def plan_days(calendar: BillingCalendar, period: Sequence[Ints], shapes: Sequence[tuple[int, int]]) -> DayPlan | None:
    """Sort the days of a calendar into patterns; None if a day belongs to two months.

    Parameters
    ----------
    period : (schedule,) of (interval,)
        Period of each interval under each schedule.
    shapes : (schedule,) of (month, period)
        How many there are.
    """
    first = np.flatnonzero(np.diff(calendar.day, prepend=calendar.day[0] - 1))
    length = np.diff(first, append=calendar.intervals)
    month = calendar.month[first]
    if (month != calendar.month[first + length - 1]).any():
        return None
    rows = np.stack(period)
    known: dict[tuple[int, bytes], int] = {}
    count = [0] * calendar.months
    pattern = np.empty(len(first), dtype=np.int64)
    for day, (start, steps, place) in enumerate(zip(first.tolist(), length.tolist(), month.tolist(), strict=True)):
        key = (place, rows[:, start : start + steps].tobytes())
        if key not in known:
            known[key] = count[place]
            count[place] += 1
        pattern[day] = known[key]
    offsets = np.cumsum([0, *(months * periods for months, periods in shapes[:-1])])
    foot = offsets[:, None] + np.arange(calendar.months) * np.array([[periods] for _, periods in shapes])
    place_of = np.empty((len(rows), calendar.months, max(count), int(length.max())), dtype=np.int64)
    place_of[:] = foot[:, :, None, None]  # hours that a pattern has not hold nothing, and go anywhere
    for day, start in enumerate(first.tolist()):
        inside = rows[:, start : start + length[day]]
        place_of[:, month[day], pattern[day], : length[day]] = foot[:, month[day], None] + inside
    return DayPlan(
        first=as_input(first),
        length=as_input(length),
        pattern=as_input(pattern),
        month_first=as_input(np.searchsorted(month, np.arange(calendar.months + 1))),
        place=as_input(place_of),
        shapes=tuple(shapes),
    )
