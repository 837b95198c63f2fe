"""What a search for a leader's tariff has seen so far, as plain records."""

import math
from dataclasses import dataclass, replace

from meanwatt.analysis.design.design import Design
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE, Trial
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tariff tried: its objective, None where it has none, and whether the leader may post it."""

    objective: float | None
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posted:
    """A tariff of the family with the households' equilibrium and the leader's objective there."""

    equilibrium: Equilibrium
    objective: float
    parameters: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighted:
    """A search so far.

    Attributes
    ----------
    in_force, in_force_objective
        Equilibrium at the tariff in force, and what the leader makes of it; None where that is undefined.
    aims, family
        What the leader wants, and the tariffs among which it is searched.
    steps
        Every tariff tried, in order.
    best
        The best tariff so far that may be posted; of a leader who does not commit, the one posted last. None before.
    design
        The result, once there is one; also of a search that was stopped.
    """

    in_force: Equilibrium
    in_force_objective: float | None
    aims: LeaderSpec
    family: TariffFamily
    steps: tuple[Step, ...] = ()
    best: Posted | None = None
    design: Design | None = None

    @property
    def stopped(self) -> bool:
        """Whether the search was stopped before its end."""
        return self.design is not None and self.design.outcome is Outcome.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picked:
    """A tariff of the Pareto surface that a visitor looks at, and its place on the front."""

    place: int
    posted: Posted


def shown(seen: Sighted, picked: Picked | None) -> Sighted:
    """What was seen, with a tariff picked in the place of the one found."""
    return seen if picked is None else replace(seen, best=picked.posted)


def objective_at(aims: LeaderSpec, found: Equilibrium) -> float | None:
    """What a leader makes of an equilibrium; None where that is undefined."""
    worth = aims.objective()(found)
    return worth if math.isfinite(worth) else None


def with_trial(seen: Sighted, trial: Trial, found: Equilibrium, *, commits: bool) -> Sighted:
    """What has been seen with one tariff more; ``commits`` says whether the best one counts, or the last."""
    defined = math.isfinite(trial.objective)
    step = Step(objective=trial.objective if defined else None, allowed=defined and trial.violation <= FEASIBLE)
    best = seen.best
    if defined and (not commits or (step.allowed and (best is None or trial.objective > best.objective))):
        parameters = seen.family.describe(trial.parameters)
        best = Posted(equilibrium=found, objective=trial.objective, parameters=parameters)
    return replace(seen, steps=(*seen.steps, step), best=best)


def ended(seen: Sighted, done: Design) -> Sighted:
    """What has been seen with the result."""
    found = done.commitment
    best = None
    if found is not None:
        best = Posted(equilibrium=found.equilibrium, objective=found.objective, parameters=found.parameters)
    return replace(seen, in_force=done.baseline, in_force_objective=done.baseline_objective, best=best, design=done)
