"""The numbers of a tariff's components that the page offers, where the tariff has them."""

import math
from collections.abc import Iterator
from typing import Final

from meanwatt.analysis.dashboard.market.knob import Knob
from meanwatt.model.scenario.loading import TariffTable

NUMBERS: Final = (
    ("demand_charge", "usd_per_kw_month", "Demand charge, for each kW of the month's largest import", "$/month", 0.1),
    ("demand_charge", "usd_per_kw_day", "Demand charge, for each kW of the day's largest import", "$/day", 0.01),
    ("minimum_bill", "usd_per_month", "Minimum bill", "$/month", 1.0),
    ("subscription", "contracted_share", "Contracted share of the usual load", "", 0.05),
)
"""Component, key, words, unit and step of each."""


def component_knobs(tariff: TariffTable, key: str, part: str) -> Iterator[Knob]:
    """Give a knob for each number of a component that the tariff has; lists, as of tiers, are its file's."""
    for component, name, label, unit, step in NUMBERS:
        value = float(getattr(getattr(tariff, component), name))
        if component in tariff.component_names and value > 0:
            most = 1.0 if not unit else max(1.0, math.ceil(2 * value))
            yield Knob(
                key=f"{key}.{component}.{name}",
                part=part,
                label=label,
                default=value,
                unit=unit,
                high=most,
                step=step,
            )
