"""Where a search may begin whose objective is not defined at every tariff.

A logarithm of what groups are left with has no value, and no slope, where one is left with nothing. Phase one of linear
programming helps there: minimise t such that every shortfall is at most t. It ends inside the domain of the objective
if the family reaches it, where the smallest bracket is largest.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent, Evaluation, TariffEvaluator

PRECISION = 1e-3
"""Decrease of the largest shortfall that is not worth another step, in the shortfall's unit."""
STEPS = (0.25, 1e-2)
"""First and last trust-region radius without gradients, as shares of each parameter's range."""


def defined_start(
    problem: LeaderProblem, evaluator: TariffEvaluator, start: Floats, evaluations: int, *, gradients: bool
) -> Floats:
    """Find a point of the unit cube to begin at: the one given, or where the largest shortfall is least.

    Parameters
    ----------
    start : (p,)
        Point of the unit cube.
    evaluations
        Tariffs that may be tried on the way, the first included.
    gradients
        Whether equilibria have a derivative; without, the least shortfall is searched by values alone.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    if problem.shortfall is None:
        return start
    began = len(evaluator.trials)
    evaluator.allowed = began + evaluations
    try:
        first = evaluator.evaluate(problem.family.at(start))
        if np.isfinite(first.values[0]) or not first.settled:
            return start
        count = np.size(problem.shortfall(evaluator.equilibrium(first.parameters)))
        (_descend if gradients else _probe)(evaluator, start, evaluations, count)
    except BudgetSpent:
        pass
    tried = [first, *(one for one in evaluator.trials[began:] if one.settled)]
    return problem.family.unit(min(tried, key=partial(_distance, count)).parameters)


def _distance(count: int, one: Evaluation) -> tuple[float, float]:
    """By how much a trial breaks the constraints, and then its largest shortfall."""
    return max(float(one.values[1:-count].max()), 0.0), float(one.values[-count:].max())


def _descend(evaluator: TariffEvaluator, start: Floats, evaluations: int, count: int) -> None:
    """Minimise t over (unit, t) by SLSQP, where shortfalls are at most t and violations at most 0."""

    def here(point: Floats) -> Floats:
        return evaluator.evaluate(evaluator.family.at(point[:-1])).values[1:]

    def slopes(point: Floats) -> Floats:
        return evaluator.jacobian(point[:-1])[1:]

    bound = np.append(np.zeros(len(here(np.append(start, 0.0))) - count), np.ones(count))
    minimize(
        lambda point: point[-1],
        np.append(start, here(np.append(start, 0.0))[-count:].max()),
        jac=lambda point: np.append(np.zeros(len(point) - 1), 1.0),
        method="SLSQP",
        bounds=[*[(0.0, 1.0)] * len(start), (None, None)],
        constraints={
            "type": "ineq",
            "fun": lambda point: bound * point[-1] - here(point),
            "jac": lambda point: np.column_stack([-slopes(point), bound]),
        },
        options={"maxiter": evaluations, "ftol": PRECISION},
    )


def _probe(evaluator: TariffEvaluator, start: Floats, evaluations: int, count: int) -> None:
    """Minimise the largest shortfall by COBYQA, where violations are at most 0."""

    def part(choose: Callable[[Floats], Floats]) -> Callable[[Floats], float]:
        return lambda unit: float(choose(evaluator.evaluate(evaluator.family.at(unit)).values[1:]).max())

    minimize(
        part(lambda values: values[-count:]),
        start,
        method="COBYQA",
        bounds=[(0.0, 1.0)] * len(start),
        constraints=NonlinearConstraint(part(lambda values: values[:-count]), -np.inf, 0.0),
        options={"maxfev": evaluations, "initial_tr_radius": STEPS[0], "final_tr_radius": STEPS[1]},
    )
