"""Kernels over blocks of 24 readings of many customers: sums and peaks by month and period, and a ladder of tiers.

A month is read in three steps. What passes the meter is worked out interval by interval, in one long loop. Blocks that
go through the same periods are added up four at a time, all 24 intervals at once. Their sums, two rows in most months,
are shared out to periods and tiers. Where a ladder of tiers ends a tier, the blocks before and behind it are added up
anew, each by themselves.

All of it is to be vector code, and four things decide whether it is. LLVM unrolls a loop of 24 steps that do little
before it looks for vectors: hence four blocks at a time, with all that is wanted of them. It asks before every loop
whether arrays overlap, which takes longer than the loop: hence ``apart``. A signed index may count from the end of an
array, and to ask whether it does keeps it from vector code: hence unsigned ones. Loops of a few steps, as many as a
period has hours, are left at a step that the processor does not foresee: hence shares of 0 and 1 of all 24.

The order of sums, which decides on their last bits, is that of the groups, whatever the precision of the readings.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

DRAWN: Final = 0
FED: Final = 1
STEPS: Final = 24
"""Intervals of a block: a day of hours, or a part of a day of shorter intervals."""
TOGETHER: Final = 4
"""Blocks of a group."""
BLOCK: Final = np.uint64(STEPS)
FOUR: Final = np.uint64(TOGETHER)

Counts = npt.NDArray[np.uint64]


@compiled(thorough=True)
def sum_blocks(  # noqa: PLR0913
    net: bool,
    load: Floats,
    generation: Floats,
    stretches: tuple[Ints, Ints, Ints, Ints],
    blocks: tuple[Ints, Counts],
    groups: tuple[Ints, Counts, Counts],
    shares: tuple[Ints, Counts, Ints, Floats],
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
    stretches, blocks, groups, shares
        See `meanwatt.agents.tariff.ratebook.block_plan.BlockPlan`.
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
    month_block, block_row = blocks
    room, wide = 0, np.int64(block_row.max()) + STEPS
    for month in range(month_block.size - 1):
        room = max(room, month_block[month + 1] - month_block[month] + 1)
    bought, sold, total = np.zeros(room * STEPS), np.zeros(room * STEPS), np.zeros(room)
    drawn, fed, high, before = np.zeros(wide), np.zeros(wide), np.zeros(wide), np.zeros(wide)
    below = 0
    for customer in range(load.shape[0]):
        meters = load[customer], generation[customer % generation.shape[0]]
        of_drawn, of_fed, of_most, of_tiers = kwh[DRAWN, customer], kwh[FED, customer], most[customer], tiers[customer]
        for month in range(month_block.size - 1):
            count = month_block[month + 1] - month_block[month]
            below += _read_month(net, meters, stretches, month, bought, sold, count)
            inside = groups[0][month], groups[0][month + 1]
            _clear(drawn, fed, high)
            _add_groups(bought, sold, groups, inside, (drawn, fed, high, total))
            foot, first = 0.0, 0
            for place in range(edges.shape[1]):
                edge = edges[month, place]
                if edge <= foot:
                    continue
                block, low = _block_at(total, first, count, foot, edge)
                if block == count:
                    break
                row = block_row[month_block[month] + block]
                _split(bought, groups, inside, (first, block, count), before, drawn)
                total[block] = _split_block(bought, block, row, edge - low, before, drawn)
                _to_tiers(before, foot, month, shares, limit, of_drawn, of_tiers)
                foot, first = edge, block
            _to_tiers(drawn, foot, month, shares, limit, of_drawn, of_tiers)
            _to_places(fed, high, month, shares, of_fed, of_most)
    return below


@compiled
def _read_month(
    net: bool,
    meters: tuple[Floats, Floats],
    stretches: tuple[Ints, Ints, Ints, Ints],
    month: int,
    bought: Floats,
    sold: Floats,
    empty: int,
) -> int:
    """Fill the room of a month with what is drawn and fed in, gaps and the empty block with 0; return loads below 0."""
    load, made = meters
    month_stretch, first, length, to = stretches
    below = 0
    for stretch in range(month_stretch[month], month_stretch[month + 1]):
        start, stop, here = (
            np.uint64(first[stretch]),
            np.uint64(first[stretch] + length[stretch]),
            np.uint64(to[stretch]),
        )
        if made.size == 0:
            below += _pass_load(load, start, stop, here, bought)
        elif net:
            below += _pass_net(load, made, start, stop, here, bought, sold)
        else:
            below += _pass_two(load, made, start, stop, here, bought, sold)
        rest = to[stretch + 1] if stretch + 1 < month_stretch[month + 1] else (empty + 1) * STEPS
        for gap in range(to[stretch] + length[stretch], rest):
            bought[gap] = 0.0
            sold[gap] = 0.0
    return below


@compiled(apart=True)
def _pass_load(load: Floats, start: np.uint64, stop: np.uint64, to: np.uint64, bought: Floats) -> int:
    """Without generation."""
    below = 0
    for i in range(stop - start):
        used = np.float64(load[start + i])
        bought[to + i] = used
        below += int(used < 0.0)
    return below


@compiled(apart=True)
def _pass_net(
    load: Floats, made: Floats, start: np.uint64, stop: np.uint64, to: np.uint64, bought: Floats, sold: Floats
) -> int:
    """Load and generation meet behind one meter."""
    below = 0
    for i in range(stop - start):
        used = np.float64(load[start + i])
        taken = used - made[start + i]
        drawn = max(taken, 0.0)
        bought[to + i] = drawn
        sold[to + i] = drawn - taken
        below += int(used < 0.0)
    return below


@compiled(apart=True)
def _pass_two(
    load: Floats, made: Floats, start: np.uint64, stop: np.uint64, to: np.uint64, bought: Floats, sold: Floats
) -> int:
    """Generation has a meter of its own."""
    below = 0
    for i in range(stop - start):
        used, given = np.float64(load[start + i]), np.float64(made[start + i])
        fed = max(given, 0.0)
        bought[to + i] = used + (fed - given)
        sold[to + i] = fed
        below += int(used < 0.0)
    return below


@compiled(apart=True)
def _clear(drawn: Floats, fed: Floats, high: Floats) -> None:
    """Begin rows anew."""
    for h in range(drawn.size):
        drawn[h] = fed[h] = high[h] = 0.0


@compiled(fastmath={"reassoc"}, apart=True)
def _add_groups(
    bought: Floats,
    sold: Floats,
    groups: tuple[Ints, Counts, Counts],
    inside: tuple[int, int],
    found: tuple[Floats, Floats, Floats, Floats],
) -> None:
    """Add the blocks of groups up in their rows, find the largest draws, and what is drawn in each block."""
    _, block, row = groups
    drawn, fed, high, total = found
    for group in range(inside[0], inside[1]):
        a, b, c, d = block[group, 0], block[group, 1], block[group, 2], block[group, 3]
        to = row[group]
        in_a = in_b = in_c = in_d = 0.0
        for h in range(BLOCK):
            w, x, y, z = bought[a + h], bought[b + h], bought[c + h], bought[d + h]
            drawn[to + h] += (w + x) + (y + z)
            high[to + h] = max(high[to + h], max(max(w, x), max(y, z)))
            fed[to + h] += (sold[a + h] + sold[b + h]) + (sold[c + h] + sold[d + h])
            in_a += w
            in_b += x
            in_c += y
            in_d += z
        total[a // BLOCK], total[b // BLOCK], total[c // BLOCK], total[d // BLOCK] = in_a, in_b, in_c, in_d


@compiled
def _block_at(total: Floats, first: int, count: int, low: float, edge: float) -> tuple[int, float]:
    """The block from ``first`` on in which a ladder climbs beyond an edge, and where it begins; else ``count``."""
    for block in range(first, count):
        high = low + total[block]
        if high > edge:
            return block, low
        low = high
    return count, low


@compiled(apart=True)
def _split(
    bought: Floats,
    groups: tuple[Ints, Counts, Counts],
    inside: tuple[int, int],
    cut: tuple[int, int, int],
    before: Floats,
    after: Floats,
) -> None:
    """Sum blocks anew in their rows: those from ``cut[0]`` to before ``cut[1]``, and those behind that one.

    A block that is in neither is read as the empty one, which lies at ``cut[2]``.
    """
    _, block, row = groups
    first, middle, empty = np.uint64(cut[0]) * BLOCK, np.uint64(cut[1]) * BLOCK, np.uint64(cut[2]) * BLOCK
    for h in range(before.size):
        before[h] = after[h] = 0.0
    for group in range(inside[0], inside[1]):
        a, b, c, d = block[group, 0], block[group, 1], block[group, 2], block[group, 3]
        to = row[group]
        e = a if a > middle else empty
        f = b if b > middle else empty
        g = c if c > middle else empty
        k = d if d > middle else empty
        a = a if first <= a < middle else empty
        b = b if first <= b < middle else empty
        c = c if first <= c < middle else empty
        d = d if first <= d < middle else empty
        for h in range(BLOCK):
            before[to + h] += (bought[a + h] + bought[b + h]) + (bought[c + h] + bought[d + h])
            after[to + h] += (bought[e + h] + bought[f + h]) + (bought[g + h] + bought[k + h])


@compiled
def _split_block(bought: Floats, block: int, row: int, most: float, before: Floats, after: Floats) -> float:
    """Share a block out to rows, ``most`` kWh to ``before``; leave the rest in ``bought``, and return what it is."""
    start = block * STEPS
    step, taken, rest = 0, 0.0, 0.0
    while step < STEPS and taken + bought[start + step] <= most:
        before[row + step] += bought[start + step]
        taken += bought[start + step]
        bought[start + step] = 0.0
        step += 1
    if step < STEPS:
        before[row + step] += most - taken
        bought[start + step] -= most - taken
    for here in range(step, STEPS):
        after[row + here] += bought[start + here]
        rest += bought[start + here]
    return rest


@compiled
def _to_tiers(
    row: Floats,
    foot: float,
    month: int,
    shares: tuple[Ints, Counts, Ints, Floats],
    limit: Floats,
    drawn: Floats,
    tiers: Floats,
) -> None:
    """Share rows of what is drawn out to places, on the tier that begins at or below ``foot`` and ends above."""
    month_pair, pair_row, pair_place, share = shares
    for pair in range(month_pair[0, month], month_pair[0, month + 1]):
        to = pair_place[pair]
        part = _share_of(row, pair_row[pair], share, pair)
        drawn[to] += part
        if limit.shape[2]:
            period, tier = to - month * limit.shape[1], 0
            while tier + 1 < limit.shape[2] and limit[month, period, tier] <= foot:
                tier += 1
            tiers[month, period, tier] += part


@compiled
def _to_places(
    fed: Floats, high: Floats, month: int, shares: tuple[Ints, Counts, Ints, Floats], sold: Floats, most: Floats
) -> None:
    """Share a month's rows out to the places of what is fed in and of the largest draw."""
    month_pair, pair_row, pair_place, share = shares
    for pair in range(month_pair[0, month], month_pair[0, month + 1]):
        sold[pair_place[pair]] += _share_of(fed, pair_row[pair], share, pair)
    for schedule in range(month_pair.shape[0]):
        for pair in range(month_pair[schedule, month], month_pair[schedule, month + 1]):
            to = pair_place[pair]
            most[to] = max(most[to], _highest_of(high, pair_row[pair], share, pair))


@compiled(fastmath={"reassoc"})
def _share_of(row: Floats, start: int, share: Floats, pair: int) -> float:
    """Sum those of 24 numbers whose share is 1."""
    total = 0.0
    for h in range(BLOCK):
        total += share[pair, h] * row[start + h]
    return total


@compiled(fastmath={"reassoc", "nnan", "nsz"})
def _highest_of(row: Floats, start: int, share: Floats, pair: int) -> float:
    """The largest of 24 numbers ≥ 0 whose share is 1."""
    top = 0.0
    for h in range(BLOCK):
        top = max(top, share[pair, h] * row[start + h])
    return top
