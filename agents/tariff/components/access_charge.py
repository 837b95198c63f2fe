"""The grid-access charge: for the connection itself, by kW of rooftop solar and by technology.

Arizona Public Service files one by kW of solar (grid access charge), Hawaiian Electric by the programme that a
household with solar is in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from meanwatt.agents.tariff.components.standing_charge import Customer, StandingCharge


@dataclass(frozen=True, kw_only=True)
class AccessCharge(StandingCharge):
    """USD a day for each kW of rooftop solar, and for each household by its technology.

    Parameters
    ----------
    usd_per_pv_kw_day
        For each kW of rooftop solar installed. [USD/kW per day]
    usd_per_household_day
        For each household: one number for all, or one by technology, 0 for those not named. [USD per household-day]

    Raises
    ------
    ValueError
        If a number is not finite.
    """

    name: ClassVar[str] = "access_charge"

    usd_per_pv_kw_day: float = 0.0
    usd_per_household_day: float | Mapping[str, float] = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that no bill can hold."""
        by_name = self.usd_per_household_day
        numbers = {"usd_per_pv_kw_day": self.usd_per_pv_kw_day}
        if isinstance(by_name, Mapping):
            numbers |= {f"usd_per_household_day.{technology}": value for technology, value in by_name.items()}
        else:
            numbers["usd_per_household_day"] = by_name
        for key, value in numbers.items():
            if not math.isfinite(value):
                raise ValueError(f"access_charge.{key} is {value}; give a finite number")

    def usd_per_day(self, customer: Customer) -> float:
        """What a customer pays. [USD/day]"""
        each = self.usd_per_household_day
        own = each.get(customer.technology, 0.0) if isinstance(each, Mapping) else each
        return self.usd_per_pv_kw_day * customer.pv_installed_kw + own

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.access_charge]``."""
        each = self.usd_per_household_day
        return {
            "usd_per_pv_kw_day": self.usd_per_pv_kw_day,
            "usd_per_household_day": dict(each) if isinstance(each, Mapping) else each,
        }
