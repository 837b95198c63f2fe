"""What the households of a scenario may own: a list of technologies, each solar or not, with a storage or without.

A new technology is one more entry: its name, whether it has a roof, what it stores energy in, and which share of an
income group owns it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.electric_vehicle import ElectricVehicle

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario
    from meanwatt.model.scenario.tables import IncomeGroupTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """What stands behind a meter.

    Attributes
    ----------
    name
        As in ``HouseholdType.technology``.
    solar
        Whether there are rooftop panels.
    share
        Share of an income group that owns it.
    storage
        What it stores energy in, from the scenario's tables; None for a technology without.
    levels_key
        Key of the scenario that gives the storage's number of levels.
    """

    name: str
    solar: bool
    share: Callable[["Ownership"], float]
    storage: Callable[["Scenario"], Battery] | None = None
    levels_key: str = "battery_levels"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns what in an income group, scaled and capped at 1.

    Attributes
    ----------
    pv
        Share of the group with panels.
    storage_of_pv, battery_only
        Share of those with panels, and of those without, that have a home battery.
    ev
        Share of those without a home battery that have an electric vehicle.
    """

    pv: float
    storage_of_pv: float
    battery_only: float
    ev: float


def battery_of(scenario: "Scenario") -> Battery:
    """The scenario's home battery, half of the round-trip loss on either way."""
    one_way = scenario.battery.round_trip_efficiency**0.5
    return Battery(
        capacity_kwh=scenario.battery.capacity_kwh,
        power_limit_kw=scenario.battery.power_limit_kw,
        charge_efficiency=one_way,
        discharge_efficiency=one_way,
        wear_usd_per_kwh=scenario.battery.wear_usd_per_kwh,
        levels=scenario.battery_levels,
    )


def vehicle_of(scenario: "Scenario") -> ElectricVehicle:
    """The scenario's electric vehicle, half of the round-trip loss on either way."""
    table = scenario.ev
    one_way = table.round_trip_efficiency**0.5
    return ElectricVehicle(
        capacity_kwh=table.capacity_kwh,
        power_limit_kw=table.power_limit_kw,
        charge_efficiency=one_way,
        discharge_efficiency=one_way,
        wear_usd_per_kwh=table.wear_usd_per_kwh,
        levels=table.levels,
        departure_hour=table.departure_hour,
        return_hour=table.return_hour,
        trip_kwh=table.trip_kwh,
        unmet_usd_per_kwh=table.unmet_usd_per_kwh,
        vehicle_to_grid=table.vehicle_to_grid,
    )


TECHNOLOGIES = (
    Technology(name="none", solar=False, share=lambda own: (1 - own.pv) * (1 - own.battery_only) * (1 - own.ev)),
    Technology(name="pv", solar=True, share=lambda own: own.pv * (1 - own.storage_of_pv) * (1 - own.ev)),
    Technology(name="pv_battery", solar=True, share=lambda own: own.pv * own.storage_of_pv, storage=battery_of),
    Technology(name="battery", solar=False, share=lambda own: (1 - own.pv) * own.battery_only, storage=battery_of),
    Technology(
        name="ev",
        solar=False,
        share=lambda own: (1 - own.pv) * (1 - own.battery_only) * own.ev,
        storage=vehicle_of,
        levels_key="ev.levels",
    ),
    Technology(
        name="pv_ev",
        solar=True,
        share=lambda own: own.pv * (1 - own.storage_of_pv) * own.ev,
        storage=vehicle_of,
        levels_key="ev.levels",
    ),
)
"""All technologies, in the order used everywhere."""

SCALED_SHARES = (
    ("pv_share_scale", "pv_share", "with PV"),
    ("battery_share_scale", "storage_share_of_pv", "with a battery among those with PV"),
    ("battery_share_scale", "battery_only_share", "with a battery among those without PV"),
    ("ev_share_scale", "ev_share", "with an electric vehicle among those without a battery"),
)
"""Scales, the shares of an income group that they multiply, and whose shares these are."""


def ownership(scenario: "Scenario", group: "IncomeGroupTable") -> Ownership:
    """Who owns what in an income group."""
    return Ownership(
        pv=min(1.0, group.pv_share * scenario.pv_share_scale),
        storage_of_pv=min(1.0, group.storage_share_of_pv * scenario.battery_share_scale),
        battery_only=min(1.0, group.battery_only_share * scenario.battery_share_scale),
        ev=min(1.0, group.ev_share * scenario.ev_share_scale),
    )


def technology_shares(scenario: "Scenario", group: "IncomeGroupTable") -> dict[str, float]:
    """Share of each technology within an income group; sums to one."""
    own = ownership(scenario, group)
    return {technology.name: technology.share(own) for technology in TECHNOLOGIES}


def technologies_owned(scenario: "Scenario") -> tuple[Technology, ...]:
    """Technologies that some household of the scenario owns."""
    shares = [technology_shares(scenario, group) for group in scenario.income_groups.values() if group.share > 0]
    return tuple(t for t in TECHNOLOGIES if any(share[t.name] > 0 for share in shares))
