"""Who pays for the discount of an income group: all customers by the kWh, all alike, or nobody in particular."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from meanwatt.agents.tariff.components.component import Component


class FundedBy(StrEnum):
    """How what discounts cost is charged to all customers."""

    PER_KWH = "per_kwh"
    """A surcharge on every billed kWh, itself without discount."""
    PER_CUSTOMER = "per_customer"
    """The same sum for everybody."""


@dataclass(frozen=True, kw_only=True)
class DiscountFunding(Component):
    """What discounts take off the bills is charged to all customers, those with the discount included.

    Parameters
    ----------
    by
        By the kWh or by the customer.
    """

    name: ClassVar[str] = "discount_funding"

    by: FundedBy

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.discount_funding]``."""
        return {"by": self.by.value}
