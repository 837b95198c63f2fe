"""What solar and storage cost and save: capital, net present value and payback."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Worth:
    """What a technology is worth to a household that decides, by income group and technology.

    Attributes
    ----------
    capital_usd, saving_usd_per_year, npv_usd, payback_years : (group, technology)
        Capital cost less subsidy, what the bill falls by, its net present value less the cost, and the years in which
        savings without discounting repay the cost: 0 where nothing is bought, inf where nothing is ever repaid.
        NaN where a group cannot own the technology.
    """

    __repr__ = short_repr

    capital_usd: Floats
    saving_usd_per_year: Floats
    npv_usd: Floats
    payback_years: Floats


def annuity_years(rate_per_year: Floats | float, years: Floats | float) -> Floats:
    """Present value of 1 a year at the end of each of so many years, (1 − (1 + r)^−L) / r; L at r = 0. [years]"""
    rate, length = np.broadcast_arrays(np.asarray(rate_per_year, dtype=float), np.asarray(years, dtype=float))
    safe = np.where(rate > 0, rate, 1.0)
    return np.where(rate > 0, -np.expm1(-length * np.log1p(rate)) / safe, length)


def worth(saving_usd_per_year: Floats, part_usd: Floats, part_lifetime_years: Floats, rate_per_year: Floats) -> Worth:
    """Value technologies that are made of parts with lifetimes of their own.

    A technology is kept for the life H of its longest-lived part. A part of life L costs C·A(H)/A(L) over that time,
    where A is the annuity: its equal yearly instalments, paid for as long as the technology is kept, so that one which
    lives shorter is bought again, in part. With one part the value is A(L)·saving − C.

    Parameters
    ----------
    saving_usd_per_year : (group, technology)
        What the bill is lower by than without, the same in every year of the life. [USD/yr]
    part_usd : (part, group, technology)
        Capital cost of each part, less subsidy; 0 where the technology has no such part. [USD]
    part_lifetime_years : (part,)
        [years]
    rate_per_year : (group,)
        Discount rate of each group, real. [per year]
    """
    rate = rate_per_year[:, None]
    kept = life_years(part_usd, part_lifetime_years)
    spread = annuity_years(rate, kept)
    cost = np.zeros_like(saving_usd_per_year)
    for usd, years in zip(part_usd, part_lifetime_years, strict=True):
        cost = cost + usd * spread / annuity_years(rate, years)
    capital = part_usd.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        payback = np.where(saving_usd_per_year > 0, capital / saving_usd_per_year, np.inf)
    payback = np.where(capital > 0, payback, 0.0)
    unknown = np.isnan(saving_usd_per_year)
    return Worth(
        capital_usd=np.where(unknown, np.nan, capital),
        saving_usd_per_year=saving_usd_per_year,
        npv_usd=spread * saving_usd_per_year - cost,
        payback_years=np.where(unknown, np.nan, payback),
    )


def life_years(part_usd: Floats, part_lifetime_years: Floats) -> Floats:
    """Life of the longest-lived part that a technology has, 0 where it has none. [years]

    Parameters
    ----------
    part_usd : (part, group, technology)
        Capital cost of each part; 0 where it has no such part. [USD]
    part_lifetime_years : (part,)
        [years]
    """
    return np.asarray(np.where(part_usd > 0, part_lifetime_years[:, None, None], 0.0).max(axis=0))
