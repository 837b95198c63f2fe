"""What expected bills are made of: energy, adder, standing charges, components, exports; and its words."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import FIXED_CHARGE
from meanwatt.analysis.dashboard.shared.rounding import largest_remainder
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

ENERGY, ADDER, EXPORTS = "energy", "adder", "exports"
CENTS_PER_MONTH: Final = 100 * DAYS_PER_MONTH
"""Cents a month of one USD a day."""
COMPONENTS: Final = {
    "tiers": "Tiers",
    "demand_charge": "Demand charge",
    "minimum_bill": "Up to the minimum bill",
    "subscription": "Subscription",
    "discount_funding": "Funding of discounts",
}
"""Components of a tariff in words."""
PART_LABELS: Final = {
    ENERGY: "Energy",
    ADDER: "Adder",
    FIXED_CHARGE: "Fixed",
    "access_charge": "Access",
    EXPORTS: "Exports",
    **COMPONENTS,
}
"""Parts of a bill in words."""
TECHNOLOGIES: Final = {
    "none": "no solar",
    "pv": "solar",
    "pv_battery": "solar + battery",
    "battery": "battery",
    "ev": "electric car",
    "pv_ev": "solar + electric car",
}


class Billable(Protocol):
    """What bills are read from."""

    @property
    def equilibrium(self) -> Equilibrium:
        """The continuum at rest, as it is posted and billed."""

    @property
    def composed(self) -> Composed | None:
        """The same by what households see, where a tariff has components."""


def technology_label(name: str) -> str:
    """Name of a technology in words."""
    return TECHNOLOGIES.get(name, name.replace("_", " "))


def part_label(name: str) -> str:
    """A part of a bill in words."""
    return PART_LABELS.get(name, name.replace("_", " ").capitalize())


def cents(amount: int, *, signed: bool = False, currency: str = "") -> str:
    """Whole cents as dollars and cents with a true minus sign; a difference carries its plus."""
    sign = "−" if amount < 0 else "+" if signed and amount > 0 else ""
    return f"{sign}{currency}{abs(amount) / 100:.2f}"


def traded_kwh(solution: Billable) -> tuple[list[Floats], list[Floats]]:
    """Energy that a home of each type buys and sells, expected, by common state and slot. (c, h) each [kWh/day]"""
    answer, economy = solution.equilibrium.answer, solution.equilibrium.economy
    bought, sold = list[Floats](), list[Floats]()
    for response, flow in zip(answer.responses, answer.flows, strict=True):
        weight = economy.slot_hours * flow.frequency * economy.common.probability[:, None, None, None]
        bought.append((weight * response.outcome.imported_kw).sum(axis=(2, 3)))
        sold.append((weight * response.outcome.exported_kw).sum(axis=(2, 3)))
    return bought, sold


def parts_usd_per_day(solution: Billable) -> dict[str, Floats]:
    """Split the expected bill of each household type. (θ,) each [USD/day]

    Returns
    -------
    dict
        ``energy``: what is bought at the import rate less the adder; ``adder``: that adder, both after discount, of
        each type's own rate class; every standing charge under its own name, the fixed charge first; every component
        under its own; ``exports``: minus the credit, which is the whole import rate, adder included, under net
        metering. They sum to the bill.
    """
    equilibrium = solution.equilibrium
    economy, tariff, answer = equilibrium.economy, equilibrium.tariff, equilibrium.answer
    energy, adder, exports = (np.zeros(len(economy.types)) for _ in range(3))
    for k, (household, bought, sold) in enumerate(zip(economy.types, *traded_kwh(solution), strict=True)):
        own, rates = tariff.of(household), tariff.own_rates(answer.rates, household)
        raised = equilibrium.class_adder_usd_per_kwh(tariff.class_index(household))
        adder[k] = (1 - float(own.discount[household.group])) * raised * bought.sum()
        energy[k] = (rates.import_usd_per_kwh * bought).sum() - adder[k]
        exports[k] = -(rates.export_usd_per_kwh * sold).sum()
    components = {} if solution.composed is None else dict(solution.composed.amounts.usd_per_day)
    standing = equilibrium.standing_parts_usd_per_day
    return {ENERGY: energy, ADDER: adder, **standing, **components, EXPORTS: exports}


def in_cents(exact: Mapping[str, float], total: int) -> dict[str, int]:
    """Parts of a bill to the cent, in their order: standing charges to the nearest, the others sum to the rest."""
    by_use = (ENERGY, ADDER, EXPORTS, *COMPONENTS)
    metered = [name for name in by_use if exact.get(name)]
    standing = {name: round(amount) for name, amount in exact.items() if name not in metered}
    rest = total - sum(standing.values())
    shared = largest_remainder([exact[name] for name in metered], rest) if metered else []
    parts = standing | dict(zip(metered, shared, strict=True))
    return {name: parts[name] for name in exact}


def mean_by(place: Sequence[int], share: Floats, of_type: Floats) -> Floats:
    """Share-weighted mean of numbers (θ,) over the types at each place. (place,)"""
    weight = np.bincount(place, weights=share)
    return np.asarray(np.bincount(place, weights=share * of_type) / weight)
