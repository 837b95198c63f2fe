"""The committing leader who is unsure which world it is in: the best CVaR over variants of one tariff's equilibria.

max over tariffs a of CVaR_α over variants v of J_v(a, equilibrium of the followers in v at a). The objective has kinks
where variants change places, so the search climbs on what lies beside it: with a threshold t and what each variant
falls short of it, s,

    max t − Σ_v w_v s_v/(1 − α)   subject to   J_v(a) + s_v ≥ t,  s ≥ 0,

which is smooth wherever the J_v are (R. T. Rockafellar, S. Uryasev 2000); for the worst case s is left out, and t is
the epigraph of the minimum. SLSQP (Kraft 1988) solves it from the most promising starts; at temperature 0, where there
are no gradients, COBYQA goes by values of CVaR (Ragonneau, Zhang 2022). The best feasible tariff seen is kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.commitment import FIRST_STEP, PRECISION_USD, SETTLED, minimize_by_values
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.robust.risk import Risk
from meanwatt.model.mean_field.leader.robust.variant_evaluator import VariantEvaluator, VariantTrial
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

CLIMBS = 3
"""Starts that are climbed from, those with the highest value."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustSearch:
    """The best tariff for all variants together, and how the search ended.

    Attributes
    ----------
    best
        The tariff with the highest CVaR that met the constraints of all variants.
    trials
        Every tariff tried, in order.
    outcome
        Converged, evaluation limit, or cancelled.
    """

    best: VariantTrial
    trials: tuple[VariantTrial, ...]
    outcome: Outcome
    seconds: float


def commit_robustly(
    problems: Sequence[LeaderProblem],
    risk: Risk,
    starts: Sequence[Floats],
    *,
    evaluations_per_start: int,
    precision_usd: float = PRECISION_USD,
    watch: Watch | None = None,
) -> RobustSearch:
    """Search a family for the tariff whose equilibria in all variants the leader likes best.

    Parameters
    ----------
    problems
        The leader's problem in each variant, over one and the same family.
    risk
        Weights of the variants, and the share of the weight that does not count.
    starts
        Parameters to start from; all are tried, and `CLIMBS` of them climbed from.
    evaluations_per_start
        Tariffs allowed for each climb; each is solved in every variant.
    precision_usd
        Gain of the objective that is not worth another step, in its unit.
    watch
        Progress, whose ``fraction`` counts tariffs, and a request to stop.

    Raises
    ------
    ValueError
        If no tariff tried is feasible in all variants.
    Cancelled
        If asked to stop before one was found.
    """
    began, watch = time.perf_counter(), watch or Watch()
    evaluator = VariantEvaluator(problems, risk, watch)
    climbs = min(CLIMBS, len(starts))
    budget = len(starts) + climbs * evaluations_per_start

    def report(_: VariantTrial) -> None:
        best, tried = evaluator.best(), len(evaluator.trials)
        if watch.progress is not None:
            told = "" if best is None else f", best {best.value:.4f}"
            watch.progress(Progress(stage=f"all variants{told}", evaluations=tried, fraction=min(1.0, tried / budget)))

    evaluator.reported = report
    smooth = all(problem.economy.scenario.temperature_usd > 0 for problem in problems)
    smooth = smooth and not evaluator.family.has_components
    outcome = Outcome.CONVERGED
    try:
        units = [np.clip(evaluator.family.unit(start), 0.0, 1.0) for start in starts]
        order = sorted(range(len(units)), key=lambda place: -_rank(evaluator.evaluate(units[place])))
        climb: Callable[[VariantEvaluator, Floats, int, float], bool] = _climb if smooth else _search
        settled = [climb(evaluator, units[place], evaluations_per_start, precision_usd) for place in order[:climbs]]
        if not any(settled):
            outcome = Outcome.ROUND_LIMIT
    except Cancelled:
        outcome = Outcome.CANCELLED
    best = evaluator.best()
    if best is None:
        if outcome is Outcome.CANCELLED:
            raise Cancelled
        raise ValueError(f"{problems[0].nowhere_feasible} in all variants")
    return RobustSearch(best=best, trials=tuple(evaluator.trials), outcome=outcome, seconds=time.perf_counter() - began)


def _rank(tried: VariantTrial) -> float:
    """Value of a start less by how much it breaks the constraints."""
    return tried.value - max(float(tried.violation.max()), 0.0)


