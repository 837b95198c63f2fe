"""The households of the finite market as columns, one row per household id."""

import functools
import itertools
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.randomness import GOLDEN_GAMMA, Purpose, Words, child, children, stream

CHUNK: Final = 16_384
"""Most households that are visited bus by bus; see ``Visits``."""
BLOCK: Final = 512
"""Most households that go through a day together; see ``Visits``."""


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

    @property
    def class_type(self) -> Ints:
        """Type of each class, (class,)."""
        return np.repeat(np.arange(self.types), self.cohorts)

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


class Visits:
    """The order in which a day's computation passes through the households; it changes no result.

    A *chunk* is up to ``CHUNK`` consecutive ids of one class, visited bus by bus: their meters lie close together. A
    *block* is up to ``BLOCK`` of these visits: what it works on stays in the nearest cache. A *run* is the part of a
    block that shares a bus: its sum is one loop.

    Attributes
    ----------
    order : (household,) int32
        Ids in the order of visiting.
    chunk_start : (chunk + 1,) int64
        Where chunks begin, in ``order`` and in ids alike.
    chunk_block : (chunk + 1,) int64
        First block of each chunk.
    block_start : (block + 1,) int64
        Where blocks begin in ``order``.
    block_class : (block,) int64
        Their class.
    block_run : (block + 1,) int64
        Their first run.
    run_start : (run + 1,) int32
        Where runs begin in ``order``.
    run_bus : (run,) int16
        Their bus.
    """

    def __init__(self, first: Ints, bus: npt.NDArray[np.int16]) -> None:
        self.chunk_start = _cut(first, CHUNK)
        self.order: npt.NDArray[np.int32] = np.empty(len(bus), dtype=np.int32)
        for a, b in itertools.pairwise(self.chunk_start):
            self.order[a:b] = a + np.argsort(bus[a:b], kind="stable")
        self.block_start = _cut(self.chunk_start, BLOCK)
        self.chunk_block: Ints = np.searchsorted(self.block_start, self.chunk_start)
        self.block_class: Ints = np.searchsorted(first, self.block_start[:-1], side="right") - 1
        visited = bus[self.order]
        fresh = np.ones(len(bus), dtype=bool)
        fresh[1:] = visited[1:] != visited[:-1]
        fresh[self.block_start[:-1]] = True
        begins = np.flatnonzero(fresh)
        self.run_start = np.append(begins, len(bus)).astype(np.int32)
        self.run_bus = visited[begins]
        self.block_run: Ints = np.searchsorted(begins, self.block_start)

    @property
    def index_nbytes(self) -> int:
        """Memory of everything but ``order``. [bytes]"""
        return sum(array.nbytes for name, array in vars(self).items() if name != "order")


def largest_remainder(share: Floats, households: int) -> Ints:
    """Round ``share · households`` to whole numbers that keep the total.

    Returns
    -------
    (type,) int
        Each the floor or the ceiling of its quota; the largest remainders are rounded up, of equal ones the first.
    """
    quota = share / share.sum() * households
    count: Ints = np.floor(quota).astype(np.int64)
    remainder = quota - count
    up = np.argsort(-np.round(remainder, 9), kind="stable")[: households - int(count.sum())]
    count[up] += 1
    return count


def rank_ranges(share: Floats, households: int, part: int, parts: int) -> tuple[Ints, Ints]:
    """First rank and number of ranks of each type in one of several parts; parts differ by one of a type at most."""
    whole = largest_remainder(share, households)
    first = whole * part // parts
    return first, whole * (part + 1) // parts - first


def divide(count: Ints, share: Floats) -> Ints:
    """Divide every type among cohorts, so that the cohorts' totals come out as well as the types'.

    Households are dealt out one by one, type after type: no cohort is ever a whole household away from its share of
    those dealt so far. So is every cohort in the end, and a share too small for one household of a type is made up in
    the next types.

    Parameters
    ----------
    count : (type,)
        Households of each type; rows of the result sum to them.
    share : (cohort,)
        Positive numbers.

    Returns
    -------
    (type, cohort) int

    References
    ----------
    R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980), doi 10.1016/0012-365X(80)90269-1:
    no cohort is ever off by more than 1 − 1/(2n − 2), n being their number.
    """
    given = np.zeros((len(count), len(share)), dtype=np.int64)
    if len(share) == 1:
        given[:, 0] = count
    elif not (share > 0).all() or not np.isfinite(share).all():
        raise ValueError(f"shares of the cohorts are {share.tolist()}; give finite positive numbers")
    else:
        _deal(np.asarray(count, dtype=np.int64), np.asarray(share / share.sum(), dtype=np.float64), given)
    return given


@compiled
def _deal(count: Ints, share: Floats, given: Ints) -> None:
    """Tijdeman's algorithm: of those that may have one more, the one whose turn ends first. Fills (type, cohort)."""
    cohorts = len(share)
    slack = 1.0 / (2 * cohorts - 2)
    total, dealt = np.zeros(cohorts), 0
    for type_index in range(len(count)):
        for _ in range(count[type_index]):
            dealt += 1
            chosen, earliest = -1, np.inf
            for k in range(cohorts):
                due = share[k] * dealt - total[k]
                turn = (1.0 - slack - due) / share[k]
                if due >= slack - 1e-9 and turn < earliest:
                    chosen, earliest = k, turn
            given[type_index, chosen] += 1
            total[chosen] += 1.0


