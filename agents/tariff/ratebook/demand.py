"""Demand charges: the highest power of a month, and what earlier months leave of theirs."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook, PeriodMap
from meanwatt.agents.tariff.ratebook.meter import Meter, Passed
from meanwatt.agents.tariff.ratebook.ratebook import Ratchet
from meanwatt.agents.tariff.ratebook.tiers import climb


def average_kw(drawn_kwh: Floats, calendar: BillingCalendar, window_minutes: int | None) -> Floats:
    """Power drawn, (customer, interval), averaged over windows from midnight on; a shorter window changes nothing."""
    power = drawn_kwh / calendar.interval_hours
    together = intervals_of_window(calendar, window_minutes)
    if together == 1:
        return power
    # windows begin with the day; a day that daylight saving cuts short may leave a shorter window at its end
    first_of_day = np.searchsorted(calendar.day, calendar.day)
    window = (np.arange(calendar.intervals) - first_of_day) // together
    starts = np.flatnonzero(np.diff(window, prepend=-1) != 0)
    starts = np.union1d(starts, np.unique(first_of_day))
    lengths = np.diff(np.append(starts, calendar.intervals))
    return np.repeat(np.add.reduceat(power, starts, axis=1) / lengths, lengths, axis=1)


def intervals_of_window(calendar: BillingCalendar, window_minutes: int | None) -> int:
    """Intervals over which power is averaged, at least one."""
    minutes = round(60 * calendar.interval_hours)
    return max(1, (window_minutes or minutes) // minutes)


def demand_usd(
    compiled: CompiledRatebook, meter: Meter, passed: Passed, earlier: tuple[Floats, ...]
) -> tuple[Floats, tuple[Floats, ...]]:
    """What the demand charges of each month come to.

    Parameters
    ----------
    meter, passed
        The meter, and what is known to pass it.
    earlier : one (customer, month, period) for each charge
        Peaks of the months before, the last one last. [kW]

    Returns
    -------
    charge : (customer, month)
        All demand charges together. [USD]
    peaks : one (customer, month, period) for each charge
        Those of the months before, and these. [kW]
    """
    total = np.zeros((len(meter.load_kwh), compiled.calendar.months))
    remembered = []
    for place, (charge, where) in enumerate(zip(compiled.book.demand, compiled.demand, strict=True)):
        known = passed.demand_kwh[place] if passed.demand_kwh else None
        peaks = _highest_kw(meter, where, compiled.calendar, charge.window_minutes, known)
        before = earlier[place] if earlier else peaks[:, :0]
        billed = billing_demand_kw(peaks, before, charge.ratchet, where, compiled.calendar)
        if charge.limit_kw.shape[1] == 1:
            total += np.einsum("cmp,p->cm", billed, charge.rate_usd_per_kw[:, 0])
        else:
            total += np.einsum("cmpt,pt->cm", climb(billed, charge.limit_kw), charge.rate_usd_per_kw)
        remembered.append(np.concatenate([before, peaks], axis=1))
    return total, tuple(remembered)


def _highest_kw(
    meter: Meter, where: PeriodMap, calendar: BillingCalendar, window_minutes: int | None, most_kwh: Floats | None
) -> Floats:
    """Highest power of each month and period, (customer, month, period), from that of intervals if known. [kW]"""
    if intervals_of_window(calendar, window_minutes) == 1:
        return (meter.passed(where).most_kwh if most_kwh is None else most_kwh) / calendar.interval_hours
    power = average_kw(meter.flows()[0], calendar, window_minutes)
    return where.highest(np.maximum(np.maximum.reduceat(power, where.starts, axis=1), 0.0))


def billing_demand_kw(
    peaks: Floats, before: Floats, ratchet: Ratchet | None, where: PeriodMap, calendar: BillingCalendar
) -> Floats:
    """The kW that are billed, (customer, month, period): the month's peak, or what a ratchet keeps of earlier ones."""
    if ratchet is None:
        return peaks
    known = np.concatenate([before, peaks], axis=1)
    billed = peaks.copy()
    counted = np.array(ratchet.counted)
    for month, number in enumerate(calendar.number.tolist()):
        here = before.shape[1] + month
        back = np.arange(max(0, here - ratchet.months), here)
        back = back[counted[(number - (here - back)) % len(counted)]]
        if back.size:
            kept = ratchet.share[number] * known[:, back].max(axis=1)
            billed[:, month] = np.where(where.present[month], np.maximum(peaks[:, month], kept), 0.0)
    return billed
