"""A randomised pilot: tariffs tried at the same time, each on an arm of the households, and the best posted to all.

Households that learn get better with time, whatever is posted: a leader who tries one tariff after the other confuses
the tariff with the calendar. Arms live through the same days. Each is scored against its own year under the tariff in
force (a difference of differences, D. Card, A. B. Krueger 1994), so that neither the days nor who happens to be in an
arm counts. What is left is the price, which all arms make together: an arm's effect on it is diluted, as in every real
pilot. ``apart`` shows by how much, with every arm in a market of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading, joined
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Purpose, child, key_from, stream, uniform
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.learning.books import BooksKind, MeteredBooks
from meanwatt.analysis.learning.environment import DAYS_IN_FORCE
from meanwatt.analysis.learning.menus import Menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.metrics.metrics import MarketDays, market_metrics
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market.arms import MarketArms
from meanwatt.model.market.behaviour_spec import Given
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.messages import Messages

PILOT_DAYS: Final = 60
"""Days of a pilot by default."""
ROUND_DAYS: Final = 30
"""Days of a pilot that are scored together, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotPlan:
    """How a pilot is run.

    Parameters
    ----------
    households
        Of the whole market.
    behaviour
        How they decide, by name.
    days
        Days after the year before, the pilot's included.
    pilot_days, round_days
        Days of the pilot, and of each of its rounds; at least one round.
    before_days
        Days under the tariff in force before the first one.
    apart
        Whether every arm is a market of its own instead, with all the households. Nothing is posted to all then.
    books
        Who balances the books of each arm: the leader, by its meters, or the solved model.
    seed
        Key of all draws.

    Raises
    ------
    ValueError
        In one line, if the pilot has no whole number of rounds or outlasts the days.
    """

    households: int = 1000
    behaviour: Given = "qlearning"
    days: int = 720
    pilot_days: int = PILOT_DAYS
    round_days: int = ROUND_DAYS
    before_days: int = DAYS_IN_FORCE
    apart: bool = False
    books: BooksKind = BooksKind.ACCOUNT
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that rounds fill the pilot, and that it fits into the days."""
        if self.pilot_days % self.round_days:
            raise ValueError(
                f"a pilot of {counted(self.pilot_days, 'day')} is no whole number of rounds of {self.round_days}; give"
                f" days that rounds fill, e.g. {self.round_days * max(1, round(self.pilot_days / self.round_days))}"
            )
        if self.pilot_days > self.days:
            raise ValueError(f"the pilot takes {self.pilot_days} of {self.days} days; give at least as many days")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PilotResult:
    """What a pilot found, and what it was worth.

    Attributes
    ----------
    plan
        How it was run.
    score : (round, arm)
        The metered objective of each arm over the tariff in force. In the objective's unit.
    half_width : (round, arm)
        Half the bracket of what in it is estimated and not metered.
    recommended
        The arm of the highest mean score.
    realised, realised_best, realised_random
        The objective as the simulator knows it, mean over all days: with the pilot and its recommendation posted to
        all afterwards; with the menu's best tariff posted to all from the first day; and with a tariff of the menu
        drawn for every round. None where arms are apart, or where a market does not show the objective,
    messages
        What is not as it seems, a sentence each.
    """

    plan: PilotPlan
    score: Floats
    half_width: Floats
    recommended: int
    realised: float | None
    realised_best: float | None
    realised_random: float | None
    messages: Messages

    @property
    def regret(self) -> float | None:
        """What was realised less than under the best tariff from the first day."""
        return _less(self.realised_best, self.realised)

    @property
    def random_regret(self) -> float | None:
        """The same of posting at random."""
        return _less(self.realised_best, self.realised_random)


def run_pilot(menu: Menu, in_force: Equilibrium, plan: PilotPlan, watch: Watch | None = None) -> PilotResult:
    """Meter a year under the tariff in force, pilot the menu, post the best to all, and judge it.

    Parameters
    ----------
    menu
        One arm for each of its tariffs; not by day type. Its equilibria say which is best, and the level of a tariff
        where the model balances the books; households who learn see neither.
    in_force
        Equilibrium at the tariff in force.
    watch
        ``fraction`` counts days.

    Raises
    ------
    ValueError
        In one line, if the objective is not metered, or the households are too few.
    Cancelled
        If asked to stop.
    """
    menu.aims.require_metered()
    clock = _Clock(plan.before_days + (plan.pilot_days if plan.apart else 3 * plan.days), watch or Watch())
    arms = MarketArms(
        in_force,
        arms=len(menu.tariffs),
        households=plan.households,
        behaviour=plan.behaviour,
        rng=plan.seed,
        apart=plan.apart,
    )
    arms.add(list(menu.equilibria.values()))
    before = _readings(arms, plan.before_days, clock)
    others = [arms.copied() for _ in range(0 if plan.apart else 2)]
    lived = None if plan.apart else _Realised(arms)
    books = _Books(menu, before, plan)
    score, half_width = _score(arms, menu, before, books, clock, lived)
    recommended = int(np.argmax(score.mean(axis=0)))
    realised: list[float | None] = [None, None, None]
    messages = list(_unrevealed(half_width))
    if lived is not None:
        rounds = -(-plan.days // plan.round_days)
        left = [menu.tariffs[recommended]] * (rounds - plan.pilot_days // plan.round_days)
        _post_to_all(arms, left, plan.days - plan.pilot_days, books, clock, lived)
        drawn = _drawn(menu.tariffs, rounds, plan.seed)
        try:
            realised = [
                lived.objective(menu),
                _realised_by(others[0], [menu.tariffs[menu.best[0]]] * rounds, menu, _Books(menu, before, plan), clock),
                _realised_by(others[1], drawn, menu, _Books(menu, before, plan), clock),
            ]
        except ValueError as why:  # a market does not show the objective
            messages.append(f"What was realised is left out: {why}.")
        lived.close()
    arms.close()
    return PilotResult(
        plan=plan,
        score=score,
        half_width=half_width,
        recommended=recommended,
        realised=realised[0],
        realised_best=realised[1],
        realised_random=realised[2],
        messages=tuple(messages),
    )


def _unrevealed(half_width: Floats) -> Messages:
    """A sentence where an arm's households did not use less of what became dearer; none otherwise."""
    if half_width.min() >= 0:
        return ()
    return (
        "In some arm households did not answer their rates at their best, as the rule of a half takes it: half_width is"
        " below zero there, and brackets nothing.",
    )


