"""What is said of a sweep whose scenario has inverters answer to their voltage: with the curves beside without."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from meanwatt.analysis.hosting.first_violation import by_level, compared, percentiles, violation_share
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.stress import CURTAILED
from meanwatt.analysis.hosting.sweep import HostingPlan


def curves_json(plan: HostingPlan, judged: Sequence[HostedTariff]) -> dict[str, Any] | None:
    """The part ``volt_watt`` of the JSON object; None where no curve is in force.

    The curves; the first tariff's first violations with them and without them, and what they hold back by level; and
    the same of every tariff in ``tariffs``.
    """
    control = plan.control
    if control is None:
        return None
    rows = [_tariff_json(plan, one, one.with_curves) for one in judged if one.with_curves is not None]
    told = ("first_violation", "first_violation_without", CURTAILED)
    return {
        "volt_watt": asdict(control.volt_watt) if control.volt_watt else None,
        "volt_var": asdict(control.volt_var) if control.volt_var else None,
        **{name: rows[0][name] for name in told},
        "tariffs": rows,
    }


def _tariff_json(plan: HostingPlan, without: HostedTariff, curved: HostedTariff) -> dict[str, Any]:
    return {
        "tariff": without.tariff,
        "first_violation": {kind: percentiles(first) for kind, first in curved.first.items()},
        "first_violation_without": {kind: percentiles(first) for kind, first in without.first.items()},
        "placements_without_violation": {kind: int(np.isinf(first).sum()) for kind, first in curved.first.items()},
        "violation_share": {kind: violation_share(broken) for kind, broken in curved.broken.items()},
        "beside_without": {
            kind: compared(curved.first[kind], without.first[kind], plan.levels) for kind in curved.first
        },
        "max_voltage_pu": by_level(curved.table["max_voltage_pu"]),
        "min_voltage_pu": by_level(curved.table["min_voltage_pu"]),
        CURTAILED: by_level(without.table[CURTAILED]),
    }


def curves_named(volt_watt: dict[str, Any]) -> str:
    """Name the curves in force, from the part ``volt_watt`` of the JSON object."""
    return " and ".join(
        shown for key, shown in (("volt_watt", "volt-watt"), ("volt_var", "volt-var")) if volt_watt[key] is not None
    )


def curves_messages(plan: HostingPlan, judged: Sequence[HostedTariff]) -> Iterator[str]:
    """What the curves leave open."""
    if plan.control is None:
        return
    yield (
        "feeder.volt_watt, volt_var: households do not foresee what is held back; prices and plans are those with all"
        " of the sun, in either case. Inverters of a type at a bus answer as their mean home."
    )
    for one in judged:
        if one.with_curves is None:
            continue
        lost = one.with_curves.table["unsolved_slots"] > one.table["unsolved_slots"]
        if lost.any():
            where = ", ".join(f"{plan.levels[level]:.0%}" for level in np.flatnonzero(lost.any(axis=1)))
            yield (
                f"tariff {one.tariff}: with feeder.volt_watt, volt_var some slots have no state that agrees with the"
                f" curves at adoption {where}; they count as no_state, and nothing is held back in them."
            )
