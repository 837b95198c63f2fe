"""Does a population that is told nothing reach the equilibrium? Beliefs, prices and tables of learners, day by day.

Four measures against the mean-field equilibrium (S-MFE) of the same tariff, its prices λ*[c, h]:

* *belief error*: √(Σ_c p_c mean_h (believed λ[c, h] − λ*[c, h])²) with which a day begins, over cohorts by their share;
* *realised-price error*: √(mean_h (λ^N[h] − λ*[c, h])²) of the day, c being its common state;
* *price move*: √(mean_h (λ^N[h] − λ^N[h] of the last day in the same common state)²): what chatters;
* *exploitability* of the tables in force: were each followed for ever by its share of every household type, what the
  mean household would gain by the best response to the prices that they bring about.

Finite markets have noise: the same market whose households play the equilibrium, on the same draws, is the floor of
realised-price error and price move. The exploitability of the equilibrium itself, which softmax households never get
below for long, is the limit of exploitability.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.emergence.pairs import (
    Beliefs,
    belief_square,
    beliefs_held,
    mean_by_share,
    paired_markets,
    price_square,
)
from meanwatt.analysis.emergence.path_costs import PATH, LearningRegret, grid_hours, learning_regret
from meanwatt.model.market.behaviour_spec import Given
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.induced_play import Followed, follow
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.messages import Messages, joined

LAST_SHARE: Final = 0.25
"""Share of the days, the last ones, over which a run is summed up."""
NEAR: Final = 1.5
"""Learners have come to the equilibrium's prices where their mean error over the last days is at most this multiple of
the floor; by chance two markets of the same size differ far less."""
SAMPLE: Final = 12
"""Households of a cohort with tables of their own whose tables are certified."""

MEASURES: Final = (
    "belief_error_usd_per_kwh",
    "price_error_usd_per_kwh",
    "price_move_usd_per_kwh",
    "exploitability_usd_per_household_day",
)
"""Names of the measures of a day."""

Ended = Literal["reached", "herding", "not reached"]
"""What became of learners: herding if their beliefs are near the equilibrium's prices, and the prices are not."""


def ended(price_error_usd_per_kwh: float, floor_error_usd_per_kwh: float, belief_error_usd_per_kwh: float) -> Ended:
    """What became of learners, by their mean errors over the last days and by the noise; no belief is nan."""
    if price_error_usd_per_kwh <= NEAR * floor_error_usd_per_kwh:
        return "reached"
    return "herding" if belief_error_usd_per_kwh < price_error_usd_per_kwh / 2 else "not reached"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Emergence:
    """Days of a market of learners, measured against the equilibrium.

    Attributes
    ----------
    behaviour
        How the households decide, in the words of a command.
    target : Equilibrium
        The S-MFE.
    days
        Days simulated.
    belief_error_usd_per_kwh, price_error_usd_per_kwh, price_move_usd_per_kwh : (day,)
        As above; nan where nobody believes anything, or on the first day of a common state. [USD/kWh]
    exploitability_usd_per_household_day : (day,)
        As above; nan on days that were not certified. [USD per household-day]
    floor_error_usd_per_kwh, floor_move_usd_per_kwh : (day,)
        The same of the market that plays the equilibrium. [USD/kWh]
    limit_usd_per_household_day
        Exploitability of the equilibrium. [USD per household-day]
    wholesale_usd_per_kwh : (day, slot)
        Realised price. [USD/kWh]
    believed_usd_per_kwh : (day, slot)
        Belief about the day's common state with which it began, the mean over cohorts; nan without. [USD/kWh]
    common_state : (day,) int
        Common state.
    bus_hours_outside_limits, overload_hours : (day,)
        Hours outside the voltage limits, summed over buses, and hours in which a line or transformer is above its
        rating, see `meanwatt.analysis.emergence.path_costs.grid_hours`; nan without a feeder. [bus·h, h]
    floor_bus_hours_outside_limits, floor_overload_hours : (day,)
        The same of the market that plays the equilibrium.
    regret
        What learning adds to the bills, and whose; None before the first day is over.
    messages
        What is not as asked, a sentence each.
    """

    __repr__ = short_repr

    behaviour: str
    target: Equilibrium
    days: int
    belief_error_usd_per_kwh: Floats
    price_error_usd_per_kwh: Floats
    price_move_usd_per_kwh: Floats
    exploitability_usd_per_household_day: Floats
    floor_error_usd_per_kwh: Floats
    floor_move_usd_per_kwh: Floats
    limit_usd_per_household_day: float
    wholesale_usd_per_kwh: Floats
    believed_usd_per_kwh: Floats
    common_state: Floats
    bus_hours_outside_limits: Floats
    overload_hours: Floats
    floor_bus_hours_outside_limits: Floats
    floor_overload_hours: Floats
    regret: LearningRegret | None
    messages: Messages

    def last(self, name: str) -> float:
        """Mean of a measure over the last days of the run; nan where it has none."""
        values: Floats = getattr(self, name)
        tail = values[-max(1, round(LAST_SHARE * self.days)) :]
        known = tail[np.isfinite(tail)]
        return float(known.mean()) if known.size else np.nan

    @property
    def ended(self) -> Ended:
        """How the last days are, in a word."""
        return ended(
            self.last("price_error_usd_per_kwh"),
            self.last("floor_error_usd_per_kwh"),
            self.last("belief_error_usd_per_kwh"),
        )

    @property
    def prices_reached(self) -> bool:
        """Whether prices over the last days are as near to the equilibrium's as its own noise allows."""
        return self.ended == "reached"

    @property
    def verdict(self) -> str:
        """What emerged, in a sentence."""
        error, floor = self.last("price_error_usd_per_kwh"), self.last("floor_error_usd_per_kwh")
        belief = self.last("belief_error_usd_per_kwh")
        times = f"{error / floor:.1f} times the noise" if floor > 0 else "where there is no noise"
        prices = f"prices end {error:.5f} USD/kWh from the equilibrium's, {times}"
        if self.ended == "reached":
            return f"{self.behaviour}: reached; {prices}."
        if self.ended == "herding":
            return (
                f"{self.behaviour}: herding; beliefs end only {belief:.5f} USD/kWh from the equilibrium's prices, but"
                f" {prices}."
            )
        return f"{self.behaviour}: not reached; {prices}."


