"""What a bill is made of: energy bought, the adder, charges whatever is used, the credit for exports, to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.compare.money import CENTS_PER_MONTH, by_kind, kinds_of_home
from meanwatt.analysis.dashboard.compare.rounding import largest_remainder
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.mean_field.population.game import Game

ENERGY, ADDER, EXPORTS = "energy", "adder", "exports"


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


def parts_usd_per_day(solution: Solution) -> dict[str, Floats]:
    """Split the expected bill of each household type. (θ,) each [USD/day]

    Returns
    -------
    dict
        ``energy``: what is bought at the import rate less the adder; ``adder``: that adder, both after discount;
        every standing charge under its own name, the fixed charge first; ``exports``: minus the credit, which is the
        whole import rate, adder included, under net metering. They sum to the bill.
    """
    equilibrium = solution.equilibrium
    economy, tariff, answer = equilibrium.economy, equilibrium.tariff, equilibrium.answer
    game = Game(economy, tariff)
    energy, adder, exports = (np.zeros(len(economy.types)) for _ in range(3))
    for type_index, (household, response, flow) in enumerate(
        zip(economy.types, answer.responses, answer.flows, strict=True)
    ):
        weight = economy.slot_hours * flow.frequency * economy.common.probability[:, None, None, None]
        bought_kwh = (weight * response.outcome.imported_kw).sum(axis=(2, 3))
        sold_kwh = (weight * response.outcome.exported_kw).sum(axis=(2, 3))
        own = game.own_rates(answer.rates, type_index)
        adder[type_index] = (1 - float(tariff.discount[household.group])) * answer.adder_usd_per_kwh * bought_kwh.sum()
        energy[type_index] = (own.import_usd_per_kwh * bought_kwh).sum() - adder[type_index]
        exports[type_index] = -(own.export_usd_per_kwh * sold_kwh).sum()
    return {ENERGY: energy, ADDER: adder, **equilibrium.standing_parts_usd_per_day, EXPORTS: exports}


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
        parts = _rounded({name: float(values[index]) for name, values in exact.items()}, whole)
        found.append(Bill(group=group, technology=technology, parts=parts, total=whole))
    return tuple(found)


def _rounded(exact: Mapping[str, float], total: int) -> dict[str, int]:
    """Parts of a bill to the cent, in their order: standing charges to the nearest, the others sum to the rest."""
    metered = [name for name in (ENERGY, ADDER, EXPORTS) if exact[name]]
    standing = {name: round(amount) for name, amount in exact.items() if name not in metered}
    rest = total - sum(standing.values())
    shared = largest_remainder([exact[name] for name in metered], rest) if metered else []
    parts = standing | dict(zip(metered, shared, strict=True))
    return {name: parts[name] for name in exact}
