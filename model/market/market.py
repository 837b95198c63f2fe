"""The finite market as a Mesa model: N households, a utility and a feeder, one day per step."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mesa
import numpy as np

from meanwatt.agents.behaviour.cohorts import Follower, Mixture
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.behaviour.tariff_follower import FollowsTariff
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.leader.learning_leader import Leader
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Key, Purpose, child, key_from, stream, uniform
from meanwatt.agents.prosumer import Prosumer
from meanwatt.agents.tariff.tariff import Rates, Tariff
from meanwatt.agents.utility import Utility
from meanwatt.model.market.behaviour_spec import Given, read_behaviour
from meanwatt.model.market.day_kernel import DaySums, mean_load_kw, run_day
from meanwatt.model.market.day_settlement import own_rates, settle_day
from meanwatt.model.market.day_tables import DayTables, TablesKept
from meanwatt.model.market.digest import MeterDigest
from meanwatt.model.market.grid import MarketGrid, unsolved_messages
from meanwatt.model.market.history import SUMMARY, DayRecord, History, day_summary
from meanwatt.model.market.mesa_model import MesaMarket
from meanwatt.model.market.metering import day_reading
from meanwatt.model.market.population import Population
from meanwatt.model.market.q_learners import QLearners
from meanwatt.model.market.setup import (
    find_economy,
    find_equilibrium,
    make_cohorts,
    make_strategies,
    make_terms,
    require_population,
    unreached_messages,
    whole_number,
)
from meanwatt.model.market.strategy_replay import OwnWay
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.power_flow import VoltageLimits
from meanwatt.model.progress.watch import Progress
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.messages import Messages, joined, rounding_messages, scenario_messages, unpaid_messages
from meanwatt.model.scenario.ranges import HOUSEHOLDS, THREADS

REGISTERED_LIMIT: Final = 20_000
"""Largest market whose every household is a registered Mesa agent (each costs about half a kB and 6 µs)."""

TABLES_KEPT: Final = 16
"""Common states whose tables are kept while the policies do not change; they are quick to make and may be large."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lived:
    """A day between its two halves: households have moved, nothing is settled."""

    sums: DaySums
    level_before: Ints
    digest: MeterDigest