def emergence(
    target: Equilibrium,
    behaviour: Given,
    *,
    households: int,
    days: int,
    seed: int = 0,
    every: int = 7,
    threads: int = 1,
    watch: Watch | None = None,
) -> Emergence:
    """Let a population learn, and measure it against the equilibrium it was not told.

    Parameters
    ----------
    target
        Converged; its tariff is posted, its adder and fixed charges are held.
    behaviour
        As for ``ProsumerMarket``.
    households, days, seed, threads
        Size and key of the market.
    every
        Days from one certified day to the next; the last day is certified too.
    watch
        Told after each day, and asked before it whether to stop, which ends the run early.

    Raises
    ------
    ValueError
        In one line, if the target has not converged, or households decide one by one.
    """
    watch = watch or Watch()
    if not target.converged:
        raise ValueError(f"tariff {target.tariff.name} has no equilibrium to compare with: {target.message}")
    lam, probability = target.wholesale_usd_per_kwh, target.economy.common.probability
    rows: dict[str, list[Any]] = {name: [] for name in (*MEASURES, *PATH, "floor_error", "floor_move", "believed")}
    start: Followed | None = None
    with paired_markets(target, behaviour, households=households, key=seed, threads=threads, power_flow=True) as both:
        market, floor = both
        if any(cohort.strategy is not None for cohort in market.cohorts):
            raise ValueError("households that decide one by one have no policy table to certify; leave strategies out")
        for day in range(days):
            if watch.stopped:
                break
            beliefs = beliefs_held(market)
            rows["belief_error_usd_per_kwh"].append(belief_error_usd_per_kwh(beliefs, lam, probability))
            certified = np.nan
            if day % every == 0 or day == days - 1:
                start = certify(market, target, start)
                certified = start.exploitability_usd_per_household_day
            rows["exploitability_usd_per_household_day"].append(certified)
            market.step()
            floor.step()
            held = [(share, belief[market.common_state]) for share, belief in beliefs]
            rows["believed"].append(mean_by_share(held) if held else np.full(lam.shape[1], np.nan))
            for records, names in (
                (market.history.records, MEASURES[1:3]),
                (floor.history.records, ("floor_error", "floor_move")),
            ):
                rows[names[0]].append(np.sqrt(price_square(records[-1], lam)))
                rows[names[1]].append(price_move_usd_per_kwh(records))
            hours = [grid_hours(one.history.records[-1], target.economy.slot_hours) for one in both]
            for name, value in zip(PATH, (*hours[0], *hours[1]), strict=True):
                rows[name].append(value)
            watch.report(f"day {day + 1} of {days}", (day + 1) / days)
        history = market.history
        done = len(history)
        return Emergence(
            behaviour=market.behaviour.name,
            target=target,
            days=done,
            floor_error_usd_per_kwh=np.array(rows["floor_error"]),
            floor_move_usd_per_kwh=np.array(rows["floor_move"]),
            limit_usd_per_household_day=target.exploitability_usd_per_household_day,
            wholesale_usd_per_kwh=history.stacked("wholesale_usd_per_kwh").reshape(done, -1),
            believed_usd_per_kwh=np.array(rows["believed"]).reshape(done, -1),
            common_state=history.stacked("common_state"),
            regret=learning_regret(market, floor) if done else None,
            messages=joined(market.messages, _sampled(market)),
            **{name: np.array(rows[name]) for name in (*MEASURES, *PATH)},
        )


