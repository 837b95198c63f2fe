"""Design for cold households: the search is repeated at falling temperatures, and at 0 where that is exact.

At the scenario's own temperature gradients lead a search from several starts; the tariff found is the start at half the
temperature, and so on until sloppiness moves the objective of the scenario's tariffs by at most a tenth of what the
design gains. There a search by values alone follows among cold households (`meanwatt.model.mean_field.cold`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.optimize import NonlinearConstraint

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.design.cold import differences_at, is_small, largest_difference, named_standings
from meanwatt.analysis.design.design import EVALUATIONS_PER_START, DesignProblem, Search
from meanwatt.model.mean_field.cold import ColdMethod, at_temperature, solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment, commit, minimize_by_values
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE, LeaderProblem
from meanwatt.model.progress.watch import Cancelled

HALVINGS: Final = 8
"""Times the temperature is halved at most."""
FIRST_STEP: Final = 0.05
"""First step of the search among cold households, as a share of each parameter's range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """One temperature of an annealed design.

    Attributes
    ----------
    temperature_usd
        At which was searched; 0 for cold households. [USD]
    objective
        Of the tariff found there, at that temperature.
    largest_difference
        Largest |J_η − J_cold| of the scenario's tariffs; None where one is undefined, 0 for cold households.
    evaluations, outcome
        Of the search.
    """

    temperature_usd: float
    objective: float
    largest_difference: float | None
    evaluations: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Annealed(Commitment):
    """A commitment found among colder and colder households; equilibrium and objective at the scenario's temperature.

    Attributes
    ----------
    coolings
        The temperatures passed, the first that of the scenario.
    holds_from_usd
        The warmest of them at which sloppiness moves the objective of the scenario's tariffs by at most a tenth of what
        the design at the scenario's temperature gains; None if none does. [USD]
    """

    coolings: tuple[Cooling, ...]
    holds_from_usd: float | None


def anneal_search(evaluations_per_start: int = EVALUATIONS_PER_START) -> Search:
    """Search with full knowledge of the households, continued to cold ones."""

    def search(problem: DesignProblem) -> Annealed:
        return _anneal(problem, evaluations_per_start)

    return search


def _anneal(problem: DesignProblem, evaluations: int) -> Annealed:
    economy, aims, watch = problem.economy, problem.aims, problem.watch
    known, judge = aims.problem(economy, problem.baseline.tariff), aims.objective()
    found = commit(known, evaluations_per_start=evaluations, certify=False, watch=watch)
    gain, temperature = found.objective - judge(problem.baseline), economy.scenario.temperature_usd
    parameters = np.array(list(found.parameters.values()))
    coolings: list[Cooling] = []
    holds = stopped = False
    try:
        named = named_standings(economy, judge, watch)
        moved = largest_difference([one.difference for one in named])
        while True:
            holds = bool(is_small(moved, gain))
            coolings.append(_cooling(temperature, found, moved))
            if temperature == 0 or holds or len(coolings) > HALVINGS:
                break
            temperature /= 2
            cooler = replace(known, economy=at_temperature(economy, temperature))
            found = commit(cooler, evaluations_per_start=evaluations, starts=[parameters], certify=False, watch=watch)
            parameters = np.array(list(found.parameters.values()))
            moved = largest_difference(differences_at(named, temperature, judge, watch))
        if temperature > 0:
            search = _ColdSearch(known, problem)
            parameters = search.run(parameters, evaluations)
            coolings += search.coolings()
    except Cancelled:
        stopped = True
    coolings = coolings or [_cooling(temperature, found, None)]
    annealed = _recommended(problem, known, parameters, found, coolings, temperature if holds else None)
    return replace(annealed, outcome=Outcome.CANCELLED) if stopped else annealed


def _cooling(temperature: float, found: Commitment, moved: float | None) -> Cooling:
    return Cooling(
        temperature_usd=temperature,
        objective=found.objective,
        largest_difference=moved,
        evaluations=len(found.trials),
        outcome=found.outcome,
    )


class _ColdSearch:
    """A search by values among cold households, which keeps the best tariff that meets the constraints."""

    def __init__(self, problem: LeaderProblem, given: DesignProblem) -> None:
        self._problem, self._watch = problem, given.watch
        self._known: dict[bytes, Floats] = {}
        self._best: tuple[float, Floats] | None = None
        self._settled = False

    def run(self, start: Floats, evaluations: int) -> Floats:
        """The best parameters seen; those of the start if nothing met the constraints."""
        family = self._problem.family
        constraint: Any = ()
        if self._problem.violation is not None:
            constraint = NonlinearConstraint(lambda unit: self._measure(unit)[1:].max(), -np.inf, 0.0)
        self._settled = minimize_by_values(self._loss, family.unit(start), evaluations, FIRST_STEP, constraint)
        return start if self._best is None else self._best[1]

    def coolings(self) -> list[Cooling]:
        """How it went; empty where no tariff tried has a cold equilibrium that is known to be one."""
        if self._best is None:
            return []
        outcome = Outcome.CONVERGED if self._settled else Outcome.ROUND_LIMIT
        return [
            Cooling(
                temperature_usd=0.0,
                objective=self._best[0],
                largest_difference=0.0,
                evaluations=len(self._known),
                outcome=outcome,
            )
        ]

    def _measure(self, unit: Floats) -> Floats:
        """The objective among cold households, −inf where there is none, and the constraints."""
        parameters = self._problem.family.at(unit)
        key = parameters.tobytes()
        if key not in self._known:
            self._watch.check()
            self._known[key] = self._solve(parameters)
        return self._known[key]

    def _solve(self, parameters: Floats) -> Floats:
        cold = solve_cold(self._problem.economy, self._problem.family.tariff(parameters), watch=self._watch.silent())
        if cold.equilibrium is None or cold.way is ColdMethod.COLDEST:
            return np.array([-np.inf, np.inf])
        values = self._problem.measure(cold.equilibrium)
        worth = float(values[0])
        if math.isfinite(worth) and values[1:].max() <= FEASIBLE and (self._best is None or worth > self._best[0]):
            self._best = (worth, parameters)
        return values

    def _loss(self, unit: Floats) -> float:
        worth = float(self._measure(unit)[0])
        if math.isfinite(worth):
            return -worth
        seen = [-float(values[0]) for values in self._known.values() if math.isfinite(values[0])]
        return max(seen, default=0.0) + 1.0


def _recommended(
    problem: DesignProblem,
    known: LeaderProblem,
    parameters: Floats,
    warm: Commitment,
    coolings: Sequence[Cooling],
    holds_from: float | None,
) -> Annealed:
    """The tariff found cold, with its equilibrium at the scenario's own temperature."""
    economy, tariff = problem.economy, known.family.tariff(parameters)
    equilibrium = solve_equilibrium(economy, tariff, watch=problem.watch.silent())
    objective = float(known.measure(equilibrium)[0])
    outcome = Outcome.CONVERGED
    if any(one.outcome is not Outcome.CONVERGED for one in coolings):
        outcome = Outcome.ROUND_LIMIT
    return Annealed(
        tariff=tariff,
        equilibrium=equilibrium,
        objective=objective,
        parameters=known.family.describe(parameters),
        trials=warm.trials,
        seconds=warm.seconds,
        outcome=outcome,
        message=_sentence(outcome, coolings, holds_from, objective, equilibrium, known.unit),
        coolings=tuple(coolings),
        holds_from_usd=holds_from,
    )