def buses_of_type(customers: Floats | Ints, key: int, type_index: int, count: int, *, first: int = 0) -> Ints:
    """Put ranks ``first`` to ``first + count − 1`` of a type on buses, by its own row of ``customers`` if there is one.

    Parameters
    ----------
    customers : (bus,) or (type, bus)
        As for `Population`.
    key
        The run's 64-bit key.
    """
    if customers.ndim == 2:
        return settle(customers[type_index], stream(key, Purpose.RESIDENTS, 1, type_index), count, first=first)
    return place(np.asarray(customers), child(stream(key, Purpose.PLACE), type_index), count, first=first)


def home_buses(customers: Floats | Ints, key: int, count: Ints) -> Ints:
    """Buses of all households of a market in the order of their ids, (household,), wherever its parts are.

    Parameters
    ----------
    customers : (bus,) or (type, bus)
        As for `Population`.
    key
        The run's 64-bit key.
    count : (type,)
        Households of each type.
    """
    placed = [buses_of_type(customers, key, type_index, number) for type_index, number in enumerate(count.tolist())]
    return np.concatenate(placed)


def settle(share: Floats, state: int, count: int, *, first: int = 0) -> Ints:
    """Put the households of one type on buses in turns, each bus as often as its share says.

    Bus b takes its k-th household of the type (k = 1, 2, …) at the time (k − 1 + u) / share, u being drawn for it once;
    ranks are given by rising time. By the time T a bus with a quota of share · T has had its floor or its ceiling, and
    exactly the quota where that is whole: a table of whole homes is met home by home once T is their sum.

    Parameters
    ----------
    share : (bus,)
        Weights, not all zero.
    state
        Stream of the draws.
    count, first
        How many ranks, and the first one.

    Returns
    -------
    (rank,) int
        Bus of each rank.
    """
    last = first + count
    used = np.flatnonzero(share)
    part = share[used] / share.sum()
    draw = (children(state, len(share)) >> np.uint64(11))[used] * 2.0**-53
    turns = np.floor(part * (last + len(used)) - draw).astype(np.int64) + 1  # by then at least ``last`` have had theirs
    bus = np.repeat(np.arange(len(used)), turns)
    number = np.arange(len(bus)) - np.repeat(np.cumsum(turns) - turns, turns)
    order = np.argsort((number + draw[bus]) / part[bus], kind="stable")
    return np.asarray(used[bus[order[first:last]]], dtype=np.int64)


def place(customers: Ints, offset: int, count: int, *, first: int = 0) -> Ints:
    """Put the households of one type on buses.

    Rank r takes the bus at the point offset + r·φ (modulo one, φ the golden ratio) of the customers laid end to end.
    This sequence fills the line evenly from the first term to the last, whatever their number.

    Parameters
    ----------
    customers : (bus,)
        Weights, not all zero.
    offset
        Where rank 0 stands, in units of 2⁻⁶⁴.
    count, first
        How many ranks, and the first one.

    Returns
    -------
    (rank,) int
        Bus of each rank.
    """
    total = int(customers.sum())
    ends = [(int(end) << 64) // total for end in np.cumsum(customers)]
    line: Words = np.array([min(end, 2**64 - 1) for end in ends], dtype=np.uint64)
    point = np.arange(first, first + count, dtype=np.uint64) * np.uint64(GOLDEN_GAMMA) + np.uint64(offset)
    bus = np.searchsorted(line, point, side="right")
    return np.asarray(np.minimum(bus, int(np.flatnonzero(customers)[-1])), dtype=np.int64)


def homes_at(customers: Ints, *, key: int, count: Ints, first_rank: Ints) -> Ints:
    """Count the households that every type puts at each place, as ``Population`` puts them on buses.

    Customers of a bus may be split among several places beside one another: each household then stands at one of those
    of its bus.

    Parameters
    ----------
    customers : (place,)
        Weights, not all zero.
    key
        The run's 64-bit key.
    count, first_rank : (type,)
        Households of each type, and the rank of the first.

    Returns
    -------
    (type, place) int
    """
    found = np.zeros((len(count), len(customers)), dtype=np.int64)
    for type_index, (number, first) in enumerate(zip(count.tolist(), first_rank.tolist(), strict=True)):
        offset = child(stream(key, Purpose.PLACE), type_index)
        found[type_index] = np.bincount(place(customers, offset, number, first=first), minlength=len(customers))
    return found


def _cut(edges: Ints, size: int) -> Ints:
    """Cut every interval between two edges into pieces of up to ``size``; return the edges of the pieces."""
    pieces = [np.arange(a, b, size, dtype=np.int64) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*pieces, edges[-1:]])


def _cumulated(probability: Floats) -> Floats:
    """Cumulated probability whose last entry is exactly one."""
    total = np.cumsum(probability)
    return np.asarray(total / total[-1])
