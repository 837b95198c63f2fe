"""One market on many feeders, some of which live in this process.

Every feeder is a copy of the scenario's, with its own part of the households: a range of consecutive ranks of every
type. Draws, buses and starting charges depend on type and rank alone, so the market does not change when it is divided:
meters, prices and bills are those of the whole market in one process. What changes is the power flow, of which there is
one for every feeder.

A day has two halves. In the first, households move; the feeders' net energies, whole numbers for each slot, are added
up over all processes. In the second, everybody settles at the mean net load of the whole market. Nothing else passes
between the feeders.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from meanwatt.agents.behaviour.rules import RULES
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Key, key_from, seed_of
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.apportionment import rank_ranges
from meanwatt.model.market.behaviour_spec import BehaviourSpec, read_behaviour
from meanwatt.model.market.day_kernel import mean_load_kw
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.setup import find_economy, whole_number
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import HOUSEHOLDS

TOGETHER: Final = ("equilibrium", "belief", *RULES)
"""Behaviours whose households see the same prices and learn the same from them."""


class Feeders:
    """Some feeders of a market, from ``first`` to ``last − 1``.

    Parameters
    ----------
    scenario, policies, behaviour, rng, threads, tariff, power_flow
        As for ``ProsumerMarket``; a behaviour by name, one for all.
    households
        How many the whole market has.
    feeders
        How many feeders the whole market has.
    first, last
        Which of them are here.

    Raises
    ------
    ValueError
        In one line, if the arguments make no market, or some feeder would have no household.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario | Economy,
        *,
        households: int,
        feeders: int,
        first: int,
        last: int,
        policies: Equilibrium | None = None,
        behaviour: str = "equilibrium",
        rng: Key = None,
        threads: int = 1,
        tariff: str | Path | Tariff | None = None,
        power_flow: bool = True,
    ) -> None:
        require_feeders(feeders, households)
        self.numbers = range(first, last)
        self.markets: list[ProsumerMarket] = []
        ways = read_behaviour(behaviour)
        for way in ways:
            if way.kind not in TOGETHER:
                raise ValueError(
                    f"behaviour {way.name} decides household by household, which several feeders cannot have together;"
                    f" give one of {', '.join(TOGETHER)}"
                )
        economy, posted = find_economy(scenario, tariff, policies)
        key = seed_of(key_from(rng))  # one for all feeders
        for number in self.numbers:
            if not rank_ranges(economy.type_share, households, number, feeders)[1].any():
                raise ValueError(f"feeder {number} of {feeders} has no household; give fewer feeders")
            whole = self.markets[0] if self.markets else None
            market = ProsumerMarket(
                economy,
                households=households,
                policies=whole.equilibrium if whole else policies,
                behaviour=_same_cohorts(whole) if whole else ways,
                rng=key,
                threads=threads,
                tariff=posted,
                power_flow=power_flow,
                part=(number, feeders),
            )
            if whole:
                market.follow(whole)
            self.markets.append(market)

    @property
    def households(self) -> int:
        """Simulated households that are here."""
        return sum(market.households for market in self.markets)

    @property
    def nbytes(self) -> int:
        """Memory of their columns. [bytes]"""
        return sum(market.population.nbytes for market in self.markets)

    def live(self) -> Ints:
        """First half of a day: net energy of each feeder, (feeder, slot), in quanta."""
        return np.array([market.live() for market in self.markets])

    def settle(self, net_load_kw: Floats) -> None:
        """Second half of a day, at the mean net load (slot,) of the whole market. [kW]"""
        for market in reversed(self.markets):  # the first one learns, and changes the policies, last
            market.settle(net_load_kw)

    def days(self) -> pd.DataFrame:
        """Table by (feeder, day): the figures of ``History.days`` and the digest of the feeder's meters."""
        tables = []
        for number, market in zip(self.numbers, self.markets, strict=True):
            table = market.history.days
            table.insert(0, "feeder", number)
            table.insert(1, "households", market.households)
            tables.append(table.assign(day_digest=market.day_digest))
        return pd.concat(tables, ignore_index=True)

    def slots(self) -> dict[str, Any]:
        """Whole-market tables that every process knows: day types and prices (day, slot)."""
        history = self.markets[0].history
        return {
            "day_type": [record.day_type for record in history],
            "wholesale_usd_per_kwh": history.stacked("wholesale_usd_per_kwh"),
        }

    def close(self) -> None:
        """Stop for good."""
        for market in self.markets:
            market.close()


def _same_cohorts(market: ProsumerMarket) -> tuple[BehaviourSpec, ...]:
    """What another market of the same cohorts is made with."""
    return tuple(BehaviourSpec(kind="own", name=c.name, share=c.share, behaviour=c.behaviour) for c in market.cohorts)


def require_feeders(feeders: int, households: int) -> None:
    """Raise ``ValueError`` unless so many households can live on so many feeders."""
    if whole_number("feeders", feeders, HOUSEHOLDS, 100) > whole_number("households", households, HOUSEHOLDS, 1000):
        raise ValueError(f"feeders is {feeders} for {households} households; give at most one for each household")


def market_load_kw(quanta: Sequence[Ints], households: int, slot_hours: float) -> Floats:
    """Mean net load of the whole market, (slot,), from all feeders' net energies, each (feeder, slot). [kW]

    Whole numbers are added without end, so the sum does not depend on who added up what first.
    """
    total = np.concatenate(quanta).astype(object).sum(axis=0)
    return mean_load_kw(total, households, slot_hours)