def _climb(evaluator: VariantEvaluator, start: Floats, evaluations: int, precision: float) -> bool:
    """One SLSQP run over (unit, threshold, shortfalls); True if it ended by its own stopping rule."""
    evaluator.allowed = len(evaluator.trials) + evaluations
    form = _Epigraph(evaluator, len(start))
    try:
        found = minimize(
            form.loss,
            form.begin(start),
            jac=form.loss_slope,
            method="SLSQP",
            bounds=form.bounds,
            constraints=form.constraints,
            options={"maxiter": evaluations, "ftol": precision},
        )
    except BudgetSpent:
        return False
    return found.status in SETTLED


class _Epigraph:
    """The smooth problem beside CVaR, in one vector: p of the unit cube, then t, then s, as far as they are needed."""

    def __init__(self, evaluator: VariantEvaluator, parameters: int) -> None:
        self._evaluator, self._p = evaluator, parameters
        risk = self._risk = evaluator.risk
        variants = len(risk.weight)
        self._lifted = 0 if risk.is_mean else 1 if risk.is_worst else 1 + variants
        self.bounds: list[tuple[float | None, float | None]] = [(0.0, 1.0)] * parameters
        self.bounds += [(None, None), *[(0.0, None)] * variants][: self._lifted]
        self.constraints: list[dict[str, Any]] = []
        if self._lifted:
            self.constraints.append({"type": "ineq", "fun": self._above, "jac": self._above_slope})
        if evaluator.is_constrained:
            self.constraints.append(
                {"type": "ineq", "fun": lambda point: -self._at(point).violation, "jac": self._inside_slope}
            )

    def begin(self, unit: Floats) -> Floats:
        """The start with its threshold and shortfalls."""
        if not self._lifted:
            return unit
        objective = self._evaluator.defined(self._evaluator.evaluate(unit).objective)
        threshold = self._risk.threshold(objective)
        shortfall = np.maximum(threshold - objective, 0.0)
        return np.concatenate([unit, [threshold], shortfall])[: self._p + self._lifted]

    def loss(self, point: Floats) -> float:
        """What is minimised."""
        if not self._lifted:
            objective = self._evaluator.defined(self._at(point).objective)
            return -float(self._risk.weight @ objective)
        return float(-point[self._p] + self._price @ point[self._p + 1 :])

    def loss_slope(self, point: Floats) -> Floats:
        """Its derivative."""
        if not self._lifted:
            return -self._risk.weight @ self._evaluator.slopes(point)[0]
        return np.concatenate([np.zeros(self._p), [-1.0], self._price])

    @property
    def _price(self) -> Floats:
        """Price of a variant's shortfall."""
        return self._risk.weight / (1.0 - self._risk.alpha) if self._lifted > 1 else np.zeros(0)

    def _at(self, point: Floats) -> VariantTrial:
        return self._evaluator.evaluate(point[: self._p])

    def _above(self, point: Floats) -> Floats:
        """J + s − t."""
        objective = self._evaluator.defined(self._at(point).objective)
        shortfall = point[self._p + 1 :] if self._lifted > 1 else 0.0
        return np.asarray(objective + shortfall - point[self._p])

    def _above_slope(self, point: Floats) -> Floats:
        slope = self._evaluator.slopes(point[: self._p])[0]
        lifted = [-np.ones((len(slope), 1))] + ([np.eye(len(slope))] if self._lifted > 1 else [])
        return np.hstack([slope, *lifted])

    def _inside_slope(self, point: Floats) -> Floats:
        slope = -self._evaluator.slopes(point[: self._p])[1]
        return np.hstack([slope, np.zeros((len(slope), self._lifted))])


def _search(evaluator: VariantEvaluator, start: Floats, evaluations: int, precision: float) -> bool:
    """One COBYQA run on CVaR itself; True if it ended by its own stopping rule."""
    evaluator.allowed = len(evaluator.trials) + evaluations

    def loss(unit: Floats) -> float:
        return -evaluator.risk.value(evaluator.defined(evaluator.evaluate(unit).objective))

    constraints: Any = ()
    if evaluator.is_constrained:
        constraints = NonlinearConstraint(lambda unit: evaluator.evaluate(unit).violation.max(), -np.inf, 0.0)
    try:
        return minimize_by_values(loss, start, evaluations, FIRST_STEP, constraints)
    except BudgetSpent:
        return False
