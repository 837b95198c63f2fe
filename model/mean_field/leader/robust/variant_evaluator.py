"""A tariff tried in every variant of the world: the objective in each, and the constraints of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE, LeaderProblem, Trial
from meanwatt.model.mean_field.leader.robust.risk import Risk
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent
from meanwatt.model.progress.watch import Watch

HOLDS = 4
"""Equilibria of each variant that are held, the latest found: a search asks for slopes where it has just been."""
DIGITS = 12
"""Parameters equal to so many decimals are the same tariff."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantTrial:
    """A tariff tried in all variants.

    Attributes
    ----------
    parameters : (free,)
        The tariff.
    objective : (variant,)
        The leader's, −inf where the equilibrium was not found or the objective is undefined.
    value
        What the leader makes of them.
    violation : (constraint,)
        Constraints of all variants, satisfied where ≤ 0.
    """

    parameters: Floats
    objective: Floats
    value: float
    violation: Floats

    @property
    def trial(self) -> Trial:
        """The same as a record of a search."""
        return Trial(parameters=self.parameters, objective=self.value, violation=float(self.violation.max()))


class VariantEvaluator:
    """Tariffs of one family tried in several variants, each once and within a budget.

    Parameters
    ----------
    problems
        The leader's problem in each variant, over one family.
    risk
        What the leader makes of the objectives.
    watch
        Asked before every solve whether to stop.

    Attributes
    ----------
    family, is_constrained
        The tariffs, and whether the leader has constraints to meet.
    trials
        Every tariff tried, in order.
    allowed
        Tariffs beyond which ``BudgetSpent`` is raised; None for no limit.
    reported
        Called with every trial.
    """

    def __init__(self, problems: Sequence[LeaderProblem], risk: Risk, watch: Watch) -> None:
        self.family, self.risk, self.watch = problems[0].family, risk, watch
        self.is_constrained = any(problem.violation is not None for problem in problems)
        self.trials: list[VariantTrial] = []
        self.allowed: int | None = None
        self.reported: Callable[[VariantTrial], None] = lambda _: None
        self._each = [problem.evaluator(watch.silent(), holds=HOLDS) for problem in problems]
        self._known: dict[bytes, VariantTrial] = {}

    def evaluate(self, unit: Floats) -> VariantTrial:
        """Try the tariff at a point of the unit cube; solved if it is new.

        Raises
        ------
        Cancelled
            If asked to stop.
        BudgetSpent
            If the tariffs are used up.
        """
        parameters = self.family.at(unit)
        key = np.round(parameters, DIGITS).tobytes()
        if key not in self._known:
            if self.allowed is not None and len(self.trials) >= self.allowed:
                self.watch.check()
                raise BudgetSpent
            values = [one.evaluate(parameters).values for one in self._each]
            objective = np.array([one[0] for one in values])
            found = VariantTrial(
                parameters=parameters,
                objective=objective,
                value=self.risk.value(objective),
                violation=np.concatenate([one[1:] for one in values]),
            )
            self._known[key] = found
            self.trials.append(found)
            self.reported(found)
        return self._known[key]

    def slopes(self, unit: Floats) -> tuple[Floats, Floats]:
        """Derivatives in unit coordinates of the objectives (variant, p) and of the constraints (constraint, p)."""
        each = [one.jacobian(unit) for one in self._each]
        return np.array([one[0] for one in each]), np.concatenate([one[1:] for one in each])

    def best(self) -> VariantTrial | None:
        """The trial with the highest value of those that meet all constraints, if any."""
        feasible = [one for one in self.trials if np.isfinite(one.value) and (one.violation <= FEASIBLE).all()]
        return max(feasible, key=lambda one: one.value, default=None)

    def defined(self, objective: Floats) -> Floats:
        """Objectives (variant,) with a number below all seen where they are undefined."""
        if np.isfinite(objective).all():
            return objective
        seen = np.concatenate([one.objective for one in self.trials])
        seen = seen[np.isfinite(seen)]
        return np.where(np.isfinite(objective), objective, seen.min(initial=0.0) - 1.0)
