"""The days of learners as a file that a visitor takes home."""

import math

from meanwatt.analysis.dashboard.learners.choice import KEYS, Q_KEYS, query
from meanwatt.analysis.dashboard.learners.mixture import written
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.analysis.emergence.day_by_day import PRICE_MEASURES
from meanwatt.model.market.history import SUMMARY


def csv_of(run: Run) -> str:
    """Every day, a row each: the columns of the table ``days`` of ``meanwatt simulate``, then what learners add.

    Columns that begin with ``floor`` are of the same market with everybody at the equilibrium.
    """
    choice = run.choice
    head = {
        **{key: getattr(choice, key) for key in KEYS if key not in Q_KEYS},
        "temperature_usd": choice.in_force("temperature_usd"),
        "battery_share_scale": choice.in_force("battery_share_scale"),
        **{key: getattr(choice.q, name) for key, name in Q_KEYS.items()},
        "mix": written(choice.mix),
        "link": f"?{query(choice)}",
        "command": choice.command,
        "outcome": run.target.outcome.value,
    }
    names = (
        *("day", "common_state", "day_type", *SUMMARY, "key"),
        *("belief_error_usd_per_kwh", *PRICE_MEASURES),
        *(f"floor_{name}" for name in (*PRICE_MEASURES, "imv_usd_per_kwh", "hours_outside_limits", "min_voltage_pu")),
        "day_digest",
    )
    rows = [
        (
            *(day.day, day.common_state, day.day_type),
            *(_cell(day.learners.figure(name)) for name in SUMMARY),
            choice.seed,
            _cell(day.belief_error_usd_per_kwh),
            *(_cell(day.learners.figure(name)) for name in PRICE_MEASURES),
            *(
                _cell(day.floor.figure(name))
                for name in (*PRICE_MEASURES, "imv_usd_per_kwh", "hours_outside_limits", "min_voltage_pu")
            ),
            day.digest,
        )
        for day in run.days
    ]
    return csv_text(head, names, rows)


def _cell(value: float) -> str:
    """A number to the last digit; nothing where there is none."""
    return "" if math.isnan(value) else repr(value)