class ProsumerMarket(MesaMarket):
    """A market of N simulated households.

    Every step is one day: the weather is drawn, the utility posts its tariff, households move through the slots, the
    feeder carries what they draw, the wholesale price answers, bills are settled, households learn, and the day is
    recorded. Moves and use are chosen at the prices that households plan with; bills are settled at the prices that
    came, with the adder and the fixed charges held at their equilibrium values.

    Parameters
    ----------
    scenario
        Name of a preset, path of a TOML file, a ``Scenario``, or an ``Economy``.
    households
        How many to simulate.
    policies
        The equilibrium whose policies, adder and fixed charges are used. Without it one is solved here, unless no
        behaviour follows it and the tariff's recovery is ``posted``.
    behaviour
        ``"equilibrium"``, ``"belief"``, a rule of thumb (``meanwatt.agents.behaviour.rules``), an object of your own
        (``meanwatt.agents.behaviour.protocol.Behaviour``), a strategy of your own, or several with their shares:
        ``{"equilibrium": 0.9, Mine: 0.1}`` or ``"equilibrium=0.9,belief=0.1:cohorts=8"``; see
        ``meanwatt.model.market.behaviour_spec``.
    rng
        Key of all draws: a whole number, a sequence of them, or a numpy Generator, which gives one 64-bit word; None
        draws a fresh key. Whatever it was, ``ProsumerMarket(rng=market.key)`` repeats the run.
    threads
        Threads of the compiled parts; results do not depend on it.
    tariff
        Name of one of the scenario's tariffs, path of a TOML file, or a ``Tariff``; by default that of the policies,
        or else the scenario's own.
    power_flow
        Whether to solve the feeder every day.
    part
        (k, n): simulate only part k of n parts of the households, who live on a feeder of their own; see
        ``meanwatt.model.market.partitioned_market``. By default all of them.
    leader
        Who posts a tariff each day, such as a ``LearningLeader``; ``tariff`` is then what was in force before. The
        adder and the fixed charges follow the posted tariff, and so do households whose behaviour has a name.
    progress
        Told where the equilibrium stands while it is solved here; by default a line on standard error every ten
        seconds.

    Attributes
    ----------
    key : int
        The whole number that repeats the run, as ``rng``.
    day : int
        Number of days simulated so far.
    common_state : int
        Common state of the last day; before the first step, of the first one.
    population : Population
        The households' columns.
    cohorts : tuple of Cohort
        Those who decide in one way, as the population is divided. A cohort's policies in force are
        ``market.cohorts[k].behaviour.policies``, one table for each type.
    learners : tuple of QLearners
        The cohorts that learn by Q-learning; ``learner.learned_policies()`` is what they do.
    behaviour : Behaviour
        That of the only cohort, or a ``Mixture`` of all; its policies are those of the classes.
    strategies : dict
        Households that decide for themselves, by id; see ``meanwatt.agents.behaviour.protocol.Strategy``.
    own_way : OwnWay or None
        Their last day: what they met and did, and what they would have done.
    prices_seen : (c, slot)
        Wholesale price of the last day of each common state, at first of reference demand. [USD/kWh]
    policies_lived : sequence of PolicyTable
        What was in force on the last day.
    today : dict
        The last day in a few numbers; see ``day_summary``.
    day_digest : list of str
        SHA-256 of each day's meters: net energy in kWh, little-endian float32, C order (household id, slot).
    datacollector : mesa.DataCollector
        A row of ``day_summary`` per day.

    Raises
    ------
    ValueError
        In one line, if the arguments make no market, or households are to follow an equilibrium that was not found.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario | Economy = "textbook",
        *,
        households: int = 1000,
        policies: Equilibrium | None = None,
        behaviour: Given = "equilibrium",
        rng: Key = None,
        threads: int = 1,
        tariff: str | Path | Tariff | None = None,
        power_flow: bool = True,
        part: tuple[int, int] = (0, 1),
        leader: Leader | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        households = whole_number("households", households, HOUSEHOLDS, 1000)
        threads = whole_number("threads", threads, THREADS, 2)
        ways = read_behaviour(behaviour)
        key = key_from(rng)
        economy, posted = find_economy(scenario, tariff, policies)
        require_population(economy, households, part[1])
        equilibrium = find_equilibrium(economy, posted, policies, ways, progress)
        super().__init__(key, threads)
        self.economy = economy
        self.household_types = economy.types
        self.slot_hours = economy.slot_hours
        self.equilibrium = equilibrium
        self.terms = make_terms(economy, posted, self.equilibrium, ways) if leader else None
        self.cohorts = make_cohorts(ways, economy, posted, self.equilibrium, key, self.terms)
        self.behaviour = self.cohorts[0].behaviour if len(self.cohorts) == 1 else Mixture(self.cohorts)

        feeder = build_feeder(economy.scenario.feeder.name, peak_reference_kw=economy.peak_reference_kw)
        self.feeder = feeder
        self.bus_names = feeder.buses
        self.population = Population(
            share=economy.type_share,
            customers=feeder.customers,
            households=households,
            slots=economy.slots,
            key=key,
            cohort_share=np.array([cohort.share for cohort in self.cohorts]),
            part=part[0],
            parts=part[1],
        )
        self.power_flow = (
            MarketGrid(
                feeder,
                households=self.households,
                limits=VoltageLimits(economy.scenario.feeder.limits),
                slots=economy.slots,
                slot_hours=economy.slot_hours,
            )
            if power_flow
            else None
        )
        self.learners = tuple(c.behaviour for c in self.cohorts if isinstance(c.behaviour, QLearners))
        for number, cohort in enumerate(self.cohorts):
            if isinstance(cohort.behaviour, QLearners):
                cohort.behaviour.settle_in(self.population, number)
        self.day = 0
        self._weather = stream(key, Purpose.WEATHER)
        self.common_state = self._draw(economy.common.probability)
        self.population.draw_start(self._start_laws())

        self.strategies = make_strategies(self.cohorts, self.population)
        self.prices_seen = np.array(first_guess(economy))
        self.own_way: OwnWay | None = None
        self.day_digest: list[str] = []
        self._records: list[DayRecord] = []
        self._tables = TablesKept(
            levels=[household.levels for household in economy.types for _ in self.cohorts],
            shock_kernel=economy.shock_kernel,
            slot_hours=economy.slot_hours,
            most=TABLES_KEPT,
        )
        self.policies_lived: Sequence[PolicyTable] = ()
        self._lived: Lived | None = None
        self._prosumers = [Prosumer(self, i) for i in range(self.households)] if households <= REGISTERED_LIMIT else []
        found = self.equilibrium
        self.utility = Utility(
            self,
            tariff=posted,
            adder_usd_per_kwh=found.adder_usd_per_kwh if found else 0.0,
            fixed_charge_usd_per_day=found.fixed_charge_usd_per_day if found else posted.fixed_charge_usd_per_day,
            leader=leader,
            offer_of=self.terms.of if self.terms else None,
        )
        self.today: dict[str, float] = {}
        self.datacollector = mesa.DataCollector(
            model_reporters={"key": "key"} | {name: functools.partial(_figure, name=name) for name in SUMMARY}
        )
        self._complete = True

    @property
    def households(self) -> int:
        """Number of simulated households."""
        return self.population.households

    @property
    def messages(self) -> Messages:
        """What is not as asked so far, a sentence each: capped, rounded, left without a power flow."""
        types, cohorts = self.household_types, self.cohorts
        count = self.population.whole_count
        return joined(
            scenario_messages(self.economy.scenario),
            unpaid_messages(self.utility.tariff, types),
            rounding_messages([t.name for t in types], [t.share for t in types], count.sum(axis=1)),
            rounding_messages([c.name for c in cohorts], [c.share for c in cohorts], count.sum(axis=0)),
            unreached_messages(self.equilibrium),
            unsolved_messages(self._records, self.slot_hours),
        )

    @property
    def coming_state(self) -> int:
        """Common state of the day that comes next: its weather is known in the morning."""
        return self._draw(self.economy.common.kernel[self.common_state]) if self.day else self.common_state

    @property
    def history(self) -> History:
        """Tables of the days so far."""
        return History(
            key=self.key,
            types=tuple((t.income_group, t.technology) for t in self.household_types),
            behaviours=tuple(cohort.name for cohort in self.cohorts),
            class_households=self.population.class_count,
            buses=self.bus_names,
            records=tuple(self._records),
        )

    def prosumer(self, household: int) -> Prosumer:
        """One household as an agent: registered in a small market, made on demand in a large one.

        Raises
        ------
        ValueError
            If there is no such household.
        """
        if not 0 <= household < self.households:
            raise ValueError(f"household is {household}; give an id from 0 to {self.households - 1}")
        if self._prosumers:
            return self._prosumers[household]
        with self._people_come_and_go():
            made = Prosumer(self, household)
            made.remove()
        return made

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
        if self._lived:
            raise ValueError(f"day {self.day} is not settled; call settle first")
        self.common_state = self.coming_state
        offer = self.utility.post(self.day, self.common_state)
        if offer and isinstance(self.behaviour, FollowsTariff):
            self.behaviour.face(offer)
        level_before = self.population.level_sums()
        digest = MeterDigest(self._digester)
        sums = self._live(digest)
        self._lived = Lived(sums=sums, level_before=level_before, digest=digest)
        return np.asarray(sums.energy_quanta.sum(axis=(0, 1)))

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
        if self._lived is None:
            raise ValueError(f"day {self.day} is not lived; call live first")
        record = settle_day(
            self.economy,
            self.population,
            self.utility,
            self._lived.sums,
            day=self.day,
            common_state=self.common_state,
            level_before=self._lived.level_before,
            market_load_kw=net_load_kw,
            last_price_usd_per_kwh=self._records[-1].wholesale_usd_per_kwh[-1:] if self._records else np.empty(0),
            grid=self.power_flow,
            threads=self.threads,
            executor=self._executor,
        )
        self.day_digest.append(self._lived.digest.hexdigest())
        self._lived = None
        self._records.append(record)
        self.today = day_summary(record, self.households)
        self.utility.book(record.account)
        self.utility.learn(self.meter)
        posted = Rates(
            import_usd_per_kwh=record.import_usd_per_kwh[None], export_usd_per_kwh=record.export_usd_per_kwh[None]
        )
        self.behaviour.learn(
            DaySeen(
                day=self.day,
                common_state=self.common_state,
                wholesale_usd_per_kwh=record.wholesale_usd_per_kwh,
                net_load_kw=net_load_kw,
                rates=posted,
            )
        )
        self.prices_seen[self.common_state] = record.wholesale_usd_per_kwh
        if self.own_way:
            charges = self.utility.standing_usd_per_day(self.household_types)
            own = own_rates(posted, self.utility.tariff, self.household_types)
            self.own_way.tell(self.day, self.common_state, own, charges, self.slot_hours)
        self.day += 1
        self.datacollector.collect(self)

    def follow(self, other: "ProsumerMarket") -> None:
        """Let households go by another market's policies, learn nothing of their own, and share its tables.

        The market must have the other's cohorts, and the other must settle a day last.
        """
        self.behaviour = Follower(other.behaviour)
        self._tables = other._tables

    def tables_of(self, common_state: int) -> DayTables:
        """The policies in force, in the form that the day is computed with."""
        return self._tables.of(self.behaviour.policies, common_state)

    def meter(self) -> MeterReading:
        """What the utility reads off its meters after the last day: one row.

        Raises
        ------
        ValueError
            Before the first day.
        """
        if not self._records:
            raise ValueError("no day has been metered yet; call step() first")
        utility = self.utility
        return day_reading(
            self.economy,
            self.population,
            self._records[-1],
            tariff=utility.tariff,
            fixed_charge_usd_per_day=utility.fixed_charge_usd_per_day,
        )

    def close(self) -> None:
        """Stop for good; see ``MesaMarket.close``."""
        super().close()
        self._prosumers = []

    def __getstate__(self) -> dict[str, Any]:
        """Everything between two days; ``ValueError`` in one line in the middle of one."""
        if self._lived:
            raise ValueError(f"day {self.day} is not settled; settle it before the market is copied")
        return super().__getstate__()

    def _draw(self, probability: Floats) -> int:
        """Draw today's common state from its law, (c,)."""
        line = np.cumsum(probability)
        point = uniform(child(self._weather, self.day)) * line[-1]
        return int(np.searchsorted(line, point, side="right"))

    def _start_laws(self) -> list[Floats]:
        """Law (level, shock) of each type at the first midnight: the equilibrium's, else any charge alike."""
        if self.equilibrium:
            return [law[self.common_state, 0] for law in self.equilibrium.laws]
        shock = self.economy.shock_probability
        return [np.tile(shock / household.levels, (household.levels, 1)) for household in self.household_types]

    def _live(self, digest: MeterDigest) -> DaySums:
        """Run the day at the policies in force, and digest the meters as they fill."""
        policies, people = self.behaviour.policies, self.population
        self.policies_lived = policies
        tables = self.tables_of(self.common_state)
        own_way = None
        if self.strategies:
            own_way = OwnWay(people, self.strategies, self.rates_expected(self.common_state))
        self.own_way = own_way
        for learner in self.learners:
            learner.before()
        rewritten = own_way is not None or bool(self.learners)
        sums = run_day(
            people,
            tables,
            self.day,
            threads=self.threads,
            executor=self._executor,
            finished=None if rewritten else lambda ids: digest.add(people.energy_kwh[ids]),
        )
        for learner in self.learners:
            sums = learner.live(
                tables,
                self.day,
                self.common_state,
                sums,
                apart=self.strategies,
                threads=self.threads,
                executor=self._executor,
            )
        if own_way:
            sums = own_way.replay(policies, tables, self.day, self.common_state, sums, self.learners)
        if rewritten:
            digest.add(people.energy_kwh)
        return sums

    def rates_expected(self, common_state: int) -> list[Rates]:
        """Rates (1, slot) of each household type at the prices last seen in a common state, its discount applied."""
        day_type = int(self.economy.common.today[common_state])
        posted = self.utility.rates(day_type, self.prices_seen[common_state])
        return own_rates(posted, self.utility.tariff, self.household_types)


def _figure(market: ProsumerMarket, name: str) -> float:
    """One figure of the market's last day, nan before the first."""
    return market.today.get(name, math.nan)
