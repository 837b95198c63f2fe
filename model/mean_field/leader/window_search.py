"""The committing leader over a user's family: the best tariff of every combination of windows, and the best of all.

Combinations are searched in the order of an upper bound on what they may be worth (`welfare_bound`), the most promising
first. One whose bound is no more than the best objective found cannot win and is left out: branch and bound (Land,
Doig, *Econometrica* 28(3), 1960) with one level of branches. Every search sharpens the bounds of those that wait, by
the prices that support the cost of supply at the load it found.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.commitment import EVALUATIONS_PER_START, Commitment, commit
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem, Tried
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.welfare_bound import TiedType, WelfareBound
from meanwatt.model.mean_field.leader.window_combinations import Combination
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted

POLISH_USD: Final = 1e-13
"""Gain of the objective that is not worth another step once the windows are chosen. Welfare is flat at its best, so
that rates are known to the root of it. [USD per household-day]"""

Problem = Callable[[UserFamily], LeaderProblem]
"""The leader's problem over one combination's family."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowTrial:
    """One combination of windows.

    Attributes
    ----------
    windows
        Where they lie.
    objective
        The best that was found; None if it was pruned, or no tariff was feasible.
    bound
        What no tariff with these windows can exceed; infinite if nothing is known.
    evaluations
        Tariffs tried, 0 of a combination that was pruned.
    searched
        Whether it was searched; else it was pruned, or the search was stopped before.
    """

    windows: Combination
    objective: float | None
    bound: float
    evaluations: int
    searched: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowCommitment(Commitment):
    """The best tariff of a user's family.

    Attributes
    ----------
    families
        The family that was searched.
    windows
        Where the windows of the best tariff lie; empty for a family without windows.
    combinations
        Every combination of windows allowed, in the order of the file.
    trial_combination
        Place of the combination that each trial belongs to.
    pruned
        Combinations left out because their bound was no more than the best objective.
    unbounded
        Why nothing could be pruned; empty where bounds were known.
    """

    __repr__ = short_repr

    families: OwnFamilies
    windows: Combination
    combinations: tuple[WindowTrial, ...]
    trial_combination: tuple[int, ...]
    pruned: int
    unbounded: str

    @property
    def searched(self) -> int:
        """Combinations whose tariffs were searched."""
        return sum(one.searched for one in self.combinations)


def commit_windows(
    families: OwnFamilies,
    problem: Problem,
    in_force: Equilibrium,
    *,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    bounded: bool = True,
    starts: Callable[[UserFamily], list[Floats]] | None = None,
    tried: Tried | None = None,
    watch: Watch | None = None,
) -> WindowCommitment:
    """Search all combinations of windows for the tariff whose equilibrium the leader likes best.

    Parameters
    ----------
    problem
        The leader's problem over a combination's family.
    in_force
        Equilibrium at the tariff in force; its load gives the first bounds.
    evaluations_per_start
        Equilibrium solves allowed from each starting point of each combination.
    bounded
        Whether the leader's objective never exceeds welfare, so that bounds on welfare hold for it.
    starts
        Further starting points of a combination's search, beside its own and the best tariff so far.
    tried, watch
        As for `meanwatt.model.mean_field.leader.commitment.commit`; progress counts combinations.

    Raises
    ------
    ValueError
        If no evaluated tariff is feasible.
    """
    search = _WindowSearch(families, problem, in_force, evaluations_per_start, watch or Watch())
    search.tried, search.more_starts = tried, starts
    if families.first.has_components:
        search.unbounded = (
            "under tiers, demand charges and the like use does not follow from the rates of windows alone"
        )
    elif bounded:
        search.find_bounds()
    return search.run()


