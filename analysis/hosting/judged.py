"""A tariff's sweep, judged: which limits are broken where, without inverters' curves and with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.hosting.first_violation import by_phase, first_violation, measured, violations, with_curves
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan
from meanwatt.model.mean_field.equilibrium import Outcome


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostedTariff:
    """A tariff's sweep, judged.

    Attributes
    ----------
    outcome : (level,)
        How each equilibrium ended; None where the sweep was broken off.
    table
        What was measured by name of ``MEASURES``, (level, placement).
    broken
        Whether limits are broken by kind, (level, placement).
    first
        Lowest adoption that breaks each, (placement,); inf for none.
    with_curves
        The same with inverters' curves in force; None where the scenario asks for none.
    by_phase
        The same of the phases' own voltages and loadings; None where homes draw from all phases alike.
    """

    __repr__ = short_repr

    tariff: str
    outcome: list[Outcome | None]
    table: dict[str, Floats]
    broken: dict[str, Floats]
    first: dict[str, Floats]
    with_curves: "HostedTariff | None" = None
    by_phase: "HostedTariff | None" = None


def judge(plan: HostingPlan, cells: Sequence[Cell]) -> list[HostedTariff]:
    """Judge a sweep tariff by tariff."""
    judged = []
    for name in plan.scenarios:
        table = measured(plan, cells, name)
        ended = {cell.level: cell.outcome for cell in cells if cell.tariff == name}
        outcome = [ended.get(level) for level in range(len(plan.levels))]
        one = _judged(plan, name, outcome, table)
        if plan.control is not None:
            one = replace(one, with_curves=_judged(plan, name, outcome, with_curves(table)))
        if plan.homes_by_phase is not None:
            one = replace(one, by_phase=_judged(plan, name, outcome, by_phase(table)))
        judged.append(one)
    return judged


def _judged(plan: HostingPlan, tariff: str, outcome: list[Outcome | None], table: dict[str, Floats]) -> HostedTariff:
    broken = violations(plan, table)
    first = {kind: first_violation(plan.levels, one) for kind, one in broken.items()}
    return HostedTariff(tariff=tariff, outcome=outcome, table=table, broken=broken, first=first)
