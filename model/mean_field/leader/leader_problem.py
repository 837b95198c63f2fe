"""What a leader looks for among the tariffs of a family, and what trying one has shown."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.tariff_evaluator import Evaluation, TariffEvaluator
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

UNIT = "USD per household-day"
"""Unit of an objective unless told."""
FEASIBLE = 1e-6
"""Constraint violation that counts as none, in the constraint's unit."""

Objective = Callable[[Equilibrium], float]
"""What a leader maximises; −inf where it is undefined."""
Violation = Callable[[Equilibrium], npt.ArrayLike]
"""Constraints of the leader, each satisfied where ≤ 0: one number or an array."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """One evaluated tariff: its free parameters, objective, and constraint violation (≤ 0 is none)."""

    __repr__ = short_repr

    parameters: Floats
    objective: float
    violation: float


Tried = Callable[[Trial, Equilibrium], None]
"""Told of every tariff tried, in order, and of the households' equilibrium there."""


@dataclass(frozen=True, slots=True, eq=False)
class LeaderProblem:
    """Maximise an objective over a family of tariffs, the households in equilibrium at each.

    Attributes
    ----------
    economy
        Where.
    family
        The tariffs that may be posted.
    objective
        What the leader maximises, e.g. USD per household-day; −inf where it is undefined. A function of prices, loads,
        bills, utility, wear, rates and charges: its gradient is that along the first-order prediction of these.
    violation
        Constraints of the leader, satisfied where ≤ 0, e.g. import rates less the cap.
    unit
        Unit of the objective, for messages.
    shortfall
        By how much each of the numbers falls short that the objective needs above 0: it is defined where all are
        below 0. None where it is defined everywhere.
    """

    economy: Economy
    family: ParameterFamily
    objective: Objective
    violation: Violation | None = None
    unit: str = UNIT
    shortfall: Violation | None = None

    def violations(self, found: Equilibrium) -> Floats:
        """The constraints at an equilibrium, one after the other, a single 0 without any; then the shortfalls."""
        kept = np.atleast_1d(0.0 if self.violation is None else self.violation(found)).astype(float).ravel()
        return kept if self.shortfall is None else np.append(kept, self.shortfall(found))

    def measure(self, found: Equilibrium) -> Floats:
        """The objective, −inf where the equilibrium was not found, and the constraints."""
        value = self.objective(found) if found.outcome is Outcome.CONVERGED else -np.inf
        return np.append(value, self.violations(found))

    @property
    def nowhere_feasible(self) -> str:
        """What to say where no tariff tried was feasible."""
        if self.violation is not None:
            return "no tariff of the family was feasible; widen the bounds or raise the price cap"
        return "no tariff of the family was feasible"

    def evaluator(self, watch: Watch, *, holds: int | None = None) -> TariffEvaluator:
        """An evaluator of its tariffs by `measure`."""
        return TariffEvaluator(self.economy, self.family, self.measure, watch=watch, holds=holds)


def trial_of(evaluation: Evaluation) -> Trial:
    """What a problem's evaluator has shown, as a record."""
    return Trial(
        parameters=evaluation.parameters,
        objective=float(evaluation.values[0]),
        violation=float(evaluation.values[1:].max()),
    )
