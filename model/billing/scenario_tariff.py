"""A tariff as filed as one of a scenario's: the rates by day type and hour that its households decide by.

A ratebook bills months: tiers, baselines, demand charges, minimum charges. A household type of a scenario decides slot
by slot on the rates of the day's type. What can be said by the kWh and the hour is said here; what cannot is named, and
is billed exactly by `meanwatt.agents.tariff.ratebook.bill.bill_customers`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import DAYS_PER_YEAR, MONTH_DAYS, reference_year
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import HOURS, MONTHS, Metering, Ratebook, Schedule
from meanwatt.agents.tariff.ratebook.tier_limits import any_tier
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.billing.ratebook_source import RatebookFile
from meanwatt.model.scenario.calendar_days import CLASSES
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.tariff_file import TariffTable

CLASS_SHARE: Final = np.array([5 / 7, 2 / 7])
"""Weekdays and days of weekend in a week."""
DIGITS: Final = 9
"""Decimals of a rate in USD/kWh that are kept."""
SEEN_USD_PER_KWH: Final = 5e-5
"""Differences below this are not worth a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenarioTariff:
    """A ratebook in the words of a scenario.

    Attributes
    ----------
    table
        Posted rates by day type and hour, which any command takes as ``[tariffs.NAME]`` or a file of its own.
    messages
        What is averaged and what is left out, a sentence each.
    """

    __repr__ = short_repr

    table: TariffTable
    messages: Messages


def scenario_tariff(file: RatebookFile, economy: Economy, metering: Metering | None = None) -> ScenarioTariff:
    """Say a tariff as filed in the words of a scenario.

    Rates of tiers and a baseline credit are averaged over the month's kWh of the scenario's mean household before
    solar: households act on the average price of what they use (Ito 2014, American Economic Review 104(2)). Months are
    averaged by their days over those of a day type's season, and weekdays and weekends 5 to 2 where it is neither.

    Parameters
    ----------
    file
        The tariff with what the customer has chosen of it.
    economy
        The scenario.
    metering
        How what is fed in is metered; None takes what the tariff says, and net billing where it says nothing.

    Raises
    ------
    ValueError
        In one line: it is in other money, has a meter of its own for generation, follows more than the whole
        wholesale price, nets by the month beside an export by the hour, or has rates that no scenario has.
    """
    book = file.book
    rule = metering or book.metering or Metering.NET_BILLING
    _require(book, rule)
    days = _DayTypes.of(economy)
    bill = _mean_bill(book, days.load_kw(economy))
    bought, sold = _bought_usd_per_kwh(book, bill), _sold_usd_per_kwh(book)
    table: dict[str, Any] = {
        "title": book.title,
        "as_of": file.table.as_of or "",
        "recovery": Recovery.POSTED.value,
        "pass_through": round(min(_followed(book), 1.0), DIGITS),
        "energy_usd_per_kwh": days.form(bought),
        "fixed_charge_usd_per_day": round(_fixed_usd_per_day(book, bill), DIGITS),
        "export": {"rule": ExportRule.NET_METERING.value}
        if rule.nets_by_month
        else {"rule": ExportRule.NET_BILLING.value, "usd_per_kwh": days.form(sold)},
    }
    said = (
        *_about_rates(book, bill, bought),
        *_about_wholesale(book),
        *_about_export(book, rule, chosen=metering is not None or book.metering is not None),
        *_about_months(days, [bought] if rule.nets_by_month else [bought, sold]),
        *_left_out(book),
    )
    try:
        return ScenarioTariff(table=TariffTable.model_validate(table), messages=said)
    except ValidationError as error:
        raise ValueError(f"comes to rates no scenario has: {one_line(error, TariffTable)}") from None


