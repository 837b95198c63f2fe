"""The loop of a leader who learns: post a tariff, read the meters, tell the learner, put it on record.

The learner is told the metered objective alone. What the mean field makes of each tariff is recorded beside it, to
judge the learner by: regret is the objective of the commitment, found with full knowledge, less that of the tariff
recommended. The tariff recommended is the best metered one that met the cap.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.design.design import DesignProblem, Search
from meanwatt.analysis.learning.books import Balance, BooksKind, MeteredBooks, balance_of
from meanwatt.analysis.learning.environment import Environment, MarketEnvironment, MeanFieldEnvironment
from meanwatt.analysis.learning.fingerprint import fingerprint
from meanwatt.analysis.learning.journal import Journal, Tried
from meanwatt.analysis.learning.learners import LEARNERS, Learner
from meanwatt.analysis.learning.meter import Estimate, MeteredObjective
from meanwatt.analysis.learning.meter_forecast import metered_days, metered_days_of_json
from meanwatt.analysis.learning.response_learner import MeterLearner, PublicKnowledge
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE, Trial
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.progress.watch import Cancelled, Progress
from meanwatt.model.scenario.counted import counted

EVALUATIONS: Final = 150
"""Tariffs tried by default."""
HOUSEHOLDS: Final = 1000
"""Size of a finite market by default."""
DAYS: Final = 28
"""Days for which a tariff is tried there by default."""
NO_EQUILIBRIUM_USD: Final = 1.0
"""How much worse than the worst so far a tariff counts that brought no equilibrium. [USD per household-day]"""

MakeEnvironment = Callable[[Equilibrium], Environment]
"""Makes the environment from the equilibrium at the tariff in force."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned(Commitment):
    """What a learner recommends; its ``objective`` is that of the mean field, which the learner never saw.

    Attributes
    ----------
    tried
        Every tariff tried, in order.
    recommended
        Place in ``tried`` of the tariff recommended after each trial; −1 before one met the cap.
    settings
        What fixes the run.
    books
        Who balanced the books.
    balance
        Where they stood after the last trial; nothing is booked without a leader who keeps them.
    trial_days
        Days of a trial; a trial in the mean field counts a month.
    """

    tried: tuple[Tried, ...]
    recommended: tuple[int, ...]
    settings: dict[str, Any]
    books: BooksKind
    balance: Balance
    trial_days: int

    @property
    def metered_days(self) -> int:
        """Days metered by all trials."""
        return len(self.tried) * self.trial_days

    @property
    def recommended_objective(self) -> tuple[float | None, ...]:
        """Mean-field objective of the tariff recommended after each trial. [USD per household-day]"""
        return recommended_objectives(self.tried)


def mean_field() -> MakeEnvironment:
    """Learn against the continuum."""
    return MeanFieldEnvironment


def finite_market(*, households: int = HOUSEHOLDS, days: int = DAYS, seed: int = 0) -> MakeEnvironment:
    """Learn against the finite market; see `MarketEnvironment`."""
    return lambda in_force: MarketEnvironment(in_force, households=households, days=days, seed=seed)


def learning_search(
    method: str,
    *,
    environment: MakeEnvironment = MeanFieldEnvironment,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
    journal: str | Path | None = None,
    resume: bool = False,
    books: BooksKind = BooksKind.ACCOUNT,
) -> Search:
    """A search for `meanwatt.analysis.design.design` that knows meters instead of households.

    Parameters
    ----------
    method
        ``policy_iteration``, ``softmax``, ``cma``, ``optuna`` or ``response_matrix``.
    environment
        `mean_field` or `finite_market`.
    evaluations
        Tariffs to try.
    seed
        Of the learner.
    journal, resume
        File that records the trials, and whether to go on from an existing one. It stays after the run; a caller who
        has written the result removes it.
    books
        Who balances the books: the leader, by its meters, or the solved model.
    """

    def search(problem: DesignProblem) -> Learned:
        where = environment(problem.baseline)
        settings = {
            **fingerprint(problem.economy, problem.baseline.tariff, problem.aims),
            "method": method,
            "evaluations": evaluations,
            "learner_seed": seed,
            **where.settings,
            **({"books": str(books)} if books is BooksKind.ACCOUNT else {}),  # as in the journals of before
        }
        task: dict[str, Any] = {"method": method, "evaluations": evaluations, "seed": seed, "books": books}
        if journal is None:
            return learn(problem, where, settings=settings, **task)
        with Journal(journal, settings, resume=resume) as record:
            return learn(problem, where, settings=settings, journal=record, **task)

    return search


