"""What a customer's own terms add to a ratebook: a discount, what feeding in earns by the hour, a wholesale price."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar

MONTH_HOUR: Final = (12, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A share off energy charges, before credits for what is fed in.

    Parameters
    ----------
    share
        Of the energy charges less `exempt_usd_per_kwh` on each kWh billed; a charge below 0 has no discount.
    on_all
        Whether demand, fixed and minimum charges are discounted, too.
    exempt_usd_per_kwh
        Components of the energy rates without a discount, together. [USD/kWh]
    exempt_unpriced
        Names of further ones whose rate the file does not give.
    """

    name: str
    share: float
    on_all: bool = False
    exempt_usd_per_kwh: float = 0.0
    exempt_unpriced: tuple[str, ...] = ()

    def of_usd(self, energy_usd: Floats, other_usd: Floats, kwh: Floats) -> Floats:
        """What comes off the charges, at most 0. (customer, month) [USD]

        Parameters
        ----------
        energy_usd, other_usd : (customer, month)
            Energy charges, and all others. [USD]
        kwh : (customer, month)
            Energy billed. [kWh]
        """
        base = energy_usd - self.exempt_usd_per_kwh * kwh + (other_usd if self.on_all else 0.0)
        return np.asarray(-self.share * np.maximum(base, 0.0) + 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HourlyExport:
    """What a kWh fed in earns by month and hour, in place of sell rates.

    Parameters
    ----------
    weekday_usd_per_kwh, weekend_usd_per_kwh : (month, hour)
        On weekdays, and on weekends and holidays. [USD/kWh]
    """

    __repr__ = short_repr

    name: str
    weekday_usd_per_kwh: Floats
    weekend_usd_per_kwh: Floats

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in ("weekday_usd_per_kwh", "weekend_usd_per_kwh"):
            rates = read_only(getattr(self, name))
            require_shape(name, rates, MONTH_HOUR, "(month, hour)")
            require_finite(name, rates)
            object.__setattr__(self, name, rates)

    def over(self, calendar: BillingCalendar) -> Floats:
        """The rate of each interval. (interval,) [USD/kWh]"""
        number = calendar.number[calendar.month]
        return np.where(
            calendar.weekend,
            self.weekend_usd_per_kwh[number, calendar.hour],
            self.weekday_usd_per_kwh[number, calendar.hour],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WholesalePrice:
    """A price that follows the wholesale market: min(`multiplier`·wholesale + the period's rate, `cap_usd_per_kwh`).

    Parameters
    ----------
    cap_usd_per_kwh
        Infinite where there is none. [USD/kWh]
    """

    multiplier: float
    cap_usd_per_kwh: float

    def above_usd_per_kwh(self, wholesale_usd_per_kwh: Floats, rate_usd_per_kwh: Floats) -> Floats:
        """What the price is above the period's rate, interval by interval. (interval,) [USD/kWh]"""
        price = np.minimum(self.multiplier * wholesale_usd_per_kwh + rate_usd_per_kwh, self.cap_usd_per_kwh)
        return np.asarray(price - rate_usd_per_kwh)
