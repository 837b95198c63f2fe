"""A minimum bill: what a month comes to is raised to it. Households are taken not to see it while they decide."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.component import Component


@dataclass(frozen=True, kw_only=True)
class MinimumBill(Component):
    """USD a month below which no bill falls, all other charges and credits counted.

    Parameters
    ----------
    usd_per_month
        For a month of 365/12 days. [USD/month]
    """

    name: ClassVar[str] = "minimum_bill"

    usd_per_month: float

    def __post_init__(self) -> None:
        """Refuse a number that no bill can hold."""
        if not np.isfinite(self.usd_per_month):
            raise ValueError(f"minimum_bill.usd_per_month is {self.usd_per_month}; give a finite number")

    def added_usd(self, bill_usd: Floats, months: float = 1.0) -> Floats:
        """What bills of periods of so many months are raised by. [USD]"""
        return np.asarray(np.maximum(months * self.usd_per_month - np.asarray(bill_usd), 0.0))

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.minimum_bill]``."""
        return {"usd_per_month": self.usd_per_month}
