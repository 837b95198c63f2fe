"""Prices of a tariff that differ by the branch of the feeder, in words."""

import numpy as np

from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.scenario.branches import REST, adders_by_branch, by_rate_class

LEAST_CENTS = 0.005
"""What is printed as nothing. [cent/kWh]"""


def branch_prices(tariff: Tariff) -> str:
    """What a kWh costs more on each branch than on the rest; empty where all pay the same."""
    parts = []
    for one in by_rate_class(tariff).values():
        for name, adder in adders_by_branch(one).items():
            low, high = (100 * float(end) for end in (adder.min(), adder.max()))
            if max(abs(low), abs(high)) >= LEAST_CENTS:
                parts.append(f"{_span(low, high)} on branch {name} than on {REST}")
    if not parts:
        return ""
    sold = "; exports earn it as well" if tariff.export_rule is ExportRule.NET_BILLING else ""
    return f"{', '.join(parts)}{sold}"


def _span(low: float, high: float) -> str:
    """Both ends of a difference in cents."""
    if np.isclose(low, high, rtol=0, atol=LEAST_CENTS):
        return _more(low)
    return f"{_more(low)} to {_more(high)}"


def _more(cents: float) -> str:
    return f"{abs(cents):.3g} ¢ {'less' if cents < 0 else 'more'}"
