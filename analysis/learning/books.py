"""The books of a leader who balances them itself: what a round's level is set from, and what became of it.

The *level* of a round is what the tariff's recovery rule leaves open: the level of its fixed charges under ``fixed``,
the adder under ``volumetric``. A leader who only meters sets it before the round:

  forecast, at the loads and wholesale prices last metered on each kind of day, under the same tariff if it was ever
  posted on such a day: cost less the energy revenue of the new rates; + **true-up**: the balance of all rounds before,
  given back or collected over `TRUE_UP_DAYS` days, or over the round where that is longer.

After the round revenue less cost is booked. Fixed charges move nobody, so the level that would have balanced the round
is known then, too, and the tariff is scored at it; an adder moves households, so a tariff with one is scored as it was
posted. Under ``posted`` there is nothing to set, and such days are not booked.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.components.standing_charge import StandingCharge
from meanwatt.agents.tariff.tariff import Recovery, Tariff, rates
from meanwatt.analysis.leader.metered_change import MeteredChange, averaging
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.nearest import unknown

TRUE_UP_DAYS: Final = 30
"""Days over which a balance is given back or collected."""
TARIFFS_KEPT: Final = 256
"""Tariffs whose own loads are remembered, those posted last: as many as a menu can have."""


class BooksKind(StrEnum):
    """Who balances the books of a leader who learns."""

    ACCOUNT = "account"
    """The leader, by its meters: forecast and true-up."""
    MODEL = "model"
    """The solved model: every tariff has the adder or fixed charges of its equilibrium, which no meter shows."""


def books_kind(name: str) -> BooksKind:
    """The kind of a name; ``ValueError`` in one line if there is none."""
    if name not in set(BooksKind):
        raise ValueError(unknown("books", name, [kind.value for kind in BooksKind]))
    return BooksKind(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where the books stand. Money is per household of the population.

    Attributes
    ----------
    usd
        Revenue less cost of all days booked. [USD per household]
    largest_usd
        Largest |balance| after a round. [USD per household]
    days
        Days booked.
    """

    usd: float = 0.0
    largest_usd: float = 0.0
    days: int = 0

    def after(self, margin_usd_per_day: float, days: int) -> "Balance":
        """The balance after a round of days with a mean margin."""
        usd = self.usd + days * margin_usd_per_day
        return Balance(usd=usd, largest_usd=max(self.largest_usd, abs(usd)), days=self.days + days)

    @property
    def shortfall_usd_per_household_day(self) -> float | None:
        """What all days booked lack to cover their cost, a day; negative is a surplus; None where none was booked."""
        return -self.usd / self.days if self.days else None

    def to_json(self, kind: BooksKind) -> dict[str, Any]:
        """The object ``books``; numbers are null where nothing was booked."""
        return {
            "kind": str(kind),
            "shortfall_usd_per_household_day": self.shortfall_usd_per_household_day,
            "largest_balance_usd_per_household": self.largest_usd if self.days else None,
        }


class _Loads:
    """The mean loads and prices metered last on each kind of day.

    Attributes
    ----------
    metered : (c,) bool
        Kinds of day that were seen.
    imported_kw, exported_kw : (c, account, slot)
        Registers. [kW per household of the population]
    wholesale_usd_per_kwh : (c, slot)
        Wholesale price. [USD/kWh]
    """

    def __init__(self, states: int, accounts: int, slots: int) -> None:
        self.metered = np.zeros(states, dtype=bool)
        self.imported_kw, self.exported_kw = np.zeros((2, states, accounts, slots))
        self.wholesale_usd_per_kwh = np.zeros((states, slots))

    def take(self, reading: MeterReading) -> None:
        """Take in the kinds of day of a reading, in place of those metered before."""
        average = averaging(reading, len(self.metered))
        seen = average.any(axis=1)
        self.imported_kw[seen] = np.tensordot(average[seen], reading.imported_kw, axes=1)
        self.exported_kw[seen] = np.tensordot(average[seen], reading.exported_kw, axes=1)
        self.wholesale_usd_per_kwh[seen] = average[seen] @ reading.wholesale_usd_per_kwh
        self.metered |= seen

    def entry(self, states: Ints) -> dict[str, Any]:
        """Some kinds of day in plain numbers."""
        return {"common_state": states.tolist(), **{name: getattr(self, name)[states].tolist() for name in _METERED}}

    def restore(self, entry: dict[str, Any]) -> None:
        """Take in what `entry` made."""
        states = np.array(entry["common_state"], dtype=np.int64)
        for name in _METERED:
            getattr(self, name)[states] = entry[name]
        self.metered[states] = True

    def over(self, other: "_Loads") -> "_Loads":
        """These where they were metered, and others elsewhere."""
        made = deepcopy(other)
        for name in _METERED:
            getattr(made, name)[self.metered] = getattr(self, name)[self.metered]
        made.metered |= self.metered
        return made


