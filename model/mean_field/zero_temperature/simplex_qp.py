"""A convex quadratic over a product of simplices: the master problem of the corrective Frank–Wolfe methods."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

ROUNDS = 200
PAIRS_PER_ROUND = 200
"""Pairwise moves after which a step on the whole face is tried: they are cheap, but slow where the Hessian is badly
conditioned."""
RIDGE = 1e-13
"""Added to the Hessian's diagonal on a face, as a share of its trace, so that it can be solved."""
"""Pairs moved at most; badly conditioned problems end here, above the tolerance."""


@compiled
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


@compiled
def _move_pairs(hessian: Floats, point: Floats, slope: Floats, first: Ints, tolerance: float) -> bool:
    """Move weight between pairs, in place; True once no pair promises more than the tolerance."""
    for _ in range(PAIRS_PER_ROUND):
        fall, best, worst = tolerance, -1, -1
        for s in range(first.size - 1):
            low, high = first[s], -1
            for k in range(first[s], first[s + 1]):
                if slope[k] < slope[low]:
                    low = k
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
        for k in range(slope.size):
            slope[k] += moved * (hessian[best, k] - hessian[worst, k])
    return False


@compiled
def _move_on_face(  # noqa: C901  # complexipy: ignore
    hessian: Floats, gradient: Floats, mixture: Floats, point: Floats, slope: Floats, first: Ints
) -> bool:
    """Newton step over the columns in use, in place, as far as weights stay positive; True if it went all the way."""
    used, kept = np.empty(point.size, np.int64), 0
    for k in range(point.size):
        if point[k] > 0.0:
            used[kept] = k
            kept += 1
    used = used[:kept]
    sides = first.size - 1
    size = used.size + sides
    system, right = np.empty((size, size)), np.empty(size)
    for a in range(size):
        right[a] = 0.0
        for b in range(size):
            system[a, b] = 0.0
    trace = 0.0
    for a in range(used.size):
        trace += hessian[used[a], used[a]]
    for a in range(used.size):
        for b in range(used.size):
            system[a, b] = hessian[used[a], used[b]]
        system[a, a] += RIDGE * trace + 1e-300
        right[a] = -slope[used[a]]
        side = 0
        while first[side + 1] <= used[a]:
            side += 1
        system[a, used.size + side] = system[used.size + side, a] = 1.0
    _eliminate(system, right)
    step = right[: used.size]
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
        total = 0.0
        for k in range(first[s], first[s + 1]):
            total += point[k]
        for k in range(first[s], first[s + 1]):
            point[k] /= total
    for k in range(point.size):
        slope[k] = gradient[k]
        for b in range(point.size):
            slope[k] += hessian[k, b] * (point[b] - mixture[b])
    return blocks < 0


@compiled
def _eliminate(system: Floats, right: Floats) -> None:
    """Solve a linear system by Gaussian elimination with partial pivoting; ``right`` becomes the solution.

    `np.linalg.solve` compiles for longer than all the rest of this module, for systems of a few rows.
    """
    size = right.size
    for k in range(size):
        pivot = k
        for i in range(k + 1, size):
            if abs(system[i, k]) > abs(system[pivot, k]):
                pivot = i
        if pivot != k:
            for j in range(k, size):
                system[k, j], system[pivot, j] = system[pivot, j], system[k, j]
            right[k], right[pivot] = right[pivot], right[k]
        for i in range(k + 1, size):
            share = system[i, k] / system[k, k]
            if share != 0.0:
                for j in range(k + 1, size):
                    system[i, j] -= share * system[k, j]
                right[i] -= share * right[k]
    for k in range(size - 1, -1, -1):
        for j in range(k + 1, size):
            right[k] -= system[k, j] * right[j]
        right[k] /= system[k, k]
