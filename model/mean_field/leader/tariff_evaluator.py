"""Tariffs of a family tried one after the other: the households' equilibrium at each, and what it is to a search.

Whatever a search over tariffs looks for, it solves equilibria: each from one nearby, none twice, so many and no more.
The evaluator does that, and differentiates what is measured; the searches are strategies on it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.derivatives.population_sensitivity import DENSE
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.equilibrium_tangent import Tangent, equilibrium_tangent, predicted
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

LOOK_AHEAD = 1e-5
"""Change of a parameter, as a share of its range, over which the first-order prediction is differenced."""
STEP_ASIDE = 1e-4
"""The same where the neighbour is solved, to 1e-9 USD/kWh."""
SLOPE_ACCURACY = 1e-5
"""Error of a slope along the prediction, as a share of what a tariff changes at given prices: a search compares values,
and steps by slopes as well where they are this coarse."""
DIGITS = 12
"""Parameters equal to so many decimals are the same tariff."""

Measure = Callable[[Equilibrium], Floats]
"""Numbers (m,) that a search makes of an equilibrium; also of one that was not found, where they say so."""


class BudgetSpent(Exception):  # noqa: N818 - a limit, not an error
    """The evaluations of a search are used up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """A tariff tried: its free parameters, its measure (m,), and whether the households' equilibrium was found."""

    parameters: Floats
    values: Floats
    settled: bool


