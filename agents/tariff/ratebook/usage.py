"""What a month's meter readings come to: kWh by period and tier, peaks, and what feeding in earns."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge, Metering, TierPeriod, TierScope
from meanwatt.agents.tariff.ratebook.tiers import climb, climb_in_order, climb_together


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flows:
    """What passes the meter.

    Parameters
    ----------
    drawn_kwh, fed_kwh : (customer, interval)
        What is bought and what is fed in; with one meter never both. [kWh]
    """

    __repr__ = short_repr

    drawn_kwh: Floats
    fed_kwh: Floats


def flows(load_kwh: Floats, generation_kwh: Floats | None, metering: Metering) -> Flows:
    """What is drawn and fed in, by the meters there are: one behind which load and generation meet, or two.

    Generation below 0, an inverter's own use, is bought as load is.
    """
    if generation_kwh is None:
        return Flows(drawn_kwh=load_kwh, fed_kwh=np.zeros((len(load_kwh), 1)))
    if metering is Metering.BUY_ALL_SELL_ALL:
        generated = np.maximum(generation_kwh, 0.0)
        return Flows(drawn_kwh=load_kwh + (generated - generation_kwh), fed_kwh=generated)
    net = load_kwh - generation_kwh
    drawn = np.maximum(net, 0.0)
    return Flows(drawn_kwh=drawn, fed_kwh=drawn - net)


def tier_limits_kwh(charge: EnergyCharge, calendar: BillingCalendar, peak_kw: Floats) -> Floats:
    """Where each tier ends in each month. (customer or 1, month, period, tier) [kWh]

    Parameters
    ----------
    peak_kw : (customer, month)
        Peak of the month, for tiers in kWh/kW. [kW]
    """
    factor = np.ones((1, calendar.months))
    if charge.unit.daily and charge.tier_period is TierPeriod.MONTH:
        factor = factor * calendar.days
    if charge.unit.per_kw:
        factor = factor * peak_kw
    finite = np.where(np.isfinite(charge.limit), charge.limit, 0.0)
    return np.where(np.isfinite(charge.limit), factor[:, :, None, None] * finite, np.inf)


def tiers_in_order(compiled: CompiledRatebook, kwh: Floats, limit: Floats) -> Floats:
    """Share energy out by month, period and tier where each interval is billed by itself.

    Parameters
    ----------
    kwh : (customer, interval)
        Energy, ≥ 0. [kWh]
    limit : (customer or 1, month, period, tier)
        See `tier_limits_kwh`. [kWh]

    Returns
    -------
    (customer, month, period, tier)
        [kWh]
    """
    charge, places, calendar = compiled.book.energy, compiled.energy, compiled.calendar
    if kwh.shape[1] == 1 and calendar.intervals > 1:
        return np.zeros((len(kwh), *places.shape, limit.shape[3]))
    if not charge.tiered:
        return _first_tier(places.sums(kwh), limit.shape[3])
    by_period = charge.tier_scope is TierScope.PERIOD
    if charge.tier_period is TierPeriod.MONTH and (by_period or not (places.present.sum(axis=1) > 1).any()):
        return climb(places.sums(kwh), limit)
    window = calendar.month if charge.tier_period is TierPeriod.MONTH else calendar.day
    first = np.searchsorted(window, window)
    out = np.zeros((len(kwh), *places.shape, limit.shape[3]))
    for period in range(places.shape[1]):
        mask = places.period == period
        if mask.any():
            climbing = kwh * mask if by_period else kwh
            out[:, :, period] = climb_in_order(
                climbing, first, calendar.month, np.flatnonzero(mask), limit[:, :, period]
            )
    return out


def tiers_of_month(charge: EnergyCharge, kwh: Floats, limit: Floats) -> Floats:
    """Share energy out by period and tier where a month's kWh of each period are netted first.

    Parameters
    ----------
    kwh : (customer, period)
        Netted energy, ≥ 0. [kWh]
    limit : (customer or 1, period, tier)
        Ends of the tiers. [kWh]

    Returns
    -------
    (customer, period, tier)
        [kWh]
    """
    if not charge.tiered:
        return _first_tier(kwh, limit.shape[2])
    climbs = climb if charge.tier_scope is TierScope.PERIOD else climb_together
    return climbs(kwh, limit)


def _first_tier(kwh: Floats, tiers: int) -> Floats:
    out = np.zeros((*kwh.shape, tiers))
    out[..., 0] = kwh
    return out
