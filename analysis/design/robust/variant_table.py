"""Every tariff in every variant: what the leader makes of it, and its regret to the commitment made for the variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.design.cold import IN_FORCE
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.design.same_tariffs import same_numbers
from meanwatt.analysis.output.rate_classes import class_names
from meanwatt.model.mean_field.components.posted import PostedSolver
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.mean_field.leader.robust.risk import Risk
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.economy import Economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.variants_file import VariantsFile

ROBUST = "robust"
"""Name of the tariff found for all variants."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantRow:
    """A tariff in all variants.

    Attributes
    ----------
    name
        Of the tariff; ``commitment: VARIANT`` of one that was searched for a variant.
    found_for
        The variant it was searched for; empty for all of them, None of a tariff that the scenario names.
    objective : (variant,)
        The leader's; nan where there is no equilibrium, or it is undefined there.
    regret : (variant,)
        Objective of the variant's own commitment less that.
    value, mean, worst
        CVaR, mean and smallest objective; nan where one that counts is undefined.
    outcome
        How the solve of each variant ended.
    rate_classes
        Names of the rate classes of the tariff, the default one first.
    fixed_charge_usd_per_day : (variant, class, group)
        What balances revenue and cost there, after discount. [USD/day]
    """

    name: str
    found_for: str | None
    objective: Floats
    regret: Floats
    value: float
    mean: float
    worst: float
    outcome: tuple[Outcome, ...]
    rate_classes: tuple[str, ...]
    fixed_charge_usd_per_day: Floats

    @property
    def defined_objective(self) -> Floats:
        """Objectives, −inf where they are undefined. (variant,)"""
        return np.where(np.isfinite(self.objective), self.objective, -np.inf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantTable:
    """All tariffs: named, each variant's own commitment, and the robust one, last.

    Attributes
    ----------
    rows
        In that order.
    best : (variant,)
        Objective of each variant's own commitment.
    skipped
        Tariffs of the scenario that are not in it, and why.
    """

    rows: tuple[VariantRow, ...]
    best: Floats
    skipped: dict[str, str]

    @property
    def robust(self) -> VariantRow:
        """The robust commitment."""
        return self.rows[-1]


def variant_table(
    problem: DesignProblem,
    file: VariantsFile,
    economies: Sequence[Economy],
    risk: Risk,
    found: Mapping[str, Tariff],
) -> VariantTable:
    """Solve all tariffs in all variants.

    Parameters
    ----------
    found
        Tariffs searched, by variant in the order of the file; the robust one, under an empty name, last.

    Raises
    ------
    Cancelled
        If asked to stop.
    """
    tariffs, skipped = named_tariffs(problem)
    labels: list[tuple[str, str | None]] = [(name, None) for name in tariffs]
    labels += [(f"commitment: {variant}" if variant else ROBUST, variant) for variant in found]
    solving = _Solving(problem, economies)
    equilibria = [
        solving.everywhere(tariff, f"{label} in all variants")
        for (label, _), tariff in zip(labels, (*tariffs.values(), *found.values()), strict=True)
    ]
    judge = problem.aims.objective()
    objective = np.array([[judge(one) if one.converged else -np.inf for one in row] for row in equilibria])
    best = np.diagonal(objective[len(tariffs) :])
    rows = [_row(label, objective[place], best, risk, equilibria[place]) for place, label in enumerate(labels)]
    return VariantTable(rows=tuple(rows), best=best, skipped=skipped)


def named_tariffs(problem: DesignProblem) -> tuple[dict[str, Tariff], dict[str, str]]:
    """The tariff in force and those that the scenario names, each once; and why some of them are left out."""
    scenario, in_force = problem.economy.scenario, problem.baseline.tariff
    kept: dict[str, Tariff] = {}
    skipped: dict[str, str] = {}
    for name in scenario.tariffs:
        try:
            tariff = build_tariff(load_scenario(scenario, tariff=name), components=True)
        except ValueError as error:
            skipped[name] = str(error)
            continue
        same = next((other for other, known in kept.items() if same_numbers(tariff, known)), None)
        if same is not None:
            skipped[name] = f"it is {same} under another name"
        else:
            kept[name] = tariff
    if not any(same_numbers(in_force, known) for known in kept.values()):
        kept = {in_force.name if in_force.name not in kept else IN_FORCE: in_force, **kept}
    return kept, skipped


def _row(
    label: tuple[str, str | None], objective: Floats, best: Floats, risk: Risk, found: Sequence[Equilibrium]
) -> VariantRow:
    """One tariff in every variant."""
    classes = class_names(found[0])
    totals = [risk.value(objective), float(risk.weight @ objective), float(objective.min())]
    value, mean, worst = (number if np.isfinite(number) else np.nan for number in totals)
    defined = np.where(np.isfinite(objective), objective, np.nan)
    return VariantRow(
        name=label[0],
        found_for=label[1],
        objective=defined,
        regret=best - defined,
        value=value,
        mean=mean,
        worst=worst,
        outcome=tuple(one.outcome for one in found),
        rate_classes=classes,
        fixed_charge_usd_per_day=np.array(
            [one.fixed_charge_usd_per_day.reshape(len(classes), len(one.economy.groups)) for one in found]
        ),
    )


class _Solving:
    """Solves tariffs in all variants, each from nothing: what a table says does not depend on its order."""

    def __init__(self, problem: DesignProblem, economies: Sequence[Economy]) -> None:
        self._economies, self._watch = economies, problem.watch

    def everywhere(self, tariff: Tariff, stage: str) -> list[Equilibrium]:
        """The equilibrium in every variant; ``Cancelled`` if asked to stop."""
        self._watch.report(stage)
        found = []
        for economy in self._economies:
            one = PostedSolver()(economy, tariff, certify=False, watch=self._watch.silent())
            if one.outcome is Outcome.CANCELLED:
                raise Cancelled
            found.append(one)
        return found
