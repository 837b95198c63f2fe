"""Changes of bills of customers whose meters are in a file: both tariffs billed exactly, nobody answering.

The file is read once, a few customers at a time; of each customer a few numbers are kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import Terms, bill_customers
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook, compile_ratebook
from meanwatt.agents.tariff.ratebook.ratebook import Metering, TierPeriod
from meanwatt.analysis.impacts.bill_changes import BillChanges, Customers
from meanwatt.model.billing.bill_messages import in_currency, origin_messages
from meanwatt.model.billing.meter_format import ChoiceTable, MeterFileError, MeterFormat
from meanwatt.model.billing.meter_rows import Intake
from meanwatt.model.billing.meter_years import MeterYears, YearGrid, meter_years
from meanwatt.model.billing.ratebook_source import Choices, RatebookFile, load_ratebook
from meanwatt.model.scenario.messages import Messages, joined

NO_RESPONSE: Final = (
    "Meters alone: only the bills without a response are told. What customers would do under B needs a model of them:"
    " meanwatt impacts A B SCENARIO."
)
HOURLY: Final = 60
MOST_GROUPS: Final = 50
"""Different names in a column of income groups, or of technologies."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeterImpacts:
    """What the bills of a file's customers become under tariff B.

    Attributes
    ----------
    changes
        Their bills under both tariffs; None where no customer could be billed.
    names
        The customers, in the order of the file.
    intake
        What came of the file's rows.
    currency
        Of all sums.
    messages
        A sentence each.
    """

    __repr__ = short_repr

    changes: BillChanges | None
    names: tuple[str, ...]
    intake: Intake
    titles: tuple[str, str]
    currency: str
    messages: Messages


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Biller:
    """A tariff laid over the twelve months, as customers are metered."""

    file: RatebookFile
    compiled: CompiledRatebook
    terms: Terms

    def bills(self, years: MeterYears) -> tuple[Floats, Floats]:
        """Bills, and what is bought. (customer,) each [USD/yr], [kWh/yr]"""
        found = bill_customers(self.compiled, years.load_kwh, years.generation_kwh, self.terms)
        return found.annual_usd, np.asarray(found.drawn_kwh.sum(axis=1))


def meter_impacts(
    before: str,
    after: str,
    meters: Path,
    form: MeterFormat,
    *,
    told: Callable[[str, float], None] = lambda *_: None,
    check: Callable[[], None] = lambda: None,
) -> MeterImpacts:
    """Bill every customer of a file under two tariffs as filed.

    Parameters
    ----------
    before, after
        Tariffs A and B: names of the gallery, or files.
    told
        Told how much of the file is read.
    check
        Called between batches; whoever wants it to stop raises ``Cancelled``.

    Raises
    ------
    ValueError
        In one line: a tariff cannot be billed so, or the file cannot be read.
    """
    grid, intake = YearGrid(form.format), Intake()
    one, other = _biller("a", before, form.a, form, grid), _biller("b", after, form.b, form, grid)
    money = one.file.book.currency, other.file.book.currency
    if money[0] != money[1]:
        raise MeterFileError(
            f"tariff {before} is in {money[0]} and tariff {after} in {money[1]}; give two in one money"
        )
    names: list[str] = []
    bills_a, bills_b, bought, income = ([] for _ in range(4))
    groups: list[str] = []
    owned: list[str] = []
    for years, share in meter_years(meters, form.format, intake):
        check()
        usd_a, kwh = one.bills(years)
        usd_b, _ = other.bills(years)
        bills_a.append(usd_a)
        bills_b.append(usd_b)
        bought.append(kwh)
        names += years.names
        groups += years.incomes
        owned += years.technologies
        if years.income_usd_per_year is not None:
            income.append(years.income_usd_per_year)
        _require_few(form, groups, owned)
        told(f"{len(names)} customers billed", share)
    return MeterImpacts(
        changes=_changes(groups, owned, income, bought, bills_a, bills_b) if names else None,
        names=tuple(names),
        intake=intake,
        titles=(one.file.book.title, other.file.book.title),
        currency=money[0],
        messages=joined(
            (NO_RESPONSE,),
            intake.messages(),
            _about("A", one, form),
            _about("B", other, form),
            _resolution(form),
            _unknown(form),
        ),
    )


