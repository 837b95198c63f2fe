"""Two tariffs as filed on the meters of simulated households: billed exactly, nobody answering.

The households live a year under the scenario's own tariff in force; its equilibrium knows no tariff as filed.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import CHUNK
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.impacts.bill_changes import BillChanges
from meanwatt.analysis.impacts.filed_biller import FiledBiller, MeterKind, two_billers
from meanwatt.analysis.impacts.population import customers_of
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.meter_format import ChoiceTable
from meanwatt.model.billing.readings import Readings
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.market_centre import MarketCentre
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.machine import require_room
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.calendar_days import days_of
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, joined

YEAR_DAYS: Final = 365


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedMeters:
    """What two tariffs as filed make of simulated meters.

    Attributes
    ----------
    in_force
        The equilibrium whose meters they are.
    changes
        Bills under A and B; None where there is no equilibrium.
    billers
        The tariffs.
    messages
        A sentence each.
    """

    __repr__ = short_repr

    in_force: Equilibrium
    changes: BillChanges | None
    billers: tuple[FiledBiller, FiledBiller]
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
        The scenario's tariff that the households live under.
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
    found = solve_equilibrium(economy, in_force, certify=False, watch=watch.fresh())
    if found.outcome is not Outcome.CONVERGED:
        return SimulatedMeters(in_force=found, changes=None, billers=billers, messages=found.messages)
    market = ProsumerMarket(economy, policies=found, power_flow=False, **size)
    with closing(market):
        meters = _year(market, days, watch, told)
    before, after, bought = np.empty((3, len(meters)))
    for first in range(0, len(meters), CHUNK):
        watch.check()
        rows = slice(first, first + CHUNK)
        net = meters[rows].astype(np.float64)
        drawn, fed = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        before[rows], bought[rows] = billers[0].bills(drawn, fed)
        after[rows], _ = billers[1].bills(drawn, fed)
    return SimulatedMeters(
        in_force=found,
        changes=BillChanges(
            customers=customers_of(economy, size["households"], bought),
            before_usd_per_year=before,
            after_usd_per_year=after,
        ),
        billers=billers,
        messages=joined(
            (_about_loads(in_force), *_about_days(year)),
            found.messages,
            market.messages,
            billers[0].messages("A"),
            billers[1].messages("B"),
        ),
    )


def _year(market: MarketCentre, days: int, watch: Watch, told: Callable[[str, float], None]) -> npt.NDArray[np.float32]:
    """Net energy of every household and interval. (household, interval) [kWh]"""
    slots = market.economy.slots
    meters = np.empty((market.households, days * slots), dtype=np.float32)
    assert isinstance(market, ProsumerMarket)
    for day in range(days):
        watch.check()
        market.step()
        meters[:, day * slots : (day + 1) * slots] = market.population.energy_kwh
        told(f"day {day + 1} of {days}", (day + 1) / days)
    return meters


def _about_loads(tariff: Tariff) -> str:
    return (
        f"A and B are tariffs as filed: only the bills without a response are told, of the meters under the scenario's"
        f" own tariff {tariff.name}. With a response: two of the scenario's tariffs, or their TOML files."
    )


def _about_days(year: int | None) -> Messages:
    if year is not None:
        return ()
    return (
        "The days of the year are drawn: months, weekends and holidays of the tariffs fall on days of any kind. A"
        " scenario with a calendar has them in their places with --set calendar.year=2027.",
    )
