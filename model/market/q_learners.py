"""The cohort that learns by Q-learning: its tables, its day beside the kernel, and what it has learnt."""

import itertools
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.behaviour.q_learning import (
    GAIN_SHARE,
    QSettings,
    Values,
    believed_values,
    learn_day,
    live_day,
    policy_of_values,
)
from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import SlotOutcome, slot_outcome
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, stream
from meanwatt.agents.tariff.rates import Rates, payment_usd, same_rates
from meanwatt.agents.tariff.tariff import Tariff, rates
from meanwatt.model.market.day_kernel import DaySums, quanta
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.population import Population
from meanwatt.model.market.q_tables import LivedClass, QClass, by_bus, make_tables

PARTS_PER_THREAD = 4


class QLearners:
    """Households that learn from their own bills alone; see ``meanwatt.agents.behaviour.q_learning``.

    What they do lies in a table for each household, not in ``policies``: those are what the kernel runs for them
    before their own day replaces it (batteries stand still), and hold the net load of every move. Use answers the mean
    of the rates on their bills in the same common state, the rates at the prices of reference demand counting as one
    bill. They learn from a day just after midnight, when tomorrow's weather is known.

    Parameters
    ----------
    types, tariff, adder_usd_per_kwh, today, outlook
        As for ``meanwatt.agents.behaviour.protocol.BeliefBehaviour``.
    first_guess_usd_per_kwh : (c, h)
        Wholesale price of reference demand. [USD/kWh]
    settings
        Steps, exploration, form and start of the tables.

    Attributes
    ----------
    policies
        One per type; see above. ``learned_policies()`` is what the households do.
    """

    def __init__(
        self,
        *,
        types: Sequence[HouseholdType],
        tariff: Tariff,
        adder_usd_per_kwh: float,
        today: Ints,
        problem: DecisionProblem,
        first_guess_usd_per_kwh: Floats,
        settings: QSettings,
        name: str = "qlearning",
    ) -> None:
        self.name = name
        self.settings = settings
        self.types = tuple(types)
        self._tariff = tariff
        self.problem = problem
        self._expected = self._by_type(rates(tariff, today, first_guess_usd_per_kwh, adder_usd_per_kwh))
        self._bills = np.ones(len(today))
        self._outcomes: list[SlotOutcome] = []
        self._lived: list[SlotOutcome] = []
        self._classes: list[QClass] = []
        self._population: Population | None = None
        self._day = -1
        self._common_state = -1
        self.policies: Sequence[PolicyTable] = ()
        self._plan()

    # --- being part of a market -------------------------------------------------------------------------------------

    def bind_population(self, population: Population, cohort: int) -> None:
        """Make the tables of the cohort's households.

        Raises
        ------
        ValueError
            If they would be larger than allowed.
        """
        self._population = population
        shapes = {
            type_index: self._outcomes[type_index].net_load_kw.shape
            for type_index, home in enumerate(self.types)
            if home.battery is not None
        }
        self._classes = make_tables(
            population,
            cohort,
            {
                type_index: (states, slots, self.types[type_index].levels, shocks if self.settings.shock else 1, width)
                for type_index, (states, slots, shocks, width) in shapes.items()
            },
            start=self._start,
            settings=self.settings,
            name=self.name,
        )

    def _start(self, type_index: int) -> tuple[Floats | float, float]:
        """First table of a type and first gain per slot."""
        if self.settings.start == "zero":
            return 0.0, 0.0
        response = best_response(self.types[type_index], self._expected_by(type_index), self.problem)
        gain = response.gain_usd_per_day / response.value_usd.shape[1] if self._average else 0.0
        return believed_values(response, self.problem, shock=self.settings.shock), gain

    @property
    def _average(self) -> bool:
        """Whether the criterion is the average per day."""
        return self.problem.discount_per_day == 1.0

    @property
    def nbytes(self) -> int:
        """Memory of all tables. [bytes]"""
        return sum(own.value.nbytes for own in self._classes)

    def before(self) -> None:
        """Remember where the households stand, for the kernel will move them on."""
        assert self._population is not None
        for own in self._classes:
            own.before = self._population.level[own.rows].copy(), self._population.shock[own.rows].copy()

    def live(
        self,
        tables: DayTables,
        day: int,
        common_state: int,
        sums: DaySums,
        *,
        apart: Collection[int] = (),
        threads: int = 1,
        executor: Executor | None = None,
    ) -> DaySums:
        """Learn from yesterday, then live today in place of what the kernel did for these households.

        Parameters
        ----------
        apart
            Households that decide for themselves today; they do not learn from it.
        threads, executor
            How many threads to use; results do not depend on it.

        Returns
        -------
        DaySums
            With the rows of these households' classes replaced.
        """
        people = self._population
        assert people is not None
        energy, charged, discharged = np.array(sums.energy_quanta), np.array(sums.charged), np.array(sums.discharged)
        curtailed = np.array(sums.curtailed_quanta)
        _, exploration = self.settings.schedule(day)
        for own in self._classes:
            assert own.before is not None
            people.level[own.rows], people.shock[own.rows] = own.before
            self._learn_from_yesterday(own, common_state, threads, executor)
            begin = int(tables.energy_start[own.number])
            width = own.value.shape[-1]
            readings = tables.energy_kwh[begin : int(tables.energy_start[own.number + 1])]
            lowest = int(tables.first_move[own.number])
            self._each(
                own,
                threads,
                executor,
                live_day,
                (day, common_state, people.rank_of(own.rows.start)),
                (self.problem.temperature_usd, exploration),
                np.uint64(stream(people.key, Purpose.DAY, own.type_index)),
                own.value,
                readings.reshape(tables.slots, tables.shocks, width),
                self._choice(own.type_index),
                tables.shock_alias.reshape(tables.shocks, tables.shocks),
                (people.level[own.rows], people.shock[own.rows], people.energy_kwh[own.rows]),
                (own.moved, own.met, lowest),
            )
            bus, moves = people.bus[own.rows], own.moved + lowest
            energy[own.number] = by_bus(bus, quanta(people.energy_kwh[own.rows]), people.buses)
            charged[own.number] = by_bus(bus, np.maximum(moves, 0), people.buses)
            discharged[own.number] = by_bus(bus, np.maximum(-moves, 0), people.buses)
            spilt = tables.curtailed_of(own.number)
            if spilt.any():
                spilt = spilt[np.arange(tables.slots), own.met, own.moved]
                curtailed[own.number] = by_bus(bus, quanta(spilt), people.buses)
            for household in apart:
                if household in range(own.rows.start, own.rows.stop):
                    own.moved[household - own.rows.start, 0] = -1 - own.moved[household - own.rows.start, 0]
        self._day, self._common_state = day, common_state
        return DaySums(energy_quanta=energy, charged=charged, discharged=discharged, curtailed_quanta=curtailed)

    def moves_of(self, household: int) -> npt.NDArray[np.int64] | None:
        """Moves that a household of this cohort made in ``live``; None for others and without a battery."""
        for own in self._classes:
            if own.rows.start <= household < own.rows.stop:
                moved = own.moved[household - own.rows.start].astype(np.int64)
                moved[0] = max(moved[0], -1 - moved[0])
                return np.asarray(moved + int(self.policies[own.type_index].moves[0]))
        return None

    def observe_offer(self, offer: Offer) -> None:
        """Take note of another tariff's discount; its rates they come to know by their bills."""
        known, self._tariff = self._tariff, offer.tariff
        if not known.same_for_payers(offer.tariff):
            self._plan()

    def learn(self, seen: DaySeen) -> None:
        """Read the bill: what each slot cost, and which rates to expect for use."""
        assert seen.rates is not None
        c = seen.common_state
        self._lived = self._outcomes
        for own in self._classes:
            outcome, billed = (
                self._outcomes[own.type_index],
                self._tariff.own_rates(seen.rates, self.types[own.type_index]),
            )
            payment = payment_usd(
                outcome.net_load_kw[c],
                billed.import_usd_per_kwh[0][:, None, None],
                billed.export_usd_per_kwh[0][:, None, None],
                self.problem.slot_hours,
            )
            own.reward = np.asarray(outcome.utility_usd[c] - payment - outcome.wear_usd)
        self._bills[c] += 1
        pairs, before = zip(self._expected, self._by_type(seen.rates), strict=True), self._expected
        self._expected = [_averaged(*pair, c, float(self._bills[c])) for pair in pairs]
        if not all(map(same_rates, before, self._expected)):
            self._plan()

    # --- what they know ---------------------------------------------------------------------------------------------

    def values_of(self, household: int) -> Values:
        """One household's table (c, h, e, z or 1, j). [USD]

        Raises
        ------
        ValueError
            If it has none.
        """
        for own in self._classes:
            if own.rows.start <= household < own.rows.stop:
                return np.asarray(own.value[household - own.rows.start])
        raise ValueError(f"household {household} has no table; give one of this cohort with a battery")

    def policy_of(self, household: int) -> PolicyTable:
        """What one household of the cohort would do without exploring."""
        assert self._population is not None
        return self._policy(self._population.type_of(household), self.values_of(household))

    def learned_policies(self) -> tuple[PolicyTable, ...]:
        """Policy of each type, averaged over its households in this cohort; they do not explore.

        A type without a battery has nothing to learn, one without households keeps the plan.
        """
        found = list(self.policies)
        for own in self._classes:
            parts = [
                self._policy(own.type_index, own.value[a : a + 64]).probability.sum(axis=0) for a in _steps(own.value)
            ]
            found[own.type_index] = replace(found[own.type_index], probability=sum(parts) / len(own.value))
        return tuple(found)

    def utility_and_wear_usd(self) -> tuple[float, float]:
        """Utility of use and battery wear of the last day, of the households with batteries, summed. [USD]"""
        lived = self.lived()
        return sum(own.total_utility_usd for own in lived.values()), sum(own.total_wear_usd for own in lived.values())

    def unmet_trip_kwh(self) -> float:
        """Energy that the last day's trips of electric vehicles needed and did not get, summed. [kWh]"""
        hours = self.problem.slot_hours
        lived = self.lived().values()
        return sum(
            day.unmet_trip_kwh(self.types[own.type_index], hours) for own, day in zip(self._classes, lived, strict=True)
        )

    def lived(self) -> dict[int, LivedClass]:
        """What the last day was like for the households of each class, by its number."""
        found = {}
        for own in self._classes:
            moved = own.moved.astype(np.int64)
            moved[:, 0] = np.maximum(moved[:, 0], -1 - moved[:, 0])
            outcome, day = self._lived[own.type_index], self.types[own.type_index].storage_day(self.problem.slot_hours)
            slots = np.arange(moved.shape[1])
            found[own.number] = LivedClass(
                utility_usd=outcome.utility_usd[self._common_state][slots, own.met, moved].sum(axis=1),
                wear_usd=day.cost_by_slot_usd()[slots, moved].sum(axis=1),
                discharged=np.maximum(-day.moves[moved], 0).sum(axis=0),
            )
        return found

    @property
    def classes(self) -> tuple[int, ...]:
        """Numbers of the classes that have tables."""
        return tuple(own.number for own in self._classes)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _by_type(self, posted: Rates) -> list[Rates]:
        """The rates of each household type's class, before discounts."""
        return [posted.of_classes[self._tariff.class_index(household)] for household in self.types]

    def _expected_by(self, type_index: int) -> Rates:
        household = self.types[type_index]
        return self._tariff.of(household).for_group(self._expected[type_index], household.group)

    def _policy(self, type_index: int, value: Values) -> PolicyTable:
        plan = self.policies[type_index]
        shocks = plan.net_load_kw.shape[2]
        chance = policy_of_values(value, plan.moves, self.problem.temperature_usd, shocks, plan.choice)
        return replace(plan, probability=chance)

    def _choice(self, type_index: int) -> tuple[Ints, Floats]:
        """Which moves a type chooses among, as compiled code takes it."""
        choice = self.types[type_index].storage_day(self.problem.slot_hours).choice
        return choice.bounds, choice.given

    def _plan(self) -> None:
        """Work out use and net load of every move at the rates expected."""
        self._outcomes, policies = [], []
        for type_index, household in enumerate(self.types):
            outcome = slot_outcome(
                household, self._expected_by(type_index), self.problem.shock_levels, self.problem.slot_hours
            )
            states, slots, shocks, width = outcome.net_load_kw.shape
            still = np.zeros((states, slots, household.levels, shocks, width))
            still[..., int(np.flatnonzero(outcome.moves == 0)[0])] = 1.0
            if outcome.choice is not None:
                outcome.choice.impose(still)
            policies.append(outcome.followed(still))
            self._outcomes.append(outcome)
        self.policies = tuple(policies)

    def _learn_from_yesterday(self, own: QClass, common_state: int, threads: int, executor: Executor | None) -> None:
        if own.reward is None:
            return
        people = self._population
        assert people is not None
        step, _ = self.settings.schedule(self._day)
        slots = own.value.shape[2]
        horizon = self.problem
        soft = horizon.value_rule is ValueRule.ENTROPY and horizon.temperature_usd > 0
        share = GAIN_SHARE / slots if self._average else 0.0
        self._each(
            own,
            threads,
            executor,
            learn_day,
            (self._common_state, common_state),
            (step, share, horizon.discount_per_day ** (1 / slots), horizon.temperature_usd, soft),
            own.value,
            own.gain,
            own.reward,
            self._choice(own.type_index),
            (people.level[own.rows], people.shock[own.rows]),
            (own.moved, own.met, int(self.policies[own.type_index].moves[0])),
        )
        own.reward = None

    def _each(self, own: QClass, threads: int, executor: Executor | None, action: Any, *arguments: Any) -> None:
        """Run compiled code for all households of a class, by parts where there are threads."""
        count = len(own.value)
        if executor is None or threads == 1:
            action(0, count, *arguments)
            return
        edges = np.linspace(0, count, min(threads * PARTS_PER_THREAD, count) + 1).astype(int).tolist()
        for job in [executor.submit(action, a, b, *arguments) for a, b in itertools.pairwise(edges)]:
            job.result()


def _steps(value: Values) -> range:
    return range(0, len(value), 64)


def _averaged(expected: Rates, seen: Rates, c: int, bills: float) -> Rates:
    """Expected rates (c, h) once the bill of a day (1, h) in one common state joins as many before."""
    imported, exported = expected.import_usd_per_kwh.copy(), expected.export_usd_per_kwh.copy()
    imported[c] += (seen.import_usd_per_kwh[0] - imported[c]) / bills
    exported[c] += (seen.export_usd_per_kwh[0] - exported[c]) / bills
    return Rates(import_usd_per_kwh=imported, export_usd_per_kwh=exported)
