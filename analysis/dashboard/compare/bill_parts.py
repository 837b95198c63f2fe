"""What a bill is made of: energy bought, the adder, charges whatever is used, the credit for exports, to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meanwatt.analysis.dashboard.compare.money import by_kind, kinds_of_home
from meanwatt.analysis.dashboard.shared.bill_parts import CENTS_PER_MONTH, in_cents, parts_usd_per_day
from meanwatt.analysis.dashboard.shared.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The mean bill of homes of one income group with one technology, split. [cents/month]

    Attributes
    ----------
    group, technology
        As in `meanwatt.agents.household.household_type.HouseholdType`.
    parts
        Name of a part and its amount; exports are negative where they are credited.
    total
        The bill, which is their sum.
    """

    group: str
    technology: str
    parts: Mapping[str, int]
    total: int


def bills(solution: Solution) -> tuple[Bill, ...]:
    """Split the bill of every kind of home, poorest group first, in parts that sum as printed.

    A standing charge is rounded to the nearest cent, so that homes of one group with the same charge show the same;
    what rounding leaves goes to the parts that depend on use.
    """
    share = by_kind(solution, np.ones(len(solution.equilibrium.economy.types)))
    exact = {
        name: CENTS_PER_MONTH * by_kind(solution, paid) / share for name, paid in parts_usd_per_day(solution).items()
    }
    total = CENTS_PER_MONTH * by_kind(solution, solution.equilibrium.bill_usd_per_day) / share
    found = []
    for index, (group, technology) in enumerate(kinds_of_home(solution)):
        whole = round(float(total[index]))
        parts = in_cents({name: float(values[index]) for name, values in exact.items()}, whole)
        found.append(Bill(group=group, technology=technology, parts=parts, total=whole))
    return tuple(found)
