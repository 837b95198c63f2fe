"""Kernels over the days of many customers: sums and peaks by month and period, and a ladder of tiers over a month.

The order of sums, which decides on their last bits: readings of one hour of the clock are added day by day over the
days of a month that have one pattern, then the hours of a pattern one by one, then the patterns. No sum runs along the
intervals, so that several hours are added at once (vector code).

Readings are read in blocks of 24 intervals, a number that the compiler knows, by unsigned indices: a signed one may
count from the end of an array, and to ask whether it does keeps LLVM from vector code. One function reads all blocks
of a month, since a call with arrays costs as much as a block.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

DRAWN: Final = 0
FED: Final = 1
MOST: Final = 2
NUMBERS: Final = 3
"""What is kept of an hour of the clock."""
STEPS: Final = 24
"""Intervals of a block: a day of hours, or a part of a day of shorter intervals."""
BLOCK: Final = np.uint64(STEPS)
FOUR: Final = np.uint64(4)
EIGHT: Final = np.uint64(8)

Counts = npt.NDArray[np.uint64]


@compiled(thorough=True)
def sum_days(  # noqa: PLR0913
    net: bool,
    load: Floats,
    generation: Floats,
    days: tuple[Ints, Ints],
    blocks: tuple[Counts, Counts, Counts],
    place: Ints,
    runs: tuple[Ints, Ints, Ints, Ints],
    edges: Floats,
    limit: Floats,
    kwh: Floats,
    most: Floats,
    tiers: Floats,
) -> int:
    """What is drawn and fed in over months and periods, the most drawn in an interval, and tiers in the order of time.

    Parameters
    ----------
    net
        Whether load and generation meet behind one meter.
    load, generation : (customer, interval)
        Of ``generation`` one customer without intervals where there is none. Numbers of single precision are read as
        they are, and added up in double. [kWh]
    days : of (month + 1,), (day + 1,)
        First day of each month, first block of each day.
    blocks : of (block,)
        First interval of each block, its intervals, and the first place of its numbers among those of a month.
    place : (month, interval of a day of each pattern)
        See `meanwatt.agents.tariff.ratebook.day_plan.DayPlan`.
    runs : of (schedule, month + 1), (run,), (run,), (run,)
        First run of each month under each schedule, the energy charge's first; of each run of intervals that go to one
        place its first number, its intervals and the place.
    edges : (month, edge)
        Where a tier ends for any period, rising; without an edge no tiers are told. [kWh]
    limit : (month, period, tier)
        Ends of the tiers, the last one infinite. [kWh]
    kwh : (2, customer, place of the first schedule)
        Zeros; drawn and fed in. [kWh]
    most : (customer, place)
        Zeros; the largest draw of an interval. [kWh]
    tiers : (customer, month, period, tier)
        Zeros; what is drawn by tier. [kWh]

    Returns
    -------
    int
        Intervals with a load below 0.
    """
    month_day, day_block = days
    acc, bought = np.zeros(NUMBERS * place.shape[1]), np.zeros(STEPS * (day_block[-1] - day_block[0]))
    ends, at = np.zeros(day_block.size), np.zeros(limit.shape[1], np.int64)
    below = 0
    for customer in range(load.shape[0]):
        meters = load[customer], generation[customer % generation.shape[0]]
        found = tiers[customer], kwh[DRAWN, customer], at
        for month in range(place.shape[0]):
            first, last = month_day[month], month_day[month + 1]
            acc[:] = 0.0
            below += _read_month(net, meters, blocks, day_block[first], day_block[last], acc, bought)
            if edges.shape[1]:
                _total_days(bought, day_block, first, last, ends)
                _climb_month(month, days, blocks, place, runs, edges, limit, acc, bought, ends, found)
            else:
                _add_drawn(bought, blocks[2], day_block[first], day_block[last], acc)
                _to_tiers(acc, 0.0, month, runs, limit, found)
            _to_places(acc, month, runs, kwh[FED, customer], most[customer])
    return below


@compiled
def _read_month(
    net: bool,
    meters: tuple[Floats, Floats],
    blocks: tuple[Counts, Counts, Counts],
    first: int,
    last: int,
    acc: Floats,
    bought: Floats,
) -> int:
    """Read blocks: what is drawn in each interval, what is fed in and most drawn by hour; return loads below 0."""
    load, made = meters
    starts, steps, rows = blocks
    below = _read_blocks(net, load, made, starts, steps, rows, first, last, acc, bought)
    for block in range(first, last):
        if steps[block] < BLOCK:  # the end of a day that daylight saving changes; behind it nothing is read
            rest, few = np.zeros((2, STEPS)), np.int64(steps[block])
            start = np.int64(starts[block])
            rest[0, :few] = load[start : start + few]
            if made.size:
                rest[1, :few] = made[start : start + few]
            whole = np.full(1, BLOCK)
            part = bought[block * STEPS : (block + 1) * STEPS]
            given = rest[1, : made.size]
            below += _read_blocks(net, rest[0], given, np.zeros(1, np.uint64), whole, rows[block:], 0, 1, acc, part)
    return below


@compiled
def _read_blocks(  # noqa: PLR0913
    net: bool,
    load: Floats,
    made: Floats,
    starts: Counts,
    steps: Counts,
    rows: Counts,
    first: int,
    last: int,
    acc: Floats,
    bought: Floats,
) -> int:
    """Read those that are whole."""
    if made.size == 0:
        return _read_load(load, starts, steps, rows, first, last, acc, bought)
    if net:
        return _read_net(load, made, starts, steps, rows, first, last, acc, bought)
    return _read_two(load, made, starts, steps, rows, first, last, acc, bought)


@compiled
def _read_load(
    load: Floats,
    starts: Counts,
    steps: Counts,
    rows: Counts,
    first: int,
    last: int,
    acc: Floats,
    bought: Floats,
) -> int:
    """Without generation."""
    below = 0
    for block in range(first, last):
        if steps[block] == BLOCK:
            start, at, most = starts[block], np.uint64(block) * BLOCK, rows[block] + BLOCK + BLOCK
            for h in range(BLOCK):
                used = np.float64(load[start + h])
                bought[at + h] = used
                acc[most + h] = max(acc[most + h], used)
                below += int(used < 0.0)
    return below


@compiled
def _read_net(  # noqa: PLR0913
    load: Floats,
    made: Floats,
    starts: Counts,
    steps: Counts,
    rows: Counts,
    first: int,
    last: int,
    acc: Floats,
    bought: Floats,
) -> int:
    """Load and generation meet behind one meter."""
    below = 0
    for block in range(first, last):
        if steps[block] == BLOCK:
            start, at, fed = starts[block], np.uint64(block) * BLOCK, rows[block] + BLOCK
            most = fed + BLOCK
            for h in range(BLOCK):
                used = np.float64(load[start + h])
                taken = used - made[start + h]
                drawn = max(taken, 0.0)
                bought[at + h] = drawn
                acc[fed + h] += drawn - taken
                acc[most + h] = max(acc[most + h], drawn)
                below += int(used < 0.0)
    return below


@compiled
def _read_two(  # noqa: PLR0913
    load: Floats,
    made: Floats,
    starts: Counts,
    steps: Counts,
    rows: Counts,
    first: int,
    last: int,
    acc: Floats,
    bought: Floats,
) -> int:
    """Generation has a meter of its own."""
    below = 0
    for block in range(first, last):
        if steps[block] == BLOCK:
            start, at, fed = starts[block], np.uint64(block) * BLOCK, rows[block] + BLOCK
            most = fed + BLOCK
            for h in range(BLOCK):
                used, given = np.float64(load[start + h]), np.float64(made[start + h])
                sold = max(given, 0.0)
                drawn = used + (sold - given)
                bought[at + h] = drawn
                acc[fed + h] += sold
                acc[most + h] = max(acc[most + h], drawn)
                below += int(used < 0.0)
    return below


@compiled
def _total_days(bought: Floats, day_block: Ints, first: int, last: int, total: Floats) -> None:
    """Sum each day: eight sums of every eighth interval, then these in pairs."""
    lanes = np.zeros(int(EIGHT))
    for day in range(first, last):
        lanes[:] = 0.0
        for block in range(np.uint64(day_block[day]), np.uint64(day_block[day + 1])):
            at = block * BLOCK
            for k in range(EIGHT):
                lanes[k] = ((lanes[k] + bought[at + k]) + bought[at + EIGHT + k]) + bought[at + EIGHT + EIGHT + k]
        for k in range(FOUR):
            lanes[k] += lanes[k + FOUR]
        total[day] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


@compiled
def _climb_month(  # noqa: PLR0913
    month: int,
    days: tuple[Ints, Ints],
    blocks: tuple[Counts, Counts, Counts],
    place: Ints,
    runs: tuple[Ints, Ints, Ints, Ints],
    edges: Floats,
    limit: Floats,
    acc: Floats,
    bought: Floats,
    total: Floats,
    found: tuple[Floats, Floats, Ints],
) -> None:
    """Share a month out to tiers: whole days at once between the ends of tiers, interval by interval at them."""
    month_day, day_block = days
    rows = blocks[2]
    low = foot = 0.0
    edge, taken = 0, day_block[month_day[month]]
    for day in range(month_day[month], month_day[month + 1]):
        high = low + total[day]
        if edge < edges.shape[1] and high > edges[month, edge]:
            _add_drawn(bought, rows, taken, day_block[day], acc)
            _to_tiers(acc, foot, month, runs, limit, found)
            taken = day_block[day + 1]
            low = foot = _climb_day(bought, (day_block[day], taken), rows, low, month, place, limit, found)
            while edge < edges.shape[1] and edges[month, edge] <= low:
                edge += 1
        else:
            low = high
    _add_drawn(bought, rows, taken, day_block[month_day[month + 1]], acc)
    _to_tiers(acc, foot, month, runs, limit, found)


@compiled
def _add_drawn(bought: Floats, rows: Counts, first: int, last: int, acc: Floats) -> None:
    """Add what is drawn in the intervals of blocks to their hours."""
    for block in range(first, last):
        at, to = np.uint64(block) * BLOCK, rows[block]
        for h in range(BLOCK):
            acc[to + h] += bought[at + h]


@compiled
def _to_places(acc: Floats, month: int, runs: tuple[Ints, Ints, Ints, Ints], fed: Floats, most: Floats) -> None:
    """Share a month's hours out to the places of what is fed in and of the largest draw."""
    month_run, first, length, place = runs
    for run in range(month_run[0, month], month_run[0, month + 1]):
        to, start = place[run], first[run]
        total = fed[to]
        for h in range(start, start + length[run]):
            total += acc[h + FED * STEPS]
        fed[to] = total
    for schedule in range(month_run.shape[0]):
        for run in range(month_run[schedule, month], month_run[schedule, month + 1]):
            to, start = place[run], first[run]
            top = most[to]
            for h in range(start, start + length[run]):
                top = max(top, acc[h + MOST * STEPS])
            most[to] = top


