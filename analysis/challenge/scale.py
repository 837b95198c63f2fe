"""Three scores of a tariff: 0 at the filed tariff, 100 at the best that the commission's search finds on that axis.

Criteria are those of the Pareto surface: welfare, burden gap, price volatility. The filed tariff enters with its
books balanced in equal parts, as every drawn tariff does, so that all are compared at equal cost recovery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.design.balanced import balanced
from meanwatt.analysis.design.design import FILED
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.analysis.pareto.front import non_dominated
from meanwatt.analysis.pareto.surface import least_of_each
from meanwatt.analysis.pareto.survey import EvaluatedTariff, criteria_of
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, tariff_family
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy, build_tariff

AXES: Final = ("efficiency", "equity", "stability")
"""What is scored, in the order of `meanwatt.analysis.pareto.survey.CRITERIA`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale:
    """Where the scores 0 and 100 lie. Criteria are welfare lost against the filed tariff, burden gap and IMV.

    Attributes
    ----------
    filed
        The equilibrium under the filed tariff, its books balanced.
    welfare_usd_per_household_day
        Welfare there, from which losses are counted.
    zero, best : (3,)
        Criteria there, and the least of each that the search found.
    anchors
        The three tariffs of the family that reach them, in the order of `AXES`.
    trials
        Every tariff that the search tried.
    """

    __repr__ = short_repr

    filed: Equilibrium
    welfare_usd_per_household_day: float
    zero: Floats
    best: Floats
    family: TariffFamily
    anchors: tuple[EvaluatedTariff, ...]
    trials: tuple[EvaluatedTariff, ...]

    def criteria(self, found: Equilibrium) -> Floats:
        """Criteria (3,) of an equilibrium."""
        return criteria_of(found, self.welfare_usd_per_household_day)

    def scores(self, criteria: Floats) -> Floats:
        """Scores (3,), linear in the criteria, below 0 and above 100 too; nan where nothing beats the filed tariff."""
        room = self.zero - self.best
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(room > 0, 100 * (self.zero - criteria) / np.where(room > 0, room, 1.0), np.nan)

    def mean(self, criteria: Floats) -> float:
        """Mean of the scores that there are."""
        scores = self.scores(criteria)
        return float(scores[np.isfinite(scores)].mean())


def find_scale(economy: Economy, watch: Watch | None = None) -> Scale:
    """Solve the filed tariff and search the commission's family for the least of each criterion.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        In one sentence, if households do not settle under the filed tariff, or nothing beats it on any axis.
    """
    watch = watch or Watch()
    posted = build_tariff(economy.scenario, FILED)
    solved = solve_equilibrium(economy, posted, certify=False, watch=watch.silent())
    if solved.outcome is Outcome.CANCELLED:
        raise Cancelled
    if solved.outcome is not Outcome.CONVERGED:
        raise ValueError(f"homes do not settle under the filed tariff: {solved.message}")
    filed = balanced(solved)
    welfare = equilibrium_metrics(filed).welfare_usd_per_household_day
    family = tariff_family(economy, Recovery.FIXED, standing_charges=posted.standing_charges)
    anchors, trials = least_of_each(economy, first_best_welfare=welfare, family=family, watch=watch)
    scale = Scale(
        filed=filed,
        welfare_usd_per_household_day=welfare,
        zero=criteria_of(filed, welfare),
        best=np.array([anchor.criteria[k] for k, anchor in enumerate(anchors)]),
        family=family,
        anchors=anchors,
        trials=trials,
    )
    if not (scale.zero > scale.best).any():
        raise ValueError("no tariff of the commission's family beats the filed tariff on any axis; nothing to score")
    return scale


def not_dominated(criteria: Sequence[Floats]) -> Bools:
    """Which of some tariffs no other beats on one axis without losing on another; of equal ones the first."""
    return non_dominated(np.array(criteria)) if criteria else np.zeros(0, dtype=bool)
