"""Which bus each household lives on: by rank, evenly, the same in a market of any size."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import GOLDEN_GAMMA, Purpose, Words, child, children, stream


def buses_of_type(customers: Floats | Ints, key: int, type_index: int, count: int, *, first: int = 0) -> Ints:
    """Put ranks ``first`` to ``first + count − 1`` of a type on buses, by its own row of ``customers`` if there is one.

    Parameters
    ----------
    customers : (bus,) or (type, bus)
        As for `Population`.
    key
        The run's 64-bit key.
    """
    if customers.ndim == 2:
        return settle(customers[type_index], stream(key, Purpose.RESIDENTS, 1, type_index), count, first=first)
    return place(np.asarray(customers), child(stream(key, Purpose.PLACE), type_index), count, first=first)


def home_buses(customers: Floats | Ints, key: int, count: Ints) -> Ints:
    """Buses of all households of a market in the order of their ids, (household,), wherever its parts are.

    Parameters
    ----------
    customers : (bus,) or (type, bus)
        As for `Population`.
    key
        The run's 64-bit key.
    count : (type,)
        Households of each type.
    """
    placed = [buses_of_type(customers, key, type_index, number) for type_index, number in enumerate(count.tolist())]
    return np.concatenate(placed)


def settle(share: Floats, state: int, count: int, *, first: int = 0) -> Ints:
    """Put the households of one type on buses in turns, each bus as often as its share says.

    Bus b takes its k-th household of the type (k = 1, 2, …) at the time (k − 1 + u) / share, u being drawn for it once;
    ranks are given by rising time. By the time T a bus with a quota of share · T has had its floor or its ceiling, and
    exactly the quota where that is whole: a table of whole homes is met home by home once T is their sum.

    Parameters
    ----------
    share : (bus,)
        Weights, not all zero.
    state
        Stream of the draws.
    count, first
        How many ranks, and the first one.

    Returns
    -------
    (rank,) int
        Bus of each rank.
    """
    last = first + count
    used = np.flatnonzero(share)
    part = share[used] / share.sum()
    draw = (children(state, len(share)) >> np.uint64(11))[used] * 2.0**-53
    turns = np.floor(part * (last + len(used)) - draw).astype(np.int64) + 1  # by then at least ``last`` have had theirs
    bus = np.repeat(np.arange(len(used)), turns)
    number = np.arange(len(bus)) - np.repeat(np.cumsum(turns) - turns, turns)
    order = np.argsort((number + draw[bus]) / part[bus], kind="stable")
    return np.asarray(used[bus[order[first:last]]], dtype=np.int64)


def place(customers: Ints, offset: int, count: int, *, first: int = 0) -> Ints:
    """Put the households of one type on buses.

    Rank r takes the bus at the point offset + r·φ (modulo one, φ the golden ratio) of the customers laid end to end.
    This sequence fills the line evenly from the first term to the last, whatever their number.

    Parameters
    ----------
    customers : (bus,)
        Weights, not all zero.
    offset
        Where rank 0 stands, in units of 2⁻⁶⁴.
    count, first
        How many ranks, and the first one.

    Returns
    -------
    (rank,) int
        Bus of each rank.
    """
    total = int(customers.sum())
    ends = [(int(end) << 64) // total for end in np.cumsum(customers)]
    line: Words = np.array([min(end, 2**64 - 1) for end in ends], dtype=np.uint64)
    point = np.arange(first, first + count, dtype=np.uint64) * np.uint64(GOLDEN_GAMMA) + np.uint64(offset)
    bus = np.searchsorted(line, point, side="right")
    return np.asarray(np.minimum(bus, int(np.flatnonzero(customers)[-1])), dtype=np.int64)


def homes_at(customers: Ints | Floats, parts: Ints, *, key: int, count: Ints, first_rank: Ints) -> Ints:
    """Count the households of every type at each part of the customers of a bus, as ``Population`` puts them on buses.

    Parameters
    ----------
    customers : (bus,) or (type, bus)
        As for `Population`. Without a row for each type, the parts lie beside one another on the line along which
        `place` goes. With rows, the households that a type has on a bus go along that bus's own parts in this way.
    parts : (bus, part)
        Customers of each part. Households on a bus without any are counted in the last part.
    key
        The run's 64-bit key.
    count, first_rank : (type,)
        Households of each type, and the rank of the first.

    Returns
    -------
    (type, bus, part) int
    """
    buses, size = parts.shape
    found = np.zeros((len(count), buses, size), dtype=np.int64)
    for type_index, (number, first) in enumerate(zip(count.tolist(), first_rank.tolist(), strict=True)):
        if customers.ndim == 1:
            offset = child(stream(key, Purpose.PLACE), type_index)
            at = place(parts.ravel(), offset, number, first=first)
            found[type_index] = np.bincount(at, minlength=parts.size).reshape(parts.shape)
            continue
        bus = buses_of_type(customers, key, type_index, first + number)
        before, last = (np.bincount(bus[:end], minlength=buses) for end in (first, first + number))
        state = stream(key, Purpose.RESIDENTS, 2, type_index)
        for one in np.flatnonzero(last > before).tolist():
            here, earlier = int(last[one] - before[one]), int(before[one])
            if parts[one].any():
                at = place(parts[one], child(state, one), here, first=earlier)
                found[type_index, one] = np.bincount(at, minlength=size)
            else:
                found[type_index, one, -1] = here
    return found