def learn(
    problem: DesignProblem,
    environment: Environment,
    *,
    method: str,
    evaluations: int,
    seed: int,
    settings: dict[str, Any] | None = None,
    journal: Journal | None = None,
    books: BooksKind = BooksKind.ACCOUNT,
) -> Learned:
    """Try tariffs and recommend one; see `try_tariffs`.

    Raises
    ------
    ValueError
        If no tariff met the cap, or the journal does not hold what this learner proposes.
    Cancelled
        If asked to stop before a tariff met the cap.
    """
    began = time.perf_counter()
    tried = try_tariffs(
        problem, environment, method=method, evaluations=evaluations, seed=seed, journal=journal, books=books
    )
    outcome = Outcome.CONVERGED if len(tried) == evaluations else Outcome.CANCELLED
    recommended = recommendations(tried)
    if not recommended or recommended[-1] < 0:
        if outcome is Outcome.CANCELLED:
            raise Cancelled
        raise ValueError(problem.aims.problem(problem.economy).nowhere_feasible)
    found = _learned(problem, tried, recommended, outcome, settings or {}, books, environment.trial_days)
    return replace(found, seconds=time.perf_counter() - began)


def try_tariffs(
    problem: DesignProblem,
    environment: Environment,
    *,
    method: str,
    evaluations: int,
    seed: int,
    journal: Journal | None = None,
    books: BooksKind = BooksKind.ACCOUNT,
    show: Callable[[Sequence[Tried]], None] | None = None,
) -> tuple[Tried, ...]:
    """Try tariffs one by one; those on the journal are told to the learner again, not tried again.

    Of the problem the leader is given what is public: the aims, its family, the climate and the tariff in force. What
    households do it knows from the readings alone. ``show`` is told of all tariffs so far after each one tried.

    Returns
    -------
    tuple of Tried
        As many as ``evaluations``; fewer if asked to stop.

    Raises
    ------
    ValueError
        If the journal does not hold what this learner proposes.
    """
    family = problem.aims.family(problem.economy, problem.baseline.tariff)
    learner = LEARNERS[method](len(family.free), evaluations, seed)
    tried: list[Tried] = []
    before = environment.in_force()
    objective = MeteredObjective(problem.economy, problem.aims, before)
    if isinstance(learner, MeterLearner):
        learner.begin(PublicKnowledge(economy=problem.economy, family=family, objective=objective, in_force=before))
    kept = _books(books, problem, before)
    if journal is not None:
        for entry in journal.parts:
            unit = learner.ask()
            if not np.array_equal(unit, entry.unit):
                raise ValueError(
                    f"{journal.path}, trial {entry.trial}: {method} now proposes another tariff; packages have changed"
                    " since, so delete the file to start anew"
                )
            _tell(learner, unit, entry)
            tried.append(entry)
            if kept is not None and entry.books is not None:
                kept.restore(entry.books, family.tariff(family.at(unit)))
    while len(tried) < evaluations and not problem.watch.stopped:
        unit = learner.ask()
        new = _try(family, environment, objective, kept, unit, tried)
        if not isinstance(learner, MeterLearner):
            new = replace(new, days=None)
        if journal is not None:
            journal.append(new)
        _tell(learner, unit, new)
        tried.append(new)
        _report(problem, method, tried, evaluations)
        if show is not None:
            show(tuple(tried))
    return tuple(tried)


def _tell(learner: Learner, unit: Floats, new: Tried) -> None:
    """Tell a learner of a trial; one that reads meters is shown them first, as they are on record."""
    if isinstance(learner, MeterLearner):
        learner.read(None if new.days is None else metered_days_of_json(new.days))
    learner.tell(unit, new.told)


def recommendations(tried: Sequence[Tried]) -> tuple[int, ...]:
    """Place of the best metered tariff that met the cap, after each trial; −1 before there is one.

    One that was posted several times counts with the mean of what was told, and stands where it was posted last.
    """
    told: dict[tuple[float, ...], list[float]] = {}
    last: dict[tuple[float, ...], int] = {}
    places = []
    for place, one in enumerate(tried):
        if one.metered is not None and one.metered_violation is not None and one.metered_violation <= FEASIBLE:
            told.setdefault(one.unit, []).append(one.told)
            last[one.unit] = place
        places.append(last[max(told, key=lambda unit: float(np.mean(told[unit])))] if told else -1)
    return tuple(places)


