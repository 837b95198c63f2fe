"""The homes of one bus of the feeder, and the one among them that is followed."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Ints
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.hours import hour
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.counted import counted

MOST_LISTED = 50
"""Homes of a bus that are listed one by one."""
OWNS = {
    "none": "no solar",
    "pv": "solar",
    "pv_battery": "solar and battery",
    "battery": "battery",
    "ev": "electric car",
    "pv_ev": "solar and electric car",
}
"""What stands behind the meter, in words."""
PROMPT = "Click a bus on the map, or choose one here, and see the homes connected to it."


class Home(NamedTuple):
    """A home as it is known in every market of its scenario, however many homes that has."""

    type_index: int
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a visitor looks at.

    Attributes
    ----------
    bus
        Number of a bus; None if none is chosen.
    home
        The home that is followed.
    """

    bus: int | None = None
    home: Home | None = None


def household_of(market: ProsumerMarket, home: Home) -> int | None:
    """Id of a home in a market; None if it is not among its households."""
    people = market.population
    there = home.type_index < people.types and home.rank < people.count[home.type_index]
    return int(people.first[home.type_index]) + home.rank if there else None


def watched(market: ProsumerMarket, bus: int | None, household: int | None) -> Watched:
    """Look at a bus, and at one of its households; what is not there is not looked at."""
    people = market.population
    if bus is None or not 0 <= bus < people.buses:
        return Watched()
    if household is None or not 0 <= household < people.households or people.bus[household] != bus:
        return Watched(bus=bus)
    return Watched(bus=bus, home=Home(people.type_of(household), people.rank_of(household)))


def owns(household: HouseholdType) -> str:
    """What a household owns, in words."""
    return OWNS.get(household.technology, household.technology.replace("_", " "))


def income(household: HouseholdType) -> str:
    """Its income group in words."""
    return f"{household.income_group.replace('_', ' ')} income"


def home_name(market: ProsumerMarket, household: int) -> str:
    """Number, income and technology of a home."""
    own = market.household_types[market.population.type_of(household)]
    return f"Home {household + 1}: {income(own)}, {owns(own)}"


def homes_board(market: ProsumerMarket, look: Watched) -> dict[str, Any]:
    """Write the homes of the chosen bus for the component `homes`."""
    at = market.population.customers_at.sum(axis=0)
    board = {
        "homes_title": "Homes on the feeder",
        "help": help_link("read-homes"),
        "said": PROMPT,
        "buses": [
            {"value": bus, "label": f"{name}: {counted(int(count), 'home')}"}
            for bus, (name, count) in enumerate(zip(market.bus_names, at, strict=True))
            if count
        ],
        "bus": look.bus,
        "heads": [],
        "rows": [],
        "homes": [],
        "more": "",
        "home": None,
    }
    if look.bus is None:
        return board
    types = market.household_types
    counts = market.population.customers_at[:, look.bus]
    groups = list(dict.fromkeys(own.income_group for own in types))
    kinds = list(dict.fromkeys(own.technology for own in types))
    table = {(own.income_group, own.technology): int(count) for own, count in zip(types, counts, strict=True)}
    rows = [
        {
            "label": OWNS.get(kind, kind).capitalize(),
            "counts": [table.get((group, kind), 0) for group in groups],
            "total": sum(table.get((group, kind), 0) for group in groups),
        }
        for kind in kinds
    ]
    listed = listed_homes(market, look)
    more = int(counts.sum()) - len(listed)
    return board | {
        "said": _together(market, look.bus),
        "heads": [f"{group.replace('_', ' ').capitalize()} income" for group in groups],
        "rows": [row for row in rows if row["total"]],
        "homes": [{"value": home, "label": home_name(market, home)} for home in listed],
        "more": f"and {more:,} more" if more else "",
        "home": None if look.home is None else household_of(market, look.home),
    }


def listed_homes(market: ProsumerMarket, look: Watched) -> list[int]:
    """Ids of the homes of a bus that are listed: all, or as many of every kind, the one that is followed among them."""
    people = market.population
    here = np.flatnonzero(people.bus == look.bus)
    if len(here) <= MOST_LISTED:
        return [int(home) for home in here]
    types_here: Ints = np.searchsorted(people.first, here, side="right")
    place = np.arange(len(here)) - np.searchsorted(types_here, types_here)
    listed = sorted(int(home) for home in here[np.lexsort((types_here, place))[:MOST_LISTED]])
    followed = None if look.home is None else household_of(market, look.home)
    if followed is not None and followed not in listed:
        listed = sorted([*listed[:-1], followed])
    return listed


def _together(market: ProsumerMarket, bus: int) -> str:
    """What the homes of a bus draw together at the hour of its highest load, and the voltage there."""
    homes = int((market.population.bus == bus).sum())
    said = f"Bus {market.bus_names[bus]}: {counted(homes, 'home')}"
    grid = market.history[-1].grid if market.day else None
    if not homes or grid is None or market.power_flow is None:
        return f"{said}."
    load_kw = grid.net_load_kw[:, bus]
    slot = int(load_kw.argmax())
    volts = number(float(grid.voltage_pu[slot, bus]), 3)
    each = market.power_flow.customers_per_household
    stand = "" if abs(each - 1) < 5e-3 else f" simulated, each standing for {each:.3g} customers"
    when = hour(slot, market.slot_hours)
    return f"{said}{stand}. At {when} it draws {number(float(load_kw[slot]), 1)} kW, at {volts} pu."
