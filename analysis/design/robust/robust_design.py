"""A design for several variants of a scenario at once, and what every tariff loses in each by not being made for it.

Three parts, in order. Each variant's own commitment: what a leader would post who knew it. The robust commitment: the
best CVaR over the variants. And the regret table: every tariff named by the scenario and every commitment, in every
variant, against the own commitment there. Searches are local; so where a tariff of the table beats a variant's own
commitment, that one is searched again from there, and the robust one likewise from a better one. What is left obeys
max_a min_v J_v(a) ≤ min_v max_a J_v(a).
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.design.design import EVALUATIONS_PER_START, DesignProblem, Search
from meanwatt.analysis.design.robust.robust_journal import RobustJournal, Stage, journal_head
from meanwatt.analysis.design.robust.variant_table import VariantTable, variant_table
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.mean_field.leader.robust.risk import Risk
from meanwatt.model.mean_field.leader.robust.robust_commitment import commit_robustly
from meanwatt.model.mean_field.leader.tariff_family import starting_points
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.variants_file import VariantsFile, variant_called

BETTER: Final = 1e-7
"""Gain by which a tariff beats what a search found, in the objective's unit: the searches' own precision."""
PASSES: Final = 3
"""Times that searches are begun again from better tariffs, at most."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RobustCommitment(Commitment):
    """The best tariff for all variants; equilibrium and objective are those of the scenario as it is given.

    Attributes
    ----------
    file
        The variants and how they are weighed.
    risk
        The same as numbers.
    value
        CVaR of the objective over the variants, which was maximised.
    bound
        CVaR of what each variant's own commitment gets there: no tariff of the family is worth more, as far as the
        searches of own commitments found the best.
    own
        How the search for each variant's own commitment ended, in the order of the file.
    table
        Every tariff in every variant; None if the work was stopped before.
    """

    __repr__ = short_repr

    file: VariantsFile
    risk: Risk
    value: float
    bound: float
    own: tuple[Stage, ...]
    table: VariantTable | None


def robust_search(
    file: VariantsFile,
    evaluations_per_start: int = EVALUATIONS_PER_START,
    *,
    journal: str | Path | None = None,
    resume: bool = False,
) -> Search:
    """A search for `meanwatt.analysis.design.design` that posts one tariff in all variants of the scenario.

    Parameters
    ----------
    file
        The variants; ``VariantsError`` in one line if the scenario cannot be changed so.
    evaluations_per_start
        Tariffs tried from each starting point at most.
    journal, resume
        File that records every search as it ends, and whether to go on from an existing one. It stays after the run.
    """

    def search(problem: DesignProblem) -> RobustCommitment:
        economies = [build_located_economy(one) for one in file.scenarios(problem.economy.scenario)]
        work = _RobustWork(problem, file, economies, evaluations_per_start)
        if journal is None:
            return work.run()
        head = journal_head(problem, file, economies, evaluations_per_start)
        with RobustJournal(journal, head, resume=resume) as record:
            return work.run(record)

    return search


