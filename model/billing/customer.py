"""A customer's bill from files: a tariff as filed, readings, and what is said beside them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.compiled import compile_ratebook
from meanwatt.agents.tariff.ratebook.convention import SAM, TARIFF_BOOK
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Metering, Ratebook
from meanwatt.model.billing.bill_messages import Billed, bill_messages, in_currency, origin_messages
from meanwatt.model.billing.local_calendar import SAM_YEAR, Clock, calendar_of
from meanwatt.model.billing.ratebook_source import Choices, RatebookFile, load_ratebook
from meanwatt.model.billing.readings import Readings, ReadingsError, read_energy, read_rates
from meanwatt.model.billing.readings_file import customer_readings
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.nearest import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Files and settings of a bill, as they are given.

    Attributes
    ----------
    tariff
        Name of a tariff of the gallery, or path of a file.
    load, generation, export_rate, wholesale
        Paths of files.
    customer
        Whose readings, where ``load`` is a file of many.
    metering
        Name of a `Metering`; None takes the tariff's own.
    sam
        Whether SAM's convention holds.
    clock
        What is said of the readings' time.
    territory, discount, export
        See `Choices`.
    """

    tariff: str
    load: str
    clock: Clock
    customer: str | None = None
    generation: str | None = None
    metering: str | None = None
    export_rate: str | None = None
    credit_expires: bool = False
    sam: bool = False
    territory: str | None = None
    discount: str | None = None
    export: str | None = None
    wholesale: str | None = None

    @property
    def choices(self) -> Choices:
        """What the customer chooses of the tariff."""
        return Choices(territory=self.territory, discount=self.discount, export=self.export)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CustomerBill:
    """A bill, what it was made of, and what is to be said of it."""

    __repr__ = short_repr

    book: Ratebook
    calendar: BillingCalendar
    terms: Terms
    bill: Bill
    messages: tuple[str, ...]
    settings: dict[str, Any]

    @property
    def convention(self) -> str:
        """Name of the convention."""
        return "sam" if self.terms.convention == SAM else "tariff_book"

    def by_month(self, values: Floats) -> list[float | None]:
        """The customer's numbers, January to December; None where a month is not billed."""
        found: list[float | None] = [None] * MONTHS
        for number, value in zip(self.calendar.number.tolist(), values[0].tolist(), strict=True):
            found[number] = value + 0.0
        return found

    def energy_rows(self) -> list[dict[str, Any]]:
        """Billed energy by period and tier over all months: kWh, rate, USD; then fuel adjustment and baseline credit.

        They sum to the energy charges, but where SAM's convention takes charges below 0 for 0.
        """
        energy, book, number = self.book.energy, self.book, self.calendar.number
        kwh = self.bill.kwh[0].sum(axis=0)
        by_month = self.bill.kwh[0].sum(axis=(1, 2))
        others: list[tuple[str, Floats, float]] = []
        if book.wholesale is not None:
            rest = float(self.bill.energy_usd.sum()) - float((kwh * energy.rate_usd_per_kwh).sum())
            rest -= float(by_month @ book.fuel_usd_per_kwh[number])
            others.append(("wholesale price", by_month, rest))
        if book.fuel_usd_per_kwh.any():
            others.append(("fuel adjustment", by_month, float(by_month @ book.fuel_usd_per_kwh[number])))
        if book.baseline is not None and book.baseline.territory is not None:
            allowed = book.baseline.kwh_per_day[book.baseline.territory][number] * self.calendar.days
            within = np.minimum(by_month, allowed)
            others.append(("baseline credit", within, -book.baseline.credit_usd_per_kwh * float(within.sum())))
        rows: list[dict[str, Any]] = [
            {
                "period": name,
                "tier": tier + 1,
                "kwh": float(kwh[place, tier]),
                "usd_per_kwh": float(energy.rate_usd_per_kwh[place, tier]),
                "usd": float(kwh[place, tier] * energy.rate_usd_per_kwh[place, tier]),
            }
            for place, name in enumerate(energy.names)
            for tier in range(kwh.shape[1])
            if kwh[place, tier] or (tier == 0 and energy.limit.shape[1] == 1)
        ]
        return rows + [
            {"period": name, "tier": None, "kwh": float(kwh.sum()), "usd_per_kwh": None, "usd": usd}
            for name, kwh, usd in others
        ]


