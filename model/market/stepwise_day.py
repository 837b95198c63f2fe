"""A day of the market in which some households are moved from outside, slot by slot."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.rates import Rates, payment_usd
from meanwatt.model.market.day_kernel import run_day
from meanwatt.model.market.day_settlement import own_rates
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.strategy_replay import Walk, checked, require_no_largest_import


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotSettled:
    """What a slot came to for the households moved from outside. Arrays are (player,) unless said.

    Attributes
    ----------
    moves : (player,) int
        Level changes.
    energy_kwh, curtailed_kwh
        Meter readings, and solar output that inverters held back. [kWh]
    payment_usd
        Paid for the slot at the realised rates, standing charges excluded. [USD]
    utility_usd, wear_usd
        Utility of use, and wear of the battery. [USD]
    wholesale_usd_per_kwh
        The realised price, a number. [USD/kWh]
    """

    moves: Ints
    energy_kwh: Floats
    curtailed_kwh: Floats
    payment_usd: Floats
    utility_usd: Floats
    wear_usd: Floats
    wholesale_usd_per_kwh: float

    @property
    def reward_usd(self) -> Floats:
        """Slot reward Δ·U(q) − wear − payment, at the realised price. [USD]"""
        return self.utility_usd - self.wear_usd - self.payment_usd


class DayBySlot:
    """The market's next day, with some households as players.

    The others' day does not depend on the players: nobody sees a load before the day is over. So it is computed first,
    on a copy; then the players take slot after slot, and each slot's load, price and rates follow at once. With the
    last slot the market itself lives the day, the players' moves being their strategies, and keeps the record.

    Parameters
    ----------
    market
        Its last day is over; after the last slot here, this day is, too.
    players
        Ids of the households moved from outside.

    Attributes
    ----------
    common_state, slot : int
        Today's weather, and the slot to be played.
    situations : list of Situation
        What every player knows in this slot; empty after the last one.
    wholesale_usd_per_kwh : (slot,)
        The price: of slots played, as realised; of others, yesterday's. [USD/kWh]

    Raises
    ------
    ValueError
        If other households of the market decide for themselves (they would be asked twice), or learn by Q-learning.
    """

    def __init__(self, market: ProsumerMarket, players: Sequence[int], yesterday_usd_per_kwh: Floats) -> None:
        others = sorted(set(market.strategies) - set(players))
        if others:
            raise ValueError(f"household {others[0]} has a strategy of its own; take it away, or let it be a player")
        if market.learners:
            raise ValueError(
                f"households of {market.learners[0].name} choose by tables of their own, which a day by slots cannot"
                " run beforehand; give the market another behaviour"
            )
        self.market, self.players = market, tuple(players)
        self.slot, self.common_state = 0, market.coming_state
        self.wholesale_usd_per_kwh: Floats = np.array(yesterday_usd_per_kwh, dtype=float)
        people, policies = market.population, market.behaviour.policies
        tables = market.tables_of(self.common_state)
        self._classes = [people.class_of(household) for household in players]
        self._types = [market.household_types[people.type_of(household)] for household in players]
        expected = [
            (own.import_usd_per_kwh[0], own.export_usd_per_kwh[0]) for own in market.rates_expected(self.common_state)
        ]
        for household, class_index in zip(self.players, self._classes, strict=True):
            require_no_largest_import(policies[class_index], household)
        self._walks = [
            Walk(
                people,
                household,
                policies[class_index],
                tables,
                market.day,
                self.common_state,
                expected=expected[people.type_of(household)],
            )
            for household, class_index in zip(self.players, self._classes, strict=True)
        ]
        self.situations = [walk.situation for walk in self._walks]
        self._moves: Ints = np.zeros((len(self.players), tables.slots), dtype=np.int64)
        twin = copy.copy(people)  # the day overwrites these three columns alone
        twin.level, twin.shock, twin.energy_kwh = people.level.copy(), people.shock.copy(), people.energy_kwh.copy()
        everybody = run_day(twin, tables, market.day).energy_kwh.sum(axis=(0, 1))
        self._others_kwh: Floats = everybody - twin.energy_kwh[list(self.players)].sum(axis=0, dtype=np.float64)

    @property
    def over(self) -> bool:
        """Whether all slots are played, and the market has recorded the day."""
        return not self.situations

    def rates(self) -> list[Rates]:
        """Import and export rate (1, slot) of each player at ``wholesale_usd_per_kwh``, discounts applied."""
        economy, tariff = self.market.economy, self.market.utility.tariff
        posted = self.market.utility.rates(int(economy.common.today[self.common_state]), self.wholesale_usd_per_kwh)
        return own_rates(posted, tariff, self._types)

    def play(self, moves: Sequence[int]) -> SlotSettled:
        """Let every player make its move; settle the slot.

        Parameters
        ----------
        moves : (player,)
            Level changes, of those that the player's situation has open.

        Raises
        ------
        ValueError
            If a move is not open, or the day is over; then nothing has changed.
        """
        if self.over:
            raise ValueError("the day is over; begin the next one")
        market, economy, slot, hours = self.market, self.market.economy, self.slot, self.market.slot_hours
        chosen = [
            checked(move, situation, household)
            for move, situation, household in zip(moves, self.situations, self.players, strict=True)
        ]
        utility, wear, curtailed = self._worth(chosen)
        self._moves[:, slot] = chosen
        energy = np.array([walk.take(move) for walk, move in zip(self._walks, chosen, strict=True)], dtype=np.float64)
        load_kw = (self._others_kwh[slot] + energy.sum()) / (market.households * hours)
        price = np.asarray(economy.supply.price(np.array([load_kw + economy.rest_load_kw[self.common_state, slot]])))
        self.wholesale_usd_per_kwh[slot] = price[0]
        rates = self.rates()
        bought = np.array([own.import_usd_per_kwh[0, slot] for own in rates])
        sold = np.array([own.export_usd_per_kwh[0, slot] for own in rates])
        self.slot += 1
        if self.slot < self._moves.shape[1]:
            self.situations = [walk.situation for walk in self._walks]
        else:
            self.situations = []
            self._live()
        return SlotSettled(
            moves=self._moves[:, slot],
            energy_kwh=energy,
            curtailed_kwh=curtailed,
            payment_usd=payment_usd(energy / hours, bought, sold, hours),
            utility_usd=utility,
            wear_usd=wear,
            wholesale_usd_per_kwh=float(price[0]),
        )

    def _worth(self, moves: Sequence[int]) -> tuple[Floats, Floats, Floats]:
        """Utility of use, wear and curtailed sun of every player's move in this slot, (player,) each."""
        economy, c, slot = self.market.economy, self.common_state, self.slot
        utility, wear, curtailed = np.zeros((3, len(moves)))
        for k, (household, situation, move) in enumerate(zip(self._types, self.situations, moves, strict=True)):
            walk = self._walks[k]
            place = slot, situation.shock, walk.column_of(move)
            curtailed[k] = self.market.slot_hours * walk.columns.curtailed_kw[place]
            utility[k] = self.market.slot_hours * utility_usd_per_hour(
                walk.columns.use_kw[place],
                household.reference_kw[c, slot] * economy.shock_levels[situation.shock],
                elasticity=household.elasticity,
                reference_price=household.reference_price_usd_per_kwh,
            )
            day = household.storage_day(self.market.slot_hours)
            wear[k] = day.cost_by_slot_usd()[slot, move - int(day.moves[0])]
        return utility, wear, curtailed

    def _live(self) -> None:
        """Let the market live the day that was played."""
        market = self.market
        before = dict(market.strategies)
        market.strategies.update(zip(self.players, map(_Played, self._moves), strict=True))
        try:
            market.step()
        finally:
            market.strategies.clear()
            market.strategies.update(before)


class _Played:
    """A household that repeats the moves of a day."""

    def __init__(self, moves: Ints) -> None:
        self._moves = moves

    def move(self, situation: Situation) -> int:
        """The move of the slot."""
        return int(self._moves[situation.slot])
