"""Whole numbers of households by type, part and cohort, as near to their shares as can be."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled


def largest_remainder(share: Floats, households: int) -> Ints:
    """Round ``share · households`` to whole numbers that keep the total.

    Returns
    -------
    (type,) int
        Each the floor or the ceiling of its quota; the largest remainders are rounded up, of equal ones the first.
    """
    quota = share / share.sum() * households
    count: Ints = np.floor(quota).astype(np.int64)
    remainder = quota - count
    up = np.argsort(-np.round(remainder, 9), kind="stable")[: households - int(count.sum())]
    count[up] += 1
    return count


def rank_ranges(share: Floats, households: int, part: int, parts: int) -> tuple[Ints, Ints]:
    """First rank and number of ranks of each type in one of several parts; parts differ by one of a type at most."""
    whole = largest_remainder(share, households)
    first = whole * part // parts
    return first, whole * (part + 1) // parts - first


def divide(count: Ints, share: Floats) -> Ints:
    """Divide every type among cohorts, so that the cohorts' totals come out as well as the types'.

    Households are dealt out one by one, type after type: no cohort is ever a whole household away from its share of
    those dealt so far. So is every cohort in the end, and a share too small for one household of a type is made up in
    the next types.

    Parameters
    ----------
    count : (type,)
        Households of each type; rows of the result sum to them.
    share : (cohort,)
        Positive numbers.

    Returns
    -------
    (type, cohort) int

    References
    ----------
    R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980), doi 10.1016/0012-365X(80)90269-1:
    no cohort is ever off by more than 1 − 1/(2n − 2), n being their number.
    """
    given = np.zeros((len(count), len(share)), dtype=np.int64)
    if len(share) == 1:
        given[:, 0] = count
    elif not (share > 0).all() or not np.isfinite(share).all():
        raise ValueError(f"shares of the cohorts are {share.tolist()}; give finite positive numbers")
    else:
        _deal(np.asarray(count, dtype=np.int64), np.asarray(share / share.sum(), dtype=np.float64), given)
    return given


@compiled
def _deal(count: Ints, share: Floats, given: Ints) -> None:
    """Tijdeman's algorithm: of those that may have one more, the one whose turn ends first. Fills (type, cohort)."""
    cohorts = len(share)
    slack = 1.0 / (2 * cohorts - 2)
    total, dealt = np.zeros(cohorts), 0
    for type_index in range(len(count)):
        for _ in range(count[type_index]):
            dealt += 1
            chosen, earliest = -1, np.inf
            for k in range(cohorts):
                due = share[k] * dealt - total[k]
                turn = (1.0 - slack - due) / share[k]
                if due >= slack - 1e-9 and turn < earliest:
                    chosen, earliest = k, turn
            given[type_index, chosen] += 1
            total[chosen] += 1.0