_METERED: Final = ("imported_kw", "exported_kw", "wholesale_usd_per_kwh")


class MeteredBooks:
    """The books of a leader who knows its meters, its own tariffs and costs, and the calendar.

    Parameters
    ----------
    economy
        Read for what is public alone: the climate, and the day type of each common state; see also `MeteredChange`.
    in_force
        The reading of the tariff in force: the first forecast is made at its loads.

    Attributes
    ----------
    balance : Balance
        Where the books stand after the last round.
    """

    def __init__(self, economy: Economy, in_force: MeterReading) -> None:
        self._economy, self._in_force = economy, in_force
        self._today, self._climate = economy.common.today, economy.common.probability
        self.balance = Balance()
        self._loads = self._no_loads()
        self._own: dict[Tariff, _Loads] = {}
        self._last = in_force
        self._others: list[tuple[tuple[StandingCharge, ...], Floats]] = []
        self._remember(in_force)

    @property
    def balance_usd(self) -> float:
        """Revenue less cost of all days booked. [USD per household]"""
        return self.balance.usd

    def offer(self, tariff: Tariff, days: int) -> Offer:
        """Set the level of a round of days under a tariff, before anything of it is metered."""
        wanted = -self.balance.usd / max(days, TRUE_UP_DAYS)
        adder, charge = 0.0, tariff.payer_charge_usd_per_day
        if tariff.recovery is Recovery.VOLUMETRIC:
            adder = self._adder_usd_per_kwh(tariff, wanted)
        elif tariff.recovery is Recovery.FIXED:
            surplus = self._energy_margin_usd_per_day(self._loads_of(tariff), tariff, 0.0) + float(
                self._others_of(tariff).sum()
            )
            share = self._last.payer_share(tariff)
            if tariff.classes:  # some may keep posted charges
                held = tariff.held_charge_usd_per_day
                charge = held + charges_of(tariff, share, wanted - surplus - float(share @ held))
            else:
                charge = charges_of(tariff, share, wanted - surplus)
        return Offer(tariff=tariff, adder_usd_per_kwh=adder, fixed_charge_usd_per_day=charge, policies=None)

    def close(self, reading: MeterReading, days: int) -> MeterReading:
        """Book a round of days that was metered, and say what its meters show at the level that balances it.

        Returns
        -------
        MeterReading
            Under ``fixed`` the same registers billed at the level that would have balanced the round, weather set
            aside; otherwise the reading itself.
        """
        self._remember(reading)
        if reading.tariff.recovery is not Recovery.POSTED:
            self.balance = self.balance.after(float(reading.weight @ reading.margin_usd_per_day), days)
        return balanced(self._economy, self._in_force, reading)

    def entry(self, offer: Offer, reading: MeterReading | None) -> dict[str, Any]:
        """What goes on record of a round, in plain numbers: enough for `restore`."""
        found: dict[str, Any] = {
            "adder_usd_per_kwh": offer.adder_usd_per_kwh,
            "fixed_charge_usd_per_day": offer.fixed_charge_usd_per_day.tolist(),
            "balance_usd": self.balance.usd,
            "largest_usd": self.balance.largest_usd,
            "days": self.balance.days,
            "metered": None,
        }
        if reading is not None:
            found["metered"] = {
                **self._loads.entry(np.unique(reading.common_state)),
                "group_share": reading.account_share.tolist(),
                "other_standing_usd": reading.other_standing_usd_per_household_day.tolist(),
            }
        return found

    def restore(self, entry: dict[str, Any], tariff: Tariff) -> None:
        """Take up the books after a round that is on record, to the last bit."""
        self.balance = balance_of(entry)
        seen = entry["metered"]
        if seen is None:
            return
        for loads in (self._loads, self._own_loads(tariff)):
            loads.restore(seen)
        self._last = replace(
            self._last,
            account_share=np.array(seen["group_share"]),
            other_standing_usd_per_household_day=np.array(seen["other_standing_usd"]),
        )
        self._note_others(tariff, self._last)

    def _remember(self, reading: MeterReading) -> None:
        """Keep the mean loads and prices of each kind of day in a reading."""
        for loads in (self._loads, self._own_loads(reading.tariff)):
            loads.take(reading)
        self._last = reading
        self._note_others(reading.tariff, reading)

    def _no_loads(self) -> _Loads:
        """Loads of no day."""
        _, accounts, slots = self._in_force.imported_kw.shape
        return _Loads(len(self._climate), accounts, slots)

    def _own_loads(self, tariff: Tariff) -> _Loads:
        """What was metered under a tariff, which is kept as the last one posted."""
        own = self._own[tariff] = self._own.pop(tariff) if tariff in self._own else self._no_loads()
        while len(self._own) > TARIFFS_KEPT:
            del self._own[next(iter(self._own))]
        return own

    def _loads_of(self, tariff: Tariff) -> _Loads:
        """The loads that a tariff's level is forecast at."""
        own = self._own.get(tariff)
        return self._loads if own is None else own.over(self._loads)

    def _note_others(self, tariff: Tariff, reading: MeterReading) -> None:
        """Keep what charges beside the fixed one brought in."""
        kept = [(charges, paid) for charges, paid in self._others if charges != tariff.standing_charges]
        self._others = [*kept, (tariff.standing_charges, reading.other_standing_usd_per_household_day)]

    def _others_of(self, tariff: Tariff) -> Floats:
        """What a tariff's charges beside the fixed one brought in when last metered; else those last metered.

        By household type it is known beforehand.
        """
        known = self._last.other_charges(tariff)
        if known is not None:
            return known
        for charges, paid in self._others:
            if charges == tariff.standing_charges:
                return paid
        return self._others[-1][1]

    def _energy_margin_usd_per_day(self, loads: _Loads, tariff: Tariff, adder_usd_per_kwh: float) -> float:
        """Energy revenue of a tariff less all cost, at given loads and prices. [USD per household-day]"""
        chance = np.where(loads.metered, self._climate, 0.0)
        chance = chance / chance.sum()
        posted = rates(tariff, self._today, loads.wholesale_usd_per_kwh, adder_usd_per_kwh)
        revenue = np.zeros(len(chance))
        for account, own in enumerate(self._last.own_rates(tariff, posted)):
            paid = own.import_usd_per_kwh * loads.imported_kw[:, account]
            earned = own.export_usd_per_kwh * loads.exported_kw[:, account]
            revenue += (paid - earned).sum(axis=1)
        load_kw = (loads.imported_kw - loads.exported_kw).sum(axis=1)
        cost = (loads.wholesale_usd_per_kwh * load_kw).sum(axis=1)
        return float(self._last.slot_hours * (chance @ (revenue - cost)) - self._last.network_cost_usd_per_day)

    def _adder_usd_per_kwh(self, tariff: Tariff, wanted_usd_per_day: float) -> float:
        """The adder in [0, cap] that makes a margin at the loads of the forecast; the cap where none is large enough.

        Revenue at given loads is piecewise linear and convex in the adder (a cap at the import rate lets exports earn
        it, too, until it stops binding), so there is one root at most, and bisection finds it.
        """
        loads = self._loads_of(tariff)
        charge = self._last.charges(tariff, tariff.payer_charge_usd_per_day)
        standing = float(self._last.account_share @ charge + self._others_of(tariff).sum())

        def short(adder: float) -> bool:
            return self._energy_margin_usd_per_day(loads, tariff, adder) + standing < wanted_usd_per_day

        low, high = 0.0, tariff.adder_cap_usd_per_kwh
        if not short(low):
            return low
        if short(high):
            return high
        while low < (middle := 0.5 * (low + high)) < high:
            low, high = (middle, high) if short(middle) else (low, middle)
        return high


