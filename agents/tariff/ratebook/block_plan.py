"""The intervals of a calendar in blocks of 24, sorted by the periods that they go through.

Within a month most days have one of two patterns, that of weekdays and that of weekends. So the readings of many blocks
can be added up interval by interval, all 24 at once, and only the month's sums are shared out to periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, as_input
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.block_kernels import STEPS, TOGETHER, Counts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockPlan:
    """The blocks of a calendar under some schedules.

    A block is `STEPS` intervals of a day and a month, or what is left of them: a day of 23 hours leaves an hour of its
    block empty, one of 25 begins a second block. The blocks of a month lie one behind the other in the room of a month,
    and an empty one behind the last.

    Parameters
    ----------
    month_stretch : (month + 1,)
        First stretch of each month.
    stretch_first, stretch_length, stretch_to : (stretch,)
        Intervals that follow one another in the readings and in the room of their month: the first one's index, how
        many, and where they go.
    month_block : (month + 1,)
        First block of each month.
    block_row : (block,)
        Where the row of its sums begins: blocks that go through the same periods of a month share a row.
    month_group : (month + 1,)
        First group of each month.
    group_block : (group, `TOGETHER`)
        Where blocks of one row begin in the room of their month; the empty one where there are no more of them.
    group_row : (group,)
        Where their row begins.
    month_pair : (schedule, month + 1)
        First pair of each month under each schedule.
    pair_row, pair_place : (pair,)
        A row, and a place that some of its intervals go to: a month and a period, numbered through all schedules.
    pair_share : (pair, `STEPS`)
        1 for the intervals that go there, else 0.
    shapes : (schedule,) of (month, period)
        How the numbers of each schedule are laid out.
    """

    __repr__ = short_repr

    month_stretch: Ints
    stretch_first: Ints
    stretch_length: Ints
    stretch_to: Ints
    month_block: Ints
    block_row: Counts
    month_group: Ints
    group_block: Counts
    group_row: Counts
    month_pair: Ints
    pair_row: Counts
    pair_place: Ints
    pair_share: Floats
    shapes: tuple[tuple[int, int], ...]

    @property
    def arrays(
        self,
    ) -> tuple[
        tuple[Ints, Ints, Ints, Ints],
        tuple[Ints, Counts],
        tuple[Ints, Counts, Counts],
        tuple[Ints, Counts, Ints, Floats],
    ]:
        """Stretches, blocks, groups and shares, as `meanwatt.agents.tariff.ratebook.block_kernels` takes them."""
        return (
            (self.month_stretch, self.stretch_first, self.stretch_length, self.stretch_to),
            (self.month_block, self.block_row),
            (self.month_group, self.group_block, self.group_row),
            (self.month_pair, self.pair_row, self.pair_place, self.pair_share),
        )

    @property
    def places(self) -> int:
        """Months and periods of all schedules."""
        return sum(months * periods for months, periods in self.shapes)


def plan_blocks(calendar: BillingCalendar, period: Sequence[Ints], shapes: Sequence[tuple[int, int]]) -> BlockPlan:
    """Sort the blocks of a calendar.

    Parameters
    ----------
    period : (schedule,) of (interval,)
        Period of each interval under each schedule.
    shapes : (schedule,) of (month, period)
        How many there are.
    """
    first, length = _cut(calendar)
    month = calendar.month[first]
    month_block = np.searchsorted(month, np.arange(calendar.months + 1))
    offsets = np.cumsum([0, *(months * periods for months, periods in shapes[:-1])])
    foot = offsets[:, None] + calendar.month * np.array([[periods] for _, periods in shapes])
    inside = np.arange(STEPS) < length[:, None]
    place = np.full((len(shapes), len(first), STEPS), -1)
    place[:, inside] = foot + np.stack(period)
    patterns, pattern = np.unique(place.transpose(1, 0, 2).reshape(len(first), -1), axis=0, return_inverse=True)
    return BlockPlan(
        **_stretches(first, length, month, month_block),
        month_block=as_input(month_block),
        **_rows(patterns.reshape(len(patterns), len(shapes), STEPS), pattern.reshape(-1), month, month_block),
        shapes=tuple(shapes),
    )


def _cut(calendar: BillingCalendar) -> tuple[Ints, Ints]:
    """First interval and length of the blocks, which begin anew with every day and every month."""
    new = (np.diff(calendar.day, prepend=-1) != 0) | (np.diff(calendar.month, prepend=-1) != 0)
    start = np.flatnonzero(new)
    since = np.arange(calendar.intervals) - np.repeat(start, np.diff(start, append=calendar.intervals))
    first = np.flatnonzero(since % STEPS == 0)
    return first, np.diff(first, append=calendar.intervals)


def _stretches(first: Ints, length: Ints, month: Ints, month_block: Ints) -> dict[str, Any]:
    """Blocks that follow one another without a gap."""
    to = (np.arange(len(first)) - month_block[month]) * STEPS
    new = (np.diff(month, prepend=-1) != 0) | (np.concatenate([[STEPS], length[:-1]]) != STEPS)
    start = np.flatnonzero(new)
    return {
        "month_stretch": as_input(np.searchsorted(month[start], np.arange(len(month_block)))),
        "stretch_first": as_input(first[start]),
        "stretch_length": as_input(np.add.reduceat(length, start)),
        "stretch_to": as_input(to[start]),
    }


def _rows(patterns: Ints, pattern: Ints, month: Ints, month_block: Ints) -> dict[str, Any]:
    """Rows of sums, the groups of blocks that are added up in them, and the places that they go to.

    Parameters
    ----------
    patterns : (pattern, schedule, step)
        Places that blocks go through; -1 is none.
    pattern : (block,)
        Pattern of each block.
    """
    months = len(month_block) - 1
    own = month[np.unique(pattern, return_index=True)[1]]
    row = np.empty(len(patterns), dtype=np.int64)
    groups, group_row, of_month = [], [], []
    for one in range(months):
        here = np.flatnonzero(own == one)
        row[here] = np.arange(len(here))
        empty = month_block[one + 1] - month_block[one]
        for each in here.tolist():
            blocks = np.flatnonzero(pattern == each) - month_block[one]
            filled = np.full(-(-len(blocks) // TOGETHER) * TOGETHER, empty)
            filled[: len(blocks)] = blocks
            groups.append(filled.reshape(-1, TOGETHER))
            group_row += [row[each]] * len(groups[-1])
            of_month += [one] * len(groups[-1])
    return {
        "block_row": as_input((row[pattern] * STEPS).astype(np.uint64)),
        "month_group": as_input(np.searchsorted(of_month, np.arange(months + 1))),
        "group_block": as_input((np.concatenate(groups) * STEPS).astype(np.uint64)),
        "group_row": as_input((np.array(group_row) * STEPS).astype(np.uint64)),
        **_pairs(patterns, own, row, months),
    }


def _pairs(patterns: Ints, own: Ints, row: Ints, months: int) -> dict[str, Any]:
    """Rows and the places that their intervals go to, by schedule and month; see `_rows`.

    Parameters
    ----------
    own, row : (pattern,)
        Month of each pattern, rising, and its row.
    """
    found = [
        (schedule * months + own[pattern], row[pattern] * STEPS, place, patterns[pattern, schedule] == place)
        for schedule in range(patterns.shape[1])
        for pattern in range(len(patterns))
        for place in np.unique(patterns[pattern, schedule][patterns[pattern, schedule] >= 0]).tolist()
    ]
    where, rows, places, share = (np.array(column) for column in zip(*found, strict=True))
    begin = np.searchsorted(where, np.arange(patterns.shape[1] * months + 1))
    first = begin[:-1].reshape(-1, months)
    return {
        "month_pair": as_input(np.concatenate([first, begin[months::months, None]], axis=1)),
        "pair_row": as_input(rows.astype(np.uint64)),
        "pair_place": as_input(places),
        "pair_share": as_input(share.astype(np.float64)),
    }