class TariffEvaluator:
    """Tariffs of a family, each evaluated once, from an equilibrium nearby and within a budget.

    Parameters
    ----------
    economy, family
        Who answers, and which tariffs.
    measure
        What is measured of an equilibrium.
    watch
        Asked before every solve whether to stop.
    start
        Where the first solve starts.
    follows
        Whether a solve starts from the last equilibrium found; else all start from ``start``.
    holds
        How many equilibria are held, the latest found; all by default.
    step
        Distance to a neighbour that is solved for derivatives, as a share of each parameter's range; by default they
        are taken along the first-order prediction where that costs less than to solve neighbours.

    Attributes
    ----------
    trials
        Every evaluation, in order.
    allowed
        Evaluations beyond which `BudgetSpent` is raised; None for no limit.
    reported
        Called with every evaluation and the equilibrium that was measured.
    """

    def __init__(
        self,
        economy: Economy,
        family: ParameterFamily,
        measure: Measure,
        *,
        watch: Watch,
        start: Equilibrium | None = None,
        follows: bool = True,
        holds: int | None = None,
        step: float | None = None,
    ) -> None:
        self.economy, self.family, self.measure, self.watch = economy, family, measure, watch
        self.start, self.follows = start, follows
        self.trials: list[Evaluation] = []
        self.allowed: int | None = None
        self.reported: Callable[[Evaluation, Equilibrium], None] = lambda _, __: None
        self._step, self._holds = step, holds
        self._solver = PostedSolver()
        self._known: dict[bytes, Evaluation] = {}
        self._held: dict[bytes, Equilibrium] = {}
        self._jacobians: dict[bytes, Floats] = {}
        self._linear: tuple[Equilibrium, Floats, Tangent] | None = None
        self._slope: Floats | None = None

    def evaluate(self, parameters: Floats) -> Evaluation:
        """What a tariff measures; solved if it is new.

        Raises
        ------
        Cancelled
            If asked to stop.
        BudgetSpent
            If the evaluations are used up.
        """
        key = _key(parameters)
        if key not in self._known:
            if self.allowed is not None and len(self.trials) >= self.allowed:
                self.watch.check()
                raise BudgetSpent
            self._known[key] = self.post(parameters)[0]
        return self._known[key]

    def post(self, parameters: Floats) -> tuple[Evaluation, Equilibrium]:
        """Solve and measure a tariff, known or not."""
        found = self.solve(parameters)
        evaluation = Evaluation(parameters=parameters, values=self.measure(found), settled=_settled(found))
        self.trials.append(evaluation)
        self.reported(evaluation, found)
        return evaluation, found

    def solve(self, parameters: Floats) -> Equilibrium:
        """The households' equilibrium at a tariff, without certificates."""
        self.watch.check()
        tariff = self.family.tariff(parameters)
        found = self._solver(self.economy, tariff, start=self._start_for(parameters), certify=False)
        if _settled(found):
            self.start = found if self.follows else self.start
            self._hold(_key(parameters), found)
        return found

    def equilibrium(self, parameters: Floats) -> Equilibrium:
        """The same; solved only if it is not held."""
        held = self._held.get(_key(parameters))
        return self.solve(parameters) if held is None else held

    def jacobian(self, unit: Floats) -> Floats:
        """Derivatives (m, p) of the measure in unit coordinates; 0 where it is undefined, here or beside."""
        parameters = self.family.at(unit)
        key = _key(parameters)
        if key not in self._jacobians:
            evaluation = self.evaluate(parameters)
            slopes = np.zeros((evaluation.values.size, unit.size))
            if evaluation.settled and np.isfinite(evaluation.values).any():
                with np.errstate(invalid="ignore"):  # of values that are undefined on both sides
                    for k, slope in enumerate(self._slopes(evaluation, np.clip(unit, 0.0, 1.0))):
                        slopes[:, k] = np.where(np.isfinite(slope), slope, 0.0)
            self._jacobians[key] = slopes
        return self._jacobians[key]

    def best(self, tolerance: float) -> Evaluation | None:
        """The trial with the highest first value of those whose other values are at most ``tolerance``, if any."""
        feasible = [one for one in self.trials if np.isfinite(one.values[0]) and (one.values[1:] <= tolerance).all()]
        return max(feasible, key=lambda one: float(one.values[0]), default=None)

    def _start_for(self, parameters: Floats) -> Equilibrium | None:
        """Where a solve starts: ``start``, or its first-order prediction at these parameters where that is known."""
        if self._linear is None or self._linear[0] is not self.start:
            return self.start
        start, unit, tangent = self._linear
        if start.tariff.recovery is Recovery.VOLUMETRIC:  # which begins from the first root itself
            return start
        ahead = predicted(start, tangent, self.family.unit(parameters) - unit)
        return replace(ahead, net_load_slope=tangent.net_load_slope)

    def _slopes(self, evaluation: Evaluation, unit: Floats) -> Iterator[Floats]:
        """Derivative (m,) along each parameter: of the prediction, or to a neighbour."""
        found = self.equilibrium(evaluation.parameters)
        if self._step is None and has_prediction(self.economy, self.family):
            tangent = equilibrium_tangent(found, self._tariff, unit, slope_nearby=self._slope, accuracy=SLOPE_ACCURACY)
            self._slope, self._linear = tangent.net_load_slope, (found, unit, tangent)
            for change in LOOK_AHEAD * np.eye(len(unit)):
                ahead, behind = predicted(found, tangent, change), predicted(found, tangent, -change)
                yield (self.measure(ahead) - self.measure(behind)) / (2 * LOOK_AHEAD)
            return
        step = STEP_ASIDE if self._step is None else self._step
        for change in step * np.eye(len(unit)):
            sign = 1.0 if (unit + change <= 1.0).all() else -1.0
            self.watch.check()
            tariff = self._tariff(unit + sign * change)
            beside = solve_equilibrium(self.economy, tariff, start=found, certify=False)
            if _settled(beside) and _settled(found):
                yield (self.measure(beside) - evaluation.values) / (sign * step)
            else:
                yield np.zeros_like(evaluation.values)

    def _tariff(self, unit: Floats) -> Tariff:
        return self.family.tariff(self.family.at(unit))

    def _hold(self, key: bytes, found: Equilibrium) -> None:
        self._held.pop(key, None)
        self._held[key] = found
        if self._holds is not None and len(self._held) > self._holds:
            del self._held[next(iter(self._held))]


def has_prediction(economy: Economy, family: ParameterFamily) -> bool:
    """Whether a first-order prediction costs less than to solve neighbours, and holds what is free in a family."""
    return family.has_tangent and economy.rest_load_kw.size <= DENSE


def _settled(found: Equilibrium) -> bool:
    return found.outcome is Outcome.CONVERGED


def _key(parameters: Floats) -> bytes:
    return np.round(parameters, DIGITS).tobytes()
