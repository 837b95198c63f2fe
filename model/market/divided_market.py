"""One market whose households live in several parts, each in a process of its own.

The parts are ranges of consecutive ranks of every household type, as of ``meanwatt.model.market.partitioned_market``,
but all stand on the scenario's one feeder. A day has two halves. In the first, every part lets its households live and
answers with whole numbers by class, bus and slot, which add up exactly. Where inverters answer to voltages, the centre
solves the feeder with these sums and tells all parts what a household of each type at each bus holds back; every part
takes it off its meters and answers with its sums anew. The market's mean net load, one number for each slot, goes back.
In the second, every part bills its households at the price that this load makes, and the centre solves
the feeder, sets the same price and keeps the records. All are those of the undivided market, bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.apportionment import divide, largest_remainder, rank_ranges
from meanwatt.model.market.behaviour_spec import BEHAVIOURS, BehaviourSpec
from meanwatt.model.market.billing import Settled
from meanwatt.model.market.day_kernel import DaySums
from meanwatt.model.market.digest import MeterDigest, NoDigest
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre, PlayedDay
from meanwatt.model.market.market_inverters import Roofs, roofs_of
from meanwatt.model.market.setup import cohort_shares, require_population
from meanwatt.model.market.voltage_answer import Held, answer_to_voltages, hold_back
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartMorning:
    """What one part answers when its households have lived a day.

    Attributes
    ----------
    level_before : (type,)
        Sum of the levels of each type's batteries in the morning.
    sums : DaySums
        What they drew.
    """

    level_before: Ints
    sums: DaySums

    def __add__(self, other: "PartMorning") -> "PartMorning":
        return PartMorning(level_before=self.level_before + other.level_before, sums=added_sums(self.sums, other.sums))


def added_sums(one: DaySums, two: DaySums) -> DaySums:
    """Sums of two parts together, exactly."""
    return DaySums(
        energy_quanta=one.energy_quanta + two.energy_quanta,
        charged=one.charged + two.charged,
        discharged=one.discharged + two.discharged,
        curtailed_quanta=one.curtailed_quanta + two.curtailed_quanta,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastDay:
    """What a part has to be told of a day to live it anew.

    Attributes
    ----------
    net_load_kw : (slot,)
        Mean net load of the whole market. [kW]
    held_kwh : (type, bus, slot), optional
        What one household holds back, where inverters answer to voltages. [kWh]
    """

    net_load_kw: Floats
    held_kwh: Held | None = None


class MarketPart(ProsumerMarket):
    """One part of a divided market: its households, without a feeder and a digest of their own.

    Parameters
    ----------
    part
        (k, n): part k of n.
    economy, tariff, households, policies, behaviour, rng, threads
        As for ``ProsumerMarket``, of the whole market.
    """

    def __init__(
        self,
        part: tuple[int, int],
        economy: Economy,
        *,
        tariff: Tariff | None,
        households: int,
        policies: Equilibrium | None,
        behaviour: tuple[BehaviourSpec, ...],
        rng: int,
        threads: int,
    ) -> None:
        super().__init__(
            economy,
            tariff=tariff,
            households=households,
            policies=policies,
            behaviour=behaviour,
            rng=rng,
            threads=threads,
            power_flow=False,
            part=part,
        )
        self._settled: Settled | None = None

    def morning(self) -> PartMorning:
        """First half of a day."""
        self.live()
        assert self._played is not None
        return PartMorning(level_before=self._played.level_before, sums=self._played.sums)

    def hold_back(self, held_kwh: Held) -> DaySums:
        """Take what inverters hold back off the meters of the day that is lived, (type, bus, slot). [kWh]"""
        assert self._played is not None
        self._played = replace(self._played, sums=hold_back(self.population, self._played.sums, held_kwh))
        return self._played.sums

    def evening(self, net_load_kw: Floats) -> Settled:
        """Second half of a day, at the mean net load (slot,) of the whole market. [kW]"""
        self.settle(net_load_kw)
        del self._records[:-1]  # the centre keeps them all
        assert self._settled is not None
        return self._settled

    def replay(self, days: Sequence["PastDay"]) -> None:
        """Live some days anew."""
        for day in days:
            self.morning()
            if day.held_kwh is not None:
                self.hold_back(day.held_kwh)
            self.evening(day.net_load_kw)

    def _new_digest(self) -> MeterDigest:
        return NoDigest()

    def _bill(self, *, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, standing_charge_usd: Floats) -> Settled:
        self._settled = super()._bill(
            import_usd_per_kwh=import_usd_per_kwh,
            export_usd_per_kwh=export_usd_per_kwh,
            standing_charge_usd=standing_charge_usd,
        )
        return self._settled


class Parts(Protocol):
    """The parts of a market, wherever they are; what they answer is added up over all."""

    @property
    def customers_at(self) -> Ints:
        """Simulated households of each type at each bus, (type, bus)."""

    def morning(self, *, held: bool) -> PartMorning:
        """First half of a day; whether meters wait for ``hold_back``."""

    def hold_back(self, held_kwh: Held) -> DaySums:
        """Take what inverters hold back off the meters, (type, bus, slot); what was drawn then. [kWh]"""

    def settle(self, net_load_kw: Floats) -> None:
        """Begin the second half of a day."""

    def settled(self) -> Settled:
        """Wait for the bills of the day."""

    def hexdigest(self) -> str:
        """Wait for the digest of the day's meters, in the order of ids."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeCensus:
    """How many households a divided market has."""

    whole_count: Ints
    parts: Parts

    @property
    def class_count(self) -> Ints:
        """By type and cohort, (type, cohort)."""
        return self.whole_count

    @property
    def count(self) -> Ints:
        """By type, (type,)."""
        return np.asarray(self.whole_count.sum(axis=1))

    @property
    def households(self) -> int:
        """How many in all."""
        return int(self.whole_count.sum())

    @property
    def first_rank(self) -> Ints:
        """Rank of each type's first household, (type,)."""
        return np.zeros(len(self.whole_count), dtype=np.int64)

    @property
    def customers_at(self) -> Ints:
        """By type and bus, (type, bus)."""
        return self.parts.customers_at


