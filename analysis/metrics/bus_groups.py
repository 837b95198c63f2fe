"""Who sits where on the feeder, and what it costs them: bills, burden, voltages and losses by group of buses."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.power_flow import VoltageLimits

NAMES: Final = ("near", "middle", "far")
"""Thirds of the feeder's customers by the impedance between them and the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusGroup:
    """The households of some buses over the days of a market; None where nothing is known.

    Attributes
    ----------
    name, buses
        Which ones.
    households
        Simulated households.
    income_usd_per_year, solar_share
        Their mean income, and the share of them that has solar.
    bill_usd_per_household_day, burden
        Mean net bill, and net bills over incomes.
    voltage_min_pu, voltage_max_pu
        Lowest and highest voltage of their buses in slots with a state. [pu]
    hours_outside_limits
        Hours outside the voltage limits, summed over buses, in slots with a state. [h]
    curtailed_kwh_per_solar_household_day, curtailed_share_of_solar
        What volt-watt held back, mean of those with solar, and its share of what they had to feed in.
    """

    name: str
    buses: tuple[str, ...]
    households: int
    income_usd_per_year: float | None
    solar_share: float | None
    bill_usd_per_household_day: float | None
    burden: float | None
    voltage_min_pu: float | None
    voltage_max_pu: float | None
    hours_outside_limits: float
    curtailed_kwh_per_solar_household_day: float | None
    curtailed_share_of_solar: float | None

    def to_json(self) -> dict[str, Any]:
        """The group as an object of JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeederDays:
    """What a market's days were at every bus.

    Attributes
    ----------
    voltage_pu : (day · slot, bus)
        nan in slots without a state. [pu]
    slot_hours
        Length of a slot. [h]
    held_kwh, available_kwh : (type, bus), optional
        What volt-watt held back of a household, and what it had to feed in, mean day; None where it is not in force.
        [kWh]
    """

    __repr__ = short_repr

    voltage_pu: Floats
    slot_hours: float
    held_kwh: Floats | None = None
    available_kwh: Floats | None = None


def bus_thirds(feeder: Feeder) -> Ints:
    """Number of the third, 0 near the source, that every bus belongs to: by impedance, each of as many customers.

    A bus belongs where the middle of its customers lies; buses of equal impedance lie in their order.
    """
    order = np.argsort(tidy_tree(feeder, along="impedance")[:, 0], kind="stable")
    homes = feeder.customers[order]
    middle = (np.cumsum(homes) - homes / 2) / homes.sum()
    third = np.empty(len(order), dtype=np.int64)
    third[order] = np.minimum((middle * len(NAMES)).astype(np.int64), len(NAMES) - 1)
    return third


def bus_groups(
    feeder: Feeder,
    limits: VoltageLimits,
    types: Sequence[HouseholdType],
    *,
    home_type: Ints,
    home_bus: Ints,
    bill_usd_per_day: Floats | None,
    days: FeederDays,
) -> list[BusGroup]:
    """Measure a market by thirds of its feeder, the nearest first.

    Parameters
    ----------
    home_type, home_bus : (household,)
        Type and bus of each household.
    bill_usd_per_day : (household,), optional
        Mean net bill. [USD/day]
    """
    third = bus_thirds(feeder)
    income, solar = (np.array([get(one) for one in types]) for get in (_income, _has_solar))
    found = []
    for number, name in enumerate(NAMES):
        here, homes = third == number, third[home_bus] == number
        volts = days.voltage_pu[:, here]
        known = volts[np.isfinite(volts)]
        own = home_type[homes]
        outside = (known < limits.low_pu) | (known > limits.high_pu)
        bills = None if bill_usd_per_day is None or not len(own) else bill_usd_per_day[homes]
        held, available = _held(days, own, home_bus[homes])
        with_solar = float(solar[own].sum())
        found.append(
            BusGroup(
                name=name,
                buses=tuple(bus for bus, there in zip(feeder.buses, here, strict=True) if there),
                households=len(own),
                income_usd_per_year=float(income[own].mean()) if len(own) else None,
                solar_share=with_solar / len(own) if len(own) else None,
                bill_usd_per_household_day=None if bills is None else float(bills.mean()),
                burden=None if bills is None else float(DAYS_PER_YEAR * bills.sum() / income[own].sum()),
                voltage_min_pu=float(known.min()) if known.size else None,
                voltage_max_pu=float(known.max()) if known.size else None,
                hours_outside_limits=float(outside.sum()) * days.slot_hours,
                curtailed_kwh_per_solar_household_day=held / with_solar if held is not None and with_solar else None,
                curtailed_share_of_solar=held / available if held is not None and available else None,
            )
        )
    return found


def _income(household: HouseholdType) -> float:
    return household.income_usd_per_year


def _has_solar(household: HouseholdType) -> float:
    return float(household.pv_installed_kw > 0)


def _held(days: FeederDays, own: Ints, bus: Ints) -> tuple[float | None, float | None]:
    """What volt-watt held back of households by type and bus, and what they had to feed in. [kWh/day]"""
    if days.held_kwh is None or days.available_kwh is None:
        return None, None
    return float(days.held_kwh[own, bus].sum()), float(days.available_kwh[own, bus].sum())
