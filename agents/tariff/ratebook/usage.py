"""kWh by month, period and tier, where every interval is billed by itself or a month's kWh are netted first."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, as_input
from meanwatt.agents.tariff.ratebook.compiled import CompiledRatebook
from meanwatt.agents.tariff.ratebook.meter import by_kernel
from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge, TierPeriod, TierScope
from meanwatt.agents.tariff.ratebook.run_kernels import climb_runs
from meanwatt.agents.tariff.ratebook.tiers import climb, climb_in_order, climb_together


def tiers_of_cells(charge: EnergyCharge, kwh: Floats, limit: Floats) -> Floats:
    """Share energy out by tier where the order of time does not matter.

    Parameters
    ----------
    kwh : (customer, month, period)
        Energy, ≥ 0. [kWh]
    limit : (customer or 1, month, period, tier)
        See `meanwatt.agents.tariff.ratebook.tier_limits.tier_limits_kwh`. [kWh]

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
        See `meanwatt.agents.tariff.ratebook.tier_limits.tier_limits_kwh`. [kWh]

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
    if by_kernel(len(kwh)):
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