class _Books:
    """The books of each arm, where the leader balances them: a level for every round, and what it is scored at."""

    def __init__(self, menu: Menu, before: Sequence[MeterReading], plan: PilotPlan) -> None:
        account = plan.books is BooksKind.ACCOUNT
        self._arms = [MeteredBooks(menu.economy, reading) for reading in before] if account else []
        self.plan = plan

    def offers(self, tariffs: Sequence[Tariff], days: int) -> Sequence[Tariff | Offer]:
        """What is posted for a round of days; the tariffs alone where the solved model sets their level."""
        if not self._arms:
            return tariffs
        return [books.offer(tariff, days) for books, tariff in zip(self._arms, tariffs, strict=True)]

    def close(self, readings: Sequence[MeterReading], days: int) -> Sequence[MeterReading]:
        """Book a round, and give what is scored."""
        if not self._arms:
            return readings
        return [books.close(reading, days) for books, reading in zip(self._arms, readings, strict=True)]


def _score(
    arms: MarketArms,
    menu: Menu,
    before: Sequence[MeterReading],
    books: _Books,
    clock: "_Clock",
    lived: "_Realised | None",
) -> tuple[Floats, Floats]:
    """Post a tariff of the menu to each arm, and score what its meters read in each round. (round, arm) each"""
    objectives = [MeteredObjective(menu.economy, menu.aims, reading) for reading in before]
    plan, rounds = books.plan, []
    for _ in range(plan.pilot_days // plan.round_days):
        arms.post(books.offers(menu.tariffs, plan.round_days))
        readings = books.close(_readings(arms, plan.round_days, clock, lived), plan.round_days)
        rounds.append([one.estimate(reading) for one, reading in zip(objectives, readings, strict=True)])
    return (
        np.array([[found.score for found in row] for row in rounds]),
        np.array([[found.half_width for found in row] for row in rounds]),
    )


class _Clock:
    """Counts days, tells the watcher, and hears it."""

    def __init__(self, days: int, watch: Watch) -> None:
        self._days, self._watch, self._done = days, watch, 0

    def tick(self) -> None:
        """A day is over."""
        self._done += 1
        if self._watch.progress is not None:
            share = self._done / self._days
            self._watch.progress(Progress(stage="pilot, by days", evaluations=self._done, fraction=share))
        if self._watch.stopped:
            raise Cancelled


class _Realised:
    """What arms of one market come to by all that the simulator knows, from now on."""

    def __init__(self, arms: MarketArms) -> None:
        self._arms = arms
        self._meters = [UtilityMeter(market) for market in arms.markets]
        self._bill_usd = [market.population.bill_usd.copy() for market in arms.markets]
        self._first = arms.markets[0].day
        self._utility_usd = self._wear_usd = 0.0

    def before(self) -> None:
        """Remember where households stand."""
        for meter in self._meters:
            meter.before()

    def after(self) -> None:
        """Add up what the day was to them."""
        for meter in self._meters:
            enjoyed = meter.after()
            self._utility_usd += enjoyed.utility_usd
            self._wear_usd += enjoyed.wear_usd

    def objective(self, menu: Menu) -> float:
        """The leader's objective over the days so far."""
        markets, economy = self._arms.markets, menu.economy
        histories = [market.history for market in markets]
        days = markets[0].day - self._first
        weight = np.array([market.households for market in markets]) / self._arms.households
        loads = np.array([history.stacked("net_load_kw")[self._first :] for history in histories])
        states = [record.common_state for record in histories[0]][self._first :]
        bills = [
            (market.population.bill_usd - before) / days for market, before in zip(markets, self._bill_usd, strict=True)
        ]
        counts = [market.census.count for market in markets]
        per = days * self._arms.households
        metrics = market_metrics(
            economy,
            MarketDays(
                wholesale_usd_per_kwh=histories[0].stacked("wholesale_usd_per_kwh")[self._first :],
                net_load_kw=np.tensordot(weight, loads, axes=1),
                rest_load_kw=economy.rest_load_kw[states],
            ),
            household_type=np.concatenate([np.repeat(np.arange(len(count)), count) for count in counts]),
            bill_usd_per_day=np.concatenate(bills),
            utility_usd_per_household_day=self._utility_usd / per,
            wear_usd_per_household_day=self._wear_usd / per,
        )
        return menu.aims.in_market(economy, metrics)

    def close(self) -> None:
        """Let go."""
        for meter in self._meters:
            meter.close()


def _readings(arms: MarketArms, days: int, clock: _Clock, lived: _Realised | None = None) -> list[MeterReading]:
    """Live days, and read each arm's meters over all of them."""
    rows = []
    for _ in range(days):
        if lived is not None:
            lived.before()
        arms.step()
        if lived is not None:
            lived.after()
        rows.append(arms.meter())
        clock.tick()
    return [joined(list(own)) for own in zip(*rows, strict=True)]


def _realised_by(arms: MarketArms, tariffs: Sequence[Tariff], menu: Menu, books: _Books, clock: _Clock) -> float | None:
    """What is realised over all days when every round has one tariff for all."""
    lived = _Realised(arms)
    _post_to_all(arms, tariffs, books.plan.days, books, clock, lived)
    found = lived.objective(menu)
    lived.close()
    arms.close()
    return found


def _post_to_all(
    arms: MarketArms, tariffs: Sequence[Tariff], days: int, books: _Books, clock: _Clock, lived: _Realised
) -> None:
    """Live days, a tariff for every round of them, the same for all arms."""
    for number, tariff in enumerate(tariffs):
        length = min(books.plan.round_days, days - number * books.plan.round_days)
        arms.post(books.offers([tariff] * len(arms.markets), length))
        books.close(_readings(arms, length, clock, lived), length)


def _drawn(tariffs: Sequence[Tariff], rounds: int, seed: int) -> list[Tariff]:
    """A tariff for every round, each as likely as any."""
    draws = stream(key_from(seed), Purpose.LEADER)
    return [tariffs[int(uniform(child(draws, number)) * len(tariffs))] for number in range(rounds)]


def _less(high: float | None, low: float | None) -> float | None:
    return None if high is None or low is None else high - low
