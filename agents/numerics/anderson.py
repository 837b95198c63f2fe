"""Safeguarded Anderson acceleration of a fixed point x = g(x).

Walker, Ni, *Anderson acceleration for fixed-point iterations*, SIAM J. Numer. Anal. 49(4), 2011,
doi 10.1137/10078356X, type II. The safeguard: a trial that leaves the residual much above the best one is dropped, its
history is cleared and the iteration goes on from the best point with half the mixing, so plain divergence (price
herding) turns into a damped iteration.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats

MEMORY = 10
"""Differences kept."""
GROWTH_ALLOWED = 2.0
"""A residual above this multiple of the best so far is rejected."""
SMALLEST_MIXING = 1e-4
PATIENT_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedPoint:
    """Where the iteration ended: the best point, its residual max |g(x) − x|, and the evaluations of g spent."""

    point: Floats
    residual: float
    evaluations: int
    converged: bool


def accelerate(
    function: Callable[[Floats], Floats],
    start: Floats,
    *,
    tolerance: float,
    limit: int,
    patience: int | None = None,
    report: Callable[[int, float], None] | None = None,
) -> FixedPoint:
    """Find x with max |g(x) − x| ≤ tolerance.

    Parameters
    ----------
    function
        The map g; takes and returns a vector.
    start
        First point.
    tolerance
        Largest residual accepted.
    limit
        Evaluations of g allowed.
    patience
        Evaluations within which the best residual must fall to ``PATIENT_SHARE`` of what it was; without it only
        ``limit`` ends the search.
    report
        Called with (evaluations, residual) after each evaluation; may raise to stop.
    """
    point, mixing = start, 1.0
    best_point, best_gap, best_residual = start, np.zeros_like(start), np.inf
    points: list[Floats] = []
    gaps: list[Floats] = []
    bests: list[float] = []
    for evaluation in range(1, limit + 1):
        gap = function(point) - point
        residual = float(np.abs(gap).max())
        if report is not None:
            report(evaluation, residual)
        if residual <= tolerance:
            return FixedPoint(point=point, residual=residual, evaluations=evaluation, converged=True)
        bests.append(min(best_residual, residual))
        if patience is not None and evaluation > patience and bests[-1] > PATIENT_SHARE * bests[-1 - patience]:
            if residual < best_residual:
                best_point, best_residual = point, residual
            return FixedPoint(point=best_point, residual=best_residual, evaluations=evaluation, converged=False)
        if not residual <= GROWTH_ALLOWED * best_residual:
            mixing = max(0.5 * mixing, SMALLEST_MIXING)
            points, gaps = [], []
            point = best_point + mixing * best_gap
            continue
        if residual < best_residual:
            best_point, best_gap, best_residual = point, gap, residual
        points, gaps = [*points, point][-MEMORY - 1 :], [*gaps, gap][-MEMORY - 1 :]
        if len(points) == 1:
            point = point + mixing * gap
            continue
        point_steps = np.diff(np.stack(points, axis=1))
        gap_steps = np.diff(np.stack(gaps, axis=1))
        weights = np.linalg.lstsq(gap_steps, gap, rcond=1e-10)[0]
        point = point + mixing * gap - (point_steps + mixing * gap_steps) @ weights
    return FixedPoint(point=best_point, residual=best_residual, evaluations=limit, converged=False)