def balance_of(entry: dict[str, Any]) -> Balance:
    """Where the books stood after a round that is on record."""
    return Balance(usd=entry["balance_usd"], largest_usd=entry["largest_usd"], days=entry["days"])


def charges_of(tariff: Tariff, payer_share: Floats, level_usd_per_day: float) -> Floats:
    """Fixed charges of a shape whose population mean is a level; ``ValueError`` if nobody bears them. (payer,)

    Rate classes that keep posted charges have 0 of it.
    """
    shape = tariff.payer_shape
    mean_shape = float(payer_share @ shape)
    if not mean_shape > 0:
        raise ValueError(
            f"tariff {tariff.name}: fixed_charge_shape is {shape.tolist()}, positive only for"
            " groups without households; give a positive number to another"
        )
    return np.asarray(level_usd_per_day / mean_shape * shape)


def balanced(economy: Economy, in_force: MeterReading, reading: MeterReading) -> MeterReading:
    """A reading under ``fixed`` recovery at the level that balances it, weather set aside; another one as it is.

    The margin that the level closes is that of `MeteredChange`: its long mean under the tariff in force and the change
    on the same kinds of day, as everything else is metered that the tariff is scored by. Without a kind of day that
    both have seen there is none, and the reading stays.
    """
    if reading.tariff.recovery is not Recovery.FIXED:
        return reading
    if not np.isin(reading.common_state, in_force.common_state).any():
        return reading
    margin = MeteredChange(economy, in_force, reading).margin_usd_per_day()
    level = charges_of(reading.tariff, reading.payer_share(reading.tariff), -margin)
    further = reading.charges(reading.tariff, level)
    return replace(reading, fixed_charge_usd_per_day=reading.fixed_charge_usd_per_day + further)
