"""What households decide by under a tariff with components: the same tariff with an adder of their own.

Every type becomes a rate class of its own, whose energy charge holds its adders and whose standing charges hold what
its bill exceeds them by. So the solvers, certificates and metrics of plain tariffs serve as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.household.day_peak import DayPeak, peak_levels_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.demand_charge import DemandCharge, DemandView
from meanwatt.agents.tariff.components.standing_charge import Customer, StandingCharge
from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import RateClass, Tariff
from meanwatt.model.mean_field.components.months import Seasons
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True)
class BeyondAdders(StandingCharge):
    """What a type's bill under components exceeds its adders by, known once households have answered. [USD/day]"""

    name: ClassVar[str] = "components"

    usd: float

    def usd_per_day(self, customer: Customer) -> float:
        """What a customer of the type pays. [USD/day]"""
        return self.usd

    def to_table(self) -> dict[str, Any]:
        """For the eye alone: no file holds it."""
        return {"usd_per_day": self.usd}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Perceived:
    """Adders and lump sums of every household type.

    Attributes
    ----------
    adder_usd_per_kwh : (θ, season)
        On what is billed by the kWh, after discount. [USD/kWh]
    surcharge_usd_per_kwh
        The same for everybody on every day: what funds discounts. [USD/kWh]
    peak_adder_usd_per_kwh : (θ,) of (c, h, z)
        On imports alone, by own shock, too: of a demand charge. [USD/kWh]
    beyond_usd_per_day : by component, (θ,)
        What bills exceed the adders by. [USD/day]
    """

    __repr__ = short_repr

    adder_usd_per_kwh: Floats
    surcharge_usd_per_kwh: float = 0.0
    peak_adder_usd_per_kwh: tuple[Floats, ...] = ()
    beyond_usd_per_day: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def lump_usd_per_day(self) -> Floats:
        """What bills exceed the adders by, over all components. (θ,) [USD/day]"""
        return np.asarray(sum(self.beyond_usd_per_day.values(), np.zeros(len(self.adder_usd_per_kwh))))


def without_components(tariff: Tariff) -> Tariff:
    """The same tariff, class by class, with its rates and standing charges alone."""
    if not tariff.classes:
        return replace(tariff, components=())
    return with_classes([replace(one, tariff=replace(one.tariff, components=())) for one in tariff.classes])


def perceived_tariff(economy: Economy, tariff: Tariff, seasons: Seasons, seen: Perceived) -> Tariff:
    """The tariff that every household type decides by, and pays in expectation: a rate class for each."""
    lumps = seen.lump_usd_per_day
    return with_classes(
        [
            RateClass(
                name=household.name,
                tariff=_own(tariff.of(household), household, seasons, seen, k, float(lumps[k])),
                members=frozenset({(household.technology, household.group)}),
                branch=household.branch or None,
                chosen=household.rate_class,
                envelope=household.place[1],
            )
            for k, household in enumerate(economy.types)
        ]
    )


def _own(
    own: Tariff, household: HouseholdType, seasons: Seasons, seen: Perceived, type_index: int, lump: float
) -> Tariff:
    """A class's tariff with one type's adders, after its discount and so divided by what it leaves, and lump sum."""
    adder = seen.adder_usd_per_kwh[type_index][seasons.of_day_type] + seen.surcharge_usd_per_kwh
    kept = 1 - float(own.discount[household.group])
    beyond = (BeyondAdders(lump),) if lump else ()
    return replace(
        own,
        energy_usd_per_kwh=own.energy_usd_per_kwh + (adder / kept)[:, None],
        standing_charges=(*own.standing_charges, *beyond),
        components=(),
    )


def perceiving_economy(economy: Economy, tariff: Tariff, seen: Perceived) -> Economy:
    """The economy whose household types see a demand charge: its adders, or the day's largest import as a state."""
    types = economy.types
    if seen.peak_adder_usd_per_kwh:
        types = tuple(
            replace(household, import_adder_usd_per_kwh=adder)
            for household, adder in zip(types, seen.peak_adder_usd_per_kwh, strict=True)
        )
    if carries_peak(tariff):
        types = tuple(replace(one, day_peak=_day_peak(economy, one, tariff.of(one))) for one in types)
    return economy if types is economy.types else replace(economy, types=types)


def carries_peak(tariff: Tariff) -> bool:
    """Whether somebody decides with the day's largest import as a part of his state."""
    charges = (demand_charge_of(one) for one in tariff.class_tariffs)
    return any(one is not None and one.decision is DemandView.STATE for one in charges)


def demand_charge_of(tariff: Tariff) -> DemandCharge | None:
    """A tariff's demand charge, if it has one."""
    return next((one for one in tariff.components if isinstance(one, DemandCharge)), None)


def _day_peak(economy: Economy, household: HouseholdType, own: Tariff) -> DayPeak | None:
    """The day's largest import as a type with this tariff carries it; None where it does not."""
    charge = demand_charge_of(own)
    if charge is None or charge.decision is not DemandView.STATE:
        return None
    levels = peak_levels_kw(
        household, economy.shock_levels, economy.slot_hours, charge.counted, int(charge.demand_levels)
    )
    return DayPeak(usd_per_kw=charge.usd_per_kw_day, counted=charge.counted, levels_kw=levels)
