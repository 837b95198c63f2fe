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
from meanwatt.agents.tariff.ratebook.day_kernels import NUMBERS, STEPS, Counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayPlan:
    """The days of a calendar under some schedules.

    Parameters
    ----------
    month_day, day_block : (month + 1,), (day + 1,)
        First day of each month, and first block of each day: `STEPS` intervals of it, or what is left of them.
    block_first, block_length, block_row : (block,)
        First interval of each block, how many it has, and where its numbers lie: blocks of a pattern one by one,
        `NUMBERS` numbers of each interval.
    place : (month, interval of a day of each pattern)
        Where each interval's numbers go: the month and the period of the first schedule, as one number.
    month_run : (schedule, month + 1)
        First run of each month under each schedule.
    run_first, run_length, run_place : (run,)
        Intervals of a block that go to one place: where the first one's numbers lie, how many there are, and the place,
        numbered through all schedules.
    shapes : (schedule,) of (month, period)
        How the numbers of each schedule are laid out.
    """

    __repr__ = short_repr

    month_day: Ints
    day_block: Ints
    block_first: Counts
    block_length: Counts
    block_row: Counts
    place: Ints
    month_run: Ints
    run_first: Ints
    run_length: Ints
    run_place: Ints
    shapes: tuple[tuple[int, int], ...]

    @property
    def arrays(self) -> tuple[tuple[Ints, Ints], tuple[Counts, Counts, Counts], Ints, tuple[Ints, Ints, Ints, Ints]]:
        """Days, blocks, places and runs, as `meanwatt.agents.tariff.ratebook.day_kernels.sum_days` takes them."""
        return (
            (self.month_day, self.day_block),
            (self.block_first, self.block_length, self.block_row),
            self.place,
            (self.month_run, self.run_first, self.run_length, self.run_place),
        )

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
    blocks = -(-length // STEPS)
    width = int(blocks.max()) * STEPS
    place_of = np.full((len(rows), calendar.months, max(count), width), -1)
    for day, start in enumerate(first.tolist()):
        inside = rows[:, start : start + length[day]]
        place_of[:, month[day], pattern[day], : length[day]] = foot[:, month[day], None] + inside
    day_block = np.cumsum([0, *blocks.tolist()])
    of_block = np.repeat(np.arange(len(first)), blocks)
    skipped = (np.arange(len(of_block)) - day_block[of_block]) * STEPS
    return DayPlan(
        month_day=as_input(np.searchsorted(month, np.arange(calendar.months + 1))),
        day_block=as_input(day_block),
        block_first=as_input((first[of_block] + skipped).astype(np.uint64)),
        block_length=as_input(np.minimum(STEPS, length[of_block] - skipped).astype(np.uint64)),
        block_row=as_input((NUMBERS * (pattern[of_block] * width + skipped)).astype(np.uint64)),
        place=as_input(np.maximum(place_of[0], 0).reshape(calendar.months, -1)),
        **_runs(place_of),
        shapes=tuple(shapes),
    )


def _runs(place: Ints) -> dict[str, Ints]:
    """Runs of intervals of a block with one place, from places (schedule, month, pattern, interval); -1 is none."""
    schedules, months = place.shape[:2]
    blocks = place.reshape(schedules * months, -1, STEPS)
    new = np.diff(blocks, axis=2, prepend=-2) != 0
    starts = np.flatnonzero(new)
    length = np.diff(starts, append=blocks.size)
    where, cell = np.divmod(starts, blocks[0].size)
    kept = blocks.reshape(-1)[starts] >= 0
    first = np.searchsorted(where[kept], np.arange(schedules * months + 1))
    last_of = first[1:].reshape(schedules, months)[:, -1:]
    return {
        "month_run": as_input(np.concatenate([first[:-1].reshape(schedules, months), last_of], axis=1)),
        "run_first": as_input((cell // STEPS * (NUMBERS * STEPS) + cell % STEPS)[kept]),
        "run_length": as_input(length[kept]),
        "run_place": as_input(blocks.reshape(-1)[starts][kept]),
    }
