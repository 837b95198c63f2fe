"""What is to be said of a bill: how it was metered, where it differs from other engines, what was lost or left out."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.bill import Bill, Terms, bill_customers
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.convention import TARIFF_BOOK, Convention
from meanwatt.agents.tariff.ratebook.ratebook import Metering, Per, TierPeriod, TierScope
from meanwatt.model.billing.ratebook_table import RatebookTable

CENT: Final = 0.005
"""What is less is not worth a sentence. [USD]"""
RULES: Final = {
    Metering.NET_BILLING: "load and generation are netted in each interval; what is fed in earns its rate at once",
    Metering.NET_BILLING_CARRYOVER: (
        "load and generation are netted in each interval; what is fed in earns its rate as credit, which pays energy"
        " charges from the next month on"
    ),
    Metering.NET_METERING: (
        "kWh are netted within each period of the month, not between periods; a surplus goes to the same period of the"
        " next month"
    ),
    Metering.NET_METERING_DOLLARS: (
        "kWh are netted within each period of the month, not between periods; a surplus earns the sell rate as credit,"
        " which pays energy charges"
    ),
    Metering.BUY_ALL_SELL_ALL: "all use is bought and all generation sold, each through a meter of its own",
}
"""What each rule of metering does."""
DIFFERENCES: Final = {
    "even_months": "charges by day or year: the days of each month here, a twelfth of 365 days there",
    "minimum_after_credits": (
        "minimum charge: what the charges before credits lack of it here; what the bill after credits, at least 0,"
        " lacks of it there"
    ),
    "surplus_by_clock": (
        "surplus of kWh: to the same period of the next month here; by the clock (0, 5, 11 and 17 h) there, or lost"
    ),
    "negative_lost": "negative rates: settled here; energy charges or credits below 0 lost there",
}
"""What each difference of the conventions is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Billed:
    """A customer's bill and all that it was made of.

    Attributes
    ----------
    load_kwh, generation_kwh : (1, interval)
        Readings; generation None where there is none. [kWh]
    real_year
        Whether the calendar is that of a real year.
    """

    __repr__ = short_repr

    compiled: CompiledRatebook
    load_kwh: Floats
    generation_kwh: Floats | None
    terms: Terms
    bill: Bill
    real_year: bool

    def again(self, terms: Terms) -> Bill:
        """The same readings billed under other terms."""
        return bill_customers(self.compiled, self.load_kwh, self.generation_kwh, terms)


def bill_messages(billed: Billed) -> tuple[str, ...]:
    """All sentences on a bill."""
    return tuple(
        sentence
        for part in (_metered, _open_tiers, _demand_windows, _export_rates, _lost, _sam)
        for sentence in part(billed)
    )


def origin_messages(table: RatebookTable, *, generates: bool) -> Iterator[str]:
    """Where a tariff's numbers are from and which are not certain; what its discount leaves out; its currency."""
    if table.as_of is not None or table.source is not None:
        when = "" if table.as_of is None else f" as of {table.as_of}"
        yield f"The tariff's rates are{when}{'' if table.source is None else f' from {table.source}'}."
    chosen = {"exports": table.export if generates else None, "discounts": table.discount}
    for key, why in table.uncertain.items():
        part, _, rest = key.partition(".")
        if part not in chosen or rest.partition(".")[0] == chosen[part]:
            yield f"Not certain, {key}: {why}."
    if table.discount is not None:
        unpriced = table.discounts[table.discount].exempt_unpriced
        if unpriced:
            yield (
                f"Discount {table.discount} exempts {' and '.join(unpriced)}, whose rate the file does not give: it is"
                " discounted here as well, so that the bill is too low by that share of it."
            )
    if table.currency != "USD":
        yield f"All sums are in {table.currency}, although names such as annual_usd say usd."


def in_currency(sentences: Iterable[str], currency: str) -> tuple[str, ...]:
    """The same sentences with sums in a tariff's own currency."""
    return tuple(re.sub(r"\bUSD\b", currency, sentence) for sentence in sentences)


def _metered(billed: Billed) -> Iterator[str]:
    """The rule of metering; what an hourly meter hides."""
    if billed.generation_kwh is None:
        return
    metering = billed.terms.metering
    yield f"Metering {metering.value}: {RULES[metering]}."
    hours = billed.compiled.calendar.interval_hours
    if hours >= 1 and metering in (Metering.NET_BILLING, Metering.NET_BILLING_CARRYOVER):
        yield (
            "The readings are hourly: a meter that nets each quarter of an hour buys and sells more, and its bill is"
            " higher where buying costs more than selling earns."
        )


def _open_tiers(billed: Billed) -> Iterator[str]:
    """Last tiers that the file ends."""
    book = billed.compiled.book
    ends = [(name, end) for name, end in zip(book.energy.names, book.energy.filed_limit.tolist(), strict=True)]
    ended = [(name, end) for name, end in ends if np.isfinite(end)]
    if ended:
        name, end = ended[0]
        unit = (book.energy.units or (book.energy.unit,))[-1]
        more = f" (and {len(ended) - 1} more)" if len(ended) > 1 else ""
        yield (
            f"The last tier of energy period {name} ends at {end:g} {unit.value} in the file{more}: it is"
            " taken as open. SAM bills use above it at nothing, or credits it absurdly, and this is not reproduced."
        )
    for charge in book.demand:
        if np.isfinite(charge.filed_limit_kw).any():
            yield (
                f"The last tier of demand charge {charge.name} ends in the file: it is taken as open. SAM bills nothing"
                " above it, and this is not reproduced."
            )


