"""One class in one market: homes for its students, and what a round, a day of the market, comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates, payment_usd
from meanwatt.analysis.classroom.home_plan import Plan, PlannedHome
from meanwatt.analysis.classroom.score import day_worth, score
from meanwatt.analysis.simulation.expectation import DEVIATIONS
from meanwatt.analysis.validation.expected import type_variance_kw2
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy

NOBODY: Final = "no home of this market has a battery: choose another scenario or more homes"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Morning:
    """What a student knows of the day to come. Arrays are (slot,).

    Attributes
    ----------
    day, day_type
        Number of the day from 0, and its weather.
    import_usd_per_kwh, export_usd_per_kwh
        Rates at the prices of the last such day; exact where the tariff passes no price on. [USD/kWh]
    pv_kw, reference_kw
        Sun on the home's roof, and its use without the chance of the day. [kW]
    charge
        State of charge in [0, 1].
    """

    __repr__ = short_repr

    day: int
    day_type: str
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    pv_kw: Floats
    reference_kw: Floats
    charge: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HomeDay:
    """One student's day that is over. Arrays are (slot,) unless said.

    Attributes
    ----------
    autopilot
        Whether the equilibrium's policy played, for want of a plan.
    import_usd_per_kwh, export_usd_per_kwh
        Rates on the bill. [USD/kWh]
    net_load_kw
        Metered net load; negative is sold. [kW]
    charge, best_charge : (slot + 1,)
        State of charge in [0, 1] at the start of each slot and at the end: as it was, and by the best plan.
    moves : (slot,) int
        Level changes made.
    bill_usd
        The day's bill, standing charges included. [USD]
    saved_usd, possible_usd
        Worth of the day less that of the battery at rest: as played, and at best; see ``score``. [USD]
    """

    __repr__ = short_repr

    autopilot: bool
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    net_load_kw: Floats
    charge: Floats
    best_charge: Floats
    moves: Ints
    bill_usd: float
    saved_usd: float
    possible_usd: float

    @property
    def score(self) -> float | None:
        """0 for the battery at rest, 100 for the best that could be done, None if nothing was to gain."""
        return score(self.saved_usd, self.possible_usd)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """What a day of the market came to. Arrays are (slot,).

    Attributes
    ----------
    day, day_type
        Number of the day from 0, and its weather.
    wholesale_usd_per_kwh
        The price that came. [USD/kWh]
    market_kw, mean_field_kw
        Mean net load per home, of the market and of the continuum. [kW]
    class_kw, class_expected_kw, class_spread_kw
        Mean net load of the students' homes, that of such homes in the continuum, and the standard deviation of so
        many that are independent. Zeros without students. [kW]
    homes : dict
        Day of each student, by seat.
    """

    __repr__ = short_repr

    day: int
    day_type: str
    wholesale_usd_per_kwh: Floats
    market_kw: Floats
    mean_field_kw: Floats
    class_kw: Floats
    class_expected_kw: Floats
    class_spread_kw: Floats
    homes: dict[int, HomeDay]

    @property
    def herd_slot(self) -> int | None:
        """Slot in which the class was farthest outside what independent homes show; None if it was nowhere."""
        outside = np.abs(self.class_kw - self.class_expected_kw) - DEVIATIONS * self.class_spread_kw
        return int(np.argmax(outside)) if self.homes and outside.max() > 0 else None


class ClassGame:
    """A market in which students decide for some homes; all others follow the equilibrium.

    The same plans in the same rounds give the same days, bit for bit: to go on after an interruption is to play the
    rounds again.

    Parameters
    ----------
    equilibrium
        What the homes without a student do, and what charge is worth at midnight. Its scenario and tariff are the
        market's.
    households
        Homes in the market.
    key
        Key of all draws.

    Raises
    ------
    ValueError
        In one line, if no home has a battery.
    """

    def __init__(self, equilibrium: Equilibrium, *, households: int, key: int) -> None:
        self.equilibrium = equilibrium
        self.market = ProsumerMarket(
            equilibrium.economy,
            households=households,
            policies=equilibrium,
            tariff=equilibrium.tariff,
            rng=key,
            power_flow=False,
        )
        self._homes = battery_homes(self.market.economy, self.market.population)
        if not self._homes:
            self.market.close()
            raise ValueError(NOBODY)
        self._variance_kw2 = type_variance_kw2(equilibrium)
        self._expected: tuple[int, list[Rates]] = -1, []

    @property
    def seats(self) -> int:
        """Students that there is a home for."""
        return len(self._homes)

    def close(self) -> None:
        """Let go of the market."""
        self.market.close()

    def home(self, seat: int) -> tuple[str, float, float]:
        """Income group, solar [kW] and battery [kWh] of a seat's home."""
        household = self.market.household_types[self._type_index(seat)]
        assert household.battery is not None
        return household.income_group, household.pv_installed_kw, household.battery.capacity_kwh

    def morning(self, seat: int) -> Morning:
        """What a student knows of the day to come."""
        market, type_index = self.market, self._type_index(seat)
        c = market.coming_state
        household = market.household_types[type_index]
        if self._expected[0] != market.day:
            self._expected = market.day, market.rates_expected(c)
        expected = self._expected[1][type_index]
        return Morning(
            day=market.day,
            day_type=self._day_type(c),
            import_usd_per_kwh=expected.import_usd_per_kwh[0],
            export_usd_per_kwh=expected.export_usd_per_kwh[0],
            pv_kw=household.pv_kw[c],
            reference_kw=household.reference_kw[c],
            charge=int(market.population.level[self._homes[seat]]) / (household.levels - 1),
        )

    def play(self, plans: Mapping[int, Plan | None]) -> Round:
        """Live one day: every seat named by its plan, or by the equilibrium's policy for None."""
        market = self.market
        seated = {self._homes[seat]: PlannedHome(plan) for seat, plan in plans.items()}
        market.strategies.clear()
        market.strategies.update(seated)
        market.step()
        record, c = market.history[-1], market.common_state
        own = {seat: self._type_index(seat) for seat in plans}
        posted = Rates(
            import_usd_per_kwh=record.import_usd_per_kwh[None], export_usd_per_kwh=record.export_usd_per_kwh[None]
        )
        homes = {seat: self._home_day(seat, posted, plans[seat] is None) for seat in plans}
        count = max(len(homes), 1)
        nothing = np.zeros(len(record.net_load_kw))
        expected_kw = self.equilibrium.type_net_load_kw[:, c]
        variance_kw2 = self._variance_kw2[:, c]
        return Round(
            day=record.day,
            day_type=record.day_type,
            wholesale_usd_per_kwh=record.wholesale_usd_per_kwh,
            market_kw=record.net_load_kw,
            mean_field_kw=self.equilibrium.net_load_kw[c],
            class_kw=sum((home.net_load_kw for home in homes.values()), nothing) / count,
            class_expected_kw=sum((expected_kw[type_index] for type_index in own.values()), nothing) / count,
            class_spread_kw=np.sqrt(sum((variance_kw2[type_index] for type_index in own.values()), nothing)) / count,
            homes=homes,
        )

    def _home_day(self, seat: int, posted: Rates, autopilot: bool) -> HomeDay:
        """Bill and judge one student's day."""
        market, household = self.market, self._homes[seat]
        type_index = self._type_index(seat)
        own = market.utility.tariff.own_rates(posted, market.household_types[type_index])
        bought, sold = own.import_usd_per_kwh[0], own.export_usd_per_kwh[0]
        assert market.strategy_replay is not None
        level, shock, moves = market.strategy_replay.paths[household]
        worth = day_worth(
            self.equilibrium,
            type_index,
            common_state=market.common_state,
            shocks=np.append(shock, market.population.shock[household]),
            import_usd_per_kwh=bought,
            export_usd_per_kwh=sold,
        )
        start = int(level[0])
        rest, (most, best) = worth.at_rest(start), worth.best(start)
        net_load_kw = market.population.energy_kwh[household] / np.float64(market.slot_hours)
        standing = market.utility.standing_usd_per_day(market.household_types)[type_index]
        full = market.household_types[type_index].levels - 1
        return HomeDay(
            autopilot=autopilot,
            import_usd_per_kwh=bought,
            export_usd_per_kwh=sold,
            net_load_kw=net_load_kw,
            charge=np.append(level, start + moves.sum()) / full,
            best_charge=(start + np.append(0, np.cumsum(best))) / full,
            moves=moves,
            bill_usd=float(payment_usd(net_load_kw, bought, sold, market.slot_hours).sum() + standing),
            saved_usd=worth.of(start, moves) - rest,
            possible_usd=most - rest,
        )

    def _type_index(self, seat: int) -> int:
        return self.market.population.type_of(self._homes[seat])

    def _day_type(self, common_state: int) -> str:
        common = self.market.economy.common
        return common.day_types[int(common.today[common_state])]


def battery_homes(economy: Economy, population: Population) -> Sequence[int]:
    """Ids of the homes with a battery at home, the types in turn, so that any number of seats is a fair mixture."""
    type_indices = [
        type_index for type_index, household in enumerate(economy.types) if isinstance(household.battery, Battery)
    ]
    most = max((int(population.count[type_index]) for type_index in type_indices), default=0)
    return [
        int(population.first[type_index]) + rank
        for rank in range(most)
        for type_index in type_indices
        if rank < population.count[type_index]
    ]
