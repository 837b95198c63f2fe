"""What the leader loses by posting the mean field's best tariff in a market of N households.

The mean field's tariff is the committing leader's (Stackelberg mean-field equilibrium). The best tariff of the market
is searched around it with the same random draws for every tariff, so that the objective is a function of the tariff;
households answer each tariff as its mean-field equilibrium says. Both tariffs are then compared on fresh draws, pair by
pair: the search has fitted its own draws, and its objective there would overstate what the market offers (winner's
curse). The loss may therefore come out negative.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.simulation.run_of_equilibrium import equilibrium_run_metrics
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.scaling import Interval, mean_interval
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.commitment import commit, minimize_by_values
from meanwatt.model.mean_field.leader.leader_problem import FEASIBLE
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.tariff_evaluator import TariffEvaluator
from meanwatt.model.progress.watch import Cancelled, Watch

EVALUATIONS: Final = 24
"""Tariffs tried in the search around the mean field's, for each number of households."""
FIRST_STEP: Final = 0.1
"""First trust-region radius, as a share of each parameter's range."""
UNSETTLED_LOSS: Final = 1e3
"""What a tariff counts under which households come to no equilibrium. [USD per household-day]"""
LEARNING_DRAWS: Final = 1_000_000
"""Replications of the search have the keys (seed, this number), (seed, this number + 1), …; the others start at 0."""
COMMIT_SHARE: Final = 0.4
"""Part of the work that finding the mean field's tariff is; for the progress bar."""

DEFAULT_AIMS: Final = LeaderSpec()
"""Those of the leader by default."""

Show = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderLoss:
    """The check's numbers. Money is USD per household-day; tuples are by number of households.

    Attributes
    ----------
    households
        Numbers N.
    parameters
        The mean field's tariff.
    mean_field, in_force
        The leader's objective in the mean field at that tariff, and at the tariff in force.
    at_mean_field, at_in_force
        The leader's objective in the market at these two, on fresh draws.
    loss
        Objective at the best tariff found less that at the mean field's, on fresh draws.
    best_parameters
        The best tariffs found.
    evaluations
        Tariffs tried in the markets.
    """

    households: tuple[int, ...]
    parameters: dict[str, float]
    mean_field: float
    in_force: float
    at_mean_field: tuple[Interval, ...]
    at_in_force: tuple[Interval, ...]
    loss: tuple[Interval, ...]
    best_parameters: tuple[dict[str, float], ...]
    evaluations: int

    @property
    def gain(self) -> float:
        """What the leader gains in the mean field by leaving the tariff in force. [USD per household-day]"""
        return self.mean_field - self.in_force


def leader_loss(
    equilibrium: Equilibrium,
    sample: Sample,
    *,
    aims: LeaderSpec = DEFAULT_AIMS,
    evaluations: int = EVALUATIONS,
    watch: Watch | None = None,
) -> LeaderLoss:
    """Find a leader's tariff in the mean field and in markets of N households, and compare them there.

    Parameters
    ----------
    equilibrium
        At the tariff in force.
    sample
        Markets in which each tariff of the search is tried; as many fresh ones are drawn for the comparison.
    aims
        The leader's; its objective must be one that a market shows.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    watch = watch or Watch()
    problem = aims.problem(equilibrium.economy, equilibrium.tariff)
    family = problem.family
    keys = range(sample.replications)

    def show(text: str, fraction: float) -> None:
        watch.check()
        watch.report(text, fraction)

    committed = commit(
        problem,
        certify=False,
        watch=Watch(
            progress=lambda report: show("the leader's tariff", COMMIT_SHARE * (report.fraction or 0.0)),
            cancelled=watch.cancelled,
        ),
    )
    if committed.outcome is Outcome.CANCELLED:
        raise Cancelled
    start = np.array([committed.parameters[name] for name in family.free])
    rows = []
    for place, count in enumerate(sample.households):
        share = (1.0 - COMMIT_SHARE) / len(sample.households)
        begun = COMMIT_SHARE + share * place
        arena = _Arena(
            committed.equilibrium,
            family,
            aims,
            households=count,
            days=sample.days,
            keys=[(sample.seed, LEARNING_DRAWS + r) for r in keys],
            show=partial(_within, show, f"the leader among {count:,} households", begun, share, evaluations),
        )
        best = arena.search(start, evaluations)
        fresh = [(sample.seed, r) for r in keys]
        values = [arena.objectives(found, fresh) for found in (arena.solve(best), committed.equilibrium, equilibrium)]
        rows.append((best, *values))
    watch.report("the leader's tariff", 1.0)
    return LeaderLoss(
        households=tuple(sample.households),
        parameters=committed.parameters,
        mean_field=committed.objective,
        in_force=problem.objective(equilibrium),
        at_mean_field=tuple(mean_interval(kept, seed=sample.seed) for _, _, kept, _ in rows),
        at_in_force=tuple(mean_interval(forced, seed=sample.seed) for *_, forced in rows),
        loss=tuple(mean_interval(best - kept, seed=sample.seed) for _, best, kept, _ in rows),
        best_parameters=tuple(family.describe(parameters) for parameters, *_ in rows),
        evaluations=evaluations * len(rows),
    )


def _within(show: Show, text: str, begun: float, share: float, evaluations: int, tried: int) -> None:
    show(text, begun + share * min(1.0, tried / (evaluations + 3)))


class _Arena:
    """Markets of N households in which tariffs are tried on the same draws, every tariff at its own equilibrium."""

    def __init__(
        self,
        start: Equilibrium,
        family: ParameterFamily,
        aims: LeaderSpec,
        *,
        households: int,
        days: int,
        keys: Sequence[tuple[int, int]],
        show: Callable[[int], None],
    ) -> None:
        self.aims, self.households, self.days, self.keys, self.show = aims, households, days, keys, show
        self._evaluator = TariffEvaluator(
            start.economy, family, self._mean_objective, watch=Watch(), start=start, follows=False, holds=0
        )

    def solve(self, parameters: Floats) -> Equilibrium:
        """The households' equilibrium at a tariff of the family."""
        return self._evaluator.solve(parameters)

    def objectives(self, found: Equilibrium, keys: Sequence[tuple[int, int]]) -> Floats:
        """The leader's objective in every market, (replication,)."""
        self.show(len(self._evaluator.trials))
        values = []
        for key in keys:
            metrics = equilibrium_run_metrics(found, households=self.households, days=self.days, seed=key)
            values.append(self.aims.in_market(found.economy, metrics))
        return np.array(values)

    def search(self, start: Floats, evaluations: int) -> Floats:
        """The tariff with the highest mean objective on the search's own draws, the starting one included."""
        evaluator = self._evaluator

        def loss(unit: Floats) -> float:
            value = float(evaluator.evaluate(evaluator.family.at(unit)).values[0])
            return -value if np.isfinite(value) else UNSETTLED_LOSS

        minimize_by_values(loss, evaluator.family.unit(start), evaluations, FIRST_STEP)
        best = evaluator.best(FEASIBLE)
        return start if best is None else best.parameters

    def _mean_objective(self, found: Equilibrium) -> Floats:
        settled = found.outcome is Outcome.CONVERGED
        return np.array([self.objectives(found, self.keys).mean() if settled else -np.inf])