class _WindowSearch:
    """What is known of every combination while they are searched."""

    def __init__(
        self, families: OwnFamilies, problem: Problem, in_force: Equilibrium, evaluations: int, watch: Watch
    ) -> None:
        self.families, self.problem, self.in_force = families, problem, in_force
        self.evaluations, self.watch = evaluations, watch
        self.tried: Tried | None = None
        self.more_starts: Callable[[UserFamily], list[Floats]] | None = None
        self.members = [families.family(one) for one in families.combinations.allowed]
        count = len(self.members)
        self.bounds = np.full(count, np.inf)
        self.found: dict[int, Commitment | None] = {}
        self.unbounded = "the leader's objective may exceed welfare"
        self._bound: WelfareBound | None = None
        self._tied: list[tuple[TiedType, ...]] = []

    def find_bounds(self) -> None:
        """Bound every combination, if anything supports the cost of supply."""
        try:
            self._bound = WelfareBound(self.in_force.economy)
        except ValueError as error:
            self.unbounded = str(error)
            return
        self.unbounded = ""
        if len(self.members) > 1:
            self._tied = [self._bound.tied_types(family) for family in self.members]

    def run(self) -> WindowCommitment:
        """Search the most promising combination until none that is left can win."""
        began, outcome = time.perf_counter(), Outcome.CONVERGED
        last = ValueError("no tariff of the family was feasible")
        try:
            self._sharpen(self.in_force)
            while (place := self._next()) is not None:
                try:
                    self._search(place)
                except ValueError as error:
                    if self.watch.stopped:
                        raise Cancelled from None
                    self.found[place], last = None, error
        except Cancelled:
            outcome = Outcome.CANCELLED
        best = self._best()
        if best is None:
            raise last
        found = self.found[best]
        assert found is not None
        if outcome is not Outcome.CANCELLED:
            outcome, found = self._polish(best, found)
        return self._result(best, found, outcome, time.perf_counter() - began)

    def _next(self) -> int | None:
        """The combination with the highest bound of those that are left; None if none can win."""
        self.watch.check()
        left = [k for k in range(len(self.members)) if k not in self.found]
        if not left:
            return None
        place = max(left, key=lambda k: float(self.bounds[k]))
        best = self._best()
        return None if best is not None and self.bounds[place] <= self._objective(best) else place

    def _best(self) -> int | None:
        known = [k for k, found in self.found.items() if found is not None]
        return max(known, key=self._objective, default=None)

    def _objective(self, place: int) -> float:
        found = self.found[place]
        return -np.inf if found is None else found.objective

    def _search(self, place: int) -> None:
        """The best tariff of one combination, from its own rules of thumb and from the best tariff so far."""
        family, best = self.members[place], self._best()
        starts = [] if self.more_starts is None else self.more_starts(family)
        if best is None:
            starts += family.starts(self.in_force.economy)
        else:
            found = self.found[best]
            assert found is not None
            starts += [self._at_cost(family, found.equilibrium), np.array(list(found.parameters.values()))]
        found = commit(
            self.problem(family),
            evaluations_per_start=self.evaluations,
            starts=_distinct(starts),
            certify=False,
            tried=self.tried,
            watch=Watch(progress=self._progress, cancelled=self.watch.cancelled),
        )
        self.found[place] = found
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        self._sharpen(found.equilibrium)

    def _at_cost(self, family: UserFamily, found: Equilibrium) -> Floats:
        """Rates at the marginal cost of an equilibrium's loads."""
        economy = found.economy
        supply, system = economy.supply, found.net_load_kw + economy.rest_load_kw
        cost = supply.price(system) + economy.carbon_usd_per_t * supply.marginal_emissions_t_per_kwh(system)
        return family.at_marginal_cost(economy, economy.mean_reference_kw, np.asarray(cost))

    def _sharpen(self, found: Equilibrium) -> None:
        """Lower the bounds of those that wait by the prices at an equilibrium's load."""
        if self._bound is None or len(self.members) == 1:
            return
        support = self._bound.support(found.net_load_kw, self.watch.silent())
        for k, tied in enumerate(self._tied):
            if k not in self.found:
                self.bounds[k] = min(self.bounds[k], self._bound.of(tied, support))

    def _progress(self, inner: Progress) -> None:
        if self.watch.progress is None:
            return
        count, best = len(self.members), self._best()
        done, tried = len(self.found), sum(len(one.trials) for one in self.found.values() if one is not None)
        least = -np.inf if best is None else self._objective(best)
        waiting = sum(self.bounds[k] > least for k in range(count) if k not in self.found)
        total = done + max(int(waiting), 1)
        stage = inner.stage
        if count > 1:
            told = "" if best is None else f", best objective {self._objective(best):.4f}"
            stage = f"windows {done + 1} of at most {total}{told}"
        self.watch.progress(
            replace(
                inner,
                stage=stage,
                evaluations=tried + inner.evaluations,
                fraction=(done + (inner.fraction or 0.0)) / total,
            )
        )

    def _polish(self, best: int, found: Commitment) -> tuple[Outcome, Commitment]:
        """Climb on from the best tariff to the last digits, and certify its equilibrium."""
        polished = commit(
            self.problem(self.members[best]),
            evaluations_per_start=self.evaluations,
            starts=[np.array(list(found.parameters.values()))],
            precision_usd=POLISH_USD,
            tried=self.tried,
            watch=Watch(cancelled=self.watch.cancelled),
        )
        every = [one.outcome for one in self.found.values() if one is not None]
        limited = any(one is Outcome.ROUND_LIMIT for one in every)
        outcome = Outcome.ROUND_LIMIT if limited else Outcome.CONVERGED
        if polished.outcome is Outcome.CANCELLED:
            outcome = Outcome.CANCELLED
        self.found[best] = replace(polished, trials=(*found.trials, *polished.trials))
        return outcome, self.found[best] or polished

    def _result(self, best: int, found: Commitment, outcome: Outcome, seconds: float) -> WindowCommitment:
        combinations = tuple(self._trial(k) for k in range(len(self.members)))
        searched = [k for k, one in self.found.items() if one is not None]
        left = len(self.members) - len(self.found)
        pruned = 0 if outcome is Outcome.CANCELLED else left
        given: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(Commitment)}
        trials = [(k, trial) for k in searched for trial in (self.found[k] or found).trials]
        return WindowCommitment(
            **given
            | {
                "trials": tuple(trial for _, trial in trials),
                "seconds": seconds,
                "outcome": outcome,
                "message": self._sentence(found, outcome, len(trials), pruned),
            },
            families=self.families,
            windows=self.members[best].windows,
            combinations=combinations,
            trial_combination=tuple(k for k, _ in trials),
            pruned=pruned,
            unbounded=self.unbounded,
        )

    def _trial(self, place: int) -> WindowTrial:
        found = self.found.get(place)
        return WindowTrial(
            windows=self.members[place].windows,
            objective=None if found is None else found.objective,
            bound=float(self.bounds[place]),
            evaluations=0 if found is None else len(found.trials),
            searched=place in self.found,
        )

    def _sentence(self, found: Commitment, outcome: Outcome, evaluations: int, pruned: int) -> str:
        unit = self.problem(self.members[0]).unit
        best = f"best objective {found.objective:.4f} {unit} after {counted(evaluations, 'tariff')}"
        if len(self.members) > 1:
            best += (
                f"; of {counted(len(self.members), 'combination')} of windows {len(self.found)} searched and"
                f" {pruned} pruned by a bound"
            )
        if outcome is Outcome.CONVERGED:
            return f"Converged: {best}."
        if outcome is Outcome.CANCELLED:
            return f"Cancelled: {best}."
        return f"Evaluation limit reached: {best}; raise the number of evaluations for a finer optimum."


def _distinct(starts: list[Floats]) -> list[Floats]:
    """Starting points without repetitions."""
    kept: list[Floats] = []
    for start in starts:
        if not any(np.array_equal(start, other) for other in kept):
            kept.append(start)
    return kept