def recommended_objectives(tried: Sequence[Tried]) -> tuple[float | None, ...]:
    """Mean-field objective of the tariff recommended after each trial; None before there is one."""
    return tuple(tried[place].objective if place >= 0 else None for place in recommendations(tried))


def _try(
    family: ParameterFamily,
    environment: Environment,
    objective: MeteredObjective,
    books: MeteredBooks | None,
    unit: Floats,
    tried: Sequence[Tried],
) -> Tried:
    """Post a tariff and judge it twice: by its meters for the learner, by the mean field for us."""
    tariff, days = family.tariff(family.at(unit)), environment.trial_days
    offer = None if books is None else books.offer(tariff, days)
    posted = environment.post(offer or tariff, len(tried) + 1)
    aims, reading, truth = objective.aims, posted.reading, posted.truth
    violation = aims.violation()
    seen: Estimate | None = None
    if reading is not None:
        seen = objective.estimate(reading if books is None else books.close(reading, days))
    worst = min((one.told for one in tried), default=0.0)
    return Tried(
        trial=len(tried) + 1,
        unit=tuple(unit.tolist()),
        told=seen.score if seen else worst - NO_EQUILIBRIUM_USD,
        metered=seen.value if seen and seen.feasible else None,
        half_width=seen.half_width if seen and seen.feasible else None,
        metered_violation=seen.violation_usd_per_kwh if seen and seen.feasible else None,
        objective=aims.objective()(truth) if seen and truth is not None else None,
        violation=float(violation(truth).max()) if violation and truth is not None else 0.0,
        books=None if books is None or offer is None else books.entry(offer, reading),
        days=None if reading is None else metered_days(reading, len(objective.climate)).to_json(),
    )


def _books(kind: BooksKind, problem: DesignProblem, before: MeterReading) -> MeteredBooks | None:
    """The leader's books; None where the model balances them, or the tariffs post everything."""
    if kind is BooksKind.MODEL or problem.aims.recovery is Recovery.POSTED:
        return None
    return MeteredBooks(problem.economy, before)


def _learned(
    problem: DesignProblem,
    tried: tuple[Tried, ...],
    recommended: tuple[int, ...],
    outcome: Outcome,
    settings: dict[str, Any],
    books: BooksKind,
    trial_days: int,
) -> Learned:
    """Solve the recommended tariff once more, with its certificates."""
    family = problem.aims.family(problem.economy, problem.baseline.tariff)
    chosen = tried[recommended[-1]]
    parameters = family.at(np.array(chosen.unit))
    tariff = family.tariff(parameters)
    equilibrium = solve_equilibrium(problem.economy, tariff, start=problem.baseline)
    told = (
        f"the tariff recommended meters {chosen.metered:.4f} and is worth"
        f" {problem.aims.objective()(equilibrium):.4f} {problem.aims.definition.unit} in the mean field"
    )
    different = len({one.unit for one in tried})
    posted = counted(different, "tariff") + ("" if different == len(tried) else f" in {counted(len(tried), 'round')}")
    done = (
        f"Cancelled after {posted}"
        if outcome is Outcome.CANCELLED
        else f"{'All ' if len(tried) > 1 else ''}{posted} tried"
    )
    return Learned(
        tariff=tariff,
        equilibrium=equilibrium,
        objective=problem.aims.objective()(equilibrium),
        parameters=family.describe(parameters),
        trials=tuple(
            Trial(
                parameters=family.at(np.array(one.unit)),
                objective=-np.inf if one.objective is None else one.objective,
                violation=one.violation,
            )
            for one in tried
        ),
        seconds=0.0,
        outcome=outcome,
        message=f"{done}: {told}; it was trial {chosen.trial}.",
        tried=tried,
        recommended=recommended,
        settings=settings,
        books=books,
        balance=Balance() if tried[-1].books is None else balance_of(tried[-1].books),
        trial_days=trial_days,
    )


def _report(problem: DesignProblem, method: str, tried: Sequence[Tried], evaluations: int) -> None:
    if problem.watch.progress is None:
        return
    best = recommendations(tried)[-1]
    found = f", best metered objective {tried[best].metered:.4f}" if best >= 0 else ""
    problem.watch.progress(
        Progress(stage=f"{method}{found}", evaluations=len(tried), fraction=len(tried) / evaluations)
    )
