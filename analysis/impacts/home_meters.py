"""A year of one home's meter for every kind of home in a scenario: lived in the market, for a bill under any tariff."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, TypedDict, Unpack

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.analysis.impacts.simulated_meters import YEAR_DAYS
from meanwatt.model.billing.customer import Asked, CustomerBill, bill_readings
from meanwatt.model.billing.local_calendar import Clock
from meanwatt.model.billing.ratebook_source import RatebookFile, load_ratebook
from meanwatt.model.billing.readings import Readings
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.calendar_days import days_of
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.nearest import unknown

SIZES: Final = (100, 200, 400, 800, 1600, 3200)
"""Homes of the market: the least number of these that has a home of every type, else the largest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HomeMeters:
    """The meters of one home of each household type over a year.

    Attributes
    ----------
    names
        Household types that the market has a home of, e.g. ``low/pv_battery``.
    net_kwh : (type, interval)
        What is drawn, positive, less what is fed in. [kWh]
    year
        The calendar year lived; None: 365 drawn days.
    slot_hours
        Length of an interval. [h]
    messages
        What the market had to say, and what its days are.
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    net_kwh: Floats
    year: int | None
    slot_hours: float
    messages: Messages

    def readings(self, name: str) -> tuple[Readings, Readings | None]:
        """What the home of a type draws, and what it feeds in; None if it feeds nothing in all year.

        Raises
        ------
        ValueError
            In one line with the nearest name, if there is no home of this type.
        """
        if name not in self.names:
            raise ValueError(unknown("home", name, self.names))
        net = self.net_kwh[self.names.index(name)]
        label = f"the home {name}"
        drawn = Readings(label=label, values=np.maximum(net, 0.0), stamps=None)
        fed = Readings(label=label, values=np.maximum(-net, 0.0), stamps=None)
        return drawn, fed if fed.values.any() else None


def home_meters(
    found: Equilibrium,
    *,
    seed: int = 0,
    watch: Watch | None = None,
    told: Callable[[str, float], None] = lambda *_: None,
) -> HomeMeters:
    """Live a year at an equilibrium, and read the meter of one home of every household type.

    A home's year depends on its type and the seed alone: by rank it is the first of its type in a market of any size.

    Parameters
    ----------
    found
        The equilibrium whose policies the homes follow.
    seed
        Key of the weather's and the homes' draws.
    watch, told
        Asked after every day whether to stop, and told how far it is.

    Raises
    ------
    Cancelled
        If the watch says so.
    """
    economy, watch = found.economy, watch or Watch()
    counts = [largest_remainder(economy.type_share, size) for size in SIZES]
    size = next((one for one, count in zip(SIZES, counts, strict=True) if count.min() > 0), SIZES[-1])
    calendar = economy.scenario.calendar
    year = None if calendar is None else calendar.year
    days = YEAR_DAYS if year is None else len(days_of(year, year))
    market = ProsumerMarket(economy, policies=found, power_flow=False, households=size, rng=seed)
    with closing(market):
        people = market.population
        kinds = np.flatnonzero(people.count > 0)
        homes = people.first[kinds]
        net = np.empty((len(kinds), days * economy.slots))
        for day in range(days):
            watch.check()
            market.step()
            net[:, day * economy.slots : (day + 1) * economy.slots] = people.energy_kwh[homes]
            told(f"day {day + 1} of {days}", (day + 1) / days)
        return HomeMeters(
            names=tuple(economy.types[kind].name for kind in kinds.tolist()),
            net_kwh=net,
            year=year,
            slot_hours=economy.slot_hours,
            messages=(*market.messages, *_about_year(year)),
        )


class Chosen(TypedDict, total=False):
    """What a customer chooses of a tariff, as `Asked` has it."""

    territory: str | None
    discount: str | None
    export: str | None
    metering: str | None
    wholesale: str | None


def bill_home(
    meters: HomeMeters,
    name: str,
    *,
    tariff: str = "",
    read: RatebookFile | None = None,
    prices: Readings | None = None,
    **chosen: Unpack[Chosen],
) -> CustomerBill:
    """Bill the year of one home under a tariff as filed, as ``meanwatt bill`` does.

    Parameters
    ----------
    meters, name
        Its meter, and its household type.
    tariff
        Name of a tariff of the gallery, or a file.
    read
        The tariff, if it is read already with what the customer chose.
    prices
        Wholesale prices that are read already, for a tariff that follows them. [USD/kWh]
    chosen
        As the options of ``meanwatt bill``: territory, discount, export, metering, wholesale.

    Raises
    ------
    ValueError
        In one line: the tariff cannot be read, or the home's meter cannot be billed so.
    """
    drawn, fed = meters.readings(name)
    asked = Asked(
        tariff=tariff,
        load=drawn.label,
        clock=Clock(year=meters.year),
        **chosen,
    )
    file = load_ratebook(tariff, asked.choices) if read is None else read
    rule = asked.metering or (None if file.book.metering is None else file.book.metering.value)
    if fed is not None and rule == Metering.BUY_ALL_SELL_ALL:
        raise ValueError(
            f"metering {rule} needs what is used and what is generated, and {drawn.label} has a meter of what it draws"
            " and feeds in; choose another rule or other terms of feeding in"
        )
    found = bill_readings(asked, file, drawn, fed, wholesale=prices)
    return replace(found, messages=(*found.messages, *meters.messages))


def _about_year(year: int | None) -> Messages:
    if year is not None:
        return ()
    return ("The home's days are drawn: months, weekends and holidays of the tariff fall on days of any kind.",)
