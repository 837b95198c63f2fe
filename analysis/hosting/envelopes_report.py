"""What homes within operating envelopes curtail in a sweep: at their limits, and apart for prices below zero."""

from collections.abc import Sequence
from typing import Any

from meanwatt.analysis.hosting.first_violation import by_level
from meanwatt.analysis.hosting.judged import HostedTariff
from meanwatt.analysis.hosting.stress import ENVELOPE_MEASURES
from meanwatt.analysis.hosting.sweep import HostingPlan


def envelopes_json(plan: HostingPlan, judged: Sequence[HostedTariff]) -> dict[str, Any] | None:
    """The part ``envelopes`` of the JSON object, percentiles over placements by level; None without envelopes.

    The names of the envelopes, what the first tariff's homes curtail, and the same of every tariff in ``tariffs``.
    """
    if not plan.scenario.feeder.envelopes:
        return None
    rows = [{"tariff": one.tariff, **{name: by_level(one.table[name]) for name in ENVELOPE_MEASURES}} for one in judged]
    return {
        "names": list(plan.scenario.feeder.envelopes),
        **{name: rows[0][name] for name in ENVELOPE_MEASURES},
        "tariffs": rows,
    }