@compiled
def _to_tiers(
    acc: Floats,
    low: float,
    month: int,
    runs: tuple[Ints, Ints, Ints, Ints],
    limit: Floats,
    found: tuple[Floats, Floats, Ints],
) -> None:
    """Take what is drawn in the hours, all of it on the tier that begins at or below ``low`` and ends above it."""
    tiers, drawn, at = found
    month_run, first, length, place = runs
    for period in range(limit.shape[1]):
        at[period] = 0
        while at[period] + 1 < limit.shape[2] and limit[month, period, at[period]] <= low:
            at[period] += 1
    for run in range(month_run[0, month], month_run[0, month + 1]):
        to, start = place[run], first[run]
        total = drawn[to]
        for h in range(start, start + length[run]):
            total += acc[h]
        drawn[to] = total
        if limit.shape[2]:
            period = to - month * limit.shape[1]
            total = tiers[month, period, at[period]]
            for h in range(start, start + length[run]):
                total += acc[h]
            tiers[month, period, at[period]] = total
        acc[start : start + length[run]] = 0.0


@compiled
def _climb_day(
    kwh: Floats,
    inside: tuple[int, int],
    rows: Counts,
    low: float,
    month: int,
    place: Ints,
    limit: Floats,
    found: tuple[Floats, Floats, Ints],
) -> float:
    """Share the intervals of a day out to tiers from ``low`` on; an interval that crosses a limit is split."""
    tiers, drawn, _ = found
    first, last = inside
    cell = np.int64(rows[first]) // NUMBERS
    for interval in range(first * STEPS, last * STEPS):
        to = place[month, cell + interval - first * STEPS]
        period = to - month * limit.shape[1]
        drawn[to] += kwh[interval]
        high = low + kwh[interval]
        for tier in range(limit.shape[2]):
            top = limit[month, period, tier]
            if low < top:
                tiers[month, period, tier] += min(high, top) - low
                low = top
                if high <= top:
                    break
        low = high
    return low