class _RobustWork:
    """The searches of one robust design, and what is known so far."""

    def __init__(
        self, problem: DesignProblem, file: VariantsFile, economies: Sequence[Economy], evaluations: int
    ) -> None:
        self.given, self.file, self.economies, self.evaluations = problem, file, economies, evaluations
        known = problem.aims.problem(problem.economy, problem.baseline.tariff)
        self.family, self.known = known.family, known
        self.problems = [
            replace(problem.aims.problem(economy, problem.baseline.tariff), family=known.family)
            for economy in economies
        ]
        self.risk = Risk(weight=np.array([one.weight for one in file.variants]), alpha=file.alpha)
        self.stages: list[Stage] = []
        self.journal: RobustJournal | None = None
        self.done = 0
        self.began = time.perf_counter()

    def run(self, journal: RobustJournal | None = None) -> RobustCommitment:
        """All searches, then the table."""
        self.journal = journal
        names = [one.name for one in self.file.variants]
        own = [self._own(name, place, None) for place, name in enumerate(names)]
        robust = self._robust([one.parameters for one in own])
        for _ in range(PASSES):
            if robust.outcome is Outcome.CANCELLED:
                break
            better = self._better_own(own, robust)
            own = [self._own(name, place, better[place], own[place]) for place, name in enumerate(names)]
            if not any(one is not None for one in better):
                break
            robust = self._robust([robust.parameters, *(one.parameters for one in own)])
        return self._result(own, robust)

    def _own(self, name: str, place: int, start: Floats | None, found: Stage | None = None) -> Stage:
        """A variant's own commitment; searched again from a better tariff where there is one."""
        if found is not None and start is None:
            return found
        recorded = self._recorded(name)
        if recorded is not None:
            return recorded
        starts = None if start is None else [start]
        best = commit(
            self.problems[place],
            evaluations_per_start=self.evaluations,
            starts=starts,
            certify=False,
            watch=self._part(name),
        )
        if best.outcome is Outcome.CANCELLED:
            raise Cancelled
        parameters = np.array(list(best.parameters.values()))
        return self._keep(
            Stage(name=name, parameters=parameters, value=best.objective, outcome=best.outcome, trials=best.trials)
        )

    def _robust(self, starts: Sequence[Floats]) -> Stage:
        """The robust commitment, from given tariffs and from the family's own starts."""
        recorded = self._recorded(None)
        if recorded is not None:
            return recorded
        found = commit_robustly(
            self.problems,
            self.risk,
            [*starts, *starting_points(self.family, self.given.economy)],
            evaluations_per_start=self.evaluations,
            watch=self._part(None),
        )
        stage = Stage(
            name=None,
            parameters=found.best.parameters,
            value=found.best.value,
            outcome=found.outcome,
            trials=tuple(one.trial for one in found.trials),
        )
        return stage if found.outcome is Outcome.CANCELLED else self._keep(stage)

    def _better_own(self, own: Sequence[Stage], robust: Stage) -> list[Floats | None]:
        """For each variant the commitment that beats its own there, if one does."""
        rivals = [one.parameters for one in (*own, robust)]
        better: list[Floats | None] = []
        for place, (problem, stage) in enumerate(zip(self.problems, own, strict=True)):
            self.given.watch.check()
            evaluator = problem.evaluator(self.given.watch.silent(), holds=1)
            others = [one for k, one in enumerate(rivals) if k != place]
            trials = [evaluator.evaluate(one) for one in others]
            best = evaluator.best(0.0) if trials else None
            wins = best is not None and float(best.values[0]) > stage.value + BETTER
            better.append(best.parameters if wins and best is not None else None)
        return better

    def _part(self, name: str | None) -> Watch:
        """The watch of one search, whose share of the whole is that of the variants it solves in."""
        watch, variants = self.given.watch, len(self.problems)
        share = (1 if name is not None else variants) / (2 * variants)
        before = min(self.done, variants) / (2 * variants) if name is not None else 0.5
        label = f"{variant_called(name)}: " if name is not None else ""

        def told(inner: Progress) -> None:
            if watch.progress is not None:
                fraction = min(1.0, before + share * (inner.fraction or 0.0))
                watch.progress(replace(inner, stage=f"{label}{inner.stage}", fraction=fraction))

        return Watch(progress=told, cancelled=watch.cancelled)

    def _recorded(self, name: str | None) -> Stage | None:
        """The next search on the journal, which must be the one that is due."""
        if self.journal is None or self.done >= len(self.journal.parts):
            return None
        stage = self.journal.parts[self.done]
        if stage.name != name:
            raise ValueError(
                f"{self.journal.path}, stage {self.done + 1}: is of {stage.label} where {name or 'all variants'} is"
                " due; packages have changed since, so delete the file to start anew"
            )
        self.done += 1
        self.stages.append(stage)
        return stage

    def _keep(self, stage: Stage) -> Stage:
        if self.journal is not None:
            self.journal.append(stage)
        self.done += 1
        self.stages.append(stage)
        return stage

    def _result(self, own: Sequence[Stage], robust: Stage) -> RobustCommitment:
        tariff = self.family.tariff(robust.parameters)
        equilibrium = PostedSolver()(self.given.economy, tariff)
        table = None
        if robust.outcome is not Outcome.CANCELLED:
            with suppress(Cancelled):
                found = {one.name or "": self.family.tariff(one.parameters) for one in (*own, robust)}
                table = variant_table(self.given, self.file, self.economies, self.risk, found)
        best = np.array([one.value for one in own]) if table is None else table.best
        value = robust.value if table is None else table.robust.value
        outcomes = [one.outcome for one in (*own, robust)]
        outcome = Outcome.ROUND_LIMIT if Outcome.ROUND_LIMIT in outcomes else Outcome.CONVERGED
        if table is None:
            outcome = Outcome.CANCELLED
        return RobustCommitment(
            tariff=tariff,
            equilibrium=equilibrium,
            objective=float(self.known.measure(equilibrium)[0]),
            parameters=self.family.describe(robust.parameters),
            trials=robust.trials,
            seconds=time.perf_counter() - self.began,
            outcome=outcome,
            message=self._sentence(outcome, value, sum(len(one.trials) for one in self.stages)),
            file=self.file,
            risk=self.risk,
            value=value,
            bound=self.risk.value(best),
            own=tuple(own),
            table=table,
        )

    def _sentence(self, outcome: Outcome, value: float, tried: int) -> str:
        variants = counted(len(self.problems), "variant")
        best = f"{measure_name(self.file.alpha)} {value:.4f} {self.known.unit} over {variants}"
        best += f", after {counted(tried, 'tariff')} tried for one variant or for all"
        if outcome is Outcome.CONVERGED:
            return f"Converged: best {best}."
        if outcome is Outcome.CANCELLED:
            return f"Cancelled: best {best}."
        return f"Evaluation limit reached: best {best}; raise the number of evaluations for a finer optimum."


def measure_name(alpha: float) -> str:
    """What is maximised, in words."""
    return {0.0: "mean", 1.0: "worst case"}.get(alpha, f"CVaR at {alpha:g}")
