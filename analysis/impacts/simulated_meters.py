"""Two tariffs as filed on the meters of simulated households: billed exactly, without a response and with it.

The households live a year under A and, with the same weather and the same chances, a year under B: by the rates that a
scenario can say of a ratebook (`meanwatt.model.billing.scenario_tariff`). Their meters are billed as filed.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import CHUNK
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.impacts.bill_changes import BillChanges, Customers
from meanwatt.analysis.impacts.filed_biller import FiledBiller, MeterKind, two_billers
from meanwatt.analysis.impacts.population import customers_of
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.meter_format import ChoiceTable
from meanwatt.model.billing.readings import Readings
from meanwatt.model.billing.scenario_tariff import scenario_tariff
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.machine import require_room
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.calendar_days import days_of
from meanwatt.model.scenario.economy import Economy, tariff_of_table
from meanwatt.model.scenario.messages import Messages, joined

YEAR_DAYS: Final = 365

Meters = npt.NDArray[np.float32]
"""Net energy of every household and interval. (household, interval) [kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedMeters:
    """What two tariffs as filed make of simulated meters.

    Attributes
    ----------
    in_force
        The equilibrium under A, whose meters are billed without a response; under the scenario's own tariff where the
        scenario cannot say A and B.
    new
        The equilibrium under B; None where there is no response to tell of, or the one before was not reached.
    without_response, with_response
        Bills of the first meters by A and by B, and those of the first by A and of the second by B; None where there
        are none.
    billers
        The tariffs.
    messages
        A sentence each.
    """

    __repr__ = short_repr

    in_force: Equilibrium
    new: Equilibrium | None
    without_response: BillChanges | None
    with_response: BillChanges | None
    billers: tuple[FiledBiller, FiledBiller]
    messages: Messages

    @property
    def outcome(self) -> Outcome:
        """How the last equilibrium that was looked for ended."""
        return (self.new or self.in_force).outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """Tariffs that the households live under.

    Attributes
    ----------
    before, after
        For A and for B; ``after`` is None where there is no response.
    messages
        What they leave out of the tariffs as filed.
    """

    before: Tariff
    after: Tariff | None
    messages: Messages


def simulated_meters(
    economy: Economy,
    in_force: Tariff,
    filed: tuple[str, str],
    chosen: tuple[ChoiceTable, ChoiceTable],
    size: dict[str, Any],
    *,
    watch: Watch | None = None,
    told: Callable[[str, float], None] = lambda *_: None,
) -> SimulatedMeters:
    """Bill the year of a simulated population under two tariffs as filed.

    Parameters
    ----------
    in_force
        The scenario's tariff that the households live under where the scenario cannot say A and B.
    filed
        Tariffs A and B: names of the gallery, or files.
    chosen
        What customers have chosen of each.
    size
        ``households``, ``rng`` and ``threads`` of `ProsumerMarket`.

    Raises
    ------
    ValueError
        In one line: a tariff cannot be billed so, or the meters do not fit into memory.
    """
    watch = watch or Watch()
    calendar = economy.scenario.calendar
    year = None if calendar is None else calendar.year
    days = YEAR_DAYS if year is None else len(days_of(year, year))
    grid = Readings(label="the simulated year", values=np.zeros(days * economy.slots), stamps=None)

    def calendar_with(holidays: tuple[str, ...]) -> BillingCalendar:
        return calendar_of(grid, Clock(year=year), holidays)[0]

    billers = two_billers(filed, chosen, MeterKind(feeds=True, net=True), calendar_with)
    require_room(4.0 * size["households"] * len(grid.values), "a year of all meters", "fewer households")
    played = _played(economy, in_force, billers, same=filed[0] == filed[1] and chosen[0] == chosen[1])
    found: dict[str, Any] = dict.fromkeys(("new", "without_response", "with_response"))
    said: list[Messages] = [_about(played), _about_days(year), played.messages]
    first = solve_equilibrium(economy, played.before, certify=False, watch=watch.fresh())
    said.append(first.messages)
    if first.outcome is Outcome.CONVERGED:
        meters, heard = _lived(first, days, size, watch, told)
        said.append(heard)
        before, bought = _billed(billers[0], meters, watch)
        after, _ = _billed(billers[1], meters, watch)
        who = customers_of(economy, size["households"], bought)
        found["without_response"] = _changes(who, before, after)
        if played.after is played.before:
            found |= {"new": first, "with_response": found["without_response"]}
        elif played.after is not None:
            del meters
            new = found["new"] = solve_equilibrium(economy, played.after, certify=False, watch=watch.fresh())
            said.append(new.messages)
            if new.outcome is Outcome.CONVERGED:
                meters, heard = _lived(new, days, size, watch, told)
                said.append(heard)
                found["with_response"] = _changes(who, before, _billed(billers[1], meters, watch)[0])
        said += [billers[0].messages("A"), billers[1].messages("B")]
    return SimulatedMeters(in_force=first, **found, billers=billers, messages=joined(*said))


def _played(economy: Economy, in_force: Tariff, billers: tuple[FiledBiller, FiledBiller], *, same: bool) -> _Played:
    """What the households live under: A and B in the words of the scenario, or its own tariff where it has none."""
    tariffs, said = [], []
    for letter, biller in zip("AB", billers, strict=True):
        try:
            found = scenario_tariff(biller.file, economy, biller.terms.metering)
        except ValueError as error:
            why = f"Tariff {letter} {error}: its households cannot answer it."
            return _Played(before=in_force, after=None, messages=(why,))
        tariffs.append(tariff_of_table(economy.scenario, biller.file.book.name, found.table))
        said += [f"Decisions under {letter}: {one}" for one in found.messages]
    return _Played(before=tariffs[0], after=tariffs[0] if same else tariffs[1], messages=tuple(said))


def _lived(
    found: Equilibrium, days: int, size: dict[str, Any], watch: Watch, told: Callable[[str, float], None]
) -> tuple[Meters, Messages]:
    """The meters of a year at an equilibrium, and what the market had to say."""
    with closing(ProsumerMarket(found.economy, policies=found, power_flow=False, **size)) as market:
        return _year(market, days, watch, told, found.tariff.name), market.messages


def _billed(biller: FiledBiller, meters: Meters, watch: Watch) -> tuple[Floats, Floats]:
    """Bills, and what is bought. (household,) each [USD/yr], [kWh/yr]"""
    bill, bought = np.empty((2, len(meters)))
    for first in range(0, len(meters), CHUNK):
        watch.check()
        rows = slice(first, first + CHUNK)
        net = meters[rows].astype(np.float64)
        bill[rows], bought[rows] = biller.bills(np.maximum(net, 0.0), np.maximum(-net, 0.0))
    return bill, bought


def _changes(who: Customers, before: Floats, after: Floats) -> BillChanges:
    return BillChanges(customers=who, before_usd_per_year=before, after_usd_per_year=after)


def _year(market: MarketCentre, days: int, watch: Watch, told: Callable[[str, float], None], name: str) -> Meters:
    slots = market.economy.slots
    meters = np.empty((market.households, days * slots), dtype=np.float32)
    assert isinstance(market, ProsumerMarket)
    for day in range(days):
        watch.check()
        market.step()
        meters[:, day * slots : (day + 1) * slots] = market.population.energy_kwh
        told(f"day {day + 1} of {days} under {name}", (day + 1) / days)
    return meters


def _about(played: _Played) -> Messages:
    if played.after is None:
        return (
            f"Only the bills without a response are told, of the meters under the scenario's own tariff"
            f" {played.before.name}.",
        )
    if played.after is played.before:
        return ("A and B are the same tariff: nothing changes.",)
    return (
        "A and B are tariffs as filed: bills are exact, and households decide by the rates that the scenario can say of"
        " them.",
        "A bill that falls because less is used is no gain of that size: comfort and battery wear are not in it.",
    )


def _about_days(year: int | None) -> Messages:
    if year is not None:
        return ()
    return (
        "The days of the year are drawn: months, weekends and holidays of the tariffs fall on days of any kind. A"
        " scenario with a calendar has them in their places with --set calendar.year=2027.",
    )
