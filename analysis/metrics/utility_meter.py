"""Utility of use and battery wear in the finite market, which no electricity meter shows.

Both depend on every household's shock and move in every slot. The market keeps neither, but its draws are a function
of who, when and what for: the day is run once more by the same kernel from where the households stood, with a table
of utilities in place of the table of meter readings.
"""

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.storage import StorageDay
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.market.day_kernel import QUANTUM_KWH, run_day
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.market.q_tables import LivedClass
from meanwatt.model.scenario.economy import Economy

_UTILITIES: Final[WeakKeyDictionary[DayTables, DayTables]] = WeakKeyDictionary()
"""Tables of utilities by those of meter readings, as long as some market keeps these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enjoyed:
    """Sums over the households of one day. Money in USD.

    Attributes
    ----------
    utility_usd, wear_usd
        Utility of use; wear of batteries, and what trips of electric vehicles lacked.
    unmet_trip_kwh
        Energy that these trips lacked. [kWh]
    """

    utility_usd: float
    wear_usd: float
    unmet_trip_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UtilitySums:
    """What is measured of one day, exact or household by household: parts of a market are put together without error.

    Attributes
    ----------
    utility_quanta : (class, bus, slot) int
        Utility of use in whole quanta of ``meanwatt.model.market.day_kernel.QUANTUM_KWH``, here of one USD.
    charged, discharged : (class, slot) int
        Levels that batteries went up and down, both counted positive.
    count : (class,) int
        Number of households.
    learnt : tuple of dict
        For each cohort that learns by Q-learning, its day by the number of the class: these did not follow the policies
        of their class, by which the sums above were made.
    """

    utility_quanta: Ints
    charged: Ints
    discharged: Ints
    count: Ints
    learnt: tuple[dict[int, LivedClass], ...]

    def __add__(self, other: "UtilitySums") -> "UtilitySums":
        """Put two parts together, of which the second one's households come after the first one's in every class."""
        return UtilitySums(
            utility_quanta=self.utility_quanta + other.utility_quanta,
            charged=self.charged + other.charged,
            discharged=self.discharged + other.discharged,
            count=self.count + other.count,
            learnt=tuple(_together(a, b) for a, b in zip(self.learnt, other.learnt, strict=True)),
        )

    def enjoyed(self, economy: Economy, own_ways: Floats | None = None) -> Enjoyed:
        """Sum over the households.

        Parameters
        ----------
        own_ways : (3,), optional
            Utility, wear [USD] and unmet trips [kWh] of households that decided for themselves, less those of their
            plans.
        """
        cohorts = len(self.count) // len(economy.types)
        utility = (self.utility_quanta * QUANTUM_KWH).sum(axis=(1, 2))
        charged, discharged, count = self.charged.copy(), self.discharged.copy(), self.count.copy()
        more = np.zeros(3) if own_ways is None else own_ways.copy()
        for lived in self.learnt:
            own = list(lived)
            utility[own], charged[own], discharged[own], count[own] = 0.0, 0, 0, 0
            more += _learnt(economy, cohorts, lived)
        days = [household.storage_day(economy.slot_hours) for household in economy.types for _ in range(cohorts)]
        wear = (charged + discharged).sum(axis=1) @ np.array([_level_cost_usd(day) for day in days])
        lacked = 0.0
        for number, day in enumerate(days):
            if day.choice.given.size and count[number]:
                households = int(count[number])
                wear += day.total_cost_usd(charged[number], discharged[number], households)
                lacked += households * day.unmet_kwh(discharged[number] / households)
        return Enjoyed(
            utility_usd=float(utility.sum() + more[0]),
            wear_usd=float(wear + more[1]),
            unmet_trip_kwh=float(lacked + more[2]),
        )


class UtilityMeter:
    """Measures the days of a market; use it as ``meter.before()``, ``market.step()``, ``meter.after()``.

    Households that decide for themselves (strategies) are measured by what they did.

    Parameters
    ----------
    market
        The market.
    """

    def __init__(self, market: ProsumerMarket) -> None:
        self._market = market
        self._shadow: Population = copy.copy(market.population)
        self._shadow.energy_kwh = np.empty_like(market.population.energy_kwh)
        self._executor = ThreadPoolExecutor(market.threads) if market.threads > 1 else None

    def before(self) -> None:
        """Remember where the households stand."""
        people = self._market.population
        self._shadow.level, self._shadow.shock = people.level.copy(), people.shock.copy()

    def after(self) -> Enjoyed:
        """Run the day that is over once more and add up."""
        sums = self.sums()
        return sums.enjoyed(self._market.economy, self._own_ways())

    def sums(self) -> UtilitySums:
        """Run the day that is over once more; of households that decide for themselves, by their plans."""
        market = self._market
        lived = market.tables_lived
        tables = _UTILITIES.get(lived)
        if tables is None:
            _UTILITIES[lived] = tables = utility_tables(market.economy, lived, market.common_state)
        sums = run_day(self._shadow, tables, market.day - 1, threads=market.threads, executor=self._executor)
        return UtilitySums(
            utility_quanta=sums.energy_quanta,
            charged=sums.charged.sum(axis=1),
            discharged=sums.discharged.sum(axis=1),
            count=np.array(self._shadow.class_count).ravel(),
            learnt=tuple(learner.lived() for learner in market.learners),
        )

    def _own_ways(self) -> Floats:
        """Utility, wear and unmet trips of households that decided for themselves, less those of their plans."""
        market, strategy_replay, total = self._market, self._market.strategy_replay, np.zeros(3)
        if strategy_replay is None:
            return total
        economy, people, c = market.economy, market.population, market.common_state
        utilities: dict[int, Floats] = {}
        for household, path in strategy_replay.paths.items():
            number, type_index = people.class_of(household), people.type_of(household)
            day = economy.types[type_index].storage_day(economy.slot_hours)
            if number not in utilities:
                use_kw = market.tables_lived.columns[number].use_kw
                utilities[number] = economy.slot_hours * slot_utility_usd_per_hour(economy, type_index, use_kw, c)
            slots, moves = np.arange(economy.slots), np.array([path[2], strategy_replay.planned[household]])
            enjoyed = utilities[number][slots, path[1], strategy_replay.columns[household]].sum(axis=1)
            worn = day.cost_by_slot_usd()[slots, moves - int(day.moves[0])].sum(axis=1)
            lacked = [day.unmet_kwh(np.maximum(-made, 0)) for made in moves]
            total += enjoyed[0] - enjoyed[1], worn[0] - worn[1], lacked[0] - lacked[1]
        return total

    def close(self) -> None:
        """Let the threads end."""
        if self._executor:
            self._executor.shutdown()


@lru_cache(maxsize=64)
def _level_cost_usd(day: StorageDay) -> float:
    """Wear of one level up or down; 0 where moves depend on the slot, which are counted by the day. [USD]"""
    return 0.0 if day.choice.given.size else day.level_cost_usd


def _together(first: Mapping[int, LivedClass], second: Mapping[int, LivedClass]) -> dict[int, LivedClass]:
    """Put two parts of a cohort together, class by class; of some classes only one part has households."""
    numbers = sorted({*first, *second})
    return {n: first[n] + second[n] if n in first and n in second else first.get(n) or second[n] for n in numbers}


def _learnt(economy: Economy, cohorts: int, lived: Mapping[int, LivedClass]) -> tuple[float, float, float]:
    """Utility, wear and unmet trips of a cohort that learns by Q-learning."""
    return (
        sum(own.total_utility_usd for own in lived.values()),
        sum(own.total_wear_usd for own in lived.values()),
        sum(own.unmet_trip_kwh(economy.types[n // cohorts], economy.slot_hours) for n, own in lived.items()),
    )


def utility_tables(economy: Economy, tables: DayTables, common_state: int) -> DayTables:
    """Tables of a day whose "meter reading" of a slot is the utility of the use there. [USD]

    Parameters
    ----------
    tables
        Those of the day's meter readings.
    """
    classes = len(tables.columns) // len(economy.types)
    utilities = [
        economy.slot_hours * slot_utility_usd_per_hour(economy, number // classes, own.use_kw, common_state)
        for number, own in enumerate(tables.columns)
    ]
    return replace(tables, energy_kwh=np.concatenate([u.astype(np.float32).ravel() for u in utilities]))


def slot_utility_usd_per_hour(economy: Economy, type_index: int, use_kw: Floats, common_state: int) -> Floats:
    """Utility of a use (slot, shock, column), of which a column is a move with a plan. [USD/h]

    Where the day's largest import is a part of the state a shock is a row of ``PeakSteps``.
    """
    household, shock = economy.types[type_index], economy.shock_levels
    if use_kw.shape[1] != shock.size:
        shock = np.tile(np.repeat(shock, use_kw.shape[1] // (household.levels * shock.size)), household.levels)
    reference_kw = household.reference_kw[common_state][:, None, None] * shock[:, None]
    return utility_usd_per_hour(
        use_kw,
        reference_kw,
        elasticity=household.elasticity,
        reference_price=household.reference_price_usd_per_kwh,
    )