def bill_customer(asked: Asked) -> CustomerBill:
    """Bill a customer.

    Raises
    ------
    ValueError
        In one line that names the file or option, what came and what is allowed.
    """
    read = load_ratebook(asked.tariff, asked.choices)
    _require_territory(asked, read.book)
    return bill_readings(asked, read, *_read(asked))


def _require_territory(asked: Asked, book: Ratebook) -> None:
    """Refuse a baseline by territory where none is chosen."""
    if book.baseline is not None and book.baseline.territory is None:
        known = ", ".join(book.baseline.kwh_per_day)
        raise ValueError(f"tariff {asked.tariff} has a baseline by territory; give --territory, one of {known}")


def bill_readings(
    asked: Asked,
    read: RatebookFile,
    load: Readings,
    generation: Readings | None,
    zone: str | None = None,
    wholesale: Readings | None = None,
) -> CustomerBill:
    """Bill a customer whose tariff and readings are read already.

    Parameters
    ----------
    asked
        All else that is asked for; its files are named in what is said, and of them only prices are opened.
    read
        The tariff, with the customer's choices made.
    load, generation
        What is used, and generated behind the meter, in the same intervals. [kWh]
    zone
        Time zone that the readings name themselves; it holds where none is asked for.
    wholesale
        Wholesale prices that are read already, in place of the file that is asked for. [USD/kWh]

    Raises
    ------
    ValueError
        As `bill_customer`.
    """
    book = read.book
    _require_territory(asked, book)
    if (load.values < 0).any():
        row = int(np.argmax(load.values < 0))
        raise ReadingsError(
            f"{load.label}: line {load.line(row)} is {load.values[row]:g} kWh; give what is used, >= 0, and what is"
            " generated in --generation"
        )
    own_clock = zone is not None and asked.clock.zone is None and asked.clock.year != SAM_YEAR
    calendar, said = calendar_of(load, replace(asked.clock, zone=zone) if own_clock else asked.clock, book.holidays)
    if own_clock:
        said = (*said, f"The clock is that of {zone}, where the customers of {asked.load} live; --tz takes another.")
    messages = [*read.messages, *said, *origin_messages(read.table, generates=generation is not None)]
    if generation is not None:
        _require_same_rows(load, generation)
        negative = int((generation.values < 0).sum())
        if negative:
            messages.append(
                f"{counted(negative, 'reading')} of generation are below 0: an inverter's own use, bought as load is."
            )
    rule, about = _metering(asked.metering, book, generation is not None, list(read.table.exports))
    messages += about
    rates = None
    if asked.export_rate is not None:
        _require_by_interval("--export-rate", rule)
        rates = _over_load(read_rates("--export-rate", asked.export_rate), load)
        if generation is None:
            messages.append("--export-rate changes nothing without --generation.")
    terms = Terms(
        metering=rule,
        export_usd_per_kwh=rates,
        wholesale_usd_per_kwh=_wholesale(asked, book, rule, load, wholesale),
        credit_expires=asked.credit_expires or (book.credit_expires and rule.carries_usd),
        convention=SAM if asked.sam else TARIFF_BOOK,
    )
    if rule.nets_by_month and book.export is not None and generation is not None:
        raise ValueError(
            f"--metering {rule.value}: kWh are netted over the month, and what feeding in earns under"
            f" {book.export.name!r} goes by the hour; choose other terms with --export, one of"
            f" {', '.join(read.table.exports)}"
        )
    compiled = compile_ratebook(book, calendar)
    generated = None if generation is None else generation.values[None]
    bill = bill_customers(compiled, load.values[None], generated, terms)
    real = not (asked.clock.year == SAM_YEAR or (asked.clock.year is None and load.stamps is None))
    billed = Billed(
        compiled=compiled, load_kwh=load.values[None], generation_kwh=generated, terms=terms, bill=bill, real_year=real
    )
    return CustomerBill(
        book=book,
        calendar=calendar,
        terms=terms,
        bill=bill,
        messages=(*messages, *in_currency(bill_messages(billed), book.currency)),
        settings=asdict(asked),
    )


