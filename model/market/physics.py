"""From exact sums of meters and moves to use and stored energy."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from meanwatt.agents.household.battery import Battery, grid_power_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.storage import storage_day
from meanwatt.agents.numerics.arrays import Floats, Ints, read_only
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
    batteries = tuple(household.battery for household in types)
    up_kw, down_kw = _one_level_kw(batteries, types[0].pv_kw.shape[1], slot_hours)
    pv_kw = np.array([household.pv_kw[common_state] for household in types])
    sun_kw = households[:, :, None] * pv_kw[:, None, :]
    battery_kw = up_kw * sums.charged + down_kw * sums.discharged
    return np.asarray(sums.energy_kwh + slot_hours * (sun_kw - battery_kw) - sums.curtailed_kwh)


@lru_cache(maxsize=64)
def _one_level_kw(batteries: tuple[Battery | None, ...], slots: int, slot_hours: float) -> Floats:
    """Grid-side power of one level up and of one level down in every slot, (2, type, 1, slot); 0 on the road. [kW]"""
    power = [grid_power_kw(battery, np.array([1, -1]), slot_hours) for battery in batteries]
    plugged_in = [storage_day(battery, slots, slot_hours).choice.chosen for battery in batteries]
    rows = np.array([(up * there, down * there) for (up, down), there in zip(power, plugged_in, strict=True)])
    return read_only(rows.swapaxes(0, 1)[:, :, None])


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
