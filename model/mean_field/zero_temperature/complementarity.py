"""Affine variational inequalities over a product of simplices, by Lemke's method.

Find m on the simplices with F = c + J m such that every column in use has the least F of its simplex. With a multiplier
v for each simplex that is the linear complementarity problem

    0 ≤ m ⊥ c + J m − Eᵀv ≥ 0,     0 ≤ v ⊥ E m − 1 ≥ 0.

A constant added to all of J, or to all of c, moves F by the same number everywhere on the simplices, so both may be
taken positive; then Lemke's path ends at a solution for any J (Lemke 1965; Eaves, *The linear complementarity problem*,
Management Science 17, 1971; Cottle, Pang, Stone, *The Linear Complementarity Problem*, 1992, section 4.4).

Of libraries, quantecon's `optimize.lcp_lemke` solves the same problem, and solved 297 random ones as well as this
module; it is not used, for its package brings sympy and a compiled cache of its own. SciPy has no solver of
complementarity problems, lemkelcp has had no release since 2016, siconos is no package of PyPI, and PATH needs a
licence beyond 300 variables.
"""

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

PIVOTS = 20
"""Pivots allowed, per column and simplex; the path seldom needs two."""
SMALLEST_PIVOT = 1e-11
USED = 1e-12
ACCEPTED = 1e-7
"""Largest excess of F on the columns in use that counts as a solution, as a share of the largest entry."""
TIE = 1e-12


def solve_on_simplices(constant: Floats, matrix: Floats, first: Ints) -> Floats | None:
    """A point m of the product of simplices that solves the affine variational inequality; None if rounding wins.

    The path tells which columns are in use; their weights come from a linear system of their own.

    Parameters
    ----------
    constant, matrix : (k,), (k, k)
        F = c + J m, to be least where m is positive.
    first : (s + 1,) int
        Column at which each simplex begins, and k at the end.
    """
    scale = max(float(np.abs(matrix).max()), float(np.ptp(constant)), 1e-300)
    slope, offset = matrix / scale, (constant - constant.min()) / scale
    point, ended = _lemke(offset + 1.0, slope + (1.0 - slope.min()), first)
    if not ended or not np.isfinite(point).all():
        return None
    found = [candidate for candidate in (_on_face(offset, slope, first, point > USED), point) if candidate is not None]
    best = min((_rescaled(candidate, first) for candidate in found), key=lambda m: _gap(offset, slope, first, m))
    return best if _gap(offset, slope, first, best) <= ACCEPTED else None


def _rescaled(point: Floats, first: Ints) -> Floats:
    """The point with every simplex's weights non-negative and of sum one."""
    kept = np.maximum(point, 0.0)
    total = np.maximum(np.add.reduceat(kept, first[:-1]), 1e-300)
    return np.asarray(kept / np.repeat(total, np.diff(first)))


def _gap(constant: Floats, matrix: Floats, first: Ints, point: Floats) -> float:
    """Largest excess, over simplices, of the mean of F under the weights over its least entry."""
    value = constant + matrix @ point
    mean = np.add.reduceat(point * value, first[:-1])
    return float((mean - np.minimum.reduceat(value, first[:-1])).max())


def _on_face(constant: Floats, matrix: Floats, first: Ints, used: Bools) -> Floats | None:
    """Weights of the columns in use that make F the same on every simplex; None where they are not determined."""
    columns = np.flatnonzero(used)
    side = np.searchsorted(first, columns, side="right") - 1
    sides = first.size - 1
    ones = (side[:, None] == np.arange(sides)).astype(float)
    system = np.block([[matrix[np.ix_(columns, columns)], -ones], [ones.T, np.zeros((sides, sides))]])
    try:
        solved = np.linalg.solve(system, np.concatenate([-constant[columns], np.ones(sides)]))
    except np.linalg.LinAlgError:
        return None
    point = np.zeros(len(constant))
    point[columns] = solved[: columns.size]
    return point if np.isfinite(point).all() else None


@compiled
def _lemke(constant: Floats, matrix: Floats, first: Ints) -> tuple[Floats, bool]:  # noqa: C901  # complexipy: ignore
    """Lemke's path on the tableau; return the weights, and whether the artificial variable left the basis."""
    columns, sides = constant.size, first.size - 1
    size = columns + sides
    artificial, right = 2 * size, 2 * size + 1
    tableau = np.zeros((size, 2 * size + 2))  # slacks, variables, artificial, right-hand side
    basis = np.arange(size)
    for k in range(columns):
        tableau[k, k] = 1.0
        for a in range(columns):
            tableau[k, size + a] = -matrix[k, a]
        tableau[k, right] = constant[k]
    for s in range(sides):
        row = columns + s
        tableau[row, row] = 1.0
        for k in range(first[s], first[s + 1]):
            tableau[row, size + k] = -1.0
            tableau[k, size + row] = 1.0
        tableau[row, artificial] = -1.0 - 0.01 * s  # simplices enter one after the other, never tied
        tableau[row, right] = -1.0
    entering, leaving = artificial, columns  # the smallest cover that makes all right-hand sides non-negative
    done = False
    for _ in range(PIVOTS * size + 1):
        pivot = tableau[leaving, entering]
        for a in range(right + 1):
            tableau[leaving, a] /= pivot
        for k in range(size):
            factor = tableau[k, entering]
            if k != leaving and factor != 0.0:
                for a in range(right + 1):
                    tableau[k, a] -= factor * tableau[leaving, a]
        left = basis[leaving]
        basis[leaving] = entering
        if left == artificial:
            done = True
            break
        entering = left + size if left < size else left - size
        least, leaving, steepest = np.inf, -1, 0.0
        for k in range(size):
            rise = tableau[k, entering]
            if rise > SMALLEST_PIVOT:
                ratio = max(tableau[k, right], 0.0) / rise
                better = ratio < least - TIE
                tied = ratio <= least + TIE and (basis[k] == artificial or rise > steepest)
                if better or (tied and (leaving < 0 or basis[leaving] != artificial)):
                    least, leaving, steepest = min(ratio, least), k, rise
        if leaving < 0:
            break
    point = np.zeros(columns)
    for k in range(size):
        if size <= basis[k] < size + columns:
            point[basis[k] - size] = tableau[k, right]
    return point, done
