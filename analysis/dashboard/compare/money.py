"""Who pays whom under two tariffs: bills by income and technology, and the utility's books, to the cent.

All money is in whole cents per home and month, rounded so that it adds up as it is printed.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.bill_parts import CENTS_PER_MONTH
from meanwatt.analysis.dashboard.shared.rounding import largest_remainder
from meanwatt.analysis.dashboard.shared.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The utility's money per home of the town. [cents/month]

    Attributes
    ----------
    revenue
        Net bills: what homes buy, less the credit for what they export, and the fixed charge.
    energy
        Energy bought at the wholesale price, for the net load.
    network
        Cost of the network.
    surplus
        ``revenue − energy − network``; negative is a loss.
    """

    revenue: int
    energy: int
    network: int
    surplus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Homes of one income group with one technology.

    Attributes
    ----------
    group, technology
        As in `meanwatt.agents.household.household_type.HouseholdType`.
    share
        Part of all homes.
    a, b
        Mean net bill of one of these homes under either tariff. [cents/month]
    adds
        What their change adds to that of the utility's revenue: share × (b − a). [cents per home of the town and month]
    """

    group: str
    technology: str
    share: float
    a: int
    b: int
    adds: int

    @property
    def difference(self) -> int:
        """How much more one of these homes pays under B. [cents/month]"""
        return self.b - self.a


def books(solution: Solution) -> Books:
    """Give the utility's books, whose lines add up as printed."""
    economy = solution.equilibrium.economy
    revenue = float(economy.type_share @ solution.equilibrium.bill_usd_per_day)
    network, surplus = economy.fixed_cost_usd_per_day, solution.metrics.surplus_usd_per_household_day
    exact = CENTS_PER_MONTH * np.array([revenue - network - surplus, network, surplus])
    total = round(CENTS_PER_MONTH * revenue)
    parts = largest_remainder(exact.tolist(), total)
    return Books(revenue=total, energy=parts[0], network=parts[1], surplus=parts[2])


def payers(a: Solution, b: Solution) -> tuple[Payer, ...]:
    """Set the bills of every kind of home side by side, poorest group first.

    Parameters
    ----------
    a, b
        Solutions of one scenario.

    Returns
    -------
    tuple of Payer
        Their ``adds`` sum to the difference of the revenues in `books`.

    Raises
    ------
    ValueError
        If the homes are not the same.
    """
    kinds = kinds_of_home(a)
    if kinds != kinds_of_home(b):
        raise ValueError("a and b are of different towns; give solutions of one scenario")
    share = by_kind(a, np.ones(len(a.equilibrium.economy.types)))
    bill_a, bill_b = (CENTS_PER_MONTH * by_kind(s, s.equilibrium.bill_usd_per_day) / share for s in (a, b))
    total = books(b).revenue - books(a).revenue
    adds = largest_remainder((share * (bill_b - bill_a)).tolist(), total)
    return tuple(
        Payer(
            group=group,
            technology=technology,
            share=float(share[index]),
            a=round(bill_a[index]),
            b=round(bill_b[index]),
            adds=adds[index],
        )
        for index, (group, technology) in enumerate(kinds)
    )


def kinds_of_home(solution: Solution) -> tuple[tuple[str, str], ...]:
    """Income group and technology of every kind of home, the poorest group first."""
    economy = solution.equilibrium.economy
    income = dict(zip(economy.groups, economy.group_income_usd_per_year, strict=True))
    kinds = dict.fromkeys((household.income_group, household.technology) for household in economy.types)
    return tuple(sorted(kinds, key=lambda kind: income[kind[0]]))  # stable: technologies keep their order


def by_kind(solution: Solution, of_type: Floats) -> Floats:
    """Share-weighted sum of numbers (θ,) over the types of each kind. (kind,)"""
    economy = solution.equilibrium.economy
    place = {kind: index for index, kind in enumerate(kinds_of_home(solution))}
    index = [place[household.income_group, household.technology] for household in economy.types]
    return np.asarray(np.bincount(index, weights=economy.type_share * of_type, minlength=len(place)))
