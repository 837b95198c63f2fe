"""The committing leader: the Stackelberg mean-field equilibrium over a tariff family.

``commitment``: max over tariffs of J(tariff, equilibrium of the followers at that tariff), the true Stackelberg
leader (bilevel). Every evaluation solves the followers' equilibrium, warm-started from the last one, and its gradient
comes from implicit differentiation of that fixed point, or from warm neighbours where there are many prices
(`tariff_evaluator`), so a search takes tens of solves. SLSQP (Kraft 1988) climbs from several starts inside the bounds;
at temperature 0, where there is no gradient, COBYQA does (Ragonneau, Zhang 2022). The best feasible tariff seen is
kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.defined_start import defined_start
from meanwatt.model.mean_field.leader.leader_problem import (
    FEASIBLE,
    LeaderProblem,
    Trial,
    Tried,
    trial_of,
)
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent, Evaluation, TariffEvaluator
from meanwatt.model.mean_field.leader.tariff_family import starting_points
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted

EVALUATIONS_PER_START = 40
FIRST_STEP = 0.25
"""First trust-region radius without gradients, as a share of each parameter's range,"""
LAST_STEP = 1e-3
"""and the last."""
PRECISION_USD = 1e-7
"""Gain of the objective that is not worth another step. [USD per household-day]"""
Climb = Callable[[LeaderProblem, TariffEvaluator, Floats, int], bool]
"""A search from a point of the unit cube with so many evaluations; True if it ended by its own stopping rule."""
SETTLED = (0, 8)
"""SLSQP's exits at an optimum: its tolerance met, or (at a kink of the objective) no direction climbs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Commitment:
    """The leader's best tariff and how the search ended.

    Attributes
    ----------
    tariff, equilibrium, objective
        The best feasible tariff seen, the followers' equilibrium there, and the leader's objective.
    parameters
        Its free parameters by name.
    trials
        Every evaluation, in order.
    """

    __repr__ = short_repr

    tariff: Tariff
    equilibrium: Equilibrium
    objective: float
    parameters: dict[str, float]
    trials: tuple[Trial, ...]
    seconds: float
    outcome: Outcome
    message: str


def commit(
    problem: LeaderProblem,
    *,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    starts: Sequence[Floats] | None = None,
    gradients: bool = True,
    certify: bool = True,
    precision_usd: float = PRECISION_USD,
    tried: Tried | None = None,
    watch: Watch | None = None,
) -> Commitment:
    """Search the family for the tariff whose equilibrium the leader likes best.

    Parameters
    ----------
    evaluations_per_start
        Equilibrium solves allowed from each starting point.
    starts
        Parameters to start from; by default those of `starting_points`.
    gradients
        Whether the objective is a function of what the first-order prediction moves; without, at temperature 0, and
        where the family's tariffs have components, the search goes by values alone.
    certify
        Whether to certify the equilibrium at the tariff found.
    precision_usd
        Gain of the objective that is not worth another step, where there are gradients, in the objective's unit.
    tried
        Told of every tariff as it is tried.
    watch
        Progress, whose ``fraction`` counts equilibrium solves, and a request to stop.

    Raises
    ------
    ValueError
        If no evaluated tariff is feasible.
    """
    began = time.perf_counter()
    economy, family, watch = problem.economy, problem.family, watch or Watch()
    starts = starting_points(family, economy) if starts is None else starts
    evaluator = problem.evaluator(watch)
    evaluator.reported = partial(_report, evaluator, watch, evaluations_per_start * len(starts), tried)
    climb = _search
    if gradients and economy.scenario.temperature_usd > 0 and not family.has_components:
        climb = partial(_climb, precision_usd=precision_usd)
    outcome = Outcome.CONVERGED
    try:
        search = partial(_begun_inside, problem, evaluator, climb, evaluations_per_start)
        settled = [search(family.unit(start)) for start in starts]
        if not any(settled):
            outcome = Outcome.ROUND_LIMIT
    except Cancelled:
        outcome = Outcome.CANCELLED
    best = evaluator.best(FEASIBLE)
    if best is None:
        raise ValueError(problem.nowhere_feasible)
    trial, tariff = trial_of(best), family.tariff(best.parameters)
    return Commitment(
        tariff=tariff,
        equilibrium=PostedSolver()(economy, tariff, start=evaluator.equilibrium(best.parameters), certify=certify),
        objective=trial.objective,
        parameters=family.describe(trial.parameters),
        trials=tuple(map(trial_of, evaluator.trials)),
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=_sentence(outcome, trial, problem.unit, len(evaluator.trials), len(starts)),
    )


def _report(
    evaluator: TariffEvaluator,
    watch: Watch,
    budget: int,
    told: Tried | None,
    last: Evaluation,
    equilibrium: Equilibrium,
) -> None:
    if told is not None:
        told(trial_of(last), equilibrium)
    if watch.progress is not None:
        best, tried = evaluator.best(FEASIBLE), len(evaluator.trials)
        found = "" if best is None else f", best objective {best.values[0]:.4f}"
        watch.progress(Progress(stage=f"commitment{found}", evaluations=tried, fraction=min(1.0, tried / budget)))


def _begun_inside(
    problem: LeaderProblem, evaluator: TariffEvaluator, climb: Climb, evaluations: int, start: Floats
) -> bool:
    """One search, begun where the objective is defined; True if it ended by its own stopping rule."""
    began = len(evaluator.trials)
    begin = defined_start(problem, evaluator, start, evaluations, gradients=climb is not _search)
    return climb(problem, evaluator, begin, evaluations - (len(evaluator.trials) - began))


def _climb(
    problem: LeaderProblem, evaluator: TariffEvaluator, start: Floats, evaluations: int, *, precision_usd: float
) -> bool:
    """One SLSQP run in unit coordinates; True if it ended by its own stopping rule."""
    evaluator.allowed = len(evaluator.trials) + evaluations
    constraints = []
    if problem.violation is not None:
        constraints.append(
            {
                "type": "ineq",
                "fun": lambda unit: -evaluator.evaluate(problem.family.at(unit)).values[1:],
                "jac": lambda unit: -evaluator.jacobian(unit)[1:],
            }
        )
    try:
        found = minimize(
            _loss(evaluator),
            start,
            jac=lambda unit: -evaluator.jacobian(unit)[0],
            method="SLSQP",
            bounds=[(0.0, 1.0)] * len(start),
            constraints=constraints,
            options={"maxiter": evaluations, "ftol": precision_usd},
        )
    except BudgetSpent:
        return False
    return found.status in SETTLED


def _search(problem: LeaderProblem, evaluator: TariffEvaluator, start: Floats, evaluations: int) -> bool:
    """One COBYQA run in unit coordinates; True if it ended by its own stopping rule."""
    evaluator.allowed = len(evaluator.trials) + evaluations

    def worst_violation(unit: Floats) -> float:
        return float(evaluator.evaluate(problem.family.at(unit)).values[1:].max())

    constraints = () if problem.violation is None else NonlinearConstraint(worst_violation, -np.inf, 0.0)
    try:
        return minimize_by_values(_loss(evaluator), start, evaluations, FIRST_STEP, constraints)
    except BudgetSpent:
        return False


def minimize_by_values(
    loss: Callable[[Floats], float], start: Floats, evaluations: int, first_step: float, constraints: Any = ()
) -> bool:
    """Minimise over the unit cube without gradients, by COBYQA; True if it ended by its own stopping rule."""
    found = minimize(
        loss,
        start,
        method="COBYQA",
        bounds=[(0.0, 1.0)] * len(start),
        constraints=constraints,
        options={"maxfev": evaluations, "initial_tr_radius": first_step, "final_tr_radius": LAST_STEP},
    )
    return bool(found.success)


def _loss(evaluator: TariffEvaluator) -> Callable[[Floats], float]:
    """What to minimise: the objective's negative, or worse than anything seen where it is undefined."""

    def loss(unit: Floats) -> float:
        value = float(evaluator.evaluate(evaluator.family.at(unit)).values[0])
        if np.isfinite(value):
            return -value
        return max((-float(t.values[0]) for t in evaluator.trials if np.isfinite(t.values[0])), default=0.0) + 1.0

    return loss


def _sentence(outcome: Outcome, trial: Trial, unit: str, evaluations: int, starts: int) -> str:
    best = f"best objective {trial.objective:.4f} {unit} after {counted(evaluations, 'tariff')}"
    if outcome is Outcome.CONVERGED:
        return f"Converged: {best}; a search from {counted(starts, 'starting point')} settled."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled: {best}."
    return f"Evaluation limit reached: {best}; raise the number of evaluations for a finer optimum."