def _sentence(
    outcome: Outcome,
    coolings: Sequence[Cooling],
    holds_from: float | None,
    objective: float,
    found: Equilibrium,
    unit: str,
) -> str:
    temperature = found.economy.scenario.temperature_usd
    best = (
        f"best objective {coolings[-1].objective:.4f} {unit} at temperature {coolings[-1].temperature_usd:g}, after"
        f" {sum(one.evaluations for one in coolings)} tariffs at {len(coolings)} temperatures; at temperature"
        f" {temperature:g} it is {objective:.4f}"
    )
    rule = (
        "sloppiness never became small beside the gain"
        if holds_from is None
        else f"sloppiness is small beside the gain from temperature {holds_from:g} USD on"
    )
    if outcome is Outcome.CONVERGED:
        return f"Converged: {best}; {rule}."
    return f"Evaluation limit reached: {best}; {rule}; raise the number of evaluations for a finer optimum."


def anneal_json(found: Annealed) -> dict[str, Any]:
    """The object under ``anneal`` of ``design --json``."""
    return {
        "holds_from_temperature_usd": found.holds_from_usd,
        "coolings": [
            {
                "temperature_usd": one.temperature_usd,
                "objective": one.objective,
                "largest_difference": one.largest_difference,
                "evaluations": one.evaluations,
                "outcome": one.outcome,
            }
            for one in found.coolings
        ],
    }
