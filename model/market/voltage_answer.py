"""A day's feeder in a market whose solar inverters answer to the voltage of their bus."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.market.day_kernel import QUANTUM_KWH, DaySums
from meanwatt.model.market.grid import MarketGrid
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.market.market_inverters import Roofs
from meanwatt.model.market.physics import use_kwh
from meanwatt.model.market.population import Population
from meanwatt.model.scenario.economy import Economy

Held = npt.NDArray[np.floating[Any]]
"""What one household of a type at a bus holds back, (type, bus, slot). [kWh]"""
_SCALE: Final = 1.0 / QUANTUM_KWH


def answer_to_voltages(
    economy: Economy, roofs: Roofs, grid: MarketGrid, sums: DaySums, common_state: int
) -> tuple[GridDay, Floats]:
    """Solve the feeder of a day together with what its inverters feed in.

    Households do not foresee it: they planned moves and use with all of their sun. Their meters show it once
    `hold_back` has been told.

    Parameters
    ----------
    sums
        What all households of the market drew before anybody is held back.

    Returns
    -------
    GridDay, (type, bus, slot)
        The day, and what one household of a type at a bus holds back. [kWh]
    """
    hours, types = economy.slot_hours, economy.types
    by_type = sums.by_type(len(types))
    homes = np.zeros(roofs.shape, dtype=np.int64)
    homes[roofs.type_index, roofs.bus] = roofs.homes  # those without solar use no sun
    used_kwh = use_kwh(by_type, types, homes, common_state, hours)
    curtailed_kwh = by_type.curtailed_kwh
    available = roofs.available_kwh(types, curtailed_kwh, common_state, hours)
    return grid.solve_with_inverters(
        by_type.energy_kwh.sum(axis=0).T / hours,
        used_kwh.sum(axis=0).T / hours,
        roofs,
        available,
        curtailed_kwh[roofs.type_index, roofs.bus].T > 0,
    )


def hold_back(people: Population, sums: DaySums, held_kwh: Held) -> DaySums:
    """Take what inverters hold back off the meters of their households; return the day's sums after it.

    Parameters
    ----------
    people
        Its ``energy_kwh`` is raised.
    sums
        The sums before.
    held_kwh : (type, bus, slot)
        What one household of a type at a bus holds back; meters are of single precision, and so may it be. [kWh]
    """
    less = held_kwh.astype(np.float32)
    energy, curtailed = np.array(sums.energy_quanta), np.array(sums.curtailed_quanta)
    for number, kind in enumerate(people.class_type.tolist()):
        slots = np.flatnonzero(less[kind].any(axis=0))
        if slots.size:
            first, last = people.class_first[number : number + 2].tolist()
            places = (people.bus[first:last], less[kind], people.energy_kwh[first:last])
            _hold_back(slots, *places, energy[number], curtailed[number])
    return DaySums(energy_quanta=energy, charged=sums.charged, discharged=sums.discharged, curtailed_quanta=curtailed)


@compiled
def _hold_back(slots: Ints, bus: Any, less_kwh: Any, energy_kwh: Any, energy: Ints, curtailed: Ints) -> None:
    """Raise the meters (household, slot) by what is held back at their bus, and the sums (bus, slot) in quanta."""
    for i in range(bus.size):
        place = bus[i]
        for h in slots:
            before, less = energy_kwh[i, h], less_kwh[place, h]
            after = np.float32(before + less)
            energy_kwh[i, h] = after
            energy[place, h] += np.int64(np.float64(after) * _SCALE) - np.int64(np.float64(before) * _SCALE)
            curtailed[place, h] += np.int64(np.float64(less) * _SCALE)
