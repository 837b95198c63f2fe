"""The committing leader over a user's family: the best tariff of every combination of windows, and the best of all.

Combinations are searched in the order of an upper bound on what they may be worth (`welfare_bound`), the most promising
first. One whose bound is no more than the best objective found cannot win and is left out: branch and bound (Land,
Doig, *Econometrica* 28(3), 1960) with one level of branches. Every search sharpens the bounds of those that wait, by
the prices that support the cost of supply at the load it found.
"""

import time
from collections.abc import Callable, Sequence
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
from meanwatt.model.mean_field.leader.window_stage import WindowStage, infeasible, stage_of
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted

POLISH_USD: Final = 1e-13
"""Gain of the objective that is not worth another step once the windows are chosen. Welfare is flat at its best, so
that rates are known to the root of it. [USD per household-day]"""

Problem = Callable[[UserFamily], LeaderProblem]
"""The leader's problem over one combination's family."""

Kept = Callable[[WindowStage], None]
"""Told of every combination whose search ended, before the next one begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    """What is known of a search over windows that was interrupted, and whom to tell how it goes on.

    Attributes
    ----------
    done
        Combinations whose search ended, in their order; they are not searched again.
    kept
        Told of every further one.
    tried
        Told of every tariff as it is tried, not of those that are done.
    """

    done: Sequence[WindowStage] = ()
    kept: Kept = lambda _: None
    tried: Tried | None = None


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
    record: WindowRecord | None = None,
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
    record
        Combinations that are done, and whom to tell of the others. The result is that of a search that was never
        interrupted, to the last bit.
    watch
        As for `meanwatt.model.mean_field.leader.commitment.commit`; progress counts combinations.

    Raises
    ------
    ValueError
        If no evaluated tariff is feasible, or the record is of another search.
    """
    search = _WindowSearch(families, problem, in_force, evaluations_per_start, watch or Watch())
    search.more_starts = starts
    if record is not None:
        search.record, search.waiting = record, list(record.done)
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
        self.more_starts: Callable[[UserFamily], list[Floats]] | None = None
        self.members = [families.family(one) for one in families.combinations.allowed]
        count = len(self.members)
        self.bounds = np.full(count, np.inf)
        self.found: dict[int, WindowStage] = {}
        self.whole: dict[int, Commitment] = {}
        self.record = WindowRecord()
        self.waiting: list[WindowStage] = []
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
        try:
            self._sharpen(self.in_force.net_load_kw)
            while (place := self._next()) is not None:
                self._search(place)
        except Cancelled:
            outcome = Outcome.CANCELLED
        best = self._best()
        if best is None:
            errors = [one.error for one in self.found.values() if one.error]
            raise ValueError(errors[-1] if errors else "no tariff of the family was feasible")
        if outcome is Outcome.CANCELLED:
            found = self._as_it_stands(best)
        else:
            outcome, found = self._polish(best)
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
        known = [k for k, found in self.found.items() if found.objective is not None]
        return max(known, key=self._objective, default=None)

    def _objective(self, place: int) -> float:
        found = self.found[place].objective
        return -np.inf if found is None else found

    def _search(self, place: int) -> None:
        """The best tariff of one combination, on record or searched; bounds are sharpened by its load."""
        if self.waiting:
            found = self.waiting.pop(0)
            if found.place != place:
                raise ValueError("the record of combinations is of another search; begin anew")
            self.found[place] = found
        else:
            found = self._searched(place)
            self.found[place] = found
            if found.outcome is Outcome.CANCELLED:
                raise Cancelled
            self.record.kept(found)
        if found.net_load_kw is not None:
            self._sharpen(found.net_load_kw)

    def _searched(self, place: int) -> WindowStage:
        """Search one combination, from its own rules of thumb and from the best tariff so far."""
        family, best = self.members[place], self._best()
        starts = [] if self.more_starts is None else self.more_starts(family)
        if best is None:
            starts += family.starts(self.in_force.economy)
        else:
            known = self.found[best]
            assert known.net_load_kw is not None
            assert known.parameters is not None
            starts += [self._at_cost(family, known.net_load_kw), known.parameters]
        try:
            found = commit(
                self.problem(family),
                evaluations_per_start=self.evaluations,
                starts=_distinct(starts),
                certify=False,
                tried=self.record.tried,
                watch=Watch(progress=self._progress, cancelled=self.watch.cancelled),
            )
        except ValueError as error:
            if self.watch.stopped:
                raise Cancelled from None
            return infeasible(place, str(error))
        self.whole[place] = found
        return stage_of(place, found, np.array(list(found.parameters.values())))

    def _at_cost(self, family: UserFamily, net_load_kw: Floats) -> Floats:
        """Rates at the marginal cost of an equilibrium's loads (c, h)."""
        economy = self.in_force.economy
        supply, system = economy.supply, net_load_kw + economy.rest_load_kw
        cost = supply.price(system) + economy.carbon_usd_per_t * supply.marginal_emissions_t_per_kwh(system)
        return family.at_marginal_cost(economy, economy.mean_reference_kw, np.asarray(cost))

    def _sharpen(self, net_load_kw: Floats) -> None:
        """Lower the bounds of those that wait by the prices at an equilibrium's load (c, h)."""
        if self._bound is None or len(self.members) == 1:
            return
        support = self._bound.support(net_load_kw, self.watch.silent())
        for k, tied in enumerate(self._tied):
            if k not in self.found:
                self.bounds[k] = min(self.bounds[k], self._bound.of(tied, support))

    def _progress(self, inner: Progress) -> None:
        if self.watch.progress is None:
            return
        count, best = len(self.members), self._best()
        done, tried = len(self.found), sum(len(one.trials) for one in self.found.values())
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

    def _as_it_stands(self, best: int) -> Commitment:
        """The best tariff of a search that was stopped; one on record is solved once more."""
        if best in self.whole:
            return self.whole[best]
        stage = self.found[best]
        assert stage.parameters is not None
        again = commit(self.problem(self.members[best]), evaluations_per_start=1, starts=[stage.parameters])
        return replace(again, trials=stage.trials)

    def _polish(self, best: int) -> tuple[Outcome, Commitment]:
        """Climb on from the best tariff to the last digits, and certify its equilibrium."""
        stage = self.found[best]
        assert stage.parameters is not None
        polished = commit(
            self.problem(self.members[best]),
            evaluations_per_start=self.evaluations,
            starts=[stage.parameters],
            precision_usd=POLISH_USD,
            tried=self.record.tried,
            watch=Watch(cancelled=self.watch.cancelled),
        )
        limited = any(one.outcome is Outcome.ROUND_LIMIT for one in self.found.values())
        outcome = Outcome.ROUND_LIMIT if limited else Outcome.CONVERGED
        if polished.outcome is Outcome.CANCELLED:
            outcome = Outcome.CANCELLED
        polished = replace(polished, trials=(*stage.trials, *polished.trials))
        self.found[best] = replace(stage, objective=polished.objective, trials=polished.trials)
        return outcome, polished

    def _result(self, best: int, found: Commitment, outcome: Outcome, seconds: float) -> WindowCommitment:
        combinations = tuple(self._trial(k) for k in range(len(self.members)))
        searched = [k for k, one in self.found.items() if one.objective is not None]
        left = len(self.members) - len(self.found)
        pruned = 0 if outcome is Outcome.CANCELLED else left
        given: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(Commitment)}
        trials = [(k, trial) for k in searched for trial in self.found[k].trials]
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
