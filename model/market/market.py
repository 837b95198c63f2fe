"""The finite market as a Mesa model: N households, a utility and a feeder, one day per step."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from meanwatt.agents.behaviour.cohorts import Follower, Mixture
from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.behaviour.tariff_follower import FollowsTariff
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.leader.learning_leader import Leader
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Key, key_from
from meanwatt.agents.prosumer import Prosumer
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.behaviour_spec import Given, read_behaviour
from meanwatt.model.market.billing import Settled, settle
from meanwatt.model.market.day_kernel import DaySums, run_day
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.digest import MeterDigest
from meanwatt.model.market.grid_day import GridDay
from meanwatt.model.market.market_centre import MarketCentre, PlayedDay
from meanwatt.model.market.market_inverters import Roofs, roofs_of
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
    whole_number,
)
from meanwatt.model.market.shared_tables import tables_kept
from meanwatt.model.market.strategy_replay import StrategyReplay
from meanwatt.model.market.voltage_answer import answer_to_voltages, hold_back
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.progress.watch import Progress
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import HOUSEHOLDS, THREADS

REGISTERED_LIMIT: Final = 20_000
"""Largest market whose every household is a registered Mesa agent (each costs about half a kB and 6 µs)."""


class ProsumerMarket(MarketCentre):
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
    strategy_replay : StrategyReplay or None
        Their last day: what they met and did, and what they would have done.
    prices_seen : (c, slot)
        Wholesale price of the last day of each common state, at first of reference demand. [USD/kWh]
    policies_lived : sequence of PolicyTable
        What was in force on the last day.
    held_kwh : (type, bus, slot), optional
        What volt-watt held back of one household of a type at a bus on the last day, where curves are in force. [kWh]
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

    held_kwh: Floats | None = None
    _roofs: Roofs | None = None
    _REGISTERS: ClassVar = True

    def __init__(  # noqa: PLR0913 - one argument is one option, as Mesa's users know it
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
        super().__init__(economy, equilibrium, key, threads)
        terms = make_terms(economy, posted, equilibrium, ways) if leader else None
        self.cohorts = make_cohorts(ways, economy, posted, equilibrium, key, terms)
        self.behaviour = self.cohorts[0].behaviour if len(self.cohorts) == 1 else Mixture(self.cohorts)

        self.population = Population(
            share=economy.type_share,
            customers=self.residents.customers(self.feeder),
            households=households,
            slots=economy.slots,
            key=key,
            cohort_share=np.array([cohort.share for cohort in self.cohorts]),
            part=part[0],
            parts=part[1],
        )
        self.learners = tuple(c.behaviour for c in self.cohorts if isinstance(c.behaviour, QLearners))
        for number, cohort in enumerate(self.cohorts):
            if isinstance(cohort.behaviour, QLearners):
                cohort.behaviour.bind_population(self.population, number)
        self.population.draw_start(self._start_laws())

        self.strategies = make_strategies(self.cohorts, self.population)
        self.prices_seen = np.array(first_guess(economy))
        self.strategy_replay: StrategyReplay | None = None
        self._in_classes = bool(posted.classes)
        self._tables = tables_kept(economy, self.cohorts, None if leader else equilibrium)
        self.policies_lived: Sequence[PolicyTable] = ()
        registered = self._REGISTERS and households <= REGISTERED_LIMIT
        self._prosumers = [Prosumer(self, i) for i in range(self.households)] if registered else []
        self._open(posted, power_flow=power_flow, terms=terms, leader=leader)
        if self.power_flow is not None and self.power_flow.control is not None:
            self._roofs = roofs_of(economy.types, self.population.customers_at)

    @property
    def census(self) -> Population:
        """The population, which knows how many it is."""
        return self.population

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

    def follow(self, other: "ProsumerMarket") -> None:
        """Let households go by another market's policies, learn nothing of their own, and share its tables.

        The market must have the other's cohorts, and the other must settle a day last.
        """
        self.behaviour = Follower(other.behaviour)
        self._tables = other._tables

    def tables_of(self, common_state: int) -> DayTables:
        """The policies in force, in the form that the day is computed with."""
        return self._tables.of(self.behaviour.policies, common_state)

    @property
    def tables_lived(self) -> DayTables:
        """The tables by which the last day was computed, whatever households learnt of it since."""
        return self._tables.of(self.policies_lived, self.common_state)

    def meter(self, *, by_type: bool = False) -> MeterReading:
        """What the utility reads off its meters after the last day: one row.

        Parameters
        ----------
        by_type
            Whether to read every household type by itself, as is done anyway where there are rate classes, posted or in
            force before the first day; else income groups.

        Raises
        ------
        ValueError
            Before the first day.
        """
        if not self._records:
            raise ValueError("no day has been metered yet; call step() first")
        utility, record = self.utility, self._records[-1]
        return day_reading(
            self.economy,
            self.population,
            record,
            tariff=utility.tariff,
            fixed_charge_usd_per_day=utility.fixed_charge_usd_per_day,
            rates=utility.rates(int(self.economy.common.today[record.common_state]), record.wholesale_usd_per_kwh),
            by_type=by_type or self._in_classes or bool(utility.tariff.classes),
        )

    def charge(self, usd: Floats) -> None:
        """Add to every household's bill, on the last day, what its daily bill does not hold. (household,) [USD]"""
        people = self.population
        people.bill_usd += usd
        by_class = np.array([usd[people.of_class(*place)].sum() for place in np.ndindex(*people.class_count.shape)])
        self._book_beside(by_class.reshape(people.class_count.shape))

    def close(self) -> None:
        """Stop for good; see ``MesaMarket.close``."""
        super().close()
        self._prosumers = []

    def _cohort_shares(self) -> Sequence[tuple[str, float]]:
        return [(cohort.name, cohort.share) for cohort in self.cohorts]

    def _start_laws(self) -> list[Floats]:
        """Law (level, shock) of each type at the first midnight: the equilibrium's, else any charge alike."""
        if self.equilibrium:
            found = self.equilibrium
            return [
                policy.by_shock(law[self.common_state, 0])
                for policy, law in zip(found.policies, found.laws, strict=True)
            ]
        shock = self.economy.shock_probability
        return [np.tile(shock / household.levels, (household.levels, 1)) for household in self.household_types]

    def _live(self, offer: Offer | None) -> PlayedDay:
        if offer and isinstance(self.behaviour, FollowsTariff):
            self.behaviour.observe_offer(offer)
        level_before, digest = self.population.level_sums(), self._new_digest()
        sums, carried = self._run_day(digest)
        return PlayedDay(sums=sums, level_before=level_before, digest=digest, carried=carried)

    def _new_digest(self) -> MeterDigest:
        """What takes in the meters of the day that begins."""
        return MeterDigest(self._digester)

    def _run_day(self, digest: MeterDigest) -> tuple[DaySums, GridDay | None]:
        """Run the day at the policies in force, digest the meters; solve the feeder where they depend on voltages."""
        policies, people = self.behaviour.policies, self.population
        self.policies_lived = policies
        tables = self.tables_of(self.common_state)
        strategy_replay = None
        if self.strategies:
            strategy_replay = StrategyReplay(people, self.strategies, self.rates_expected(self.common_state))
        self.strategy_replay = strategy_replay
        for learner in self.learners:
            learner.before()
        rewritten = strategy_replay is not None or bool(self.learners) or self._roofs is not None
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
        if strategy_replay:
            sums = strategy_replay.replay(policies, tables, self.day, self.common_state, sums, self.learners)
        carried = None
        if self._roofs is not None and self.power_flow is not None:
            carried, self.held_kwh = answer_to_voltages(
                self.economy, self._roofs, self.power_flow, sums, self.common_state
            )
            sums = hold_back(people, sums, self.held_kwh)
        if rewritten:
            digest.add(people.energy_kwh)
        return sums, carried

    def _bill(self, *, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, standing_charge_usd: Floats) -> Settled:
        return settle(
            self.population,
            import_usd_per_kwh=import_usd_per_kwh,
            export_usd_per_kwh=export_usd_per_kwh,
            standing_charge_usd=standing_charge_usd,
            threads=self.threads,
            executor=self._executor,
        )

    def _learn(self, seen: DaySeen, posted: Rates) -> None:
        self.utility.learn(self.meter)
        self.behaviour.learn(seen)
        self.prices_seen[self.common_state] = seen.wholesale_usd_per_kwh
        if self.strategy_replay:
            charges = self.utility.standing_usd_per_day(self.household_types)
            own = own_rates(posted, self.utility.tariff, self.household_types)
            self.strategy_replay.inform(self.day, self.common_state, own, charges, self.slot_hours)

    def rates_expected(self, common_state: int) -> list[Rates]:
        """Rates (1, slot) of each household type at the prices last seen in a common state, its discount applied."""
        day_type = int(self.economy.common.today[common_state])
        posted = self.utility.rates(day_type, self.prices_seen[common_state])
        return own_rates(posted, self.utility.tariff, self.household_types)


class UnregisteredMarket(ProsumerMarket):
    """The same market for studies that look at no agent: households are agents only where one is asked for.

    Arguments and all that is simulated are those of ``ProsumerMarket``; ``agents`` holds the utility alone, and
    ``today`` and ``datacollector`` nothing.
    """

    _REGISTERS: ClassVar = False
    _SUMS_UP: ClassVar = False
