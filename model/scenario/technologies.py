"""What the households of a scenario own."""

from typing import TYPE_CHECKING

from meanwatt.agents.household.battery import Battery

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario
    from meanwatt.model.scenario.tables import IncomeGroupTable


def technology_shares(scenario: "Scenario", group: "IncomeGroupTable") -> dict[str, float]:
    """Share of each technology within an income group; sums to one."""
    pv = min(1.0, group.pv_share * scenario.pv_share_scale)
    storage = min(1.0, group.storage_share_of_pv * scenario.battery_share_scale)
    battery_only = min(1.0, group.battery_only_share * scenario.battery_share_scale)
    return {
        "none": (1 - pv) * (1 - battery_only),
        "pv": pv * (1 - storage),
        "pv_battery": pv * storage,
        "battery": (1 - pv) * battery_only,
    }


def battery_of(scenario: "Scenario") -> Battery:
    """The scenario's battery, half of the round-trip loss on either way."""
    one_way = scenario.battery.round_trip_efficiency**0.5
    return Battery(
        capacity_kwh=scenario.battery.capacity_kwh,
        power_limit_kw=scenario.battery.power_limit_kw,
        charge_efficiency=one_way,
        discharge_efficiency=one_way,
        wear_usd_per_kwh=scenario.battery.wear_usd_per_kwh,
        levels=scenario.battery_levels,
    )
