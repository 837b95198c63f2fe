"""The households of the finite market as columns, one row per household id."""

import functools
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, Words, children, stream
from meanwatt.model.market.apportionment import divide, largest_remainder, rank_ranges
from meanwatt.model.market.bus_placement import buses_of_type
from meanwatt.model.market.visits import Visits


class Census(Protocol):
    """How many households there are; counts as of ``Population``."""

    @property
    def households(self) -> int:
        """How many in all."""

    @property
    def count(self) -> Ints:
        """By type, (type,)."""

    @property
    def class_count(self) -> Ints:
        """By type and cohort, (type, cohort)."""

    @property
    def whole_count(self) -> Ints:
        """The same of the whole, where this is a part."""

    @property
    def customers_at(self) -> Ints:
        """By type and bus, (type, bus)."""

    @property
    def first_rank(self) -> Ints:
        """Rank of each type's first household, (type,); zero in the whole."""


class Population:
    """N households: who they are, what state they are in, what their meters say.

    Ids run through the types in order, and within a type by rank: the household (type θ, rank r) has the id
    ``first[θ] + r``. What a household is drawn to be and do depends on its type and rank alone, so a larger population
    contains the smaller one, household by household.

    A type is divided into *cohorts*, households that decide in one way: the first ranks belong to cohort 0, the next
    to cohort 1. A type and a cohort make a *class*, number θ·cohorts + cohort; the classes are what the day is computed
    by. A cohort changes no draw: under another mixture of behaviours the same household stands on the same bus, starts
    from the same charge and meets the same chances.

    A population may be one *part* of a larger one: of every type, one of several ranges of consecutive ranks. Its
    households are the same, household by household, as those ranks of the whole.

    Parameters
    ----------
    share : (type,)
        Population shares; counts are their largest-remainder rounding.
    customers : (bus,) or (type, bus)
        Number of customers of each bus; households spread over the buses in proportion. With a row for each type, its
        households are put on the buses by `settle`.
    households
        How many; with parts, of the whole.
    slots
        Slots of a day.
    key
        The run's 64-bit key.
    cohort_share : (cohort,), optional
        Shares of the cohorts, the same in every type; by default everybody is of one cohort.
    part, parts
        Which part of how many this is; by default the whole.

    Attributes
    ----------
    households
        How many there are here.
    count, first : (type,), (type + 1,) int
        Households of each type, and where their ids begin.
    class_count, class_first : (type, cohort), (class + 1,) int
        The same for classes.
    whole_count : (type, cohort) int
        Households of each class in all parts together.
    first_rank : (type,) int
        Rank of each type's first household; zero in the whole.
    bus : (household,) int16
    level : (household,) int16
        State of charge, in levels; 0 without a battery.
    shock : (household,) int8
        State of the load shock.
    energy_kwh : (household, slot) float32
        The day's meter readings: net energy, negative when exported. [kWh]
    bill_usd : (household,) float64
        Bills since the beginning, standing charges included. [USD]
    """

    def __init__(
        self,
        *,
        share: Floats,
        customers: Ints | Floats,
        households: int,
        slots: int,
        key: int,
        cohort_share: Floats | None = None,
        part: int = 0,
        parts: int = 1,
    ) -> None:
        self.key = key
        self.buses = customers.shape[-1]
        whole = largest_remainder(share, households)
        self._first_rank, self.count = rank_ranges(share, households, part, parts)
        self.households = households = int(self.count.sum())
        self.first = np.concatenate([[0], np.cumsum(self.count)])
        self.whole_count = divide(whole, np.ones(1) if cohort_share is None else cohort_share)
        self.class_count = self._classes_here()
        self.class_first = np.concatenate([[0], np.cumsum(self.class_count)])
        self.bus: npt.NDArray[np.int16] = np.empty(households, dtype=np.int16)
        for type_index in range(len(self.count)):
            self.bus[self.of_type(type_index)] = buses_of_type(
                customers, key, type_index, int(self.count[type_index]), first=int(self.first_rank[type_index])
            )
        self.level = np.zeros(households, dtype=np.int16)
        self.shock = np.zeros(households, dtype=np.int8)
        self.energy_kwh = np.zeros((households, slots), dtype=np.float32)
        self.bill_usd = np.zeros(households)
        self.visits = Visits(self.class_first, self.bus)

    @property
    def first_rank(self) -> Ints:
        """Rank of each type's first household, (type,)."""
        return self._first_rank

    def _classes_here(self) -> Ints:
        """Households of each class that are here, (type, cohort): the whole's classes within this part's ranks."""
        edges = np.cumsum(self.whole_count, axis=1) - self.first_rank[:, None]
        return np.asarray(np.diff(np.clip(edges, 0, self.count[:, None]), axis=1, prepend=0))

    @property
    def types(self) -> int:
        """Number of household types."""
        return len(self.count)

    @property
    def cohorts(self) -> int:
        """Number of cohorts."""
        return int(self.class_count.shape[1])

    @functools.cached_property
    def class_type(self) -> Ints:
        """Type of each class, (class,)."""
        return np.repeat(np.arange(self.types), self.cohorts)

    @functools.cached_property
    def day_streams(self) -> Words:
        """State of the stream of the days of each class, (class,): their draws begin there."""
        return np.array(
            [stream(self.key, Purpose.DAY, type_index) for type_index in self.class_type.tolist()], dtype=np.uint64
        )

    @property
    def type_index(self) -> npt.NDArray[np.int16]:
        """Type of each household, (household,)."""
        return np.repeat(np.arange(self.types, dtype=np.int16), self.count)

    @property
    def nbytes(self) -> int:
        """Memory of the columns. [bytes]"""
        columns = (self.bus, self.level, self.shock, self.energy_kwh, self.bill_usd, self.visits.order)
        return sum(column.nbytes for column in columns) + self.visits.index_nbytes

    def of_type(self, type_index: int) -> slice:
        """Ids of one type."""
        return slice(int(self.first[type_index]), int(self.first[type_index + 1]))

    def of_class(self, type_index: int, cohort: int) -> slice:
        """Ids of one type's households in one cohort."""
        number = type_index * self.cohorts + cohort
        return slice(int(self.class_first[number]), int(self.class_first[number + 1]))

    def type_of(self, household: int) -> int:
        """Type of one household."""
        return int(np.searchsorted(self.first, household, side="right")) - 1

    def class_of(self, household: int) -> int:
        """Class of one household; its cohort is the remainder of this by ``cohorts``."""
        return int(np.searchsorted(self.class_first, household, side="right")) - 1

    def rank_of(self, household: int) -> int:
        """Rank of one household within its type."""
        type_index = self.type_of(household)
        return household - int(self.first[type_index]) + int(self.first_rank[type_index])

    @functools.cached_property
    def customers_at(self) -> Ints:
        """Count the simulated households of each type at each bus, (type, bus)."""
        return np.array(
            [np.bincount(self.bus[self.of_type(type_index)], minlength=self.buses) for type_index in range(self.types)]
        )

    def draw_start(self, laws: Sequence[Floats]) -> None:
        """Draw every household's level and shock independently from its type's law (level, shock)."""
        for type_index, law in enumerate(laws):
            rows, shocks = self.of_type(type_index), law.shape[1]
            state = stream(self.key, Purpose.START, type_index)
            words = children(state, int(self.count[type_index]), first=int(self.first_rank[type_index]))
            if not (np.isfinite(law).all() and (law >= 0).all() and law.any()):
                raise ValueError(f"the law that households of type {type_index} start from is none; solve again")
            cell = np.searchsorted(_cumulated(law.ravel()), (words >> np.uint64(11)) * 2.0**-53, side="right")
            self.level[rows], self.shock[rows] = cell // shocks, cell % shocks

    def level_sums(self) -> Ints:
        """Sum of the levels of each type's households, (type,)."""
        return np.array([self.level[self.of_type(type_index)].sum(dtype=np.int64) for type_index in range(self.types)])

    def level_law(self, type_index: int, levels: int) -> Floats:
        """Share of the type's households at each level, (level,); zeros if it has none."""
        counts = np.bincount(self.level[self.of_type(type_index)], minlength=levels)
        return np.asarray(counts / max(counts.sum(), 1))


def _cumulated(probability: Floats) -> Floats:
    """Cumulated probability whose last entry is exactly one."""
    total = np.cumsum(probability)
    return np.asarray(total / total[-1])