def _biller(key: str, tariff: str, chosen: ChoiceTable, form: MeterFormat, grid: YearGrid) -> _Biller:
    file = load_ratebook(tariff, Choices(territory=chosen.territory, discount=chosen.discount, export=chosen.export))
    book = file.book
    if book.baseline is not None and book.baseline.territory is None:
        raise MeterFileError(
            f"tariff {tariff} has a baseline by territory; give territory in [{key}] of the format, one of"
            f" {', '.join(book.baseline.kwh_per_day)}"
        )
    if book.wholesale is not None:
        raise MeterFileError(f"tariff {tariff} follows a wholesale price, which impacts cannot bill; give another")
    rule = _rule(key, tariff, chosen, file, form)
    if form.format.net is not None and rule is Metering.BUY_ALL_SELL_ALL:
        raise MeterFileError(
            f"tariff {tariff} is metered {rule.value}, and net readings hold neither use nor generation; give use and"
            " generation in [format]"
        )
    feeds = form.format.may_feed_in
    by_hour = book.export is not None or book.energy.tier_period is TierPeriod.DAY
    if feeds and rule.nets_by_month and by_hour:
        raise MeterFileError(
            f"tariff {tariff}: metering {rule.value} nets kWh over the month, and its export rates or tiers go by hour"
            f" or day; give another metering or export in [{key}] of the format"
        )
    terms = Terms(metering=rule, credit_expires=book.credit_expires and rule.carries_usd)
    return _Biller(file=file, compiled=compile_ratebook(book, grid.calendar(book.holidays)), terms=terms)


def _rule(key: str, tariff: str, chosen: ChoiceTable, file: RatebookFile, form: MeterFormat) -> Metering:
    if chosen.metering is not None:
        return Metering(chosen.metering)
    if file.book.metering is not None:
        return file.book.metering
    if not form.format.may_feed_in:
        return Metering.NET_BILLING
    exports = list(file.table.exports)
    ways = f"export, one of {', '.join(exports)}, or metering" if exports else "metering"
    raise MeterFileError(
        f"tariff {tariff} does not say how what is fed in is metered; give {ways} in [{key}] of the format, such as"
        ' metering = "net_billing"'
    )


def _about(letter: str, biller: _Biller, form: MeterFormat) -> Iterable[str]:
    """What is to be said of a tariff."""
    sentences = (*biller.file.messages, *origin_messages(biller.file.table, generates=form.format.may_feed_in))
    if form.format.may_feed_in:
        sentences = (*sentences, f"Metering {biller.terms.metering.value}.", *_earns_nothing(biller))
    return tuple(f"Tariff {letter}: {one}" for one in in_currency(sentences, biller.file.book.currency))


def _earns_nothing(biller: _Biller) -> Iterable[str]:
    book = biller.file.book
    sells = book.export is not None or bool(book.energy.sell_usd_per_kwh.any())
    if not sells and biller.terms.metering is not Metering.NET_METERING:
        yield "It has no sell rate and no export is chosen: what is fed in earns nothing."


def _resolution(form: MeterFormat) -> Iterable[str]:
    if form.format.minutes == HOURLY and form.format.may_feed_in:
        yield (
            "Hourly readings hide what is drawn and fed in within an hour: bills with solar are higher at a meter's own"
            " resolution."
        )


def _unknown(form: MeterFormat) -> Iterable[str]:
    if form.format.income_usd_per_year is None:
        yield "The format names no column income_usd_per_year: Suits index and burdens are null."
    if form.format.income is None:
        yield "The format names no column income: all customers are of the income group all."


def _require_few(form: MeterFormat, groups: list[str], owned: list[str]) -> None:
    for column, labels in ((form.format.income, groups), (form.format.technology, owned)):
        if column is not None and len(set(labels)) > MOST_GROUPS:
            raise MeterFileError(
                f"column {column!r} holds more than {MOST_GROUPS} different names, such as {labels[-1]!r}; give one"
                " that names groups"
            )


def _changes(
    groups: list[str],
    owned: list[str],
    income: list[Floats],
    bought: list[Floats],
    bills_a: list[Floats],
    bills_b: list[Floats],
) -> BillChanges:
    incomes, technologies = tuple(sorted(set(groups))), tuple(sorted(set(owned)))
    customers = Customers(
        incomes=incomes,
        technologies=technologies,
        income_index=_index(groups, incomes),
        technology_index=_index(owned, technologies),
        income_usd_per_year=np.concatenate(income) if income else None,
        bought_kwh_per_year=np.concatenate(bought),
    )
    return BillChanges(
        customers=customers,
        before_usd_per_year=np.concatenate(bills_a),
        after_usd_per_year=np.concatenate(bills_b),
    )


def _index(labels: list[str], names: tuple[str, ...]) -> Ints:
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def meters_json(done: MeterImpacts) -> dict[str, Any]:
    """The object that ``impacts --meters --json`` prints, without names of files."""
    from meanwatt.analysis.impacts.bill_changes import changes_json
    from meanwatt.analysis.impacts.report import impacts_json

    found = None if done.changes is None else changes_json(done.changes)
    count = len(done.names)
    return impacts_json(found, None, None) | {
        "titles": {"a": done.titles[0], "b": done.titles[1]},
        "currency": done.currency,
        "outcome": "converged" if count else "no_customers",
        "message": f"{count} customers billed under both tariffs, without a response."
        if count
        else "No customer has readings of all intervals; see what was left out.",
        "messages": done.messages,
        "meters": done.intake.to_json(),
    }
