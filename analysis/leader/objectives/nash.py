"""Nash welfare: the income groups bargain over the tariff, each over what it is left with.

A dollar weighs the more, the less its owner has. J. F. Nash, "The Bargaining Problem", Econometrica 18(2), 155–162,
1950; M. Kaneko, K. Nakamura, "The Nash Social Welfare Function", Econometrica 47(2), 423–435, 1979.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.analysis.leader.objective import GAIN, Metered, Objective
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects

LEAST_USD: Final = 1e-3
"""Below this the metered logarithm goes on as a straight line, so that it is finite where a group has 0. [USD/day]"""
LEAST: Final = np.log(LEAST_USD) - 1.0
"""The metered logarithm of 0: no metered Nash welfare is lower. [ln(USD per household-day)]"""


class Nash(Objective):
    """J = Σ_g share_g·ln(income_g/365 + S_g), S_g = utility of use − wear − net bill of group g; revenue ≥ cost.

    Its derivative is Σ_g share_g·dS_g/(income_g/365 + S_g). A group left with nothing or less makes it −∞: such a
    tariff is infeasible. Meters do not show S_g, but what it gained over the tariff in force lies in the bracket of the
    rule of a half. A metering leader therefore counts from the use in force: group g has income_g/365 less its metered
    bill there, and its gain beside it. Where the tariff in force leaves a group with nothing, the leader meters Nash
    welfare itself and no gain.
    """

    called = "the Nash leader"
    maximises = "Nash welfare, the mean log of what income groups are left with"
    metered_as = GAIN
    unit = "ln(USD per household-day)"
    key = "ln_usd_per_household_day"
    pareto = True

    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Nash welfare; −inf where a group is left with nothing. [ln(USD per household-day)]"""
        there, left = _left_usd_per_day(effects)
        if not (left[there] > 0).all():
            return -np.inf
        return float(effects.economy.group_share[there] @ np.log(left[there]))

    def shortfall(self, effects: "TariffEffects") -> Floats:
        """Minus what every group with households is left with. [USD/day]"""
        there, left = _left_usd_per_day(effects)
        return np.asarray(-left[there])

    def undefined(self, effects: "TariffEffects") -> str | None:
        """Name the group that is left with least, where that is nothing or less."""
        there, left = _left_usd_per_day(effects)
        poorest = int(np.where(there, left, np.inf).argmin())
        if left[poorest] > 0:
            return None
        return (
            f"income group {effects.economy.groups[poorest]} is left with {left[poorest]:.2f} USD per household-day,"
            " income and use less bill; Nash welfare needs more than 0 for every group"
        )

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """Nash welfare gained over the tariff in force, if it has any. [ln(USD per household-day)]"""
        share, income, bill = change.group_share, change.income_usd_per_year, change.bill_in_force_usd_per_day()
        there = share > 0
        share, before = share[there], income[there] / DAYS_PER_YEAR - bill[there]
        least, most = (gain[there] for gain in change.household_gain_usd_per_day())
        after = before + 0.5 * (least + most)
        reference = _log(before) if (before > 0).all() else np.zeros(len(before))
        if not (after > 0).all():  # below all that is defined, by what the poorest lacks
            lowest = float(share.sum() * LEAST - share @ reference)
            return Metered(value=lowest + float(after.min()), feasible=False)
        ends = (np.maximum(before + least, 0.0), before + most)  # what the bracket has of the defined
        half_width = 0.5 * float(share @ (_log(ends[1]) - _log(ends[0])))
        return Metered(value=float(share @ (_log(after) - reference)), half_width=half_width)


def _left_usd_per_day(effects: "TariffEffects") -> tuple[Bools, Floats]:
    """Which groups have households, and income/365 + S of every group. (group,) each"""
    economy = effects.economy
    left = economy.group_income_usd_per_year / DAYS_PER_YEAR + effects.household_surplus_usd_per_day
    return economy.group_share > 0, left


def _log(left: Floats) -> Floats:
    """Logarithm, from `LEAST_USD` down to 0 a straight line: concave and rising."""
    inside = np.maximum(left, LEAST_USD)
    return np.asarray(np.log(inside) + (left - inside) / LEAST_USD)


OBJECTIVE = Nash()
