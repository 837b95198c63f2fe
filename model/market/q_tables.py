"""The tables of households that learn by Q-learning, one for each, class by class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.behaviour.q_learning import QSettings, Values
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.market.population import Population


@dataclass(slots=True, kw_only=True, eq=False)
class QClass:
    """Households of one type with a battery: their tables, and the day they have not learnt from yet.

    Attributes
    ----------
    type_index, number
        Type, and number of the class.
    rows
        Ids.
    value : (household, c, h, e, z or 1, j)
        Tables. [USD]
    gain : (household,)
        Reward per slot. [USD]
    moved, met : (household, slot)
        Columns of the moves and shocks of the last day. A first move of −1 − j stands for move j of a household that
        decided otherwise and does not learn from that day.
    before
        Levels and shocks before the day.
    reward : (slot, z, j)
        What each move brought at the rates on the bill; None once it is learnt. [USD]
    """

    type_index: int
    number: int
    rows: slice
    value: Values
    gain: Floats
    moved: npt.NDArray[np.int16]
    met: npt.NDArray[np.int8]
    before: tuple[Any, Any] | None = None
    reward: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LivedClass:
    """What a day was like for the households of a class that learn by Q-learning.

    Attributes
    ----------
    utility_usd, wear_usd : (household,)
        Utility of use, and battery wear, of each of them in order. [USD]
    discharged : (slot,) int
        Levels that their batteries went down, summed.
    """

    utility_usd: Floats
    wear_usd: Floats
    discharged: Ints

    def __add__(self, other: "LivedClass") -> "LivedClass":
        """Put two parts of a class together, the second one's households after the first one's."""
        return LivedClass(
            utility_usd=np.append(self.utility_usd, other.utility_usd),
            wear_usd=np.append(self.wear_usd, other.wear_usd),
            discharged=self.discharged + other.discharged,
        )

    @property
    def total_utility_usd(self) -> float:
        """Utility of all. [USD]"""
        return float(self.utility_usd.sum())

    @property
    def total_wear_usd(self) -> float:
        """Wear of all. [USD]"""
        return float(self.wear_usd.sum())

    def unmet_trip_kwh(self, household: HouseholdType, slot_hours: float) -> float:
        """Energy that trips of their electric vehicles needed and did not get, by their type. [kWh]"""
        count = len(self.wear_usd)
        return count * household.storage_day(slot_hours).unmet_kwh(self.discharged / count)


def make_tables(
    population: Population,
    cohort: int,
    shapes: Mapping[int, tuple[int, ...]],
    *,
    start: Callable[[int], tuple[Floats | float, float]],
    settings: QSettings,
    name: str,
) -> list[QClass]:
    """Make the tables of a cohort's households.

    Parameters
    ----------
    shapes
        Shape (c, h, e, z or 1, j) of a table, by type; types without a battery have none.
    start
        First table and first gain of a type.
    name
        What to call the behaviour in an error.

    Raises
    ------
    ValueError
        If they would be larger than allowed, those of other parts of the market included; nothing is made then.
    """
    counts = {type_index: int(population.class_count[type_index, cohort]) for type_index in shapes}
    whole = {type_index: int(population.whole_count[type_index, cohort]) for type_index in shapes}
    size = (
        sum(whole[type_index] * int(np.prod(shape)) for type_index, shape in shapes.items())
        * np.dtype(np.float32).itemsize
    )
    allowed = settings.memory_gb * 1e9
    if size > allowed:
        owners = sum(whole.values())
        raise ValueError(
            f"{name}: tables of {owners} households with batteries take {size / 1e9:.3g} GB, allowed are"
            f" {settings.memory_gb:g} (memory_gb): give at most {int(owners * allowed / size)} of them this behaviour"
            f"{', set shock=no' if settings.shock else ''}, or raise memory_gb"
        )
    found = []
    for type_index, shape in shapes.items():
        if not counts[type_index]:
            continue
        first, gain = start(type_index)
        value = np.empty((counts[type_index], *shape), dtype=np.float32)
        value[:] = first
        found.append(
            QClass(
                type_index=type_index,
                number=type_index * population.cohorts + cohort,
                rows=population.of_class(type_index, cohort),
                value=value,
                gain=np.full(counts[type_index], gain),
                moved=np.full((counts[type_index], shape[1]), -1, dtype=np.int16),
                met=np.zeros((counts[type_index], shape[1]), dtype=np.int8),
            )
        )
    return found


def by_bus(bus: npt.NDArray[np.int16], amount: Ints, buses: int) -> Ints:
    """Sums (bus, slot) of whole numbers (household, slot)."""
    total = np.zeros((buses, amount.shape[1]), dtype=np.int64)
    np.add.at(total, bus, amount)
    return total
