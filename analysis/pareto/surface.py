"""The Pareto surface of a tariff family, its knee, and whether the family beats the tariff in force on all criteria.

First the family is sampled evenly, for criteria have local optima. Then come searches from the best tariff known, all
of them `Survey.reach`: the individual optima, the front along evenly spread weights between them, the tariff that
betters the one in force most evenly, and, for each criterion, how far it can go while the other two stay as good as
under the tariff in force. Every tariff that any of them tried competes for the front.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.pareto.front import bounds, knee, non_dominated, simplex_lattice
from meanwatt.analysis.pareto.survey import CRITERIA, EvaluatedTariff, Survey
from meanwatt.analysis.pareto.verdict import Verdict, verdict
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.tariff_family import starting_points, tariff_family
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

POINTS: Final = 4
"""Points sought along each edge of the surface: 4 make 10 on the whole surface, the three optima among them."""
SAMPLE: Final = 32
"""Tariffs of Sobol's sequence tried before any search; a power of 2 keeps them balanced."""
SLACK: Final = 1e-4
"""Share of its range by which a criterion may miss its least value for the others' sake."""
TIE: Final = 1e-3
"""Weight of the other criteria in choosing an optimum: of tariffs as good in one, that which is better elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """A Pareto surface and the tariffs beside it. Criteria are in the order of `CRITERIA`.

    Attributes
    ----------
    front
        The tariffs that no other tried dominates, by rising welfare gap.
    optima : (3, 3)
        Row k: the criteria where criterion k is least. None if cancelled before.
    knee
        Index into ``front``, see `meanwatt.analysis.pareto.front.knee`; None without optima.
    knee_distance
        Its distance from the plane through the optima, normalised.
    tariffs
        Criteria of named tariffs beside the family's.
    in_force
        Which of them is in force.
    verdicts
        By name, whether the family beats each of the rivals, the tariff in force first; empty if cancelled before.
    trials
        Every tariff tried.
    objectives
        What other leaders make of the named tariffs: tariff → leader → objective, None where it is undefined.
    """

    __repr__ = short_repr

    front: tuple[EvaluatedTariff, ...]
    optima: Floats | None
    knee: int | None
    knee_distance: float | None
    tariffs: Mapping[str, Floats]
    in_force: str
    verdicts: Mapping[str, Verdict]
    trials: tuple[EvaluatedTariff, ...]
    family: ParameterFamily
    seconds: float
    outcome: Outcome
    objectives: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


def pareto_surface(
    economy: Economy,
    tariffs: Mapping[str, Floats],
    rivals: Sequence[str],
    *,
    first_best_welfare: float,
    family: ParameterFamily | None = None,
    points: int = POINTS,
    watch: Watch | None = None,
) -> Surface:
    """Draw the surface and hold the tariff in force against it.

    Parameters
    ----------
    tariffs
        Criteria (3,) of named tariffs, as from `meanwatt.analysis.pareto.survey.criteria_of`.
    rivals
        Which of them the family has to beat; the first is the tariff in force.
    first_best_welfare
        Welfare of the planner's optimum. [USD per household-day]
    family
        Tariffs to search; by default the commission's, whose fixed charge recovers cost.
    points
        Points sought along each edge of the surface, at least 2: the optima.
    watch
        Progress, and a request to stop.

    Raises
    ------
    ValueError
        At temperature 0, or if a rival is not among the tariffs or ``points`` < 2.
    """
    began = time.perf_counter()
    if not rivals or not set(rivals) <= set(tariffs):
        raise ValueError(f"rivals are {', '.join(rivals) or 'nobody'}; give at least one of {', '.join(tariffs)}")
    family = tariff_family(economy, Recovery.FIXED) if family is None else family
    weights = simplex_lattice(len(CRITERIA), points)
    inner = weights[weights.max(axis=1) < 1]
    survey = Survey(
        economy,
        family,
        first_best_welfare,
        searches=1 + len(CRITERIA) * (1 + len(CRITERIA)) + len(inner) + len(rivals) * (2 + len(CRITERIA)),
        watch=watch,
    )
    verdicts: dict[str, Verdict] = {}
    outcome, optima = Outcome.CONVERGED, None
    try:
        survey.sample([*starting_points(family, economy), *_sobol(family)])
        optima = _optima(survey)
        ideal, nadir = bounds(optima)
        width = _positive(nadir - ideal)
        for weight in inner:
            survey.reach(weight @ optima, np.ones(len(CRITERIA)), width)
        for name in rivals:
            verdicts[name] = _against(survey, tariffs[name], width, name)
    except Cancelled:
        outcome = Outcome.CANCELLED
    front = _front(survey.trials)
    bulge = None if optima is None else knee(np.array([one.criteria for one in front]), optima)
    return Surface(
        front=front,
        optima=optima,
        knee=None if bulge is None else bulge.place,
        knee_distance=None if bulge is None else bulge.distance,
        tariffs=dict(tariffs),
        in_force=rivals[0],
        verdicts=verdicts,
        trials=tuple(survey.trials),
        family=family,
        seconds=time.perf_counter() - began,
        outcome=outcome,
    )


def least_of_each(
    economy: Economy, *, first_best_welfare: float, family: ParameterFamily, watch: Watch | None = None
) -> tuple[tuple[EvaluatedTariff, ...], tuple[EvaluatedTariff, ...]]:
    """The tariff with the least of each criterion, whatever it does to the others, and every tariff tried.

    Parameters are those of `pareto_surface`, which begins with the same searches.

    Raises
    ------
    Cancelled
        If asked to stop.
    ValueError
        At temperature 0.
    """
    survey = Survey(economy, family, first_best_welfare, searches=1 + 2 * len(CRITERIA), watch=watch)
    survey.sample([*starting_points(family, economy), *_sobol(family)])
    scale = _positive(np.ptp([one.criteria for one in survey.trials], axis=0))
    for aim in np.eye(len(CRITERIA)):
        _reach_least(survey, aim, scale)
    trials = tuple(survey.trials)
    places = np.argmin([one.criteria for one in trials], axis=0)
    return tuple(trials[place] for place in places), trials


def _sobol(family: ParameterFamily) -> Floats:
    """Tariffs spread evenly over the family. (sample, p)"""
    from scipy.stats import qmc  # slow to import

    unit = qmc.Sobol(len(family.free), scramble=False).random(SAMPLE)
    return family.at(unit)


def _optima(survey: Survey) -> Floats:
    """Criteria (3, 3) at the least of each criterion; where that leaves freedom, the others are lowered too."""
    scale = _positive(np.ptp([one.criteria for one in survey.trials], axis=0))
    axes = np.eye(len(CRITERIA))
    for k, aim in enumerate(axes):
        _reach_least(survey, aim, scale)
        for other in np.delete(axes, k, axis=0):
            survey.reach(_least(survey.trials, k) + SLACK * scale * (1 - other), other, scale)
    return np.array([_least(survey.trials, k) for k in range(len(CRITERIA))])


def _reach_least(survey: Survey, aim: Floats, scale: Floats) -> None:
    """Search for the least of one criterion from two starts."""
    alone = np.where(aim > 0, 0.0, np.inf)
    survey.reach(alone, aim, scale)
    survey.reach(alone, aim, scale, away_from=min(survey.trials, key=lambda one: one.criteria @ aim).parameters)


def _least(trials: Sequence[EvaluatedTariff], criterion: int) -> Floats:
    """Criteria (3,) where one is least; of tariffs as good in that one, where the others are low."""
    tried = np.array([one.criteria for one in trials])
    width = _positive(np.ptp(tried[non_dominated(tried)], axis=0))
    height = tried[:, criterion] / width[criterion] + TIE * (tried / width).sum(axis=1)
    return np.asarray(tried[int(np.argmin(height))])


def _against(survey: Survey, rival: Floats, width: Floats, name: str) -> Verdict:
    """Better a tariff evenly, then each criterion alone while the others hold."""
    relative = np.where(rival > 0, rival, width)
    for _ in range(2):  # the second starts from the best that the first, or anything else, has found
        survey.reach(rival, np.ones(len(CRITERIA)), relative)
    for aim in np.eye(len(CRITERIA)):
        survey.reach(rival, aim, relative)
    return verdict(survey.trials, rival, relative, name)


def _front(trials: list[EvaluatedTariff]) -> tuple[EvaluatedTariff, ...]:
    if not trials:
        return ()
    best = non_dominated(np.array([one.criteria for one in trials]))
    return tuple(sorted((one for one, kept in zip(trials, best, strict=True) if kept), key=lambda one: one.criteria[0]))


def _positive(width: Floats) -> Floats:
    return np.where(width > 0, width, 1.0)
