"""The month's largest import of a household with a battery, by its policy and law: nothing averaged."""

import heapq
from functools import partial
from typing import Final

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Bools, Floats, as_input
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.model.mean_field.population.flow import moves_taken, push_day
from meanwatt.model.mean_field.population.peak_flow import left_at_night
from meanwatt.model.scenario.economy import Economy

ACCURACY: Final = 2e-4
"""Error of the expectation, as a part of the largest import that is possible."""
LOOKS: Final = 200
"""Thresholds that are looked at at most."""
TIE_KW: Final = 1e-12
"""Imports this near to each other are the same. [kW]"""


def expected_peak_kw(
    economy: Economy, policy: PolicyTable, law: Floats, counted: Bools, days: float = DAYS_PER_MONTH
) -> float:
    """Expected largest import of a month, or of so many days, in the slots that count. [kW]

    Parameters
    ----------
    policy
        What the household does.
    law : (c, h, e, z)
        Its stationary day.
    counted : (h,)
        Whether a slot counts.

    Notes
    -----
    E[max] = ∫ P(max > x) dx over the imports that occur. P(max ≤ x) is what is left of the law after a month in which
    all that would import more is taken out; thresholds are added where they tell most.
    """
    imported = np.maximum(policy.net_load_kw, 0.0) * counted[None, :, None, None]
    values = np.unique(np.concatenate([[0.0], imported.ravel()]))
    values = values[np.concatenate([[True], np.diff(values) > TIE_KW])]
    below = partial(_chance_below, economy, policy, law, imported, days)
    known = {0: below(float(values[0])), len(values) - 1: 1.0}

    def gap(low: int, high: int) -> float:
        """By how much the part of the expectation between two thresholds may be wrong."""
        return float(values[high] - values[low]) * (known[high] - known[low]) if high - low > 1 else 0.0

    last = len(values) - 1
    parts = [(-gap(0, last), 0, last)] if last else []
    while parts and -sum(part[0] for part in parts) > ACCURACY * float(values[-1]) and len(known) < LOOKS:
        _, low, high = heapq.heappop(parts)
        middle = (low + high) // 2
        known[middle] = below(float(values[middle]))
        for a, b in ((low, middle), (middle, high)):
            heapq.heappush(parts, (-gap(a, b), a, b))
    total = 0.0
    for _, low, high in parts:
        chance = known[low] if high - low == 1 else 0.5 * (known[low] + known[high])
        total += float(values[high] - values[low]) * (1 - chance)
    return total


def _chance_below(
    economy: Economy, policy: PolicyTable, law: Floats, imported: Floats, days: float, most_kw: float
) -> float:
    """Chance that so many days have no import above a threshold; one day where it holds the largest import."""
    common = economy.common
    if policy.peak is not None:
        allowed = imported <= most_kw + TIE_KW
        return left_at_night(policy, law, allowed, economy.shock_kernel, common.backward, common.probability)
    allowed = (imported <= most_kw + TIE_KW)[:, :, None]
    probability = as_input(policy.probability * allowed)
    arrays = (
        probability,
        moves_taken(probability),
        as_input(policy.moves),
        as_input(economy.shock_kernel),
        as_input(economy.common.backward),
    )
    midnight, after, day = law[:, 0].copy(), np.empty_like(law[:, 0]), np.empty_like(law)
    whole, chance = int(days), 0.0
    for number in range(1, whole + 2):
        push_day(midnight, *arrays, day, after)
        midnight, after = after, midnight
        if number >= whole:
            part = days - whole
            left = float(economy.common.probability @ midnight.sum(axis=(1, 2)))
            chance += (part if number > whole else 1 - part) * left
    return chance
