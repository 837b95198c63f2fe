"""A convex quadratic over a product of simplices: the master problem of the corrective Frank–Wolfe methods."""

import numba
import numpy as np

from agents.arrays import Floats, Ints

PAIR_LIMIT = 20_000


@numba.njit(cache=True, nogil=True)
def simplex_step(hessian: Floats, gradient: Floats, mixture: Floats, first: Ints, tolerance: float) -> Floats:
    """Step d from ``mixture``, staying on every simplex, that minimises g·d + ½ dᵀ H d.

    Sequential minimal optimisation (Platt 1998): weight moves from the worst used column of a simplex to its best
    one, exactly as far as pays, until no pair promises more than ``tolerance``.

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
    for _ in range(PAIR_LIMIT):
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
            break
        bend = hessian[worst, worst] + hessian[best, best] - 2.0 * hessian[worst, best]
        moved = point[worst] if bend * point[worst] <= fall else fall / bend
        point[worst] -= moved
        point[best] += moved
        slope += moved * (hessian[best] - hessian[worst])
    return point - mixture
