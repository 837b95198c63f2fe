"""How little and how much households can draw from the grid, whatever the rates: by type, and all together."""

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario.economy import Economy


def net_load_reach_kw(
    household: HouseholdType, slot_hours: float, least_shock: float, largest_shock: float
) -> tuple[Floats, Floats]:
    """Least and largest net load (c, h) of a type whose reference demand is multiplied by shocks in a range. [kW]"""
    power = household.storage_day(slot_hours).power_kw
    reach = household.flexibility if household.elasticity > 0 else 0.0
    low, high = (shock * household.reference_kw for shock in (least_shock, largest_shock))
    least = (1 - reach) * low - household.pv_kw + power.min(axis=1)
    if household.envelope is not None:  # curtailing keeps every export limit
        least = np.maximum(least, -household.envelope.export_limit_kw)
    return least, (1 + reach) * high + power.max(axis=1)


def may_export(economy: Economy, household: HouseholdType) -> bool:
    """Whether a household of this type can ever send energy to the grid."""
    lowest = float(economy.shock_levels.min())
    least, _ = net_load_reach_kw(household, economy.slot_hours, lowest, lowest)
    return bool((least < 0).any())


def system_reach_kw(economy: Economy) -> tuple[Floats, Floats]:
    """Least and largest load of the whole system (c, h) that the households could cause together. [kW per household]"""
    least, most = (np.array(economy.rest_load_kw) for _ in range(2))
    mean = float(economy.shock_probability @ economy.shock_levels)
    for household in economy.types:
        own = net_load_reach_kw(household, economy.slot_hours, mean, mean)
        least += household.share * own[0]
        most += household.share * own[1]
    return least, most


def price_range(economy: Economy) -> tuple[Floats, Floats]:
    """Lowest and highest wholesale price (c, h) that the households could cause together. [USD/kWh]"""
    least, most = system_reach_kw(economy)
    return economy.supply.price(least), economy.supply.price(most)
