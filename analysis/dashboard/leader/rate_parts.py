"""What a rate is made of, hour by hour: what is posted, what follows the wholesale price, what recovers the cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, export_credit
from meanwatt.analysis.dashboard.leader import side_words
from meanwatt.analysis.dashboard.shared.day_chart import chart_row
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.hours import hours_of
from meanwatt.analysis.dashboard.shared.rounding import largest_remainder
from meanwatt.model.mean_field.equilibrium import Equilibrium

DIGITS: Final = 3
"""Decimals of a rate, here and on the chart of rates."""
LABELS: Final = {
    "posted": "posted",
    "wholesale": "from the wholesale price",
    "adder": "adder, recovers cost",
    "cap": "held down to the import rate",
}
"""What the parts are called."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateParts:
    """Parts of the import rate and of the export credit over the mean day; each adds up to its rate. [USD/kWh]

    Attributes
    ----------
    bought, sold
        Name and hours (h,) of each part.
    import_usd_per_kwh, export_usd_per_kwh : (h,) float
        Their sums.
    """

    bought: Mapping[str, Floats]
    sold: Mapping[str, Floats]
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats


def rate_parts(found: Equilibrium) -> RateParts:
    """Take the rates of an equilibrium apart, expected over the weather."""
    tariff, common = found.tariff, found.economy.common

    def mean(values: Floats) -> Floats:
        return np.asarray(common.probability @ values)

    wholesale = mean(found.wholesale_usd_per_kwh)
    import_rate, export_rate = mean(found.rates.import_usd_per_kwh), mean(found.rates.export_usd_per_kwh)
    bought = {
        "posted": mean(tariff.energy_usd_per_kwh[common.today]),
        "wholesale": tariff.pass_through * wholesale,
        "adder": np.full_like(import_rate, found.adder_usd_per_kwh),
    }
    if tariff.export_rule is ExportRule.NET_METERING:
        sold: dict[str, Floats] = dict(bought)  # what is sold earns what is bought
    else:
        credit, passed = export_credit(tariff, common.today)
        sold = {"posted": mean(credit), "wholesale": passed * wholesale}
        sold["cap"] = export_rate - sold["posted"] - sold["wholesale"]
    return RateParts(bought=bought, sold=sold, import_usd_per_kwh=import_rate, export_usd_per_kwh=export_rate)


def rate_parts_board(found: Equilibrium, called: str) -> dict[str, Any]:
    """What the component `rate_parts` reads: the parts as printed add up to the rate as printed, which is the chart's.

    Parameters
    ----------
    called
        Which tariff it is, in words.
    """
    parts = rate_parts(found)
    columns = [
        *_columns("import", parts.bought, parts.import_usd_per_kwh),
        *_columns("export", parts.sold, parts.export_usd_per_kwh),
    ]
    hours = hours_of(found.economy)
    cells = [column["cells"] for column in columns]
    return {
        "title": f"What a kWh is made of, {called}",
        "help": help_link("read-rate-parts"),
        "unit": "$/kWh",
        "groups": [
            {"label": label, "span": sum(column["group"] == group for column in columns)}
            for group, label in (("import", "A bought kWh costs"), ("export", "An exported kWh earns"))
        ],
        "heads": [column["label"] for column in columns],
        "rows": [[hour, *row] for hour, row in zip(hours, zip(*cells, strict=True), strict=True)],
        "caption": side_words.parts_caption(
            {name: float(values.mean()) for name, values in parts.bought.items()},
            float(parts.import_usd_per_kwh.mean()),
            found.tariff.pass_through,
        ),
    }


def _columns(group: str, parts: Mapping[str, Floats], rate: Floats) -> list[dict[str, Any]]:
    """A column for each part that is not zero all day, and one for the sum."""
    scale = 10**DIGITS
    totals = [round(float(f"{value:.{DIGITS}f}") * scale) for value in chart_row(rate)]
    there = {name: values for name, values in parts.items() if np.abs(values).max() * scale >= 0.5}
    shown = there or {"posted": parts["posted"]}
    rows = [
        largest_remainder([float(values[slot]) * scale for values in shown.values()], total)
        for slot, total in enumerate(totals)
    ]
    made = [
        {"group": group, "label": LABELS[name], "cells": [number(row[place] / scale, DIGITS) for row in rows]}
        for place, name in enumerate(shown)
    ]
    return [*made, {"group": group, "label": "in all", "cells": [number(total / scale, DIGITS) for total in totals]}]
