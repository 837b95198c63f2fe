"""A convex quadratic over a product of simplices: the master problem of the corrective Frank–Wolfe methods."""

import numba
import numpy as np

from agents.arrays import Floats, Ints

ROUNDS = 200
PAIRS_PER_ROUND = 200
"""Pairwise moves after which a step on the whole face is tried: they are cheap, but slow where the Hessian is badly
conditioned."""
RIDGE = 1e-13
"""Added to the Hessian's diagonal on a face, as a share of its trace, so that it can be solved."""
"""Pairs moved at most; badly conditioned problems end here, above the tolerance."""


@numba.njit(cache=True, nogil=True)
def simplex_step(hessian: Floats, gradient: Floats, mixture: Floats, first: Ints, tolerance: float) -> Floats:
    """Step d from ``mixture``, staying on every simplex, that minimises g·d + ½ dᵀ H d.

    Sequential minimal optimisation (Platt 1998): weight moves from the worst used column of a simplex to its best
    one, exactly as far as pays, until no pair promises more than ``tolerance``. In between, Newton steps on the face
    of the columns in use, as far as all weights stay positive. Every move lowers the quadratic.

    Parameters
    ----------
    hessian : (k, k)
        Positive semidefinite.
    gradient, mixture : (k,)
        Slope at, and the point on the product of simplices.
    first : (s + 1,) int
        Column at which each simplex begins, and k at the end.
    """
    point, slope = mixture.copy(), gradient.copy()
    for _ in range(ROUNDS):
        if _move_pairs(hessian, point, slope, first, tolerance):
            break
        for _ in range(point.size):
            if _move_on_face(hessian, gradient, mixture, point, slope, first):
                break
    return point - mixture


@numba.njit(cache=True, nogil=True)
def _move_pairs(hessian: Floats, point: Floats, slope: Floats, first: Ints, tolerance: float) -> bool:
    """Move weight between pairs, in place; True once no pair promises more than the tolerance."""
    for _ in range(PAIRS_PER_ROUND):
        fall, best, worst = tolerance, -1, -1
        for s in range(first.size - 1):
            low = first[s] + np.argmin(slope[first[s] : first[s + 1]])
            high = -1
            for k in range(first[s], first[s + 1]):
                if point[k] > 0.0 and (high < 0 or slope[k] > slope[high]):
                    high = k
            if slope[high] - slope[low] > fall:
                fall, best, worst = slope[high] - slope[low], low, high
        if best < 0:
            return True
        bend = hessian[worst, worst] + hessian[best, best] - 2.0 * hessian[worst, best]
        moved = point[worst] if bend * point[worst] <= fall else fall / bend
        point[worst] -= moved
        point[best] += moved
        slope += moved * (hessian[best] - hessian[worst])
    return False


@numba.njit(cache=True, nogil=True)
def _move_on_face(
    hessian: Floats, gradient: Floats, mixture: Floats, point: Floats, slope: Floats, first: Ints
) -> bool:
    """Newton step over the columns in use, in place, as far as weights stay positive; True if it went all the way."""
    used = np.flatnonzero(point > 0.0)
    sides = first.size - 1
    system = np.zeros((used.size + sides, used.size + sides))
    right = np.zeros(used.size + sides)
    trace = 0.0
    for a in range(used.size):
        trace += hessian[used[a], used[a]]
    for a in range(used.size):
        for b in range(used.size):
            system[a, b] = hessian[used[a], used[b]]
        system[a, a] += RIDGE * trace + 1e-300
        right[a] = -slope[used[a]]
        side = used.size + np.searchsorted(first, used[a], side="right") - 1
        system[a, side] = system[side, a] = 1.0
    step = np.linalg.solve(system, right)[: used.size]
    length, blocks = 1.0, -1
    promised = 0.0
    for a in range(used.size):
        promised += slope[used[a]] * step[a]
        if point[used[a]] + length * step[a] < 0.0:
            length, blocks = -point[used[a]] / step[a], a
    if not promised < 0.0:
        return True
    for a in range(used.size):
        point[used[a]] = max(point[used[a]] + length * step[a], 0.0)
    if blocks >= 0:
        point[used[blocks]] = 0.0
    for s in range(sides):
        point[first[s] : first[s + 1]] /= point[first[s] : first[s + 1]].sum()
    slope[:] = gradient + hessian @ (point - mixture)
    return blocks < 0
