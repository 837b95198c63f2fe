"""Where tiers end, month by month, in kWh, and whether it matters when a kWh is used."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge, TierPeriod, TierScope, TierUnit


def counts_peaks(charge: EnergyCharge) -> bool:
    """Whether a limit of tiers is per kW of the month's peak."""
    return any(unit.per_kw for unit in charge.units or (charge.unit,))


def climbs_in_order(charge: EnergyCharge) -> bool:
    """Whether the order of time within a month decides on which tier a kWh stands."""
    return charge.tiered and (charge.tier_scope is TierScope.MONTH or charge.tier_period is TierPeriod.DAY)


def any_tier(usd_per_kwh: Floats) -> bool:
    """Whether rates (period, tier) are the same in all tiers, so that it does not matter on which one a kWh stands."""
    return bool((usd_per_kwh == usd_per_kwh[:, :1]).all())


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
