"""What a market has once, wherever its households live: weather, utility, feeder, price and records."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import mesa
import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.leader.learning_leader import Leader
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, child, stream, uniform
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.agents.utility import Account, Utility
from meanwatt.model.market.billing import Settled
from meanwatt.model.market.day_kernel import DaySums, mean_load_kw
from meanwatt.model.market.day_settlement import DayStart, settle_day
from meanwatt.model.market.grid import MarketGrid, inverter_messages, unsolved_messages
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.market.grid_phases import MarketPhases, unsolved_by_phase
from meanwatt.model.market.history import SUMMARY, DayRecord, History, day_summary, phase_days
from meanwatt.model.market.market_inverters import inverter_control, without_feeder_messages
from meanwatt.model.market.mesa_model import MesaMarket
from meanwatt.model.market.population import Census
from meanwatt.model.market.posted_terms import Terms
from meanwatt.model.market.setup import unreached_messages
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.network.residents import place_residents, rounding_of_residents
from meanwatt.model.scenario.branches import branch_messages
from meanwatt.model.scenario.calendar_year import states_of_days
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import envelope_messages
from meanwatt.model.scenario.messages import (
    Messages,
    joined,
    rounding_messages,
    scenario_messages,
    unpaid_messages,
    waiting_messages,
)


class Digest(Protocol):
    """The digest of a day's meters while they are read."""

    def hexdigest(self) -> str:
        """Wait for what is pending; return the digest in hex."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlayedDay:
    """A day between its two halves: households have moved, nothing is settled.

    Where inverters answer to voltages, ``carried`` is the feeder's day, of which their meters depend.
    """

    sums: DaySums
    level_before: Ints
    digest: Digest
    carried: GridDay | None = None


class MarketCentre(MesaMarket):
    """The centre of a market: it draws the weather, posts the tariff, sets the price and keeps the records.

    Where the households live is for a subclass to say: it counts them (``census``), lets them live a day (``_live``),
    bills them (``_bill``) and lets them learn (``_learn``), and calls ``_open`` once they are there.

    Parameters
    ----------
    economy, equilibrium, key, threads
        As for ``meanwatt.model.market.market.ProsumerMarket``, found and checked; ``key`` is the stream state.

    """

    terms: Terms | None
    power_flow: MarketGrid | None
    phases: MarketPhases | None = None
    utility: Utility
    _SUMS_UP: ClassVar = True
    """Whether every day is summed up in ``today`` and the data collector."""

    def __init__(self, economy: Economy, equilibrium: Equilibrium | None, key: int, threads: int) -> None:
        super().__init__(key, threads)
        self.economy = economy
        self.household_types = economy.types
        self.slot_hours = economy.slot_hours
        self.equilibrium = equilibrium
        self.feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
        self.residents = place_residents(economy.scenario, economy.types, self.feeder)
        self.bus_names = self.feeder.buses
        self.day = 0
        self._weather = stream(key, Purpose.WEATHER)
        self._year = states_of_days(economy)
        self.common_state = self._draw(economy.common.probability)
        self.day_digest: list[str] = []
        self.today: dict[str, float] = {}
        self._records: list[DayRecord] = []
        self._played: PlayedDay | None = None

    def _open(
        self, tariff: Tariff, *, power_flow: bool, terms: Terms | None = None, leader: Leader | None = None
    ) -> None:
        """Connect the households to the feeder, and let the utility post its tariff."""
        economy, found = self.economy, self.equilibrium
        self.terms = terms
        self.power_flow = (
            MarketGrid(
                self.feeder,
                households=self.households,
                limits=VoltageLimits(economy.scenario.feeder.limits),
                slots=economy.slots,
                slot_hours=economy.slot_hours,
                control=inverter_control(economy.scenario.feeder),
                losses_bought=economy.scenario.feeder.losses_bought,
            )
            if power_flow
            else None
        )
        if power_flow and economy.scenario.feeder.phases == "one":
            self.phases = MarketPhases(economy, self.feeder, self.residents, self.census, self.key)
        self.utility = Utility(
            self,
            tariff=tariff,
            adder_usd_per_kwh=found.adder_usd_per_kwh if found else 0.0,
            fixed_charge_usd_per_day=found.fixed_charge_usd_per_day if found else tariff.payer_charge_usd_per_day,
            leader=leader,
            offer_of=terms.of if terms else None,
        )
        self.datacollector = mesa.DataCollector(
            model_reporters={"key": "key"} | {name: functools.partial(_figure, name=name) for name in SUMMARY}
        )
        self._complete = True

    @property
    def census(self) -> Census:
        """How many households there are, by type, cohort and bus."""
        raise NotImplementedError

    @property
    def households(self) -> int:
        """Number of simulated households."""
        return self.census.households

    @property
    def messages(self) -> Messages:
        """What is not as asked so far, a sentence each: capped, rounded, left without a power flow."""
        types, count = self.household_types, self.census.whole_count
        names, shares = zip(*self._cohort_shares(), strict=True)
        return joined(
            scenario_messages(self.economy.scenario),
            branch_messages(self.economy.scenario, types),
            envelope_messages(self.economy.scenario, types),
            unpaid_messages(self.utility.tariff, types),
            waiting_messages(self.utility.tariff),
            rounding_messages([t.name for t in types], [t.share for t in types], count.sum(axis=1)),
            rounding_messages(names, shares, count.sum(axis=0)),
            self._residents_messages(),
            unreached_messages(self.equilibrium),
            () if self.power_flow else without_feeder_messages(self.economy.scenario.feeder),
            unsolved_messages(self._records, self.slot_hours),
            inverter_messages(self._records, self.slot_hours),
            self.phases.messages if self.phases else (),
            unsolved_by_phase(phase_days(self._records), self.slot_hours),
        )

    def _residents_messages(self) -> Messages:
        """What of where people live is not as asked."""
        if self.residents.mixed:
            return ()
        names = [household.name for household in self.household_types]
        rounded = rounding_of_residents(self.residents, self.census.customers_at, names, self.bus_names)
        return (*self.residents.messages, rounded)

    @property
    def coming_state(self) -> int:
        """Common state of the day that comes next: its weather is known in the morning."""
        return self._draw(self.economy.common.kernel[self.common_state]) if self.day else self.common_state

    @property
    def last_record(self) -> DayRecord:
        """The last day that is settled."""
        return self._records[-1]

    @property
    def history(self) -> History:
        """Tables of the days so far."""
        return History(
            key=self.key,
            types=tuple((t.income_group, t.technology) for t in self.household_types),
            behaviours=tuple(name for name, _ in self._cohort_shares()),
            class_households=self.census.class_count,
            buses=self.bus_names,
            records=tuple(self._records),
            branches=tuple(t.branch for t in self.household_types) if self.household_types[0].branch else (),
        )

    def step(self) -> None:
        """Simulate one day.

        Raises
        ------
        ValueError
            If the market is closed.
        """
        self.settle(mean_load_kw(self.live(), self.households, self.slot_hours))

    def live(self) -> Ints:
        """First half of a day: the weather is drawn and households move through the slots.

        Returns
        -------
        (slot,) int
            Their net energy, in quanta of ``meanwatt.model.market.day_kernel.QUANTUM_KWH``: exact, whoever adds it up.

        Raises
        ------
        ValueError
            If the market is closed, or the day before is not settled.
        """
        if self._closed:
            raise ValueError("this market is closed; make a new one")
        if self._played:
            raise ValueError(f"day {self.day} is not settled; call settle first")
        self.common_state = self.coming_state
        self._played = self._live(self.utility.post(self.day, self.common_state))
        return np.asarray(self._played.sums.energy_quanta.sum(axis=(0, 1)))

    def settle(self, net_load_kw: Floats) -> None:
        """Second half of a day: the price answers, bills are settled, households learn, the day is recorded.

        Parameters
        ----------
        net_load_kw : (slot,)
            Mean net load of the whole market's households, those of other parts included. [kW]

        Raises
        ------
        ValueError
            If there is no day to settle.
        """
        if self._played is None:
            raise ValueError(f"day {self.day} is not lived; call live first")
        record = settle_day(
            self.economy,
            self.census,
            self.utility,
            self._played.sums,
            DayStart(
                day=self.day,
                common_state=self.common_state,
                level_before=self._played.level_before,
                last_price_usd_per_kwh=self._records[-1].wholesale_usd_per_kwh[-1:] if self._records else np.empty(0),
            ),
            market_load_kw=net_load_kw,
            grid=self._played.carried or self.power_flow,
            bill=self._bill,
        )
        if self.power_flow is not None:
            self.power_flow.see_curtailed(self._played.sums.curtailed_kwh)
        if self.phases is not None and record.grid is not None:
            by_phase = self.phases.day(self._played.sums, self.common_state)
            record = replace(record, grid=replace(record.grid, phases=by_phase))
        self.day_digest.append(self._played.digest.hexdigest())
        self._played = None
        self._records.append(record)
        if self._SUMS_UP:
            self.today = day_summary(record, self.households)
        self.utility.book(record.account)
        posted = self.utility.rates(int(self.economy.common.today[record.common_state]), record.wholesale_usd_per_kwh)
        self._learn(
            DaySeen(
                day=self.day,
                common_state=self.common_state,
                wholesale_usd_per_kwh=record.wholesale_usd_per_kwh,
                net_load_kw=net_load_kw,
                rates=posted,
            ),
            posted,
        )
        self.day += 1
        if self._SUMS_UP:
            self.datacollector.collect(self)

    def _book_beside(self, class_usd: Floats) -> None:
        """Add sums of bills by class (type, cohort) to the record of the last day, and to the account. [USD]"""
        last, revenue = self._records[-1], Account(revenue_usd=float(class_usd.sum()))
        self._records[-1] = replace(
            last, class_bill_usd=last.class_bill_usd + class_usd, account=last.account + revenue
        )
        self.utility.book(revenue)

    def __getstate__(self) -> dict[str, Any]:
        """Everything between two days; ``ValueError`` in one line in the middle of one."""
        if self._played:
            raise ValueError(f"day {self.day} is not settled; settle it before the market is copied")
        return super().__getstate__()

    # --- what a subclass says ---------------------------------------------------------------------------------------

    def _cohort_shares(self) -> Sequence[tuple[str, float]]:
        """Name and share of each cohort."""
        raise NotImplementedError

    def _live(self, offer: Offer | None) -> PlayedDay:
        """Let households live the day that begins, under another offer where there is one."""
        raise NotImplementedError

    def _bill(self, *, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, standing_charge_usd: Floats) -> Settled:
        """Bill every household for the day that was lived."""
        raise NotImplementedError

    def _learn(self, seen: DaySeen, posted: Rates) -> None:
        """Let households, and whoever else wants to, learn from the day that is settled."""
        raise NotImplementedError

    # --- inside -----------------------------------------------------------------------------------------------------

    def _draw(self, probability: Floats) -> int:
        """Draw today's common state from its law, (c,), among those that the day may have in a calendar year."""
        if self.day < len(self._year):
            probability = np.where(self._year[self.day], probability, 0.0)
        line = np.cumsum(probability)
        point = uniform(child(self._weather, self.day)) * line[-1]
        return int(np.searchsorted(line, point, side="right"))


def _figure(market: MarketCentre, name: str) -> float:
    """One figure of the market's last day, nan before the first."""
    return market.today.get(name, math.nan)
