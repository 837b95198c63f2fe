"""What the households of a scenario may own: a list of technologies, each solar or not, with a storage or without.

A new technology is one more entry: its name, whether it has a roof, what it stores energy in, and which share of an
income group owns it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meanwatt.agents.household.battery import Battery

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
    """

    pv: float
    storage_of_pv: float
    battery_only: float


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


TECHNOLOGIES = (
    Technology(name="none", solar=False, share=lambda own: (1 - own.pv) * (1 - own.battery_only)),
    Technology(name="pv", solar=True, share=lambda own: own.pv * (1 - own.storage_of_pv)),
    Technology(name="pv_battery", solar=True, share=lambda own: own.pv * own.storage_of_pv, storage=battery_of),
    Technology(name="battery", solar=False, share=lambda own: (1 - own.pv) * own.battery_only, storage=battery_of),
)
"""All technologies, in the order used everywhere."""

SCALED_SHARES = (
    ("pv_share_scale", "pv_share", "with PV"),
    ("battery_share_scale", "storage_share_of_pv", "with a battery among those with PV"),
    ("battery_share_scale", "battery_only_share", "with a battery among those without PV"),
)
"""Scales, the shares of an income group that they multiply, and whose shares these are."""


def ownership(scenario: "Scenario", group: "IncomeGroupTable") -> Ownership:
    """Who owns what in an income group."""
    return Ownership(
        pv=min(1.0, group.pv_share * scenario.pv_share_scale),
        storage_of_pv=min(1.0, group.storage_share_of_pv * scenario.battery_share_scale),
        battery_only=min(1.0, group.battery_only_share * scenario.battery_share_scale),
    )


def technology_shares(scenario: "Scenario", group: "IncomeGroupTable") -> dict[str, float]:
    """Share of each technology within an income group; sums to one."""
    own = ownership(scenario, group)
    return {technology.name: technology.share(own) for technology in TECHNOLOGIES}


def technologies_owned(scenario: "Scenario") -> tuple[Technology, ...]:
    """Technologies that some household of the scenario owns."""
    shares = [technology_shares(scenario, group) for group in scenario.income_groups.values() if group.share > 0]
    return tuple(t for t in TECHNOLOGIES if any(share[t.name] > 0 for share in shares))
