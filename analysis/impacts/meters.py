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
from meanwatt.analysis.impacts.bill_changes import BillChanges, Customers
from meanwatt.analysis.impacts.filed_biller import MeterKind, two_billers
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError, MeterFormat
from meanwatt.model.billing.meter_rows import Intake, fitted
from meanwatt.model.billing.meter_years import YearGrid, meter_years
from meanwatt.model.scenario.counted import counted
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


def meter_impacts(
    before: str,
    after: str,
    meters: Path,
    layout: MeterFormat,
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
    form = layout.format
    if form is None:
        raise MeterFileError("--meters needs a table [format] in the file of --format; see docs/how_to/impacts.md")
    form = fitted(meters, form)
    grid, intake = YearGrid(form), Intake()
    one, other = two_billers((before, after), (layout.a, layout.b), MeterKind.of(form), grid.calendar)
    names: list[str] = []
    bills_a, bills_b, bought, income = ([] for _ in range(4))
    groups: list[str] = []
    owned: list[str] = []
    for years, share in meter_years(meters, form, intake):
        check()
        usd_a, kwh = one.bills(years.load_kwh, years.generation_kwh)
        usd_b, _ = other.bills(years.load_kwh, years.generation_kwh)
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
        currency=one.file.book.currency,
        messages=joined(
            (NO_RESPONSE,),
            intake.messages(),
            one.messages("A"),
            other.messages("B"),
            _resolution(form),
            _unknown(form),
        ),
    )


def _resolution(form: FormatTable) -> Iterable[str]:
    if form.minutes == HOURLY and form.may_feed_in:
        yield (
            "Hourly readings hide what is drawn and fed in within an hour: bills with solar are higher at a meter's own"
            " resolution."
        )


def _unknown(form: FormatTable) -> Iterable[str]:
    if form.income_usd_per_year is None:
        yield "The format names no column income_usd_per_year: Suits index and burdens are null."
    if form.income is None:
        yield "The format names no column income: all customers are of the income group all."


def _require_few(form: FormatTable, groups: list[str], owned: list[str]) -> None:
    for column, labels in ((form.income, groups), (form.technology, owned)):
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
        "message": f"{counted(count, 'customer')} billed under both tariffs, without a response."
        if count
        else "No customer has readings of all intervals; see what was left out.",
        "messages": done.messages,
        "meters": done.intake.to_json(),
    }
