"""What is said of a sweep whose homes are on one phase each: first violations by phase beside the balanced ones."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from meanwatt.analysis.hosting.first_violation import by_level, compared, percentiles, violation_share
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.stress import UNBALANCE
from meanwatt.analysis.hosting.sweep import HostingPlan, residents_listed
from meanwatt.model.market.grid_phases import elsewhere_messages, zero_sequence_rule
from meanwatt.model.network.library.phase_data import PHASES
from meanwatt.model.network.phase_flow import UNBALANCE_LIMIT_PERCENT
from meanwatt.model.network.phase_homes import homes_messages
from meanwatt.model.network.zero_sequence import complete_zero_sequence


def phases_json(plan: HostingPlan, judged: Sequence[HostedTariff]) -> dict[str, Any] | None:
    """The part ``phases`` of the JSON object; None where homes draw from all phases alike.

    Homes by phase; the first tariff's first violations by phase and balanced; and the same of every tariff in
    ``tariffs``, with voltages and the largest unbalance by level.
    """
    if plan.homes_by_phase is None:
        return None
    rows = [_tariff_json(plan, one, one.by_phase) for one in judged if one.by_phase is not None]
    return {
        "homes_by_phase": dict(zip((*PHASES, "abc"), plan.homes_by_phase.sum(axis=0).tolist(), strict=True)),
        "unbalance_limit_percent": UNBALANCE_LIMIT_PERCENT,
        **{name: rows[0][name] for name in ("first_violation", "first_violation_balanced")},
        "tariffs": rows,
    }


def _tariff_json(plan: HostingPlan, balanced: HostedTariff, found: HostedTariff) -> dict[str, Any]:
    return {
        "tariff": balanced.tariff,
        "first_violation": {kind: percentiles(first) for kind, first in found.first.items()},
        "first_violation_balanced": {kind: percentiles(first) for kind, first in balanced.first.items()},
        "placements_without_violation": {kind: int(np.isinf(first).sum()) for kind, first in found.first.items()},
        "violation_share": {kind: violation_share(broken) for kind, broken in found.broken.items()},
        "beside_balanced": {
            kind: compared(found.first[kind], balanced.first[kind], plan.levels) for kind in found.first
        },
        **{name: by_level(found.table[name]) for name in ("max_voltage_pu", "min_voltage_pu")},
        UNBALANCE: by_level(balanced.table[UNBALANCE]),
    }


def phases_messages(plan: HostingPlan) -> Iterator[str]:
    """What is drawn and assumed, and what the curves of inverters go by."""
    if plan.homes_by_phase is None:
        return
    table = plan.scenario.feeder
    rule = zero_sequence_rule(table)
    yield from homes_messages(plan.feeder, plan.homes_by_phase, table.phase_seed)
    yield from complete_zero_sequence(plan.feeder, rule).messages(rule)
    if plan.residence == "file":
        yield from elsewhere_messages(plan.feeder, np.any(residents_listed(plan)[0].share > 0, axis=0))
    if plan.control is not None:
        yield "feeder.phases: without inverters' curves here; a market's feeder has volt-var by phase."
