"""kWh by tier: how far up a ladder of tiers energy climbs."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints


def climb(kwh: Floats, limit: Floats) -> Floats:
    """Share energy out to the tiers of a ladder.

    Parameters
    ----------
    kwh : (…,)
        Energy counted from the foot of the ladder, ≥ 0. [kWh]
    limit : (…, tier)
        Where each tier ends, the last one infinite. [kWh]

    Returns
    -------
    (…, tier)
        What falls into each tier; the sum over tiers is ``kwh``. [kWh]
    """
    return np.diff(np.minimum(kwh[..., None], limit), axis=-1, prepend=0.0)


def climb_together(kwh: Floats, limit: Floats) -> Floats:
    """Share the energy of several periods out to one ladder, each period evenly over its whole height.

    Parameters
    ----------
    kwh : (…, period)
        Energy of each period, ≥ 0. [kWh]
    limit : (…, period, tier)
        Ends of the tiers as each period has them. [kWh]

    Returns
    -------
    (…, period, tier)
        [kWh]
    """
    total = kwh.sum(axis=-1, keepdims=True)
    share = np.divide(kwh, total, out=np.zeros_like(kwh), where=total > 0)
    return np.asarray(share[..., None] * climb(np.broadcast_to(total, kwh.shape), limit))


def climb_in_order(kwh: Floats, first: Ints, month: Ints, inside: Ints, limit: Floats) -> Floats:
    """Share the energy of intervals out to one ladder in the order of time; an interval that crosses a limit is split.

    Parameters
    ----------
    kwh : (customer, interval)
        Energy of the intervals, ≥ 0; those that climb another ladder hold 0. [kWh]
    first : (interval,)
        Index of the interval with which the ladder that each stands on begins.
    month : (interval,)
        Month of each, rising.
    inside : (few,)
        Indices of the intervals to share out, rising: those of one period.
    limit : (customer or 1, month, tier)
        Ends of the tiers as this period has them. [kWh]

    Returns
    -------
    (customer, month, tier)
        [kWh]
    """
    climbed = np.cumsum(kwh, axis=1)
    base = climbed[:, first] - kwh[:, first]
    after = np.maximum(climbed - base, 0.0)[:, inside]
    before = np.maximum(after - kwh[:, inside], 0.0)
    months = month[inside]
    ends = limit[:, months]
    steps = climb(after, ends) - climb(before, ends)
    out = np.zeros((len(kwh), limit.shape[1], limit.shape[2]))
    starts = np.flatnonzero(np.diff(months, prepend=-1))
    out[:, months[starts]] = np.add.reduceat(steps, starts, axis=1)
    return out
