"""What is said of a sweep: the JSON object, the tables of a result directory, and sentences on what is left out."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.hosting.adoption import empty_classes, present_shares
from meanwatt.analysis.hosting.curves_report import curves_json, curves_messages
from meanwatt.analysis.hosting.envelopes_report import envelopes_json
from meanwatt.analysis.hosting.first_violation import ANY, by_level, compared, percentiles, violation_share
from meanwatt.analysis.hosting.judged import HostedTariff, judge
from meanwatt.analysis.hosting.phases_report import phases_json, phases_messages
from meanwatt.analysis.hosting.stress import BY_PHASE, KINDS, WITH_CURVES
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, residents_listed
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.scenario.messages import Messages, joined, scenario_messages
from meanwatt.model.scenario.rate_classes import DEFAULT
from meanwatt.model.scenario.schema import Scenario

OF_TYPES: Final = (
    "Every home draws the mean of its household type over shocks and states of charge; a single home's own peaks are"
    " higher."
)
SHOWN: Final = ("max_voltage_pu", "min_voltage_pu", "line_loading", "transformer_loading")
"""Measures whose percentiles over placements are told."""


def how_it_ended(plan: HostingPlan, cells: Sequence[Cell]) -> tuple[Outcome, str]:
    """Outcome and sentence of a sweep: converged if every level of every tariff has an equilibrium."""
    total = len(plan.cells)
    if len(cells) < total:
        return Outcome.CANCELLED, f"Cancelled after {len(cells)} of {total} equilibria."
    bad = [cell for cell in cells if not cell.known]
    if bad:
        return bad[0].outcome, f"{len(bad)} of {total} levels have no equilibrium to judge the feeder by."
    whole = f"{len(plan.levels)} levels of adoption, {plan.placements} placements"
    return Outcome.CONVERGED, f"Converged: every equilibrium is solved, {whole}."


def hosting_json(plan: HostingPlan, cells: Sequence[Cell]) -> dict[str, Any]:
    """The JSON object of a sweep; ``first_violation`` is that of the first tariff."""
    judged = judge(plan, cells)
    outcome, message = how_it_ended(plan, cells)
    rows = [_tariff_json(plan, one, judged[0] if number else None) for number, one in enumerate(judged)]
    share, present = present_shares(plan.scenario, plan.swept)
    return {
        "feeder": plan.feeder.name,
        "scenario": plan.scenario.name,
        "outcome": outcome,
        "message": message,
        "messages": _messages(plan, cells, judged),
        "customers": int(plan.feeder.customers.sum()),
        "limits": plan.limits,
        "swept": plan.swept,
        "incomes": plan.residence,
        "adoption_pattern": plan.scenario.feeder.residents.adoption,
        "adoption_today": float(share @ present),
        "adoption": list(plan.levels),
        "first_violation": rows[0]["first_violation"],
        "tariffs": rows,
        "volt_watt": curves_json(plan, judged),
        "phases": phases_json(plan, judged),
        "envelopes": envelopes_json(plan, judged),
        "placements": plan.placements,
    }


def hosting_tables(plan: HostingPlan, cells: Sequence[Cell]) -> dict[str, dict[str, Any]]:
    """Tables of a result directory: worst states by (tariff, level, placement), first violations by placement."""
    judged = judge(plan, cells)
    levels, placements = len(plan.levels), plan.placements
    states: dict[str, list[Any]] = {name: [] for name in ("tariff", "adoption", "placement", *plan.measures)}
    endings = ["", *([WITH_CURVES] if plan.control else []), *([BY_PHASE] if plan.homes_by_phase is not None else [])]
    kinds = [kind + ending for ending in endings for kind in (*KINDS, ANY)]
    first: dict[str, list[Any]] = {name: [] for name in ("tariff", "placement", *kinds)}
    for one in judged:
        states["tariff"] += [one.tariff] * levels * placements
        states["adoption"] += np.repeat(plan.levels, placements).tolist()
        states["placement"] += list(range(placements)) * levels
        for name in plan.measures:
            states[name] += one.table[name].ravel().tolist()
        first["tariff"] += [one.tariff] * placements
        first["placement"] += list(range(placements))
        for kind, values in _first(one).items():
            first[kind] += [value if np.isfinite(value) else None for value in values.tolist()]
    return {"states": states, "first_violation": first}


def _first(one: HostedTariff) -> dict[str, Floats]:
    """First violations by kind, without curves, with them, and by phase."""
    found = dict(one.first)
    for more, ending in ((one.with_curves, WITH_CURVES), (one.by_phase, BY_PHASE)):
        found |= {} if more is None else {kind + ending: values for kind, values in more.first.items()}
    return found


def _tariff_json(plan: HostingPlan, one: HostedTariff, reference: HostedTariff | None) -> dict[str, Any]:
    return {
        "tariff": one.tariff,
        "rate_classes": _classes(plan.scenarios[one.tariff]),
        "outcome": one.outcome,
        "first_violation": {kind: percentiles(first) for kind, first in one.first.items()},
        "violation_share": {kind: violation_share(broken) for kind, broken in one.broken.items()},
        "placements_without_violation": {kind: int(np.isinf(first).sum()) for kind, first in one.first.items()},
        **{name: by_level(one.table[name]) for name in SHOWN},
        "beside_first_tariff": None
        if reference is None
        else {kind: compared(one.first[kind], reference.first[kind], plan.levels) for kind in one.first},
    }


def _classes(scenario: Scenario) -> list[dict[str, str]]:
    """Name and tariff of every rate class, the default one first; it alone where everybody has one tariff."""
    others = scenario.rate_classes if scenario.has_rate_classes else {}
    tariff_of = {DEFAULT: scenario.selected_tariff} | {name: table.tariff for name, table in others.items()}
    return [{"name": name, "tariff": tariff} for name, tariff in tariff_of.items()]


def _messages(plan: HostingPlan, cells: Sequence[Cell], judged: Sequence[HostedTariff]) -> Messages:
    told = [scenario_messages(scenario) for scenario in plan.scenarios.values()]
    return joined(
        *told,
        (OF_TYPES,),
        residents_listed(plan)[0].messages if plan.residence == "file" else (),
        _no_equipment(plan),
        _late_groups(plan),
        _empty_classes(plan),
        _left_out(plan, cells),
        _at_zero(judged),
        curves_messages(plan, judged),
        phases_messages(plan),
        _envelopes(plan),
    )


def _envelopes(plan: HostingPlan) -> Iterator[str]:
    if plan.scenario.feeder.envelopes:
        yield (
            f"feeder.envelopes ({', '.join(plan.scenario.feeder.envelopes)}): homes keep within these limits at every"
            " level; envelopes has what that curtails."
        )


def _no_equipment(plan: HostingPlan) -> Iterator[str]:
    if not plan.feeder.rated_lines.any():
        yield f"feeder {plan.feeder.name}: no line has a rating, so none can be overloaded."
    if not plan.feeder.transformers and not any(one.kind == "transformer" for one in plan.feeder.branches):
        yield f"feeder {plan.feeder.name}: has no transformer, so none can be overloaded."


def _late_groups(plan: HostingPlan) -> Iterator[str]:
    share, present = present_shares(plan.scenario, plan.swept)
    names = list(plan.scenario.income_groups)
    late = [name for name, part, own in zip(names, share, present, strict=True) if part > 0 and own == 0]
    if late and len(late) < int((share > 0).sum()):
        yield (
            f"{plan.swept.share_key}: is 0 in income group {', '.join(late)}, which adopts once the others all have;"
            " give it a share to let it adopt beside them."
        )


def _empty_classes(plan: HostingPlan) -> Iterator[str]:
    for tariff, scenario in plan.scenarios.items():
        empty: dict[str, list[str]] = {}
        for level in plan.levels if scenario.has_rate_classes else ():
            for name in empty_classes(scenario, plan.swept, level):
                empty.setdefault(name, []).append(f"{level:.0%}")
        for name, where in empty.items():
            yield (
                f"tariff {tariff}: rate class {name} holds nobody at adoption {', '.join(where)}, and is left out"
                " there: the other classes alone balance the utility."
            )


def _left_out(plan: HostingPlan, cells: Sequence[Cell]) -> Iterator[str]:
    for name in plan.scenarios:
        bad = [cell for cell in cells if cell.tariff == name and not cell.known]
        if bad:
            where = ", ".join(f"{plan.levels[cell.level]:.0%}" for cell in bad)
            yield f"tariff {name}: left out at adoption {where}, for there is no equilibrium: {bad[0].message}"


def _at_zero(judged: Sequence[HostedTariff]) -> Iterator[str]:
    for one in judged:
        for kind in KINDS:
            share = violation_share(one.broken[kind])[0]
            if share:
                yield (
                    f"tariff {one.tariff}: {kind} is violated at adoption 0 already, in {share:.0%} of placements;"
                    " the first violation of that kind says nothing about what is swept."
                )
