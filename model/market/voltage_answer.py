"""A day's feeder in a market whose solar inverters answer to the voltage of their bus."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.market.day_kernel import DaySums, quanta
from meanwatt.model.market.grid import MarketGrid
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.market.market_inverters import Roofs
from meanwatt.model.market.physics import use_kwh
from meanwatt.model.market.population import CHUNK, Population
from meanwatt.model.market.q_tables import by_bus
from meanwatt.model.scenario.economy import Economy


def answer_to_voltages(
    economy: Economy, roofs: Roofs, grid: MarketGrid, people: Population, sums: DaySums, common_state: int
) -> tuple[DaySums, GridDay, Floats]:
    """Solve the feeder of a day together with what its inverters feed in, and let meters show it.

    Households do not foresee it: they planned moves and use with all of their sun.

    Parameters
    ----------
    people
        Its ``energy_kwh`` is raised by what is held back.
    sums
        What households drew before anybody is held back.

    Returns
    -------
    DaySums, GridDay, (type, bus, slot)
        The sums after it, the day, and what one household of a type at a bus holds back. [kWh]
    """
    hours, types = economy.slot_hours, economy.types
    by_type = sums.by_type(len(types))
    homes = np.zeros(roofs.shape, dtype=np.int64)
    homes[roofs.type_index, roofs.bus] = roofs.homes  # those without solar use no sun
    used_kwh = use_kwh(by_type, types, homes, common_state, hours)
    curtailed_kwh = by_type.curtailed_kwh
    available = roofs.available_kwh(types, curtailed_kwh, common_state, hours)
    day, held_kwh = grid.solve_with_inverters(
        by_type.energy_kwh.sum(axis=0).T / hours,
        used_kwh.sum(axis=0).T / hours,
        roofs,
        available,
        curtailed_kwh[roofs.type_index, roofs.bus].T > 0,
    )
    return hold_back(people, sums, held_kwh), day, held_kwh


def hold_back(people: Population, sums: DaySums, held_kwh: Floats) -> DaySums:
    """Take what inverters hold back off the meters of their households; return the day's sums after it.

    Parameters
    ----------
    people
        Its ``energy_kwh`` is raised.
    sums
        The sums before.
    held_kwh : (type, bus, slot)
        What one household of a type at a bus holds back. [kWh]
    """
    less = held_kwh.astype(np.float32)
    energy, curtailed = np.array(sums.energy_quanta), np.array(sums.curtailed_quanta)
    for number, kind in enumerate(people.class_type.tolist()):
        if not less[kind].any():
            continue
        energy[number] = 0
        a, b = people.class_first[number : number + 2].tolist()
        for first in range(a, b, CHUNK):
            rows = slice(first, min(first + CHUNK, b))
            bus = people.bus[rows]
            people.energy_kwh[rows] += less[kind][bus]
            energy[number] += by_bus(bus, quanta(people.energy_kwh[rows]), people.buses)
            curtailed[number] += by_bus(bus, quanta(less[kind][bus]), people.buses)
    return DaySums(energy_quanta=energy, charged=sums.charged, discharged=sums.discharged, curtailed_quanta=curtailed)
