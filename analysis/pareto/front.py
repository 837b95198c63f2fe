"""Geometry of a Pareto front: who is dominated, where its knee is, and in which directions to look for more of it.

Points are rows, criteria columns; every criterion is to be small.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats


class Knee(NamedTuple):
    """Place of the knee among the points, and how far it bulges beyond the plane through the optima, normalised."""

    place: int
    distance: float


def non_dominated(points: Floats) -> Bools:
    """Which points (n, k) no other dominates; of equal points the first alone. Shape (n,).

    One dominates another if it is nowhere larger and somewhere smaller. In ascending lexicographic order nobody is
    dominated by a successor, so each point is held against the front so far: O(n · front · k).
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or np.isnan(points).any():
        raise ValueError(f"points have shape {points.shape} or hold nan; give numbers with axes (point, criterion)")
    kept = np.zeros(len(points), dtype=bool)
    for index in np.lexsort(points.T[::-1]):
        kept[index] = not (points[kept] <= points[index]).all(axis=1).any()
    return kept


def bounds(optima: Floats) -> tuple[Floats, Floats]:
    """Ideal and nadir (k,) of the individual optima (optimum, k): best and worst of each criterion among them."""
    return np.asarray(optima.min(axis=0)), np.asarray(optima.max(axis=0))


def knee(points: Floats, optima: Floats) -> Knee:
    """The point that bulges farthest beyond the plane through the individual optima, towards the ideal.

    The knee of Das [1]_, taken among the points at hand. Criteria are normalised to 0 at the ideal and 1 at the nadir
    of the optima; the plane is {x : n·x = 1}, and the distance of x from it is (1 − n·x)/‖n‖, positive on the ideal's
    side. Where optima coincide there are many such planes, and n is the shortest.

    Parameters
    ----------
    points : (n, k)
        A front; any units.
    optima : (k, k)
        Row i is the point that minimises criterion i.

    References
    ----------
    .. [1] I. Das, "On characterizing the 'knee' of the Pareto curve based on Normal-Boundary Intersection",
       Structural Optimization 18, 107–115, 1999.
    """
    ideal, nadir = bounds(optima)
    width = np.where(nadir > ideal, nadir - ideal, 1.0)
    normal = np.linalg.lstsq((optima - ideal) / width, np.ones(len(optima)), rcond=1e-9)[0]
    length = float(np.linalg.norm(normal))
    if length == 0:  # one tariff is best in everything
        index = int(np.argmin(((points - ideal) / width).sum(axis=1)))
        return Knee(index, 0.0)
    distance = (1 - (points - ideal) / width @ normal) / length
    return Knee(int(np.argmax(distance)), float(distance.max()))


def simplex_lattice(criteria: int, per_edge: int) -> Floats:
    """Evenly spread weights (n, criteria) with sum 1, ``per_edge`` along each edge, vertices included [1]_.

    References
    ----------
    .. [1] I. Das, J. E. Dennis, "Normal-Boundary Intersection", SIAM Journal on Optimization 8(3), 631–657, 1998.
    """
    if per_edge < 2:
        raise ValueError(f"points along an edge are {per_edge}; give at least 2, its two ends")
    steps = per_edge - 1
    bars = np.array(list(combinations(range(steps + criteria - 1), criteria - 1)))
    ends = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), steps + criteria - 1)])
    return np.asarray((np.diff(ends, axis=1) - 1) / steps)