def _require_same_rows(load: Readings, other: Readings) -> None:
    """Refuse readings of other intervals than the load's."""
    if other.rows != load.rows:
        raise ReadingsError(f"{other.label}: {other.rows} rows; give {load.rows}, as {load.label} has")
    if other.stamps is None or load.stamps is None:
        return
    for row, (one, two) in enumerate(zip(load.stamps, other.stamps, strict=True)):
        if (one.tzinfo is None) != (two.tzinfo is None) or one != two:
            raise ReadingsError(
                f"{other.label}: line {other.line(row)} is {two.isoformat()}; {load.label} has {one.isoformat()} there"
            )


def _read(asked: Asked) -> tuple[Readings, Readings | None, str | None]:
    """Load, generation if there is any, and the time zone if the file says it."""
    if not asked.load.lower().endswith(".parquet"):
        if asked.customer is not None:
            raise ReadingsError(f"--customer is for --load FILE.parquet, a file of many; --load is {asked.load}")
        return (
            read_energy("--load", asked.load),
            None if asked.generation is None else read_energy("--generation", asked.generation),
            None,
        )
    if asked.generation is not None:
        raise ReadingsError(f"--generation is beside --load FILE.csv; {asked.load} holds what is generated, too")
    return customer_readings(asked.load, asked.customer)


def _metering(given: str | None, book: Ratebook, generates: bool, exports: Sequence[str]) -> tuple[Metering, list[str]]:
    """The rule of metering, and what is to be said of the choice."""
    if given is None:
        if book.metering is not None:
            return book.metering, ([f"Metering {book.metering.value} is the tariff's own."] if generates else [])
        if not generates:
            return Metering.NET_BILLING, []
        if exports:
            raise ValueError(f"--generation needs --export, one of {', '.join(exports)}, or --metering")
        raise ValueError(f"--generation needs --metering; give one of {', '.join(rule.value for rule in Metering)}")
    if given not in [rule.value for rule in Metering]:
        raise ValueError(unknown("--metering", given, [rule.value for rule in Metering]))
    rule = Metering(given)
    if book.metering is not None and book.metering is not rule and generates:
        return rule, [f"The tariff says {book.metering.value}; --metering {rule.value} is taken instead."]
    return rule, []


def _wholesale(asked: Asked, book: Ratebook, rule: Metering, load: Readings, given: Readings | None) -> Floats | None:
    """Wholesale prices for a tariff that follows them."""
    if asked.wholesale is None and given is None:
        if book.wholesale is not None:
            raise ValueError(
                f"tariff {asked.tariff} follows a wholesale price; give --wholesale FILE.csv, a column usd_per_kwh, one"
                f" an interval, in {book.currency}"
            )
        return None
    if book.wholesale is None:
        raise ValueError(f"tariff {asked.tariff} follows no wholesale price; leave --wholesale out")
    _require_by_interval("--wholesale", rule)
    return _over_load(read_rates("--wholesale", asked.wholesale or "") if given is None else given, load)


def _require_by_interval(option: str, rule: Metering) -> None:
    """Refuse rates by interval where kWh are netted over the month."""
    if rule.nets_by_month:
        raise ValueError(
            f"{option} with --metering {rule.value}: kWh are netted over the month, and a rate by interval has no"
            " meaning; take net_billing, net_billing_carryover or buy_all_sell_all"
        )


def _over_load(rates: Readings, load: Readings) -> Floats:
    """USD per kWh in each interval of the load; hourly rates hold for all intervals of their hour."""
    if load.rows % rates.rows or rates.rows > load.rows or 60 % (load.rows // rates.rows):
        raise ReadingsError(f"{rates.label}: {rates.rows} rows; give {load.rows}, as {load.label} has, or one an hour")
    if rates.stamps is not None and load.stamps is not None and rates.stamps != load.stamps[:: load.rows // rates.rows]:
        raise ReadingsError(f"{rates.label}: its time stamps are not those of {load.label}")
    return np.repeat(rates.values, load.rows // rates.rows)
