"""The columns of a bill's statement by month: what a terminal and a page print of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.local_calendar import MONTH_NAMES

if TYPE_CHECKING:
    from meanwatt.model.billing.customer import CustomerBill

PARTS: Final = {
    "energy_usd": "energy",
    "demand_usd": "demand",
    "fixed_usd": "fixed",
    "minimum_usd": "minimum",
    "discount_usd": "discount",
    "tax_usd": "tax",
    "export_credit_usd": "credit",
}
"""Parts of a bill and the heads of their columns."""
PEAK: Final = "peak kW"
CARRIED: Final = "carried"
BILL: Final = "bill"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BillColumn:
    """One column of a statement.

    Attributes
    ----------
    head
        Its heading.
    values : (month,)
        Of the months that are billed.
    digits
        Decimals that are printed.
    """

    __repr__ = short_repr

    head: str
    values: Floats
    digits: int

    @property
    def total(self) -> float | None:
        """Sum of the months, the largest of peaks; None where neither has a meaning, as of what is carried."""
        if self.head.startswith(CARRIED):
            return None
        return float(self.values.max() if self.head == PEAK else self.values.sum())


def month_names(found: "CustomerBill") -> list[str]:
    """Short names of the months that are billed."""
    return [MONTH_NAMES[number][:3] for number in found.calendar.number.tolist()]


def meter_columns(found: "CustomerBill") -> list[BillColumn]:
    """What passed the meter, without what there is none of. [kWh], [kW]"""
    one = found.bill
    columns = [_column("kWh bought", one.drawn_kwh, 1)]
    if one.fed_kwh.any():
        columns.append(_column("kWh sold", one.fed_kwh, 1))
    columns.append(_column(PEAK, one.peak_kw, 2))
    if one.credit_carried_kwh.any():
        columns.append(_column(f"{CARRIED} kWh", one.credit_carried_kwh, 1))
    return columns


def part_columns(found: "CustomerBill") -> list[BillColumn]:
    """Parts of the bill, without those that are 0 in every month. [USD]"""
    parts = [(head, getattr(found.bill, name)) for name, head in PARTS.items()]
    return [_column(head, values, 2) for head, values in parts if values.any()]


def cost_columns(found: "CustomerBill") -> list[BillColumn]:
    """What the month costs, part by part, the bill, and the credit that waits at its end. [USD]"""
    columns = [*part_columns(found), _column(BILL, found.bill.monthly_usd, 2)]
    if found.bill.credit_carried_usd.any():
        columns.append(_column(CARRIED, found.bill.credit_carried_usd, 2))
    return columns


def _column(head: str, values: Floats, digits: int) -> BillColumn:
    return BillColumn(head=head, values=values[0], digits=digits)