def belief_error_usd_per_kwh(beliefs: Beliefs, wholesale_usd_per_kwh: Floats, probability: Floats) -> float:
    """Root of `meanwatt.analysis.emergence.pairs.belief_square`. [USD/kWh]"""
    return float(np.sqrt(belief_square(beliefs, wholesale_usd_per_kwh, probability)))


def price_move_usd_per_kwh(records: Sequence[DayRecord]) -> float:
    """RMS over slots of the last day's price less that of the day before it in the same common state; nan at first."""
    today = records[-1]
    for before in reversed(records[:-1]):
        if before.common_state == today.common_state:
            return float(np.sqrt(np.mean((today.wholesale_usd_per_kwh - before.wholesale_usd_per_kwh) ** 2)))
    return np.nan


def certify(market: ProsumerMarket, target: Equilibrium, start: Followed | None = None) -> Followed:
    """Exploitability of the tables in force in a market, at the prices that they bring about.

    Parameters
    ----------
    target
        Holds tariff and adder; laws start from its own.
    start
        What this function returned on a day before.
    """
    tables, share = tables_in_force(market)
    return follow(
        target.economy,
        target.tariff,
        target.adder_usd_per_kwh,
        tables,
        share,
        start=start,
        laws=[law[:, 0] for law in target.laws],
    )


def tables_in_force(market: ProsumerMarket) -> tuple[list[Sequence[PolicyTable]], Floats]:
    """Policies of each type by cohort, and the cohorts' shares.

    Of a cohort whose households have tables of their own, ``SAMPLE`` households of every type, evenly spread, stand for
    the others.
    """
    tables: list[Sequence[PolicyTable]] = []
    shares: list[float] = []
    for number, cohort in enumerate(market.cohorts):
        own = getattr(cohort.behaviour, "policy_of", None)
        if own is None:
            tables.append(cohort.behaviour.policies)
            shares.append(cohort.share)
            continue
        for k in range(SAMPLE):
            tables.append(
                [
                    _table(market, cohort.behaviour.policies, type_index, number, k, own)
                    for type_index in _type_indices(market)
                ]
            )
            shares.append(cohort.share / SAMPLE)
    return tables, np.array(shares)


def _sampled(market: ProsumerMarket) -> Messages:
    """Say which behaviours are certified by a sample."""
    owners = [cohort.name for cohort in market.cohorts if getattr(cohort.behaviour, "policy_of", None)]
    certified = f"the exploitability is that of up to {SAMPLE} households of every type, who stand for the others."
    return tuple(f"{name}: {certified}" for name in dict.fromkeys(owners))


def _table(
    market: ProsumerMarket,
    plans: Sequence[PolicyTable],
    type_index: int,
    cohort: int,
    place: int,
    own: Callable[[int], PolicyTable],
) -> PolicyTable:
    """Table of a type's household at one of ``SAMPLE`` places, or its plan where nobody has a table."""
    ids = range(market.households)[market.population.of_class(type_index, cohort)]
    if not len(ids) or market.household_types[type_index].battery is None:
        return plans[type_index]
    return own(ids[place * len(ids) // SAMPLE])


def _type_indices(market: ProsumerMarket) -> range:
    return range(len(market.household_types))
