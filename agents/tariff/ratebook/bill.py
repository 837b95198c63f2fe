"""Bills of many customers under a ratebook, month by month."""

from dataclasses import dataclass, field, fields

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, as_input, require_finite
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.carried import Carried, join_carried, rows_of
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.convention import TARIFF_BOOK, Convention
from meanwatt.agents.tariff.ratebook.demand import demand_usd
from meanwatt.agents.tariff.ratebook.least_bill import charge_of_months_usd, minimum_usd
from meanwatt.agents.tariff.ratebook.meter import Meter, Passed, by_kernel
from meanwatt.agents.tariff.ratebook.ratebook import Metering, TaxBase, TierPeriod, TierScope
from meanwatt.agents.tariff.ratebook.settlement import (
    Credits,
    Settled,
    fed_credit_usd,
    no_credits,
    settle_by_interval,
    settle_in_kwh,
    settle_in_usd,
)
from meanwatt.agents.tariff.ratebook.tier_limits import tier_limits_kwh
from meanwatt.agents.tariff.ratebook.usage import tiers_in_order, tiers_of_cells

CHUNK = 256
"""Customers that are billed at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """How a customer is metered and billed.

    Parameters
    ----------
    export_usd_per_kwh : (interval,)
        What a kWh fed in earns, in place of the ratebook's sell rates. [USD/kWh]
    wholesale_usd_per_kwh : (interval,)
        Wholesale price, for a ratebook that follows it. [USD/kWh]
    credit_expires
        Whether dollars of credit that are left at the true-up are lost.
    """

    __repr__ = short_repr

    metering: Metering
    export_usd_per_kwh: Floats | None = None
    wholesale_usd_per_kwh: Floats | None = None
    credit_expires: bool = False
    convention: Convention = TARIFF_BOOK


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bill:
    """Bills, (customer, month); positive is paid by the customer. The parts sum to `monthly_usd`.

    Parameters
    ----------
    discount_usd
        What the customer's discount takes off the charges: at most 0. [USD]
    export_credit_usd
        What feeding in takes off the bill: at most 0, unless sell rates are negative. [USD]
    credit_carried_usd, credit_carried_kwh
        Credits that wait at the month's end, after a true-up. [USD], [kWh]
    surplus_kwh
        Surplus that ends at a true-up. [kWh]
    peak_kw
        Highest power drawn in the month. [kW]
    kwh : (customer, month, period, tier)
        Energy billed. [kWh]
    drawn_kwh, fed_kwh
        What passed the meter. [kWh]
    carried
        What the next month needs to know.
    """

    __repr__ = short_repr

    energy_usd: Floats
    demand_usd: Floats
    fixed_usd: Floats
    minimum_usd: Floats
    discount_usd: Floats
    tax_usd: Floats
    export_credit_usd: Floats
    credit_carried_usd: Floats
    credit_carried_kwh: Floats
    surplus_kwh: Floats
    peak_kw: Floats
    drawn_kwh: Floats
    fed_kwh: Floats
    kwh: Floats
    carried: Carried = field(repr=False)

    @property
    def monthly_usd(self) -> Floats:
        """The bills, (customer, month). [USD]"""
        return np.asarray(sum(getattr(self, name) for name in PARTS))

    @property
    def annual_usd(self) -> Floats:
        """All months together, (customer,). [USD]"""
        return np.asarray(self.monthly_usd.sum(axis=1))


PARTS = ("energy_usd", "demand_usd", "fixed_usd", "minimum_usd", "discount_usd", "tax_usd", "export_credit_usd")
"""Parts of a bill."""
ARRAYS = tuple(one.name for one in fields(Bill) if one.name != "carried")
"""What a bill holds of each customer."""


def bill_customers(
    compiled: CompiledRatebook,
    load_kwh: Floats,
    generation_kwh: Floats | None,
    terms: Terms,
    carried: Carried | None = None,
) -> Bill:
    """Bill customers.

    Parameters
    ----------
    compiled
        A ratebook laid over the calendar of the readings.
    load_kwh : (customer, interval)
        What is used, ≥ 0; single precision is billed as it is, without a copy of all. [kWh]
    generation_kwh : (customer, interval)
        What is generated behind the meter; below 0 an inverter's own use. [kWh]
    carried
        What earlier months left; nothing by default.

    Raises
    ------
    ValueError
        If shapes disagree, a number is not finite, or the ratebook cannot be billed under these terms.
    """
    _require(compiled, load_kwh, generation_kwh, terms)
    whole: dict[str, Floats] = {}
    left = []
    for first in range(0, len(load_kwh), CHUNK):
        rows = slice(first, first + CHUNK)
        given = None if generation_kwh is None else generation_kwh[rows]
        part = _bill(compiled, load_kwh[rows], given, terms, rows_of(carried, rows))
        if len(part.kwh) == len(load_kwh):
            return part
        left.append(part.carried)
        for name in ARRAYS:
            of_part = getattr(part, name)
            if not first:
                whole[name] = np.empty((len(load_kwh), *of_part.shape[1:]))
            whole[name][rows] = of_part
    return Bill(**whole, carried=join_carried(left))


def _require(compiled: CompiledRatebook, load_kwh: Floats, generation_kwh: Floats | None, terms: Terms) -> None:
    for name, kwh in (("load_kwh", load_kwh), ("generation_kwh", generation_kwh)):
        if kwh is None:
            continue
        if kwh.ndim != 2 or kwh.shape[1] != compiled.calendar.intervals or len(kwh) != len(load_kwh):
            raise ValueError(
                f"{name} has shape {kwh.shape}; give (customer, interval) with {compiled.calendar.intervals} intervals"
            )
    by_interval = "take net_billing, net_billing_carryover or buy_all_sell_all"
    if terms.metering.nets_by_month and (
        terms.export_usd_per_kwh is not None or (compiled.book.export is not None and generation_kwh is not None)
    ):
        raise ValueError(
            f"metering {terms.metering.value} nets kWh over the month: an export rate by interval has no meaning;"
            f" {by_interval}"
        )
    if compiled.book.wholesale is not None:
        if terms.wholesale_usd_per_kwh is None:
            raise ValueError("the tariff follows a wholesale price; give wholesale_usd_per_kwh, one an interval")
        if terms.metering.nets_by_month and generation_kwh is not None:
            raise ValueError(
                f"metering {terms.metering.value} nets kWh over the month, and the tariff follows a wholesale price;"
                f" {by_interval}"
            )
    if (
        terms.metering.nets_by_month
        and compiled.book.energy.tier_period is TierPeriod.DAY
        and generation_kwh is not None
    ):
        raise ValueError(
            f"metering {terms.metering.value} nets kWh over the month, and the tariff has tiers by the day;"
            f" {by_interval}"
        )


def _require_finite(passed: Passed, load_kwh: Floats, generation_kwh: Floats | None) -> None:
    """Name the first reading that is no finite number; any makes a sum none."""
    if not np.isfinite(passed.drawn_kwh + passed.fed_kwh).all():
        require_finite("load_kwh", load_kwh)
        require_finite("generation_kwh", load_kwh if generation_kwh is None else generation_kwh)


def _bill(
    compiled: CompiledRatebook,
    load_kwh: Floats,
    generation_kwh: Floats | None,
    terms: Terms,
    carried: Carried | None,
) -> Bill:
    """Bill a few customers."""
    book, calendar, convention = compiled.book, compiled.calendar, terms.convention
    two = terms.metering is Metering.BUY_ALL_SELL_ALL
    meter = Meter(load_kwh=load_kwh, generation_kwh=generation_kwh, two=two)
    passed = _passed(compiled, meter, terms)
    _require_finite(passed, load_kwh, generation_kwh)
    start = carried.credits if carried else no_credits(len(load_kwh), len(book.energy.names))
    peak = passed.most_kwh.max(axis=2) / calendar.interval_hours
    demand, peaks = demand_usd(compiled, meter, passed, carried.peaks_kw if carried else ())
    settled = _settle(compiled, meter, passed, terms, start)
    fixed = sum(
        (charge_of_months_usd(charge, compiled, convention) for charge in book.fixed), np.zeros(calendar.months)
    )
    fixed = np.broadcast_to(fixed, settled.charge_usd.shape)
    charges = settled.charge_usd + demand + fixed
    credited = convention.minimum_after_credits and not two
    counts = charges - settled.applied_usd if credited else charges
    minimum, charged = minimum_usd(compiled, counts, convention, carried)
    credit = -(settled.applied_usd + settled.paid_out_usd)
    discount = np.zeros_like(charges)
    if book.discount is not None or book.taxes:
        billed_kwh = settled.kwh.sum(axis=(2, 3))
    if book.discount is not None:
        discount = book.discount.of_usd(settled.charge_usd, demand + fixed + minimum, billed_kwh)
    tax = np.zeros_like(charges)
    for one in book.taxes:
        base = charges + minimum + discount + (credit if one.on is TaxBase.BILL else 0.0)
        tax += one.usd_per_kwh * billed_kwh + one.share * np.maximum(base, 0.0)
    return Bill(
        energy_usd=settled.charge_usd,
        demand_usd=demand,
        fixed_usd=np.array(fixed),
        minimum_usd=minimum,
        discount_usd=discount,
        tax_usd=tax,
        export_credit_usd=credit + 0.0,
        credit_carried_usd=settled.carried_usd,
        credit_carried_kwh=settled.carried_kwh,
        surplus_kwh=settled.surplus_kwh,
        peak_kw=peak,
        drawn_kwh=passed.drawn_kwh.sum(axis=2),
        fed_kwh=passed.fed_kwh.sum(axis=2),
        kwh=settled.kwh,
        carried=Carried(credits=settled.left, peaks_kw=peaks, charged_usd=charged),
    )


def _passed(compiled: CompiledRatebook, meter: Meter, terms: Terms) -> Passed:
    """What passes the meter: of many customers in blocks, unless the order of time within a day is needed."""
    energy = compiled.book.energy
    in_order = compiled.in_order and not _nets_by_month(compiled, terms)
    whole_months = energy.tier_scope is TierScope.MONTH and energy.tier_period is TierPeriod.MONTH
    limit = compiled.limit_kwh
    by_blocks = not in_order or (whole_months and limit is not None and compiled.sold_alike)
    if not by_kernel(len(meter.load_kwh)) or not by_blocks:
        return meter.passed(compiled.energy, by_run=in_order)
    if in_order and limit is not None and compiled.edges_kwh is not None:
        return meter.over_blocks(compiled.blocks, limit[0], compiled.edges_kwh)
    none = np.empty((*compiled.energy.shape, 0))
    return meter.over_blocks(compiled.blocks, as_input(none), as_input(none[:, 0]))


def _settle(compiled: CompiledRatebook, meter: Meter, passed: Passed, terms: Terms, start: Credits) -> Settled:
    """Energy charges and credits by the rule of the meter."""
    energy = compiled.book.energy
    limit = compiled.limit_kwh
    if limit is None:
        limit = tier_limits_kwh(
            energy, compiled.calendar, passed.most_kwh.max(axis=2) / compiled.calendar.interval_hours
        )
    if _nets_by_month(compiled, terms):
        net = passed.drawn_kwh - passed.fed_kwh
        if terms.metering is Metering.NET_METERING:
            return settle_in_kwh(compiled, net, limit, start, terms.convention)
        return settle_in_usd(compiled, net, limit, start, expires=terms.credit_expires, convention=terms.convention)
    bought = _bought_by_tier(compiled, passed, limit)
    rates, book = terms.export_usd_per_kwh, compiled.book
    if rates is None and book.export is not None:
        rates = book.export.over(compiled.calendar)
    if rates is None:
        credit = _fed_credit_usd(compiled, passed, limit)
    else:
        earned = meter.earned_usd(rates, compiled.energy)
        credit = compiled.energy.collect(earned).sum(axis=2)
    return settle_by_interval(
        compiled,
        bought,
        credit,
        start,
        carries=terms.metering.carries_usd,
        expires=terms.credit_expires,
        convention=terms.convention,
        more_usd=_wholesale_usd(compiled, meter, terms),
    )


def _wholesale_usd(compiled: CompiledRatebook, meter: Meter, terms: Terms) -> Floats | float:
    """What following the wholesale price adds to the energy charges. (customer, month) [USD]"""
    follows = compiled.book.wholesale
    if follows is None:
        return 0.0
    assert terms.wholesale_usd_per_kwh is not None
    rate = compiled.book.energy.rate_usd_per_kwh[compiled.energy.period, 0]
    above = follows.above_usd_per_kwh(terms.wholesale_usd_per_kwh, rate)
    return np.asarray(compiled.energy.collect(meter.spent_usd(above, compiled.energy)).sum(axis=2))


def _nets_by_month(compiled: CompiledRatebook, terms: Terms) -> bool:
    """Whether kWh are netted over the month; where that cannot be, nothing is fed in and there is nothing to net."""
    by_interval = compiled.book.energy.tier_period is TierPeriod.DAY or compiled.book.wholesale is not None
    return terms.metering.nets_by_month and not by_interval


def _bought_by_tier(compiled: CompiledRatebook, passed: Passed, limit: Floats) -> Floats:
    """What is drawn. (customer, month, period, tier) [kWh]"""
    energy = compiled.book.energy
    if not compiled.in_order:
        return tiers_of_cells(energy, passed.drawn_kwh, limit)
    if passed.drawn_tiers_kwh is not None:
        return passed.drawn_tiers_kwh
    return tiers_in_order(compiled, passed.drawn_runs_kwh, limit)


def _fed_credit_usd(compiled: CompiledRatebook, passed: Passed, limit: Floats) -> Floats:
    """What feeding in earns at the sell rates. (customer, month) [USD]"""
    energy = compiled.book.energy
    sell = energy.sell_usd_per_kwh
    if compiled.sold_alike:
        return np.asarray(np.einsum("cmp,p->cm", passed.fed_kwh, sell[:, 0]))
    if not compiled.in_order:
        return fed_credit_usd(compiled, tiers_of_cells(energy, passed.fed_kwh, limit))
    return fed_credit_usd(compiled, tiers_in_order(compiled, passed.fed_runs_kwh, limit))
