"""kWh by month, period and tier, where every interval is billed by itself or a month's kWh are netted first."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, as_input
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.meter import MANY
from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge, TierPeriod, TierScope, TierUnit
from meanwatt.agents.tariff.ratebook.run_kernels import climb_runs
from meanwatt.agents.tariff.ratebook.tiers import climb, climb_in_order, climb_together


def tier_limits_kwh(charge: EnergyCharge, calendar: BillingCalendar, peak_kw: Floats) -> Floats:
    """Where each tier ends in each month. (customer or 1, month, period, tier) [kWh]

    Parameters
    ----------
    peak_kw : (customer, month)
        Peak of the month, for tiers in kWh/kW. [kW]
    """
    by_month = charge.tier_period is TierPeriod.MONTH
    tiers = charge.limit.shape[1]
    units = charge.units or (charge.unit,) * tiers
    customers = len(peak_kw) if any(unit.per_kw for unit in units) else 1
    out = np.empty((customers, calendar.months, *charge.limit.shape))
    for tier, unit in enumerate(units):
        factor = np.ones((1, calendar.months))
        if unit.daily and by_month:
            factor = factor * calendar.days
        if unit.per_kw:
            factor = factor * peak_kw
        filed = charge.limit[:, tier]
        finite = np.where(np.isfinite(filed), filed, 0.0)
        out[..., tier] = np.where(np.isfinite(filed), factor[:, :, None] * finite, np.inf)
    return _in_blocks(out, units) if len(set(units)) > 1 else out


def _in_blocks(limit: Floats, units: tuple[TierUnit, ...]) -> Floats:
    """End steps in kWh where their block per kW ends, and leave the block no energy of its own."""
    out, foot, block = limit.copy(), np.zeros(limit.shape[:-1]), np.full(limit.shape[:-1], np.inf)
    for tier, unit in enumerate(units):
        if unit.per_kw:
            block = limit[..., tier]
            has_steps = tier + 1 < len(units) and not units[tier + 1].per_kw
            end = foot if has_steps else block
        else:
            end = np.minimum(limit[..., tier], block)
        foot = np.maximum(foot, end)
        out[..., tier] = foot
    out[..., -1] = np.inf
    return out


def climbs_in_order(charge: EnergyCharge) -> bool:
    """Whether the order of time within a month decides on which tier a kWh stands."""
    return charge.tiered and (charge.tier_scope is TierScope.MONTH or charge.tier_period is TierPeriod.DAY)


def tiers_of_cells(charge: EnergyCharge, kwh: Floats, limit: Floats) -> Floats:
    """Share energy out by tier where the order of time does not matter.

    Parameters
    ----------
    kwh : (customer, month, period)
        Energy, ≥ 0. [kWh]
    limit : (customer or 1, month, period, tier)
        See `tier_limits_kwh`. [kWh]

    Returns
    -------
    (customer, month, period, tier)
        [kWh]
    """
    return climb(kwh, limit) if charge.tiered else _first_tier(kwh, limit.shape[3])


def tiers_in_order(compiled: CompiledRatebook, kwh: Floats, limit: Floats) -> Floats:
    """Share energy out by month, period and tier where each interval is billed by itself, in the order of time.

    The intervals of a run follow one another on their ladder, so that it is enough to know where a run begins and ends.

    Parameters
    ----------
    kwh : (customer, run)
        Energy of the runs of the energy charge's map, ≥ 0. [kWh]
    limit : (customer or 1, month, period, tier)
        See `tier_limits_kwh`. [kWh]

    Returns
    -------
    (customer, month, period, tier)
        [kWh]
    """
    charge, places = compiled.book.energy, compiled.energy
    by_period = charge.tier_scope is TierScope.PERIOD
    window = places.run_month if charge.tier_period is TierPeriod.MONTH else places.run_day
    first = np.searchsorted(window, window)
    out = np.zeros((len(kwh), *places.shape, limit.shape[3]))
    if len(kwh) >= MANY:
        ladder = places.run_period if by_period else np.zeros_like(places.run_period)
        of_run = np.stack([places.run_month, places.run_period, ladder], axis=1)
        climb_runs(as_input(kwh), as_input(first), as_input(of_run), as_input(limit), out)
        return out
    for period in range(places.shape[1]):
        mask = places.run_period == period
        if mask.any():
            climbing = kwh * mask if by_period else kwh
            inside = np.flatnonzero(mask)
            out[:, :, period] = climb_in_order(climbing, first, places.run_month, inside, limit[:, :, period])
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
