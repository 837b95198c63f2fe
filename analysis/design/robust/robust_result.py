"""A robust design in the results of a search: its JSON object, its messages, its columns."""

from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.design.robust.robust_design import BETTER, RobustCommitment, measure_name
from meanwatt.analysis.design.robust.variant_table import VariantRow
from meanwatt.analysis.leader.objective import Objective
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.messages import Messages

GIVEN: Final = (
    "objective, metrics and groups are those of the scenario as it is given; those of the variants stand under robust."
)
LEVELS: Final = {
    Recovery.FIXED: "One tariff is posted in all variants; in each its fixed charges have the level that covers the"
    " cost there.",
    Recovery.VOLUMETRIC: "One tariff is posted in all variants; in each its adder is what covers the cost there.",
    Recovery.POSTED: "One tariff is posted in all variants, and nothing of it is adjusted to them.",
}
EVEN: Final = 1e-9
"""Weights that add up to 1 this nearly were given as shares."""


def robust_json(found: Commitment | None) -> dict[str, Any] | None:
    """The object under ``robust`` of ``design --json``; None of another design."""
    if not isinstance(found, RobustCommitment):
        return None
    file, table = found.file, found.table
    return {
        "file": file.label.removeprefix("variants "),
        "measure": file.measure,
        "alpha": file.alpha,
        "objective": found.value,
        "bound": found.bound,
        "tail": None if table is None else found.risk.tail(table.robust.defined_objective).tolist(),
        "variants": [
            {
                "name": one.name,
                "weight": one.weight,
                "set": one.overrides,
                "objective": stage.value if table is None else float(table.best[place]),
                "parameters": dict(zip(found.parameters, stage.parameters.tolist(), strict=True)),
                "evaluations": len(stage.trials),
                "outcome": stage.outcome,
            }
            for place, (one, stage) in enumerate(zip(file.variants, found.own, strict=True))
        ],
        "tariffs": [] if table is None else [_row_json(found, row) for row in table.rows],
    }


def _row_json(found: RobustCommitment, row: VariantRow) -> dict[str, Any]:
    groups = found.equilibrium.economy.groups
    charges = [
        [dict(zip(groups, _numbers(by_group), strict=True)) for by_group in by_class]
        for by_class in row.fixed_charge_usd_per_day
    ]
    return {
        "tariff": row.name,
        "found_for": row.found_for,
        "objective": _numbers(row.objective),
        "regret": _numbers(row.regret),
        "largest_regret": _number(float(row.regret.max())),
        "measure": _number(row.value),
        "mean": _number(row.mean),
        "worst": _number(row.worst),
        "outcome": list(row.outcome),
        "fixed_charge_usd_per_day": [by_class[0] for by_class in charges],
        "rate_classes": [
            {"name": name, "fixed_charge_usd_per_day": [by_class[place] for by_class in charges]}
            for place, name in enumerate(row.rate_classes)
        ],
    }


def robust_messages(found: Commitment | None, objective: Objective) -> Messages:
    """What is the same in all variants, what was rescaled or left out, and what the table shows of the searches."""
    if not isinstance(found, RobustCommitment):
        return ()
    file, said = found.file, [GIVEN, LEVELS[found.tariff.recovery]]
    if abs(file.total_weight - 1) > EVEN and len(file.variants) > 1:
        shares = ", ".join(f"{one.name} {one.weight:.3g}" for one in file.variants)
        said.append(f"Weights in {file.label} add up to {file.total_weight:.6g} and count as shares: {shares}.")
    table = found.table
    if table is None:
        return (*said, "No regret table: stopped before.")
    said += [f"{name} is not in the regret table: {why}." for name, why in table.skipped.items()]
    names = [one.name for one in file.variants]
    unit = objective.unit
    for row in table.rows:
        undefined = [name for name, value in zip(names, row.objective, strict=True) if not np.isfinite(value)]
        if undefined:
            said.append(f"{row.name} has no objective in {', '.join(undefined)}: no equilibrium, or undefined there.")
        beaten = [f"{name} by {-lost:.2g}" for name, lost in zip(names, row.regret, strict=True) if lost < -BETTER]
        if row.found_for is None and beaten:
            said.append(
                f"{row.name}, which is outside the family, beats the own commitment of {', '.join(beaten)} {unit}."
            )
    return tuple(said)


def robust_columns(found: RobustCommitment) -> dict[str, list[Any]]:
    """The regret table in long form: a row for each tariff and variant."""
    assert found.table is not None
    names = [one.name for one in found.file.variants]
    columns: dict[str, list[Any]] = {name: [] for name in ("tariff", "variant", "weight", "objective", "regret")}
    for row in found.table.rows:
        columns["tariff"] += [row.name] * len(names)
        columns["variant"] += names
        columns["weight"] += found.risk.weight.tolist()
        columns["objective"] += row.objective.tolist()
        columns["regret"] += row.regret.tolist()
    return columns


def regret_words(found: RobustCommitment) -> str:
    """The sentence below the figure."""
    return (
        "What each tariff loses in each variant to the commitment that was made for it alone. Rows: tariffs of the"
        f" scenario, the own commitment of each of {counted(len(found.file.variants), 'variant')}, and, framed, the"
        f" tariff with the best {measure_name(found.file.alpha)}. Below 0 it gains: a tariff outside the family."
    )


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _numbers(values: Floats) -> list[float | None]:
    return [_number(float(value)) for value in values]
