"""The committing leader: the Stackelberg mean-field equilibrium over a tariff family.

``commitment``: max over tariffs of J(tariff, equilibrium of the followers at that tariff), the true Stackelberg
leader (bilevel). Every evaluation solves the followers' equilibrium, warm-started from the last one, and its gradient
comes from implicit differentiation of that fixed point (`tangent`), or from warm neighbours where there are many
prices, so a search takes tens of solves. SLSQP (Kraft 1988) climbs from several starts inside the bounds; at
temperature 0, where there is no gradient, COBYQA does (Ragonneau, Zhang 2022). The best feasible tariff seen is kept.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import NonlinearConstraint, minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.derivatives.population_sensitivity import DENSE
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent, predicted
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, starting_points
from meanwatt.model.progress.watch import Cancelled, Progress
from meanwatt.model.scenario.economy import Economy

UNIT = "USD per household-day"
"""Unit of an objective unless told."""
EVALUATIONS_PER_START = 40
FEASIBLE = 1e-6
"""Constraint violation that counts as none, in the constraint's unit."""
FIRST_STEP = 0.25
"""First trust-region radius without gradients, as a share of each parameter's range."""
PRECISION_USD = 1e-7
"""Gain of the objective that is not worth another step. [USD per household-day]"""
LOOK_AHEAD = 1e-5
"""Change of a parameter, as a share of its range, over which the first-order prediction is differenced."""

STEP_ASIDE = 1e-4
"""The same where the neighbour is solved, to 1e-9 USD/kWh."""
SETTLED = (0, 8)
"""SLSQP's exits at an optimum: its tolerance met, or (at a kink of the objective) no direction climbs."""

Violation = Callable[[Equilibrium], npt.ArrayLike]
"""Constraints of the leader, each satisfied where ≤ 0: one number or an array."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One evaluated tariff: its free parameters, objective, and constraint violation (≤ 0 is none)."""

    __repr__ = short_repr

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
    economy: Economy,
    family: TariffFamily,
    objective: Callable[[Equilibrium], float],
    *,
    unit: str = UNIT,
    violation: Violation | None = None,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    starts: Sequence[Floats] | None = None,
    gradients: bool = True,
    certify: bool = True,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Commitment:
    """Search the family for the tariff whose equilibrium the leader likes best.

    Parameters
    ----------
    objective
        What the leader maximises, e.g. USD per household-day; −inf where it is undefined. A function of prices, loads,
        bills, utility, wear, rates and charges: its gradient is that along the first-order prediction of these.
    unit
        Its unit, for the message.
    violation
        Constraints of the leader, satisfied where ≤ 0, e.g. import rates less the cap.
    evaluations_per_start
        Equilibrium solves allowed from each starting point.
    starts
        Parameters to start from; by default those of `starting_points`.
    gradients
        Whether the objective is such a function; without, and at temperature 0, the search goes by values alone.
    certify
        Whether to certify the equilibrium at the tariff found.
    progress, cancelled
        As in ``solve_equilibrium``; ``fraction`` counts equilibrium solves.

    Raises
    ------
    ValueError
        If no evaluated tariff is feasible.
    """
    began = time.perf_counter()
    starts = starting_points(family, economy) if starts is None else starts
    game = _Bilevel(economy, family, objective, violation, evaluations_per_start * len(starts), progress, cancelled)
    climb = _climb if gradients and economy.scenario.temperature_usd > 0 else _search
    outcome = Outcome.CONVERGED
    try:
        settled = [climb(game, family.unit(start), evaluations_per_start) for start in starts]
        if not any(settled):
            outcome = Outcome.ROUND_LIMIT
    except Cancelled:
        outcome = Outcome.CANCELLED
    if game.best is None:
        raise ValueError("no tariff of the family was feasible; widen the bounds or raise the price cap")
    trial, found = game.best
    return Commitment(
        tariff=family.tariff(trial.parameters),
        equilibrium=solve_equilibrium(economy, family.tariff(trial.parameters), start=found, certify=certify),
        objective=trial.objective,
        parameters=family.describe(trial.parameters),
        trials=tuple(game.trials),
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=_sentence(outcome, trial, unit, len(game.trials), len(starts)),
    )


class _Spent(Exception):  # noqa: N818 - a limit, not an error
    """The evaluations of a start are used up."""


