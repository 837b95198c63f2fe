"""Who lives where on a feeder, and in what order homes adopt: one random placement after another.

A home has an income group and three fixed numbers in [0, 1): it has panels once the share of owners in its group
exceeds the first one, and a battery or a vehicle in the same way. So placements are nested: with more adoption the
earlier owners stay, and a home keeps what it owned.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, children, stream
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.bus_placement import settle
from meanwatt.model.scenario.branches import branch_names
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import TECHNOLOGIES, Ownership, ownership

SPREAD: Final = (0.7548776662466927, 0.5698402909980532)
"""Steps of M. Roberts' R2 sequence, 1/g and 1/g² with g³ = g + 1: its first terms, however many, fill the square."""
MOST_HOMES: Final = 200_000
"""Most customers of a feeder whose homes are placed one by one."""


class Incomes(StrEnum):
    """Where income groups live, in the place of what a scenario says."""

    MIXED = "mixed"
    """Anywhere alike."""
    FAR = "far"
    """The richer, the farther from the source by impedance."""
    NEAR = "near"
    """The richer, the nearer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Homes:
    """The customers of a feeder in one placement, one entry each.

    Attributes
    ----------
    bus, group : (home,) int
        Where it stands, and its income group.
    solar_draw, storage_draw, car_draw : (home,) float
        In [0, 1): it owns a technology whose share in its group is larger. Within a group solar draws are the middles
        of equal parts, so that as many adopt as the share says, to half a home.
    """

    __repr__ = short_repr

    bus: Ints
    group: Ints
    solar_draw: Floats
    storage_draw: Floats
    car_draw: Floats


def place_homes(
    customers: Ints,
    group_share: Floats,
    key: int,
    placement: int,
    *,
    place_of: Floats | None = None,
    sunny_of: Floats | None = None,
) -> Homes:
    """Draw a placement: a pure function of key and number, whatever other placements there are.

    Parameters
    ----------
    customers : (bus,)
        Homes of each bus.
    group_share : (group,)
        Population shares; counts are their largest-remainder rounding.
    key
        The run's 64-bit key.
    placement
        Its number, from 0 on.
    place_of : (bus,), optional
        Homes of the first groups live where this is smallest, those of the last ones where it is largest, ties drawn;
        by default a home's group is drawn.
    sunny_of : (bus,), optional
        Within a group, who lives where this is largest adopts solar first, ties drawn; by default that is drawn.
    """
    bus = np.repeat(np.arange(len(customers)), customers)
    count = largest_remainder(group_share, len(bus))
    order = np.argsort(children(stream(key, Purpose.ADOPTION, placement, 0), len(bus)), kind="stable")
    offset = (children(stream(key, Purpose.ADOPTION, placement, 1), 2 * len(count)) >> np.uint64(11)) * 2.0**-53
    group, solar, storage, car = (np.empty(len(bus), dtype=kind) for kind in (np.int64, float, float, float))
    turn = np.empty_like(order)
    turn[order] = np.arange(len(bus))
    settled = order if place_of is None else order[np.argsort(place_of[bus[order]], kind="stable")]
    first = 0
    for index, homes in enumerate(count.tolist()):
        there, rank = settled[first : first + homes], np.arange(homes)
        place = there[np.argsort(turn[there])]
        if sunny_of is not None:
            place = place[np.argsort(-sunny_of[bus[place]], kind="stable")]
        group[place] = index
        solar[place] = (rank + 0.5) / max(homes, 1)
        storage[place] = (offset[2 * index] + rank * SPREAD[0]) % 1.0
        car[place] = (offset[2 * index + 1] + rank * SPREAD[1]) % 1.0
        first += homes
    return Homes(bus=bus, group=group, solar_draw=solar, storage_draw=storage, car_draw=car)


def place_listed_homes(
    homes_at: Floats, solar_at: Floats, group_share: Floats, homes: int, key: int, placement: int
) -> Homes:
    """Draw a placement of homes that live where a table says.

    Parameters
    ----------
    homes_at : (group, bus)
        Homes of each income group at each bus, in any unit.
    solar_at : (group, bus)
        Share of them that own solar today: so many of a bus adopt before the others of their group, who is drawn.
    group_share : (group,)
        Population shares; counts are their largest-remainder rounding.
    homes
        How many in all.
    key, placement
        As for `place_homes`.
    """
    count = largest_remainder(group_share, homes)
    offset = (children(stream(key, Purpose.ADOPTION, placement, 1), 2 * len(count)) >> np.uint64(11)) * 2.0**-53
    parts = []
    for index, number in enumerate(count.tolist()):
        bus = settle(homes_at[index], stream(key, Purpose.ADOPTION, placement, 2, index), number)
        turn = np.argsort(children(stream(key, Purpose.ADOPTION, placement, 3, index), number), kind="stable")
        bus = bus[turn]  # alike but for the bus: the drawn order is that of adoption
        here = np.bincount(bus, minlength=homes_at.shape[1])
        by_bus, begins = np.argsort(bus, kind="stable"), np.cumsum(here) - here
        nth = np.empty(number, dtype=np.int64)
        nth[by_bus] = np.arange(number) - begins[bus[by_bus]]
        early = nth < np.rint(solar_at[index] * here)[bus]
        bus, rank = bus[np.argsort(~early, kind="stable")], np.arange(number)
        storage, car = (offset[2 * index + which] + rank * SPREAD[which] for which in (0, 1))
        draws = [(rank + 0.5) / max(number, 1), storage % 1.0, car % 1.0]
        parts.append([bus, np.full(number, index), *draws])
    bus, group, solar, storage, car = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Homes(bus=bus, group=group, solar_draw=solar, storage_draw=storage, car_draw=car)


def home_technology(homes: Homes, scenario: Scenario) -> Ints:
    """What every home owns in a scenario, as a position in ``TECHNOLOGIES``. (home,)"""
    owned = [ownership(scenario, group) for group in scenario.income_groups.values()]

    def has(draw: Floats, share: list[float]) -> npt.NDArray[np.bool_]:
        return np.asarray(draw < np.array(share)[homes.group])

    solar = has(homes.solar_draw, [own.pv for own in owned])
    beside_solar = has(homes.storage_draw, [own.storage_of_pv for own in owned])
    alone = has(homes.storage_draw, [own.battery_only for own in owned])
    car = has(homes.car_draw, [own.ev for own in owned])
    return np.asarray(_TECHNOLOGY[tuple(one.astype(np.int64) for one in (solar, beside_solar, alone, car))])


def type_counts(
    homes: Homes,
    scenario: Scenario,
    types: tuple[HouseholdType, ...],
    buses: int,
    branch_of: Ints | None = None,
) -> Floats:
    """Count the homes of each household type at each bus, (type, bus).

    Parameters
    ----------
    scenario
        At the level of adoption.
    types
        Its household types.
    buses
        Number of buses.
    branch_of : (bus,), optional
        Number of the branch of every bus, where the scenario has branches.
    """
    names, branches = [technology.name for technology in TECHNOLOGIES], branch_names(scenario) or ("",)
    index = np.full((len(scenario.income_groups), len(names), len(branches)), -1)
    for position, one in enumerate(types):
        at = index[one.group, names.index(one.technology)]
        at[at < 0] = position  # by rounding a home may own what nobody on its branch does: as those of another branch
        at[branches.index(one.branch)] = position
    on = np.zeros(len(homes.bus), dtype=np.int64) if branch_of is None else branch_of[homes.bus]
    of_home = index[homes.group, home_technology(homes, scenario), on]
    cells = np.bincount(of_home * buses + homes.bus, minlength=len(types) * buses)
    return np.asarray(cells.reshape(len(types), buses), dtype=float)


def _sure(solar: int, beside_solar: int, alone: int, car: int) -> int:
    """Position of the technology that a home is sure to have when every share is 0 or 1."""
    own = Ownership(pv=solar, storage_of_pv=beside_solar, battery_only=alone, ev=car)
    return int(np.argmax([technology.share(own) for technology in TECHNOLOGIES]))


_TECHNOLOGY: Final[Ints] = np.array([_sure(*owned) for owned in product((0, 1), repeat=4)]).reshape(2, 2, 2, 2)