def _require(book: Ratebook, rule: Metering) -> None:
    if book.currency != "USD":
        raise ValueError(f"is in {book.currency}, and scenarios are in USD; write its rates in USD first")
    if rule is Metering.BUY_ALL_SELL_ALL:
        raise ValueError(
            f"metering {rule.value} has a meter of its own for generation, which homes of a scenario have not; give"
            " another metering or export"
        )
    if rule.nets_by_month and book.export is not None:
        raise ValueError(
            f"metering {rule.value} nets kWh over the month, and export {book.export.name} has rates by the hour; give"
            " metering net_billing or net_billing_carryover, or leave metering out"
        )
    if book.wholesale is not None and not 0 <= book.wholesale.multiplier <= 1:
        raise ValueError(
            f"follows the wholesale price {book.wholesale.multiplier:g}-fold, and a scenario's tariff passes on a share"
            " of it, 0 to 1; write such a tariff with pass_through"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _DayTypes:
    """Which months and classes of days each day type of a scenario stands for.

    Attributes
    ----------
    names
        Day types.
    probability : (day type,)
        How often each comes.
    holds : (day type, month, class)
        Whether it comes in a month on a weekday, and on a weekend.
    dated
        Whether the scenario says in which months its seasons are.
    """

    names: tuple[str, ...]
    probability: Floats
    holds: Bools
    dated: bool

    @classmethod
    def of(cls, economy: Economy) -> "_DayTypes":
        """Of a scenario."""
        scenario, common = economy.scenario, economy.common
        names = tuple(scenario.day_types)
        dated = scenario.calendar is not None
        of_month = scenario.calendar.sorted().season_of_month if scenario.calendar else ("",) * MONTHS
        holds = np.ones((len(names), MONTHS, len(CLASSES)), dtype=np.bool_)
        for place, (season, day_class) in enumerate(zip(scenario.seasons, scenario.day_classes, strict=True)):
            if dated and season is not None:
                holds[place] &= np.array([month == season for month in of_month])[:, None]
            if day_class is not None:
                holds[place] &= np.array([one == day_class for one in CLASSES])
        holds |= ~holds.any(axis=0)  # a class that no day type names is like all of them
        probability = np.zeros(len(names))
        np.add.at(probability, common.today, common.probability)
        return cls(names=names, probability=probability, holds=holds, dated=dated)

    def load_kw(self, economy: Economy) -> Floats:
        """Reference load of the mean household before solar by (month, class, hour). [kW]"""
        common = economy.common
        weighted = np.zeros((len(self.names), economy.slots))
        np.add.at(weighted, common.today, common.probability[:, None] * economy.mean_reference_kw)
        by_day = weighted / np.maximum(self.probability, np.finfo(float).tiny)[:, None]
        hourly = by_day.reshape(len(self.names), HOURS, -1).mean(axis=2)
        weight = self.holds * self.probability[:, None, None]
        return np.asarray(np.einsum("dmk,dh->mkh", weight, hourly) / weight.sum(axis=0)[:, :, None])

    @property
    def weight(self) -> Floats:
        """Part of a day type's days in each month and class. (day type, month, class) [sum to 1]"""
        days = self.holds * np.array(MONTH_DAYS)[:, None] * CLASS_SHARE
        return np.asarray(days / days.sum(axis=(1, 2), keepdims=True))

    def form(self, usd_per_kwh: Floats) -> Any:
        """Rates (month, class, hour) as a tariff file says them: a number, 24 of them, or 24 for each day type."""
        rows = np.round(np.einsum("dmk,mkh->dh", self.weight, usd_per_kwh), DIGITS) + 0.0
        if (rows == rows[0]).all():
            return float(rows[0, 0]) if (rows[0] == rows[0, 0]).all() else tuple(rows[0].tolist())
        return {name: tuple(row.tolist()) for name, row in zip(self.names, rows, strict=True)}

    def mixes(self, usd_per_kwh: Floats) -> tuple[str, float]:
        """The day type whose months and classes differ most in a rate at one hour, and by how much. [USD/kWh]"""
        held = self.holds[:, :, :, None]
        high = np.where(held, usd_per_kwh, -np.inf).max(axis=(1, 2))
        low = np.where(held, usd_per_kwh, np.inf).min(axis=(1, 2))
        apart = (high - low).max(axis=1)
        return self.names[int(apart.argmax())], float(apart.max())


def _mean_bill(book: Ratebook, load_kw: Floats) -> Bill:
    """The year of the mean household under a tariff, nothing fed in; load by (month, class, hour)."""
    year = reference_year()
    load_kwh = load_kw[year.number[year.month], year.weekend.astype(np.int64), year.hour]
    plain = replace(book, wholesale=None, metering=None, export=None)
    return bill_customers(compile_ratebook(plain, year), load_kwh[None], None, Terms(metering=Metering.NET_BILLING))


def _of_schedule(schedule: Schedule, by_month_and_period: Floats) -> Floats:
    """Numbers (month, period) laid out by (month, class, hour)."""
    month = np.arange(MONTHS)[:, None]
    return np.stack(
        [by_month_and_period[month, schedule.weekday], by_month_and_period[month, schedule.weekend]], axis=1
    )


def _first_tier(book: Ratebook, usd_per_kwh: Floats) -> Floats:
    """The first tier's rates of every month. (month, class, hour) [USD/kWh]"""
    return _of_schedule(book.energy.schedule, np.tile(usd_per_kwh[:, 0], (MONTHS, 1)))


def _energy_usd_per_kwh(book: Ratebook, bill: Bill) -> Floats:
    """Energy rates with tiers averaged over the mean household's month. (month, class, hour) [USD/kWh]"""
    rate, kwh = book.energy.rate_usd_per_kwh, bill.kwh[0]
    total = kwh.sum(axis=2)
    mean = np.einsum("mpt,pt->mp", kwh, rate) / np.where(total > 0, total, 1.0)
    return _of_schedule(book.energy.schedule, np.where(total > 0, mean, rate[:, 0]))


def _bought_usd_per_kwh(book: Ratebook, bill: Bill) -> Floats:
    """What a kWh costs the mean household, all that goes by the kWh together. (month, class, hour) [USD/kWh]"""
    rate = _energy_usd_per_kwh(book, bill) + book.fuel_usd_per_kwh[:, None, None]
    month_kwh = np.maximum(bill.drawn_kwh[0], np.finfo(float).tiny)
    if book.baseline is not None and book.baseline.territory is not None:
        allowed = book.baseline.kwh_per_day[book.baseline.territory] * np.array(MONTH_DAYS)
        rate = rate - (book.baseline.credit_usd_per_kwh * np.minimum(allowed / month_kwh, 1.0))[:, None, None]
    if book.discount is not None:
        rate = rate - (_discounted(book, bill) * (rate - book.discount.exempt_usd_per_kwh).T).T
    return np.asarray(rate * (1 + sum(tax.share for tax in book.taxes)) + sum(tax.usd_per_kwh for tax in book.taxes))


def _discounted(book: Ratebook, bill: Bill) -> Floats:
    """Share of a month's charges that the discount takes off: none where the whole month's are below 0. (month,)"""
    assert book.discount is not None
    off = bill.discount_usd[0] < 0 if book.wholesale is None else np.ones(MONTHS, dtype=np.bool_)
    return np.where(off, book.discount.share, 0.0)


def _followed(book: Ratebook) -> float:
    """Share of the wholesale price in what a kWh costs, after discount and with taxes."""
    if book.wholesale is None:
        return 0.0
    kept = 1 - book.discount.share if book.discount is not None else 1.0
    return book.wholesale.multiplier * kept * (1 + sum(tax.share for tax in book.taxes))


def _sold_usd_per_kwh(book: Ratebook) -> Floats:
    """What a kWh fed in earns. (month, class, hour) [USD/kWh]"""
    if book.export is None:
        return _first_tier(book, book.energy.sell_usd_per_kwh)
    return np.stack([book.export.weekday_usd_per_kwh, book.export.weekend_usd_per_kwh], axis=1)


def _fixed_usd_per_day(book: Ratebook, bill: Bill) -> float:
    """Charges that no kWh changes, with their part of discount and taxes. [USD/day]"""
    fixed = float(bill.fixed_usd[0].sum()) / DAYS_PER_YEAR
    if book.discount is not None and book.discount.on_all:
        fixed *= 1 - book.discount.share
    return fixed * (1 + sum(tax.share for tax in book.taxes))


def _about_rates(book: Ratebook, bill: Bill, bought: Floats) -> Iterator[str]:
    mean, first = _energy_usd_per_kwh(book, bill), _first_tier(book, book.energy.rate_usd_per_kwh)
    if book.energy.tiered:
        use = float(bill.drawn_kwh.sum()) / DAYS_PER_YEAR
        yield (
            f"Tiers are averaged at the mean household's {use:.1f} kWh a day: {mean.min():.4f} to {mean.max():.4f}"
            f" USD a kWh, where the first tier costs {first.min():.4f} to {first.max():.4f}."
        )
    if book.baseline is not None:
        if book.baseline.territory is None:
            yield "Its baseline credit goes by territory, and none is given: there is no credit in the rates."
        else:
            yield "The baseline credit is spread over the mean household's kWh."
    if float(bought.min()) < 0:
        yield f"Its lowest rate is {bought.min():.4f} USD a kWh: below 0 a household is paid for what it draws."


def _about_wholesale(book: Ratebook) -> Iterator[str]:
    followed = _followed(book)
    if book.wholesale is None or followed == book.wholesale.multiplier:
        return
    if followed > 1:
        yield (
            f"With its taxes it follows the wholesale price {followed:.4g}-fold: here 1-fold, the most that a"
            " scenario's tariff passes on."
        )
    else:
        yield f"It passes on {followed:.4g} of the wholesale price, after discount and with taxes."


def _about_export(book: Ratebook, rule: Metering, *, chosen: bool) -> Iterator[str]:
    if not chosen:
        yield "It does not say how feeding in is metered: net billing at its sell rates, taken here."
    if rule.nets_by_month:
        yield (
            f"Metering {rule.value} nets kWh over the month: here every kWh fed in earns the import rate of its hour,"
            " also beyond what the month draws."
        )
    elif rule.carries_usd:
        yield "Credits that wait for later months, or are lost, count in full in the month they are earned."
    if book.export is None and not rule.nets_by_month and not book.energy.sell_usd_per_kwh.any():
        yield "It has no sell rate and no export is chosen: what is fed in earns nothing."
    if book.export is None and not rule.nets_by_month and not any_tier(book.energy.sell_usd_per_kwh):
        yield "Its sell rates have tiers: every kWh fed in earns that of the first."


def _about_months(days: _DayTypes, rates: list[Floats]) -> Iterator[str]:
    name, apart = max((days.mixes(rate) for rate in rates), key=lambda found: found[1])
    if apart < SEEN_USD_PER_KWH:
        return
    if not days.dated:
        yield (
            f"The scenario has no calendar, and the tariff's months or days of the week differ by up to {apart:.4f}"
            " USD a kWh: every day type has their mean."
        )
        return
    yield (
        f"Day type {name} holds months or days of the week whose rates differ by up to {apart:.4f} USD a kWh at one"
        " hour: it has their mean."
    )


def _left_out(book: Ratebook) -> Iterator[str]:
    for charge in book.demand:
        yield f"Demand charge {charge.name} is in no rate by the kWh: nobody decides by it."
    if book.minimum:
        yield "Its minimum charge is left out: nobody decides by it."
    if book.wholesale is not None and np.isfinite(book.wholesale.cap_usd_per_kwh):
        yield f"Its cap of {book.wholesale.cap_usd_per_kwh:g} USD a kWh is left out."
    if book.holidays:
        yield "Holidays of the tariff are days of the scenario's own calendar."
    if any(tax.on.value == "bill" and tax.share for tax in book.taxes):
        yield "A tax on the bill after credits is taken on what is bought."
