"""The committing leader: the Stackelberg mean-field equilibrium over a tariff family.

``commitment``: max over tariffs of J(tariff, equilibrium of the followers at that tariff), the true Stackelberg
leader (bilevel). Every evaluation solves the followers' equilibrium, warm-started from the last one; the search is
derivative-free (COBYQA: Ragonneau, Zhang, *COBYQA: a derivative-free trust-region SQP method*, 2022) from several
starts, and keeps the best tariff it saw.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from agents.arrays import Floats
from agents.tariff import Tariff
from model.economy import Economy
from model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from model.mean_field.family import TariffFamily, starting_points
from model.mean_field.watch import Cancelled, Progress

EVALUATIONS_PER_START = 40
FEASIBLE = 1e-6
"""Constraint violation that counts as none, in the constraint's unit."""
FIRST_STEP = 0.25
"""First trust-region radius, as a share of each parameter's range."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One evaluated tariff: its free parameters, objective, and constraint violation (≤ 0 is none)."""

    parameters: Floats
    objective: float
    violation: float


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

    tariff: Tariff
    equilibrium: Equilibrium
    objective: float
    parameters: dict[str, float]
    trials: tuple[Trial, ...]
    seconds: float
    outcome: Outcome
    message: str


def commit(
    economy: Economy,
    family: TariffFamily,
    objective: Callable[[Equilibrium], float],
    *,
    violation: Callable[[Equilibrium], float] | None = None,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Commitment:
    """Search the family for the tariff whose equilibrium the leader likes best.

    Parameters
    ----------
    objective
        What the leader maximises, e.g. USD per household-day; −inf where it is undefined.
    violation
        A constraint of the leader, satisfied where ≤ 0, e.g. highest import rate less the cap.
    evaluations_per_start
        Equilibrium solves allowed from each starting point.
    progress, cancelled
        As in ``solve_equilibrium``; ``fraction`` counts equilibrium solves.

    Raises
    ------
    ValueError
        If no evaluated tariff is feasible.
    """
    began = time.perf_counter()
    width = family.high - family.low
    starts = starting_points(family, economy)
    budget = evaluations_per_start * len(starts)
    trials: list[Trial] = []
    seen: dict[bytes, Trial] = {}
    best: tuple[Trial, Equilibrium] | None = None
    last: Equilibrium | None = None

    def evaluate(unit: Floats) -> Trial:
        nonlocal best, last
        parameters = family.low + np.clip(unit, 0.0, 1.0) * width
        key = np.round(parameters, 12).tobytes()
        if key in seen:
            return seen[key]
        if cancelled is not None and cancelled():
            raise Cancelled
        found = solve_equilibrium(economy, family.tariff(parameters), start=last, certify=False)
        usable = found.outcome is Outcome.CONVERGED
        last = found if usable else last
        trial = Trial(
            parameters=parameters,
            objective=objective(found) if usable else -np.inf,
            violation=violation(found) if violation else 0.0,
        )
        seen[key] = trial
        trials.append(trial)
        feasible = trial.violation <= FEASIBLE and np.isfinite(trial.objective)
        if feasible and (best is None or trial.objective > best[0].objective):
            best = trial, found
        if progress is not None:
            progress(
                Progress(
                    stage=f"commitment, best objective {best[0].objective:.4f}" if best else "commitment",
                    evaluations=len(trials),
                    fraction=min(1.0, len(trials) / budget),
                )
            )
        return trial

    outcome = Outcome.CONVERGED
    try:
        room = np.where(width > 0, width, 1.0)  # a parameter without room stays where it is
        settled = [_search(evaluate, (s - family.low) / room, evaluations_per_start, violation) for s in starts]
        if not any(settled):
            outcome = Outcome.ROUND_LIMIT
    except Cancelled:
        outcome = Outcome.CANCELLED
    if best is None:
        raise ValueError("no tariff of the family was feasible; widen the bounds or raise the price cap")
    trial = best[0]
    return Commitment(
        tariff=family.tariff(trial.parameters),
        equilibrium=solve_equilibrium(economy, family.tariff(trial.parameters), start=best[1]),
        objective=trial.objective,
        parameters=family.describe(trial.parameters),
        trials=tuple(trials),
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=_sentence(outcome, trial, len(trials), len(starts)),
    )


def _search(
    evaluate: Callable[[Floats], Trial],
    start: Floats,
    evaluations: int,
    violation: Callable[[Equilibrium], float] | None,
) -> bool:
    """One COBYQA run in unit coordinates; True if it ended by its own stopping rule."""
    worst = 0.0

    def loss(unit: Floats) -> float:
        nonlocal worst
        value = -evaluate(unit).objective
        worst = max(worst, value) if np.isfinite(value) else worst
        return value if np.isfinite(value) else worst + 1.0

    constraints = NonlinearConstraint(lambda unit: evaluate(unit).violation, -np.inf, 0.0) if violation else ()
    found = minimize(
        loss,
        start,
        method="COBYQA",
        bounds=[(0.0, 1.0)] * len(start),
        constraints=constraints,
        options={"maxfev": evaluations, "initial_tr_radius": FIRST_STEP, "final_tr_radius": 1e-3},
    )
    return bool(found.success)


def _sentence(outcome: Outcome, trial: Trial, evaluations: int, starts: int) -> str:
    best = f"best objective {trial.objective:.4f} USD per household-day after {evaluations} tariffs"
    if outcome is Outcome.CONVERGED:
        return f"Converged: {best}; a search from {starts} starting points settled."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled: {best}."
    return f"Evaluation limit reached: {best}; raise the number of evaluations for a finer optimum."
