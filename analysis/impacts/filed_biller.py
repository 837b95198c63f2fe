"""Two tariffs as filed, laid over the year of some meters, as customers have chosen and are metered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook, compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering, TierPeriod
from meanwatt.model.billing.bill_messages import in_currency, origin_messages
from meanwatt.model.billing.meter_format import ChoiceTable, FormatTable, MeterFileError
from meanwatt.model.billing.ratebook_source import Choices, RatebookFile, load_ratebook
from meanwatt.model.scenario.messages import Messages

CalendarOf = Callable[[tuple[str, ...]], BillingCalendar]
"""The calendar of the meters, given a tariff's holidays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterKind:
    """What meters show.

    Attributes
    ----------
    feeds
        Whether they can hold what is fed in.
    net
        Whether they show what is drawn less what is fed in, and neither use nor generation.
    """

    feeds: bool
    net: bool

    @classmethod
    def of(cls, form: FormatTable) -> Self:
        """Of a file's meters."""
        return cls(feeds=form.may_feed_in, net=form.net is not None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiledBiller:
    """A tariff as filed over a year.

    Attributes
    ----------
    file
        The tariff.
    compiled
        The same over the calendar.
    terms
        How customers are metered.
    feeds
        Whether anything can be fed in.
    """

    __repr__ = short_repr

    file: RatebookFile
    compiled: CompiledRatebook
    terms: Terms
    feeds: bool

    def bills(self, load_kwh: Floats, generation_kwh: Floats | None) -> tuple[Floats, Floats]:
        """Bills, and what is bought. (customer,) each [USD/yr], [kWh/yr]

        Parameters
        ----------
        load_kwh, generation_kwh : (customer, interval)
            What is used and generated; None where nothing can be fed in. [kWh]
        """
        found = bill_customers(self.compiled, load_kwh, generation_kwh, self.terms)
        return found.annual_usd, np.asarray(found.drawn_kwh.sum(axis=1))

    def messages(self, letter: str) -> Messages:
        """What is to be said of the tariff, a sentence each."""
        book, rule = self.file.book, self.terms.metering
        said = [*self.file.messages, *origin_messages(self.file.table, generates=self.feeds)]
        if self.feeds:
            said.append(f"Metering {rule.value}.")
            sells = book.export is not None or bool(book.energy.sell_usd_per_kwh.any())
            if not sells and rule is not Metering.NET_METERING:
                said.append("It has no sell rate and no export is chosen: what is fed in earns nothing.")
        return tuple(f"Tariff {letter}: {one}" for one in in_currency(said, book.currency))


def two_billers(
    tariffs: tuple[str, str], chosen: tuple[ChoiceTable, ChoiceTable], kind: MeterKind, calendar: CalendarOf
) -> tuple[FiledBiller, FiledBiller]:
    """Tariffs A and B over the same meters.

    Parameters
    ----------
    tariffs
        Names of the gallery, or files.
    chosen
        What customers have chosen of each.

    Raises
    ------
    ValueError
        In one line: a tariff cannot be read, or cannot be billed so, or the two are in different money.
    """
    one = _biller("a", tariffs[0], chosen[0], kind, calendar)
    other = _biller("b", tariffs[1], chosen[1], kind, calendar)
    money = one.file.book.currency, other.file.book.currency
    if money[0] != money[1]:
        raise MeterFileError(
            f"tariff {tariffs[0]} is in {money[0]} and tariff {tariffs[1]} in {money[1]}; give two in one money"
        )
    return one, other


def _biller(key: str, tariff: str, chosen: ChoiceTable, kind: MeterKind, calendar: CalendarOf) -> FiledBiller:
    file = load_ratebook(tariff, Choices(territory=chosen.territory, discount=chosen.discount, export=chosen.export))
    book = file.book
    if book.baseline is not None and book.baseline.territory is None:
        raise MeterFileError(
            f"tariff {tariff} has a baseline by territory; give territory in [{key}] of the format, one of"
            f" {', '.join(book.baseline.kwh_per_day)}"
        )
    if book.wholesale is not None:
        raise MeterFileError(f"tariff {tariff} follows a wholesale price, which impacts cannot bill; give another")
    rule = _rule(key, tariff, chosen, file, kind)
    if kind.net and rule is Metering.BUY_ALL_SELL_ALL:
        raise MeterFileError(
            f"tariff {tariff} is metered {rule.value}, and net readings hold neither use nor generation; give another"
            f" metering in [{key}] of the format"
        )
    by_hour = book.export is not None or book.energy.tier_period is TierPeriod.DAY
    if kind.feeds and rule.nets_by_month and by_hour:
        raise MeterFileError(
            f"tariff {tariff}: metering {rule.value} nets kWh over the month, and its export rates or tiers go by hour"
            f" or day; give another metering or export in [{key}] of the format"
        )
    terms = Terms(metering=rule, credit_expires=book.credit_expires and rule.carries_usd)
    compiled = compile_ratebook(book, calendar(book.holidays))
    return FiledBiller(file=file, compiled=compiled, terms=terms, feeds=kind.feeds)


def _rule(key: str, tariff: str, chosen: ChoiceTable, file: RatebookFile, kind: MeterKind) -> Metering:
    if chosen.metering is not None:
        return Metering(chosen.metering)
    if file.book.metering is not None:
        return file.book.metering
    if not kind.feeds:
        return Metering.NET_BILLING
    exports = list(file.table.exports)
    ways = f"export, one of {', '.join(exports)}, or metering" if exports else "metering"
    raise MeterFileError(
        f"tariff {tariff} does not say how what is fed in is metered; give {ways} in [{key}] of a file for --format,"
        ' such as metering = "net_billing"'
    )