def _demand_windows(billed: Billed) -> Iterator[str]:
    minutes = round(60 * billed.compiled.calendar.interval_hours)
    for charge in billed.compiled.book.demand:
        window = charge.window_minutes
        if window is not None and (window < minutes or window % minutes):
            yield (
                f"Demand charge {charge.name} averages power over {window} minutes; the readings have {minutes}, so"
                " peaks are theirs and may be too low."
            )


def _export_rates(billed: Billed) -> Iterator[str]:
    """Feeding in that earns nothing, or an option that changes nothing."""
    terms, bill = billed.terms, billed.bill
    if terms.credit_expires and not terms.metering.carries_usd:
        yield f"--credit-expires changes nothing: metering {terms.metering.value} carries no credit in dollars."
    if (
        terms.metering is Metering.NET_METERING
        or billed.compiled.book.export
        or terms.export_usd_per_kwh is not None
        or not bill.fed_kwh.any()
    ):
        return
    if not billed.compiled.book.energy.sell_usd_per_kwh.any():
        yield "The tariff has no sell rate and no --export-rate is given: what is fed in earns nothing."


def _lost(billed: Billed) -> Iterator[str]:
    """Credits and surplus that are lost, or wait, at the end."""
    bill, terms, book = billed.bill, billed.terms, billed.compiled.book
    month = book.true_up_month
    if terms.metering is Metering.NET_METERING and billed.generation_kwh is not None:
        left, kwh = float(bill.credit_carried_kwh[0, -1]), float(bill.surplus_kwh[0].sum())
        if kwh > CENT:
            rate = book.year_end_usd_per_kwh
            earned = f"the kWh left of the whole year earn {rate:g} USD/kWh" if rate else "they are lost"
            yield f"{kwh:.1f} kWh of surplus are left at the true-up in month {month}: {earned}."
        if left > CENT:
            yield f"{left:.1f} kWh of surplus wait at the end of the readings."
    if terms.metering.carries_usd and billed.generation_kwh is not None:
        paid = -float(bill.export_credit_usd.sum())
        if terms.credit_expires:
            kept = billed.again(replace(terms, credit_expires=False))
            expired = -float(kept.export_credit_usd.sum()) - paid
            if expired > CENT:
                yield f"Credits of {expired:.2f} USD are left at the true-up in month {month} and expire."
        waits = float(bill.credit_carried_usd[0, -1])
        if waits > CENT:
            yield f"Credits of {waits:.2f} USD wait at the end of the readings for the true-up in month {month}."


def _sam(billed: Billed) -> Iterator[str]:
    """Differences to SAM that matter for this bill."""
    book, bill = billed.compiled.book, billed.bill
    ours = billed.terms.convention == TARIFF_BOOK
    if ours:
        for one in fields(Convention):
            other = billed.again(replace(billed.terms, convention=replace(TARIFF_BOOK, **{one.name: True})))
            by_month = np.abs(other.monthly_usd - bill.monthly_usd).max()
            by_year = float(other.annual_usd[0] - bill.annual_usd[0])
            if by_month > CENT:
                whole = f"its whole bill by {by_year:+.2f} USD" if abs(by_year) > CENT else "its whole bill does not"
                yield f"SAM's months differ by up to {by_month:.2f} USD, {whole}: {DIFFERENCES[one.name]}."
    fuel = book.fuel_usd_per_kwh[billed.compiled.calendar.number]
    usd = float((bill.kwh.sum(axis=(2, 3)) * fuel).sum())
    if abs(usd) > CENT:
        yield f"Fuel adjustments come to {usd:.2f} USD; SAM drops them, and this is not reproduced."
    energy = book.energy
    if energy.tiered and (energy.tier_scope is TierScope.PERIOD or energy.tier_period is TierPeriod.DAY):
        yield (
            f"Tiers climb by {energy.tier_scope.value} and {energy.tier_period.value} (tier_scope, tier_period); SAM"
            " has one ladder a month for all periods together."
        )
    named = [
        word
        for word, there in (
            ("baseline credits", book.baseline is not None),
            ("taxes", bool(book.taxes)),
            ("discounts", book.discount is not None),
            ("prices that follow the wholesale market", book.wholesale is not None),
            ("ratchets of its own history", any(charge.ratchet for charge in book.demand)),
        )
        if there
    ]
    if named and not ours:
        yield f"SAM has no {' and no '.join(named)}; they are billed as the tariff says."
    if billed.real_year and not ours:
        yield (
            "SAM knows only a year of 365 days that begins on a Monday, without clock changes; this is a real year, and"
            " --year sam gives that one."
        )
    if any(charge.per is Per.YEAR for charge in book.minimum) and billed.compiled.calendar.number[0] != 0:
        yield "The readings do not begin in January: the annual minimum charge is left out."
