"""A randomised pilot's market: its households are divided into arms, each under a tariff of its own, at one price.

The arms are parts of one market, ranges of consecutive ranks of every household type: what a household draws does not
depend on its rank, so arms differ by chance and by their tariffs alone. Every day all arms live, their loads are added
up, and all settle at the price that the whole market's load makes.
"""

import copy
from collections.abc import Sequence
from typing import Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.randomness import Key, key_from, seed_of
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.apportionment import rank_ranges
from meanwatt.model.market.behaviour_spec import Given, read_behaviour
from meanwatt.model.market.day_kernel import mean_load_kw
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

FEWEST_ARMS: Final = 2


class _Posted:
    """The leader of an arm: posts what it is told."""

    def __init__(self, posted: Tariff | Offer) -> None:
        self.posted = posted

    def post(self, day: int, common_state: int) -> Tariff | Offer:
        """What is posted to the arm."""
        return self.posted

    def learn(self, reading: MeterReading) -> None:
        """Whoever runs the pilot reads the meters."""


class MarketArms:
    """Arms of one market; each begins under the tariff in force.

    Parameters
    ----------
    in_force
        Equilibrium at the tariff in force.
    arms
        How many, at least two.
    households
        Of the whole market; an arm has about its share of every household type.
    behaviour
        How households decide, by name.
    rng
        Key of all draws, as of ``ProsumerMarket``.
    apart
        Whether every arm is a market of its own instead, with all the households and a price of its own.

    Attributes
    ----------
    markets : tuple of ProsumerMarket
        The arms.

    Raises
    ------
    ValueError
        In one line, if there are too few arms, or too few households for them.
    """

    def __init__(
        self,
        in_force: Equilibrium,
        *,
        arms: int,
        households: int,
        behaviour: Given,
        rng: Key,
        apart: bool = False,
    ) -> None:
        if arms < FEWEST_ARMS:
            raise ValueError(f"a pilot compares tariffs, and {arms} arm came; give a menu of at least {FEWEST_ARMS}")
        economy, key = in_force.economy, seed_of(key_from(rng))
        if not apart:
            _require_groups(economy, households, arms)
        self._leaders = [_Posted(in_force.tariff) for _ in range(arms)]
        self.markets = tuple(
            ProsumerMarket(
                economy,
                households=households,
                policies=in_force,
                behaviour=read_behaviour(behaviour),
                rng=key,
                power_flow=False,
                part=(0, 1) if apart else (arm, arms),
                leader=leader,
            )
            for arm, leader in enumerate(self._leaders)
        )
        self._apart = apart
        self._in_force = in_force
        self._known: tuple[Equilibrium, ...] = ()
        self._slot_hours = economy.slot_hours

    @property
    def households(self) -> int:
        """How many live in all arms."""
        return sum(market.households for market in self.markets)

    def add(self, equilibria: Sequence[Equilibrium]) -> None:
        """Let all arms know the terms of tariffs that somebody has solved already."""
        self._known = (*self._known, *equilibria)
        for market in self.markets:
            assert market.terms is not None
            for found in equilibria:
                market.terms.add(found)

    def copied(self) -> "MarketArms":
        """Arms that will live on from here, apart from these; what never changes is shared."""
        shared = [self._in_force, self._in_force.economy, *self._known, *(found.tariff for found in self._known)]
        return copy.deepcopy(self, {id(one): one for one in shared})

    def post(self, posted: Sequence[Tariff | Offer]) -> None:
        """From the next day on, each arm has its own of these; a tariff alone has the level of its equilibrium."""
        for leader, own in zip(self._leaders, posted, strict=True):
            leader.posted = own

    def step(self) -> None:
        """One day of all arms."""
        energies = [market.live() for market in self.markets]
        together = mean_load_kw(np.sum(energies, axis=0), self.households, self._slot_hours)
        for market, energy in zip(self.markets, energies, strict=True):
            market.settle(mean_load_kw(energy, market.households, self._slot_hours) if self._apart else together)

    def meter(self) -> tuple[MeterReading, ...]:
        """What the meters of each arm read on the last day."""
        return tuple(market.meter() for market in self.markets)

    def close(self) -> None:
        """Stop for good."""
        for market in self.markets:
            market.close()


def _require_groups(economy: Economy, households: int, arms: int) -> None:
    """Raise ``ValueError`` where an arm would lack an income group that the market has."""
    group = np.array([household.group for household in economy.types])
    for arm in range(arms):
        count = np.bincount(group, weights=rank_ranges(economy.type_share, households, arm, arms)[1])
        missing = np.flatnonzero((count == 0) & (economy.group_share[: len(count)] > 0))
        if missing.size:
            raise ValueError(
                f"{counted(households, 'household')} for {arms} arms is too few: arm {arm + 1} has none of income"
                f" group {economy.groups[missing[0]]}; give more households or a shorter menu"
            )
