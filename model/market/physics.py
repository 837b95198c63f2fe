"""From exact sums of meters and moves to use and stored energy."""

from collections.abc import Sequence

import numpy as np

from meanwatt.agents.household.battery import grid_power_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.market.day_kernel import DaySums


def use_kwh(
    sums: DaySums, types: Sequence[HouseholdType], households: Ints, common_state: int, slot_hours: float
) -> Floats:
    """Electricity used: net energy plus sun used less what went into batteries, q = n + p − b.

    Parameters
    ----------
    households : (type, bus)
        Number of simulated households.

    Returns
    -------
    (type, bus, slot) float
        Sums over the households there. [kWh]
    """
    up_kw, down_kw = np.array([_one_level_kw(household, slot_hours) for household in types]).swapaxes(0, 1)[:, :, None]
    pv_kw = np.array([household.pv_kw[common_state] for household in types])
    sun_kw = households[:, :, None] * pv_kw[:, None, :]
    battery_kw = up_kw * sums.charged + down_kw * sums.discharged
    return np.asarray(sums.energy_kwh + slot_hours * (sun_kw - battery_kw) - sums.curtailed_kwh)


def _one_level_kw(household: HouseholdType, slot_hours: float) -> tuple[Floats, Floats]:
    """Grid-side power of one level up and of one level down in every slot, (slot,) each; 0 on the road. [kW]"""
    up, down = grid_power_kw(household.battery, np.array([1, -1]), slot_hours)
    plugged_in = household.storage_day(slot_hours).choice.chosen
    return up * plugged_in, down * plugged_in


def stored_kwh(sums: DaySums, types: Sequence[HouseholdType], level_before: Ints) -> Floats:
    """Energy in batteries at the end of each slot.

    Parameters
    ----------
    level_before : (type,)
        Sum of the households' levels before the day.

    Returns
    -------
    (type, slot) float
        Sums over the households of each type. [kWh]
    """
    level = level_before[:, None] + np.cumsum((sums.charged - sums.discharged).sum(axis=1), axis=1)
    step = np.array([household.battery.level_kwh if household.battery else 0.0 for household in types])
    return np.asarray(level * step[:, None])


def mean_kw(energy_kwh: Floats, households: Ints, slot_hours: float) -> Floats:
    """Mean net load (row, slot) of the net energy (row, bus, slot) of so many households (row,); nan where none are."""
    with np.errstate(invalid="ignore"):
        return np.asarray(energy_kwh.sum(axis=1) / (households[:, None] * slot_hours))