class DividedMarket(MarketCentre):
    """The centre of a market whose households live in parts.

    Parameters
    ----------
    economy, tariff, equilibrium
        Where, and at which terms; the equilibrium solved already where one is needed.
    households, power_flow
        As for ``ProsumerMarket``.
    ways
        Behaviours known by name; see `require_divisible`.
    key
        The whole number that repeats the run.
    parts
        The parts, of the same market; asked for nothing before the first day.
    """

    def __init__(
        self,
        economy: Economy,
        tariff: Tariff,
        *,
        equilibrium: Equilibrium | None,
        households: int,
        ways: Sequence[BehaviourSpec],
        key: int,
        parts: Parts,
        power_flow: bool = True,
    ) -> None:
        require_population(economy, households)
        super().__init__(economy, equilibrium, key_from(key), threads=1)
        self._parts = parts
        self._roofs: Roofs | None = None
        self._shares = cohort_shares(ways)
        count = divide(
            largest_remainder(economy.type_share, households), np.array([share for _, share in self._shares])
        )
        self._census = WholeCensus(whole_count=count, parts=parts)
        self._open(tariff, power_flow=power_flow)

    @property
    def census(self) -> WholeCensus:
        """How many households there are, by type, cohort and bus."""
        return self._census

    def settle(self, net_load_kw: Floats) -> None:
        """Second half of a day: while the parts bill their households, the feeder is solved here."""
        self._parts.settle(net_load_kw)
        super().settle(net_load_kw)

    def _cohort_shares(self) -> Sequence[tuple[str, float]]:
        return self._shares

    def _live(self, offer: Offer | None) -> PlayedDay:
        grid = self.power_flow
        if grid is None or grid.control is None:
            morning = self._parts.morning(held=False)
            return PlayedDay(sums=morning.sums, level_before=morning.level_before, digest=self._parts)
        morning = self._parts.morning(held=True)
        if self._roofs is None:
            self._roofs = roofs_of(self.household_types, self.census.customers_at)
        carried, held_kwh = answer_to_voltages(self.economy, self._roofs, grid, morning.sums, self.common_state)
        sums = self._parts.hold_back(held_kwh.astype(np.float32))
        return PlayedDay(sums=sums, level_before=morning.level_before, digest=self._parts, carried=carried)

    def _bill(self, *, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, standing_charge_usd: Floats) -> Settled:
        return self._parts.settled()

    def _learn(self, seen: DaySeen, posted: Rates) -> None:
        """Learn nothing here: every part learns from the same price."""


def require_divisible(
    ways: Sequence[BehaviourSpec], economy: Economy, households: int, parts: int, *, name: str = "workers"
) -> None:
    """Raise ``ValueError`` in one line, in which the number of parts has a name, unless a market can be divided so."""
    for way in ways:
        if way.kind not in BEHAVIOURS:
            raise ValueError(
                f"behaviour {way.name} is code of your own, whose households may share what several processes cannot;"
                f" leave {name} out, or give one of {', '.join(BEHAVIOURS)}"
            )
    most = next(n for n in range(min(parts, households), 0, -1) if _everywhere(economy, households, n))
    if most < parts:
        raise ValueError(
            f"{name} is {parts} for {counted(households, 'household')}, and some worker would have none: each takes an"
            f" even part of every household type; give at most {most}, or more households"
        )


def _everywhere(economy: Economy, households: int, parts: int) -> bool:
    """Whether every one of several parts has a household."""
    return all(rank_ranges(economy.type_share, households, part, parts)[1].any() for part in range(parts))
