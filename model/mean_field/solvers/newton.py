"""Newton's method for the equilibrium prices, at one temperature and a given adder.

`LoadFixedPoint` states the equation G(x) = 0 in the system load, and the convex F whose gradient G is where Theorem U
applies. There a step is accepted when F falls; elsewhere, and close to the solution, when the residual does. The
derivative is exact, and its inverse is reused with Broyden's rank-one correction while steps keep shrinking the
residual.

The cheap part of the derivative is the one that jumps (at the ends of flexibility, and where households part between
plans), so it is renewed first, and the coupling only where that does not help.
"""

from dataclasses import dataclass
from enum import Enum, auto

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.solvers.broyden_inverse import DenseInverse, Inverse
from meanwatt.model.mean_field.solvers.load_fixed_point import LoadFixedPoint, Point

STEP_LIMIT = 25
"""Newton steps at one temperature."""
FEW_PRICES = 64
"""Up to this many prices a derivative costs about as much as an evaluation."""
SHORTEST_STEP = 1e-3
REUSE = 0.1
"""A step that leaves this share of the residual or less keeps its derivative,"""
REUSE_LARGE = 0.5
"""and so does one that leaves this share, where there are many prices and derivatives cost many evaluations."""
RENEWED_IN_VAIN = 0.5
"""A step whose derivative was renewed in its cheap part only is not taken if it leaves more than this share."""
FALLEN = 0.3
"""Share to which the residual must fall within the steps that a search is patient for."""
ARMIJO = 1e-4
ROUNDING_USD = 1e-12
"""Rises of the potential this small are rounding. [USD per household-day]"""
ASTRAY_USD = 1e-8
"""Near ties a rise above this leads astray; it is what answers are accurate to. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewtonSolution:
    """Where Newton's method ended.

    Attributes
    ----------
    answer
        The continuum's answer to the last accepted prices.
    residual_usd_per_kwh
        max |s(L + rest) − λ| there.
    slope
        The last derivative G' that was computed, (c·h, c·h), or the one given; None if none was needed as a matrix.
    coupling
        The part of the last ∂L/∂λ computed, or given, that is not of a slot's own price: (c·h, c·h), or its blocks
        (c, h, h') in large games.
    converged
        Whether the residual met the tolerance.
    """

    answer: PopulationResponse
    residual_usd_per_kwh: float
    slope: Floats | None
    coupling: Floats | None
    converged: bool


def solve_newton(
    problem: LoadFixedPoint,
    load_kw: Floats,
    *,
    warm: PopulationResponse | None = None,
    slope: Floats | None = None,
    coupling: Floats | None = None,
    patience: int | None = None,
    shortest: float = SHORTEST_STEP,
) -> NewtonSolution:
    """Find the system load whose prices answer themselves.

    Parameters
    ----------
    load_kw : (c, h)
        Where to start. [kW per household]
    warm
        An answer to similar prices.
    slope
        The derivative at a solution nearby, to be tried before computing one.
    coupling
        The coupling there, alike.
    patience
        Steps within which the residual must fall to ``FALLEN`` of what it was; without it only failure ends the search.
    shortest
        Part of a step below which there is nothing to be gained.
    """
    here = problem.at(load_kw, warm)
    best, bests, made = here, [here.residual], _Made.BEFORE
    inverse: Inverse | None = None if slope is None else DenseInverse(slope)
    reuse, renew = REUSE if load_kw.size <= FEW_PRICES else REUSE_LARGE, coupling is not None
    for _ in range(STEP_LIMIT):
        if best.residual <= problem.tolerance or _out_of_patience(bests, patience):
            break
        if inverse is None and renew and coupling is not None:
            inverse, made = problem.renewed(here, coupling), _Made.RENEWED
        elif inverse is None:
            (inverse, coupling), made, renew = problem.derivative(here), _Made.FRESH, True
        if made is not _Made.BEFORE and isinstance(inverse, DenseInverse):
            slope = inverse.slope
        there = _search(problem, here, inverse.step(here.gap_kw), made is _Made.FRESH, shortest)
        if made is _Made.RENEWED and there is not None and there.residual > RENEWED_IN_VAIN * here.residual:
            there = None
        if there is None:
            if made is _Made.FRESH:
                break
            inverse, renew = None, made is _Made.BEFORE
            continue
        if there.residual <= reuse * here.residual:
            inverse.correct(there.load_kw - here.load_kw, there.gap_kw - here.gap_kw)
            made = _Made.BEFORE
        else:
            inverse, renew = None, made is not _Made.RENEWED
        here = there
        best = min(best, here, key=lambda point: point.residual)
        bests.append(best.residual)
    return NewtonSolution(
        answer=best.answer,
        residual_usd_per_kwh=best.residual,
        slope=slope,
        coupling=coupling,
        converged=best.residual <= problem.tolerance,
    )


def _out_of_patience(bests: list[float], patience: int | None) -> bool:
    """Whether the best residual has not fallen to ``FALLEN`` of what it was so many steps ago."""
    return patience is not None and len(bests) > patience and bests[-1] > FALLEN * bests[-1 - patience]


class _Made(Enum):
    """Where the derivative of a step was made."""

    FRESH = auto()
    """all of it where the step begins"""
    RENEWED = auto()
    """its cheap part only"""
    BEFORE = auto()
    """elsewhere, and corrected since"""


def _search(problem: LoadFixedPoint, here: Point, step: Floats, exact: bool, shortest: float) -> Point | None:
    """The longest acceptable part of a step; None if there is none, or if an inexact step is not good as it is."""
    promised, length, has_potential = problem.fall(here, step), 1.0, problem.has_potential
    while length >= shortest:
        there = problem.at(here.load_kw + length * step, here.answer, here.residual)
        # a steep load lets the residual fall across the minimum of the potential and back for ever
        astray = has_potential and problem.economy.ties is not None and there.potential > here.potential + ASTRAY_USD
        if there.residual <= (1 - 0.1 * length) * here.residual and not astray:
            return there
        if not exact:
            return None
        allowed = here.potential + ARMIJO * length * promised + ROUNDING_USD
        if has_potential and there.potential <= allowed:
            return there
        length *= 0.5 if length > 0.3 else 0.3
    return None
