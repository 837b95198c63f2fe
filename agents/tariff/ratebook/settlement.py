"""From a month's kWh to its energy charges and credits, and what is carried to the next month."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.convention import Convention
from meanwatt.agents.tariff.ratebook.credit_step import settle_kwh, settle_usd, surplus_goes_to
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Schedule
from meanwatt.agents.tariff.ratebook.usage import tiers_of_month


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Credits:
    """What waits for later months.

    Parameters
    ----------
    usd : (customer,)
        Credits in dollars. [USD]
    kwh : (customer, period)
        Surplus of each period, still to be netted. [kWh]
    total_kwh : (customer,)
        Surplus of all kWh since the last true-up, which is what earns the year-end rate. [kWh]
    """

    __repr__ = short_repr

    usd: Floats
    kwh: Floats
    total_kwh: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """Energy charges and credits of the months.

    Parameters
    ----------
    kwh : (customer, month, period, tier)
        Billed energy. [kWh]
    charge_usd : (customer, month)
        Energy at its rates. [USD]
    applied_usd : (customer, month)
        Credits that the month's bill gets. [USD]
    paid_out_usd : (customer, month)
        Credits and surplus paid at the true-up. [USD]
    carried_usd, carried_kwh : (customer, month)
        Credits at the month's end. [USD], [kWh]
    surplus_kwh : (customer, month)
        Surplus of all periods that ends at the true-up. [kWh]
    left : Credits
        Those at the end of the last month.
    """

    __repr__ = short_repr

    kwh: Floats
    charge_usd: Floats
    applied_usd: Floats
    paid_out_usd: Floats
    carried_usd: Floats
    carried_kwh: Floats
    surplus_kwh: Floats
    left: Credits


def energy_charge_usd(compiled: CompiledRatebook, kwh: Floats) -> Floats:
    """What billed energy (customer, month, period, tier) costs: rates, fuel adjustment, baseline credit. [USD]"""
    book, calendar = compiled.book, compiled.calendar
    usd = np.einsum("cmpt,pt->cm", kwh, book.energy.rate_usd_per_kwh)
    if book.baseline is None and not book.fuel_usd_per_kwh.any():
        return np.asarray(usd)
    total = kwh.sum(axis=(2, 3))
    usd = usd + total * book.fuel_usd_per_kwh[calendar.number]
    if book.baseline is not None and book.baseline.territory is not None:
        allowance = book.baseline.kwh_per_day[book.baseline.territory][calendar.number] * calendar.days
        usd -= book.baseline.credit_usd_per_kwh * np.minimum(total, allowance)
    return np.asarray(usd)


def settle_by_interval(
    compiled: CompiledRatebook,
    kwh: Floats,
    credit_usd: Floats,
    start: Credits,
    *,
    carries: bool,
    expires: bool,
    convention: Convention,
    more_usd: Floats | float = 0.0,
) -> Settled:
    """Settle what was billed interval by interval.

    Parameters
    ----------
    kwh : (customer, month, period, tier)
        Energy drawn. [kWh]
    credit_usd : (customer, month)
        What feeding in earns. [USD]
    start
        What earlier months left.
    carries
        Whether credits pay later months' energy charges; else they are the month's own.
    expires
        Whether credits that are left at the true-up are lost.
    more_usd : (customer, month)
        Energy charges beside those of rates. [USD]
    """
    charge = energy_charge_usd(compiled, kwh) + more_usd
    nothing = np.zeros_like(charge)
    if not carries:
        return Settled(
            kwh=kwh,
            charge_usd=charge,
            applied_usd=credit_usd,
            paid_out_usd=nothing,
            carried_usd=nothing,
            carried_kwh=nothing,
            surplus_kwh=nothing,
            left=start,
        )
    applied, paid_out, carried, usd = nothing.copy(), nothing.copy(), nothing.copy(), start.usd
    for month, number in enumerate(compiled.calendar.number.tolist()):
        step = settle_usd(
            usd,
            credit_usd[:, month],
            charge[:, month],
            at_once=False,
            trues_up=number + 1 == compiled.book.true_up_month,
            expires=expires,
            convention=convention,
        )
        applied[:, month], paid_out[:, month], usd = step.applied_usd, step.paid_out_usd, step.left_usd
        carried[:, month] = usd
    return Settled(
        kwh=kwh,
        charge_usd=charge,
        applied_usd=applied,
        paid_out_usd=paid_out,
        carried_usd=carried,
        carried_kwh=nothing,
        surplus_kwh=nothing,
        left=Credits(usd=usd, kwh=start.kwh, total_kwh=start.total_kwh),
    )


def settle_in_kwh(
    compiled: CompiledRatebook, net_kwh: Floats, limit: Floats, start: Credits, convention: Convention
) -> Settled:
    """Net kWh within each period of the month; a surplus goes to the next month.

    Parameters
    ----------
    net_kwh : (customer, month, period)
        Load less generation. [kWh]
    limit : (customer or 1, month, period, tier)
        Ends of the tiers. [kWh]
    """
    book, calendar = compiled.book, compiled.calendar
    customers, months, periods = net_kwh.shape
    kwh = np.zeros((customers, months, periods, limit.shape[3]))
    paid_out, carried, ended = (np.zeros((customers, months)) for _ in range(3))
    surplus, total = start.kwh, start.total_kwh
    for month, number in enumerate(calendar.number.tolist()):
        goes_to = surplus_periods(book.energy.schedule, (number - 1) % MONTHS, number, convention)
        billed, surplus = settle_kwh(net_kwh[:, month], surplus, goes_to)
        kwh[:, month] = tiers_of_month(book.energy, billed, limit[:, month])
        total = np.maximum(total - net_kwh[:, month].sum(axis=1), 0.0)
        if number + 1 == book.true_up_month:
            paid_out[:, month] = total * book.year_end_usd_per_kwh
            ended[:, month] = surplus.sum(axis=1)
            surplus, total = np.zeros_like(surplus), np.zeros_like(total)
        carried[:, month] = surplus.sum(axis=1)
    charge = energy_charge_usd(compiled, kwh)
    if convention.negative_lost:
        charge = np.maximum(charge, 0.0)
    return Settled(
        kwh=kwh,
        charge_usd=charge,
        applied_usd=np.zeros_like(charge),
        paid_out_usd=paid_out,
        carried_usd=np.zeros_like(charge),
        carried_kwh=carried,
        surplus_kwh=ended,
        left=Credits(usd=start.usd, kwh=surplus, total_kwh=total),
    )


def settle_in_usd(
    compiled: CompiledRatebook,
    net_kwh: Floats,
    limit: Floats,
    start: Credits,
    *,
    expires: bool,
    convention: Convention,
) -> Settled:
    """Net kWh within each period of the month; a surplus earns the sell rate, which pays this month's energy charges.

    Parameters
    ----------
    net_kwh : (customer, month, period)
        Load less generation. [kWh]
    limit : (customer or 1, month, period, tier)
        Ends of the tiers. [kWh]
    """
    book, calendar = compiled.book, compiled.calendar
    bought, sold = np.maximum(net_kwh, 0.0), np.maximum(-net_kwh, 0.0)
    by_month = [tiers_of_month(book.energy, bought[:, month], limit[:, month]) for month in range(calendar.months)]
    fed = [tiers_of_month(book.energy, sold[:, month], limit[:, month]) for month in range(calendar.months)]
    kwh = np.stack(by_month, axis=1)
    charge = energy_charge_usd(compiled, kwh)
    credit = np.einsum("cmpt,pt->cm", np.stack(fed, axis=1), book.energy.sell_usd_per_kwh)
    applied, paid_out, carried, usd = np.zeros_like(charge), np.zeros_like(charge), np.zeros_like(charge), start.usd
    for month, number in enumerate(calendar.number.tolist()):
        step = settle_usd(
            usd,
            credit[:, month],
            charge[:, month],
            at_once=True,
            trues_up=number + 1 == book.true_up_month,
            expires=expires,
            convention=convention,
        )
        applied[:, month], paid_out[:, month], usd = step.applied_usd, step.paid_out_usd, step.left_usd
        carried[:, month] = usd
    return Settled(
        kwh=kwh,
        charge_usd=charge,
        applied_usd=applied,
        paid_out_usd=paid_out,
        carried_usd=carried,
        carried_kwh=np.zeros_like(charge),
        surplus_kwh=np.zeros_like(charge),
        left=Credits(usd=usd, kwh=start.kwh, total_kwh=start.total_kwh),
    )


def surplus_periods(schedule: Schedule, last: int, month: int, convention: Convention) -> dict[int, int]:
    """Which period of a month the surplus of each period of the month before goes to.

    Parameters
    ----------
    last, month
        Places of both months in the year, 0 to 11.

    Returns
    -------
    dict
        Period → period; one that is left out loses its surplus.
    """
    before, now = ((schedule.weekday[place], schedule.weekend[place]) for place in (last, month))
    return surplus_goes_to(before, now, by_clock_only=convention.surplus_by_clock)


def fed_credit_usd(compiled: CompiledRatebook, kwh: Floats) -> Floats:
    """What energy fed in, (customer, month, period, tier), earns at the sell rates. (customer, month) [USD]"""
    return np.asarray(np.einsum("cmpt,pt->cm", kwh, compiled.book.energy.sell_usd_per_kwh))


def no_credits(customers: int, periods: int) -> Credits:
    """Nothing left by earlier months."""
    return Credits(usd=np.zeros(customers), kwh=np.zeros((customers, periods)), total_kwh=np.zeros(customers))
