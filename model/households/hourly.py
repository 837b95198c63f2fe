"""Readings added up by hour of the clock on the wall."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.meter_intervals import Intervals
from meanwatt.model.households.zone_clock import wall_minutes

HOUR: Final = 60
DAY: Final = 1440
FIELDS: Final = ("hours", "load", "generation", "controlled", "vehicle")
"""What is added up: hours that are read, and kWh."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hours:
    """Hours of some customers in the order of time, customer by customer.

    Attributes
    ----------
    code : (row,)
        Place of the customer.
    day : (row,)
        Date on the wall. [days since 1970]
    hour : (row,)
        Hour on the wall, 0 to 23; one that comes twice has two rows.
    instant : (row,)
        Number of the hour in time: following hours have following numbers.
    sums : (row, field)
        As in ``FIELDS``; hours that are read, and what was used, generated and so on in them. [h, kWh]
    """

    __repr__ = short_repr

    code: Ints
    day: Ints
    hour: Ints
    instant: Ints
    sums: Floats


def by_hour(part: Intervals, minutes: int, zone: str) -> Hours:
    """Add up the intervals of each hour on the wall.

    Parameters
    ----------
    minutes
        Length of an interval. [min]
    """
    wall = wall_minutes(part.minute, zone)
    offset = wall - part.minute
    number = wall // HOUR
    new = np.ones(len(wall), dtype=bool)
    new[1:] = (np.diff(part.code) != 0) | (np.diff(number) != 0) | (np.diff(offset) != 0)
    starts = np.flatnonzero(new)
    none = np.zeros(len(wall))
    columns = (part.load_kwh, part.generation_kwh, part.controlled_kwh, part.vehicle_kwh)
    sums = np.empty((len(starts), len(FIELDS)))
    if len(starts):
        sums[:, 0] = np.add.reduceat(np.full(len(wall), minutes / HOUR), starts)
        for place, column in enumerate(columns, start=1):
            sums[:, place] = np.add.reduceat(none if column is None else column, starts)
    return Hours(
        code=part.code[starts],
        day=wall[starts] // DAY,
        hour=(wall[starts] % DAY) // HOUR,
        instant=(wall[starts] - offset[starts]) // HOUR,
        sums=sums,
    )
