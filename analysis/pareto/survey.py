"""Tariffs judged by three criteria at once, and the search for the one that reaches farthest in a direction.

Every search is one Pascoletti–Serafini problem [1]_: from a reference point a go as far as possible against the
direction r ≥ 0,

    minimise t   subject to   f_k(tariff) ≤ a_k + t·r_k   for every criterion k.

With a at the tariff in force it asks how much better all criteria can get together; with a on the plane through the
individual optima it spreads points over the front (the inequality form of normal-boundary intersection); r_k = 0 is an
ε-constraint, a_k = ∞ leaves criterion k out. SLSQP (Kraft 1988) solves it. The burden gap, a maximum of differences,
enters as all these differences, which are smooth.

Slopes are differences of equilibria solved anew from the one at hand: with five parameters that takes a few rounds of
Newton's method, where the exact derivative needs the answer to every price of every common state.

References
----------
.. [1] A. Pascoletti, P. Serafini, "Scalarizing vector optimization problems", Journal of Optimization Theory and
   Applications 42, 499–524, 1984.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np
from scipy.optimize import minimize

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.tariff_evaluator import BudgetSpent, TariffEvaluator
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.economy import Economy

CRITERIA: Final = ("efficiency_gap_usd_per_household_day", "burden_gap", "imv")
"""What every tariff is judged by, under the names of `meanwatt.analysis.metrics.metrics`; all are to be small."""
STEP: Final = 1e-5
"""Change of a parameter, as a share of its range, over which criteria are differenced."""
EVALUATIONS: Final = 40
"""Tariffs tried in one search at most."""
PRECISION: Final = 1e-5
"""Gain, in units of the criteria's scale, that is not worth another step."""
AUGMENTATION: Final = 1e-3
"""Weight of the criteria's sum beside t: of tariffs that reach equally far, one that is not dominated."""
ELSEWHERE: Final = 0.5
"""Share of a parameter's range by which a second start differs from the first search's end."""
SLACK_PRICE: Final = 1e3
"""Weight of a missed ε-constraint where a search chooses its start."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EvaluatedTariff:
    """A tariff of the family and its criteria, in the order of `CRITERIA`."""

    parameters: Floats
    criteria: Floats


def criteria_of(found: Equilibrium, first_best_welfare: float) -> Floats:
    """Welfare gap [USD per household-day], burden gap [share of income] and IMV [USD/kWh] of an equilibrium. (3,)"""
    return _criteria(_rows(found, first_best_welfare))


def _rows(found: Equilibrium, first_best_welfare: float) -> Floats:
    """Smooth parts of the criteria: welfare gap, all differences of group burdens, IMV."""
    metrics = equilibrium_metrics(found)
    gap = first_best_welfare - metrics.welfare_usd_per_household_day
    volatility = 0.0 if metrics.imv is None else metrics.imv
    burdens = [burden for burden in metrics.burden.values() if burden is not None]
    differences = [one - other for one, other in permutations(burdens, 2)] or [0.0]
    return np.array([gap, *differences, volatility])


def _criteria(rows: Floats) -> Floats:
    """The criteria (3,) of smooth rows: the burden gap is the largest difference."""
    return np.array([rows[0], rows[1:-1].max(), rows[-1]])


class Survey:
    """Every tariff of the family tried so far, each solved once, in unit coordinates of the family.

    Parameters
    ----------
    first_best_welfare
        Welfare of the planner's optimum. [USD per household-day]
    searches
        Number of searches to come, for the progress bar.
    watch
        Progress, whose ``fraction`` counts searches, and a request to stop.

    Raises
    ------
    ValueError
        At temperature 0, where households' answers jump and no criterion has a slope.
    """

    def __init__(
        self,
        economy: Economy,
        family: ParameterFamily,
        first_best_welfare: float,
        *,
        searches: int,
        watch: Watch | None = None,
    ) -> None:
        if not economy.scenario.temperature_usd > 0:
            raise ValueError("the Pareto surface needs a temperature above 0; give --set temperature_usd=0.005")
        self.family, self.first_best_welfare, self.watch = family, first_best_welfare, watch or Watch()
        self._searches, self._done, self._allowed = searches, 0, 0
        self._trials: list[EvaluatedTariff] = []
        self._looked_at = 0
        self._evaluator = TariffEvaluator(economy, family, self._rows, watch=self.watch, holds=1, step=STEP)

    @property
    def trials(self) -> list[EvaluatedTariff]:
        """Every tariff tried under which households settled, in order."""
        new = self._evaluator.trials[self._looked_at :]
        self._looked_at += len(new)
        self._trials += [
            EvaluatedTariff(parameters=one.parameters, criteria=_criteria(one.values)) for one in new if one.settled
        ]
        return self._trials

    def judge(self, unit: Floats) -> tuple[Floats, Floats]:
        """Smooth rows and criteria of a tariff; raise ``Cancelled`` if asked to stop."""
        self._report()
        rows = self._evaluator.evaluate(self.family.at(unit)).values
        return rows, _criteria(rows)

    def sample(self, tariffs: Sequence[Floats]) -> None:
        """Judge tariffs, given by their parameters.

        Raises
        ------
        ValueError
            If followers do not settle under the first.
        """
        self._allow(len(tariffs))
        for parameters in tariffs:
            self.judge(self.family.unit(parameters))
        self._done += 1

    def reach(
        self,
        reference: Floats,
        direction: Floats,
        scale: Floats,
        *,
        away_from: Floats | None = None,
        evaluations: int = EVALUATIONS,
    ) -> None:
        """Solve one Pascoletti–Serafini problem from the tariff that suits it best so far; ``trials`` keeps all tried.

        Parameters
        ----------
        reference : (k,)
            The point a, in the criteria's units.
        direction : (k,)
            r ≥ 0 in units of ``scale``.
        scale : (k,)
            What counts as one unit of each criterion.
        away_from : (p,), optional
            Parameters of a tariff already found: start elsewhere, by `ELSEWHERE` at least, if anything was tried there.
        """
        aimed = np.isfinite(reference)
        known = self.trials if away_from is None else self._elsewhere(away_from) or self.trials
        start = min(known, key=lambda one: _promise(one, reference, direction, scale))
        self._allow(evaluations)
        cost = AUGMENTATION / scale

        def owner(rows: Floats) -> Ints:
            return np.array([0, *[1] * (len(rows) - 2), 2])

        def room(point: Floats) -> Floats:
            rows, _ = self.judge(point[:-1])
            own = owner(rows)
            left = (reference[own] - rows) / scale[own] + point[-1] * direction[own]
            return np.asarray(left[aimed[own]])

        def room_slope(point: Floats) -> Floats:
            slopes = self.slopes(point[:-1])
            own = owner(slopes)
            return np.asarray(np.column_stack([-slopes / scale[own][:, None], direction[own]])[aimed[own]])

        def loss(point: Floats) -> float:
            return float(point[-1] + cost @ self.judge(point[:-1])[1])

        def loss_slope(point: Floats) -> Floats:
            rows, _ = self.judge(point[:-1])
            widest = 1 + int(np.argmax(rows[1:-1]))
            return np.append(cost @ self.slopes(point[:-1])[[0, widest, -1]], 1.0)

        unit = self.family.unit(start.parameters)
        height = _promise(start, reference, direction, scale, slack_price=0.0)
        with suppress(BudgetSpent):
            minimize(
                loss,
                np.append(unit, height),
                jac=loss_slope,
                method="SLSQP",
                bounds=[*[(0.0, 1.0)] * len(unit), (None, None)],
                constraints={"type": "ineq", "fun": room, "jac": room_slope},
                options={"maxiter": evaluations, "ftol": PRECISION},
            )
        self._done += 1

    def slopes(self, unit: Floats) -> Floats:
        """Derivatives (row, p) of the smooth rows in unit coordinates, by one-sided differences."""
        self._report()
        return self._evaluator.jacobian(unit)

    def _elsewhere(self, parameters: Floats) -> list[EvaluatedTariff]:
        """Tariffs tried that differ in some parameter by more than a share of its range."""
        place = self.family.unit(parameters)
        return [one for one in self.trials if np.abs(self.family.unit(one.parameters) - place).max() > ELSEWHERE]

    def _allow(self, tariffs: int) -> None:
        """Allow so many tariffs more; one under which households do not settle is not counted, see `_rows`."""
        self._allowed = len(self.trials) + tariffs
        self._evaluator.allowed = len(self._evaluator.trials) + tariffs

    def _rows(self, found: Equilibrium) -> Floats:
        """Smooth rows of an equilibrium; where it was not found, worse than anything that settled."""
        if found.outcome is Outcome.CONVERGED:
            return _rows(found, self.first_best_welfare)
        tried = self._evaluator.trials
        if not tried:
            raise ValueError(f"followers do not settle under the first tariff tried: {found.message}")
        assert self._evaluator.allowed is not None
        self._evaluator.allowed += 1
        return np.asarray(2 * np.abs([one.values for one in tried]).max(axis=0) + 1)

    def _report(self) -> None:
        if self.watch.progress is not None:
            tried = len(self.trials)
            within = 1 - max(0, self._allowed - tried) / EVALUATIONS
            fraction = min(1.0, (self._done + np.clip(within, 0.0, 1.0)) / self._searches)
            stage = f"Pareto surface, search {self._done + 1} of {self._searches}"
            self.watch.progress(Progress(stage=stage, evaluations=tried, fraction=float(fraction)))


def _promise(
    one: EvaluatedTariff, reference: Floats, direction: Floats, scale: Floats, slack_price: float = SLACK_PRICE
) -> float:
    """Smallest t at which a tariff fulfils a problem, and the price of what no t fulfils."""
    excess = np.where(np.isfinite(reference), (one.criteria - reference) / scale, 0.0)
    free = (direction > 0) & np.isfinite(reference)
    return float((excess[free] / direction[free]).max() + slack_price * np.maximum(excess[~free], 0.0).sum())
