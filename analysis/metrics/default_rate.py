"""The one flat rate by which a class of customers pays its allocated cost, in closed form, or why there is none.

With a rate r for all hours a class uses Q(r) = Q0·(1 + ε(1 − r/p0)) as long as its flexibility f does not bind, and
pays r·Q(r) + F. Its allocated cost is c·Q(r) + R: its use at its mean marginal cost c, and its part R of the residual:

    (r − c)·Q(r) = R − F,

a quadratic: the margin rises from r = c to its peak and falls back to 0 where nobody buys. The lower root is the rate;
the upper one pays the same cost with less use at an absurd price. Where use cannot fall below (1 − f)·Q0 the margin
rises again beyond that rate, linearly.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.arrays import require_finite


class NoRate(StrEnum):
    """Why no rate makes a class pay its allocated cost."""

    NO_SALES = "no_sales"
    """The class buys nothing at any rate: only a fixed charge reaches it."""
    ABOVE_PEAK = "above_peak"
    """What is missing exceeds the largest margin that any rate brings: a death spiral of one class."""
    ABOVE_CAP = "above_cap"
    """The rate that would do is above the cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRate:
    """The rate, or why there is none.

    Attributes
    ----------
    usd_per_kwh
        The lowest rate that covers the cost; None without one. [USD/kWh]
    reason
        Why there is none; None with one.
    missing_usd_per_day
        R − F, what the margin on energy has to bring. [USD/day]
    largest_margin_usd_per_day
        The most that a rate up to the cap brings. [USD/day]
    """

    usd_per_kwh: float | None
    reason: NoRate | None
    missing_usd_per_day: float
    largest_margin_usd_per_day: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDemand:
    """A class's demand and cost, a mean household of it.

    Attributes
    ----------
    reference_kwh_per_day
        Use Q0 at the reference price, ≥ 0. [kWh/day]
    reference_price_usd_per_kwh
        p0 > 0. [USD/kWh]
    elasticity, flexibility
        ε ≥ 0 and f in [0, 1].
    marginal_cost_usd_per_kwh
        Use-weighted marginal cost c. [USD/kWh]
    residual_usd_per_day, fixed_charge_usd_per_day
        Allotted residual R and fixed charge F. [USD/day]
    """

    reference_kwh_per_day: float
    reference_price_usd_per_kwh: float
    elasticity: float
    flexibility: float
    marginal_cost_usd_per_kwh: float
    residual_usd_per_day: float
    fixed_charge_usd_per_day: float

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a number that is none, or out of its range."""
        for name in self.__slots__:
            require_finite(name, np.asarray(getattr(self, name), dtype=np.float64))
        for name in ("reference_kwh_per_day", "elasticity"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; give 0 or more")
        if not self.reference_price_usd_per_kwh > 0:
            raise ValueError(f"reference_price_usd_per_kwh is {self.reference_price_usd_per_kwh}; give a price above 0")
        if not 0 <= self.flexibility <= 1:
            raise ValueError(f"flexibility is {self.flexibility}; give a number from 0 to 1")

    def use_kwh_per_day(self, rate_usd_per_kwh: float) -> float:
        """Use Q(r), within the flexibility. [kWh/day]"""
        wanted = 1 + self.elasticity * (1 - rate_usd_per_kwh / self.reference_price_usd_per_kwh)
        return self.reference_kwh_per_day * float(np.clip(wanted, 1 - self.flexibility, 1 + self.flexibility))

    def margin_usd_per_day(self, rate_usd_per_kwh: float) -> float:
        """(r − c)·Q(r). [USD/day]"""
        return (rate_usd_per_kwh - self.marginal_cost_usd_per_kwh) * self.use_kwh_per_day(rate_usd_per_kwh)


def default_rate(demand: ClassDemand, cap_usd_per_kwh: float = 2.0) -> DefaultRate:
    """Find the lowest rate from marginal cost upward by which a class pays its allocated cost.

    Where the fixed charge alone exceeds the residual the rate is below marginal cost, and may be negative.

    Parameters
    ----------
    cap_usd_per_kwh
        Highest rate allowed. [USD/kWh]

    Raises
    ------
    ValueError
        If the cap is not a finite number.
    """
    require_finite("cap_usd_per_kwh", np.asarray(cap_usd_per_kwh, dtype=np.float64))
    missing = demand.residual_usd_per_day - demand.fixed_charge_usd_per_day
    candidates = [rate for rate in _roots(demand, missing) if _pays(demand, rate, missing)]
    top = _largest_margin(demand, cap_usd_per_kwh)
    within = [rate for rate in candidates if rate <= cap_usd_per_kwh]
    rate, reason = (min(within), None) if within else (None, NoRate.ABOVE_CAP)
    if demand.reference_kwh_per_day == 0:
        paid = missing == 0
        rate, reason = (demand.marginal_cost_usd_per_kwh, None) if paid else (None, NoRate.NO_SALES)
    elif not candidates:
        reason = NoRate.ABOVE_PEAK
    return DefaultRate(usd_per_kwh=rate, reason=reason, missing_usd_per_day=missing, largest_margin_usd_per_day=top)


def _edges(demand: ClassDemand) -> tuple[float, float]:
    """Rates between which flexibility does not bind. [USD/kWh]"""
    if demand.elasticity == 0:
        return -math.inf, math.inf
    reach = demand.flexibility / demand.elasticity
    price = demand.reference_price_usd_per_kwh
    return price * (1 - reach), price * (1 + reach)


def _roots(demand: ClassDemand, missing: float) -> list[float]:
    """Rates that bring the margin under linear demand, under the least use and under the most."""
    base, cost = demand.reference_kwh_per_day, demand.marginal_cost_usd_per_kwh
    ends = (base * (1 - demand.flexibility), base * (1 + demand.flexibility))
    found = [cost + missing / use for use in ends if use > 0]
    slope = base * demand.elasticity / demand.reference_price_usd_per_kwh
    level = base * (1 + demand.elasticity)
    if slope == 0:
        return [*found, cost + missing / level] if level > 0 else found
    # −slope·r² + (level + slope·c)·r − level·c − missing = 0
    linear, constant = level + slope * cost, level * cost + missing
    inside = linear**2 - 4 * slope * constant
    if inside >= 0:
        far = linear + math.copysign(math.sqrt(inside), linear)  # nothing cancels, however small the slope
        found += [far / (2 * slope)] + ([2 * constant / far] if far else [])
    return found


def _pays(demand: ClassDemand, rate: float, missing: float) -> bool:
    """Whether a rate brings the margin, demand's clipping counted."""
    scale = max(abs(missing), demand.reference_kwh_per_day * demand.reference_price_usd_per_kwh, 1e-12)
    return abs(demand.margin_usd_per_day(rate) - missing) <= 1e-9 * scale


def _largest_margin(demand: ClassDemand, cap: float) -> float:
    """The largest margin up to the cap: at the top of the parabola, at an edge of flexibility, or at the cap."""
    slope = demand.reference_kwh_per_day * demand.elasticity / demand.reference_price_usd_per_kwh
    rates = [cap, *(edge for edge in _edges(demand) if math.isfinite(edge))]
    if slope > 0:
        level = demand.reference_kwh_per_day * (1 + demand.elasticity)
        rates.append((level + slope * demand.marginal_cost_usd_per_kwh) / (2 * slope))
    return max(demand.margin_usd_per_day(min(rate, cap)) for rate in rates)