class _Bilevel:
    """The leader's problem in unit coordinates, every tariff solved once."""

    def __init__(
        self,
        economy: Economy,
        family: TariffFamily,
        objective: Callable[[Equilibrium], float],
        violation: Violation | None,
        budget: int,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.economy, self.family = economy, family
        self.objective, self._violation = objective, violation
        self.budget, self.progress, self.cancelled = budget, progress, cancelled
        self.trials: list[Trial] = []
        self.best: tuple[Trial, Equilibrium] | None = None
        self.allowed = budget
        self._seen: dict[bytes, tuple[Trial, Equilibrium]] = {}
        self._gradients: dict[bytes, tuple[Floats, Floats]] = {}
        self._last: Equilibrium | None = None

    @property
    def has_violation(self) -> bool:
        """Whether the leader is constrained."""
        return self._violation is not None

    def tariff(self, unit: Floats) -> Tariff:
        """The tariff at unit coordinates."""
        return self.family.tariff(self.family.at(unit))

    def _key(self, unit: Floats) -> bytes:
        return np.round(self.family.at(unit), 12).tobytes()

    def violations(self, found: Equilibrium) -> Floats:
        """The constraints at an equilibrium, as an array."""
        return np.atleast_1d(0.0 if self._violation is None else self._violation(found)).astype(float).ravel()

    def evaluate(self, unit: Floats) -> tuple[Trial, Equilibrium]:
        """Solve the followers' equilibrium at a tariff; raise if asked to stop or if the evaluations are used up."""
        key = self._key(unit)
        if key in self._seen:
            return self._seen[key]
        if self.cancelled is not None and self.cancelled():
            raise Cancelled
        if len(self.trials) >= self.allowed:
            raise _Spent
        found = solve_equilibrium(self.economy, self.tariff(unit), start=self._last, certify=False)
        usable = found.outcome is Outcome.CONVERGED
        self._last = found if usable else self._last
        trial = Trial(
            parameters=self.family.at(unit),
            objective=self.objective(found) if usable else -np.inf,
            violation=float(self.violations(found).max()),
        )
        self._seen[key] = trial, found
        self.trials.append(trial)
        feasible = trial.violation <= FEASIBLE and np.isfinite(trial.objective)
        if feasible and (self.best is None or trial.objective > self.best[0].objective):
            self.best = trial, found
        if self.progress is not None:
            best = f", best objective {self.best[0].objective:.4f}" if self.best else ""
            done = min(1.0, len(self.trials) / self.budget)
            self.progress(Progress(stage=f"commitment{best}", evaluations=len(self.trials), fraction=done))
        return trial, found

    def loss(self, unit: Floats) -> float:
        """What to minimise: the objective's negative, or worse than anything seen where it is undefined."""
        value = self.evaluate(unit)[0].objective
        if np.isfinite(value):
            return -value
        return max((-t.objective for t in self.trials if np.isfinite(t.objective)), default=0.0) + 1.0

    def gradients(self, unit: Floats) -> tuple[Floats, Floats]:
        """Gradient (p,) of the loss and Jacobian (constraint, p) of the violations."""
        key = self._key(unit)
        if key not in self._gradients:
            trial, found = self.evaluate(unit)
            count = len(self.violations(found))
            slope, steepness = np.zeros(len(unit)), np.zeros((count, len(unit)))
            if np.isfinite(trial.objective):
                for k, (behind, ahead, width) in enumerate(self._neighbours(found, np.clip(unit, 0.0, 1.0))):
                    slope[k] = -(self.objective(ahead) - self.objective(behind)) / width
                    steepness[:, k] = (self.violations(ahead) - self.violations(behind)) / width
            self._gradients[key] = slope, steepness
        return self._gradients[key]

    def _neighbours(self, found: Equilibrium, unit: Floats) -> Iterator[tuple[Equilibrium, Equilibrium, float]]:
        """Two equilibria close by along each parameter, and their distance.

        Predicted to first order; where there are so many prices that their derivative costs more than a few warm
        solves, solved.
        """
        if found.net_load_kw.size <= DENSE:
            tangent = equilibrium_tangent(found, self.tariff, unit)
            for change in LOOK_AHEAD * np.eye(len(unit)):
                yield predicted(found, tangent, -change), predicted(found, tangent, change), 2 * LOOK_AHEAD
            return
        for change in STEP_ASIDE * np.eye(len(unit)):
            sign = 1.0 if (unit + change <= 1.0).all() else -1.0
            if self.cancelled is not None and self.cancelled():
                raise Cancelled
            beside = solve_equilibrium(self.economy, self.tariff(unit + sign * change), start=found, certify=False)
            yield found, beside, sign * STEP_ASIDE


def _climb(game: _Bilevel, start: Floats, evaluations: int) -> bool:
    """One SLSQP run in unit coordinates; True if it ended by its own stopping rule."""
    game.allowed = len(game.trials) + evaluations
    constraints = []
    if game.has_violation:
        constraints.append(
            {
                "type": "ineq",
                "fun": lambda unit: -game.violations(game.evaluate(unit)[1]),
                "jac": lambda unit: -game.gradients(unit)[1],
            }
        )
    try:
        found = minimize(
            game.loss,
            start,
            jac=lambda unit: game.gradients(unit)[0],
            method="SLSQP",
            bounds=[(0.0, 1.0)] * len(start),
            constraints=constraints,
            options={"maxiter": evaluations, "ftol": PRECISION_USD},
        )
    except _Spent:
        return False
    return found.status in SETTLED


def _search(game: _Bilevel, start: Floats, evaluations: int) -> bool:
    """One COBYQA run in unit coordinates; True if it ended by its own stopping rule."""
    game.allowed = len(game.trials) + evaluations

    def worst_violation(unit: Floats) -> float:
        return game.evaluate(unit)[0].violation

    constraints = NonlinearConstraint(worst_violation, -np.inf, 0.0) if game.has_violation else ()
    try:
        found = minimize(
            game.loss,
            start,
            method="COBYQA",
            bounds=[(0.0, 1.0)] * len(start),
            constraints=constraints,
            options={"maxfev": evaluations, "initial_tr_radius": FIRST_STEP, "final_tr_radius": 1e-3},
        )
    except _Spent:
        return False
    return bool(found.success)


def _sentence(outcome: Outcome, trial: Trial, unit: str, evaluations: int, starts: int) -> str:
    best = f"best objective {trial.objective:.4f} {unit} after {evaluations} tariffs"
    if outcome is Outcome.CONVERGED:
        return f"Converged: {best}; a search from {starts} starting points settled."
    if outcome is Outcome.CANCELLED:
        return f"Cancelled: {best}."
    return f"Evaluation limit reached: {best}; raise the number of evaluations for a finer optimum."
