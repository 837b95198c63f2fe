"""Kernels over the days of many customers: sums and peaks by month and period, and a ladder of tiers over a month.

The order of sums, which decides on their last bits: readings of one hour of the clock are added day by day over the
days of a month that have one pattern, then the hours of a pattern one by one, then the patterns. No sum runs along the
intervals, so that several hours are added at once (vector code).
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

DRAWN: Final = 0
FED: Final = 1
MOST: Final = 2
LEAST: Final = 3


@compiled(thorough=True)
def sum_days(  # noqa: PLR0913
    net: bool,
    load: Floats,
    generation: Floats,
    days: tuple[Ints, Ints, Ints, Ints],
    place: Ints,
    edges: Floats,
    limit: Floats,
    kwh: Floats,
    most: Floats,
    tiers: Floats,
) -> float:
    """What is drawn and fed in over months and periods, the most drawn in an interval, and tiers in the order of time.

    Parameters
    ----------
    net
        Whether load and generation meet behind one meter.
    load, generation : (customer, interval)
        Of ``generation`` one customer without intervals where there is none. [kWh]
    days : of (day,), (day,), (day,), (month + 1,)
        First interval, length and pattern of each day, and the first day of each month.
    place : (schedule, month, pattern, interval of the day)
        See `meanwatt.agents.tariff.ratebook.day_plan.DayPlan`; the first schedule is that of the energy charge.
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
    float
        The least load where it is below 0, else 0. [kWh]
    """
    months, patterns, width = place.shape[1:]
    acc, bought = np.zeros((patterns, 4, width)), np.empty(width)
    least = 0.0
    for customer in range(load.shape[0]):
        meters = load[customer], generation[customer % generation.shape[0]]
        found = tiers[customer], kwh[DRAWN, customer]
        for month in range(months):
            acc[:] = 0.0
            _read_month(net, meters, month, days, place, edges, limit, acc, bought, found)
            least = min(least, _to_places(acc, month, place, kwh[FED, customer], most[customer]))
    return least


@compiled
def _read_month(  # noqa: PLR0913
    net: bool,
    meters: tuple[Floats, Floats],
    month: int,
    days: tuple[Ints, Ints, Ints, Ints],
    place: Ints,
    edges: Floats,
    limit: Floats,
    acc: Floats,
    bought: Floats,
    found: tuple[Floats, Floats],
) -> None:
    """Read a month: whole days at once between the ends of tiers, interval by interval at them."""
    load, made = meters
    first, length, pattern, month_first = days
    low = foot = 0.0
    edge = 0
    for day in range(month_first[month], month_first[month + 1]):
        steps, k = length[day], pattern[day]
        if made.size == 0:
            _read_load(load, first[day], steps, acc, k, bought)
        elif net:
            _read_net(load, made, first[day], steps, acc, k, bought)
        else:
            _read_two(load, made, first[day], steps, acc, k, bought)
        high = low + _total(bought, steps) if edges.shape[1] else 0.0
        if edge < edges.shape[1] and high > edges[month, edge]:
            _to_tiers(acc, foot, month, place, limit, found)
            low = foot = _climb_day(bought, steps, low, month, k, place, limit, found)
            while edge < edges.shape[1] and edges[month, edge] <= low:
                edge += 1
        else:
            low = high
            for h in range(steps):
                acc[k, DRAWN, h] += bought[h]
    _to_tiers(acc, foot, month, place, limit, found)


@compiled
def _read_load(load: Floats, start: int, steps: int, acc: Floats, k: int, bought: Floats) -> None:
    """Read the intervals of a day without generation: what is drawn in each, and its hour's extremes; vector code."""
    most, least = acc[k, MOST], acc[k, LEAST]
    for h in range(steps):
        used = load[start + h]
        bought[h] = used
        most[h] = max(most[h], used)
        least[h] = min(least[h], used)


@compiled
def _read_net(load: Floats, made: Floats, start: int, steps: int, acc: Floats, k: int, bought: Floats) -> None:
    """The same where load and generation meet behind one meter, and what is fed in."""
    fed, most, least = acc[k, FED], acc[k, MOST], acc[k, LEAST]
    for h in range(steps):
        used = load[start + h]
        taken = used - made[start + h]
        drawn = max(taken, 0.0)
        bought[h] = drawn
        fed[h] += drawn - taken
        most[h] = max(most[h], drawn)
        least[h] = min(least[h], used)


@compiled
def _read_two(load: Floats, made: Floats, start: int, steps: int, acc: Floats, k: int, bought: Floats) -> None:
    """The same with a meter of its own for generation."""
    fed, most, least = acc[k, FED], acc[k, MOST], acc[k, LEAST]
    for h in range(steps):
        used = load[start + h]
        sold = max(made[start + h], 0.0)
        drawn = used + (sold - made[start + h])
        bought[h] = drawn
        fed[h] += sold
        most[h] = max(most[h], drawn)
        least[h] = min(least[h], used)


@compiled
def _to_places(acc: Floats, month: int, place: Ints, fed: Floats, most: Floats) -> float:
    """Share a month's hours out to the places of what is fed in and of the largest draw; return the least load."""
    least = 0.0
    for k in range(place.shape[2]):
        for h in range(place.shape[3]):
            least = min(least, acc[k, LEAST, h])
            fed[place[0, month, k, h]] += acc[k, FED, h]
            for schedule in range(place.shape[0]):
                to = place[schedule, month, k, h]
                most[to] = max(most[to], acc[k, MOST, h])
    return least


@compiled
def _to_tiers(acc: Floats, low: float, month: int, place: Ints, limit: Floats, found: tuple[Floats, Floats]) -> None:
    """Take what is drawn in the hours, all of it on the tier that begins at or below ``low`` and ends above it."""
    tiers, drawn = found
    for k in range(place.shape[2]):
        for h in range(place.shape[3]):
            to = place[0, month, k, h]
            drawn[to] += acc[k, DRAWN, h]
            if limit.shape[2]:
                period = to - month * limit.shape[1]
                tier = 0
                while tier + 1 < limit.shape[2] and limit[month, period, tier] <= low:
                    tier += 1
                tiers[month, period, tier] += acc[k, DRAWN, h]
            acc[k, DRAWN, h] = 0.0


@compiled
def _total(kwh: Floats, steps: int) -> float:
    """The sum of a day: eight sums of every eighth interval, then these in pairs."""
    a = b = c = d = e = f = g = i = 0.0
    whole = steps - steps % 8
    for h in range(0, whole, 8):
        a += kwh[h]
        b += kwh[h + 1]
        c += kwh[h + 2]
        d += kwh[h + 3]
        e += kwh[h + 4]
        f += kwh[h + 5]
        g += kwh[h + 6]
        i += kwh[h + 7]
    for h in range(whole, steps):
        a += kwh[h]
    return ((a + e) + (b + f)) + ((c + g) + (d + i))


@compiled
def _climb_day(
    kwh: Floats,
    steps: int,
    low: float,
    month: int,
    k: int,
    place: Ints,
    limit: Floats,
    found: tuple[Floats, Floats],
) -> float:
    """Share the intervals of a day out to tiers from ``low`` on; an interval that crosses a limit is split."""
    tiers, drawn = found
    for h in range(steps):
        to = place[0, month, k, h]
        period = to - month * limit.shape[1]
        drawn[to] += kwh[h]
        high = low + kwh[h]
        for tier in range(limit.shape[2]):
            top = limit[month, period, tier]
            if low < top:
                tiers[month, period, tier] += min(high, top) - low
                low = top
                if high <= top:
                    break
        low = high
    return low
