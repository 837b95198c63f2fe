"""What ``meanwatt bill`` prints for people: a statement by month."""

from typing import TYPE_CHECKING, TypeAlias

from meanwatt.analysis.cli.show import figure, say, say_notes, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meanwatt.agents.numerics.arrays import Floats
    from meanwatt.model.billing.customer import CustomerBill

    Column: TypeAlias = tuple[str, Floats, int]
    """Head, (1, month) numbers, and decimals."""

PARTS = {
    "energy_usd": "energy",
    "demand_usd": "demand",
    "fixed_usd": "fixed",
    "minimum_usd": "minimum",
    "discount_usd": "discount",
    "tax_usd": "tax",
    "export_credit_usd": "credit",
}
"""Parts of a bill and the heads of their columns."""
PEAK = "peak kW"
CARRIED = "carried"


def say_bill(found: "CustomerBill") -> None:
    """Print what passed the meter and what it costs by month, the energy by period and tier, and the notes."""
    one = found.bill
    meter: list[Column] = [("kWh bought", one.drawn_kwh, 1)]
    if one.fed_kwh.any():
        meter.append(("kWh sold", one.fed_kwh, 1))
    meter.append((PEAK, one.peak_kw, 2))
    if one.credit_carried_kwh.any():
        meter.append((f"{CARRIED} kWh", one.credit_carried_kwh, 1))
    costs: list[Column] = [(head, getattr(one, name), 2) for name, head in PARTS.items() if getattr(one, name).any()]
    costs.append(("bill", one.monthly_usd, 2))
    if one.credit_carried_usd.any():
        costs.append((CARRIED, one.credit_carried_usd, 2))
    money = found.book.currency
    say(f"{found.book.title}\n")
    _by_month("What passed the meter", found, meter)
    _by_month(f"The bill in {money}", found, costs)
    table(
        "Energy bought, by period and tier",
        ("period", "tier", "kWh", f"{money}/kWh", money),
        [
            (
                row["period"],
                str(row["tier"] or ""),
                figure(row["kwh"], 1),
                "" if row["usd_per_kwh"] is None else figure(row["usd_per_kwh"], 5),
                figure(row["usd"], 2),
            )
            for row in found.energy_rows()
        ],
    )
    say(f"To pay over these months: {figure(float(one.annual_usd[0]), 2)} {money}.")
    say_notes(found.messages)


def _by_month(title: str, found: "CustomerBill", columns: "Sequence[Column]") -> None:
    """Print a row a month, and one for all."""
    from meanwatt.model.billing.local_calendar import MONTH_NAMES

    names = [MONTH_NAMES[number][:3] for number in found.calendar.number.tolist()]
    rows = [
        (name, *(figure(float(values[0, month]), digits) for _, values, digits in columns))
        for month, name in enumerate(names)
    ]
    rows.append(("all", *(_total(head, values, digits) for head, values, digits in columns)))
    table(title, ("month", *(head for head, *_ in columns)), rows)


def _total(head: str, values: "Floats", digits: int) -> str:
    """Sum of a column, its largest number, or nothing where neither has a meaning."""
    if head.startswith(CARRIED):
        return ""
    return figure(float(values.max() if head == PEAK else values.sum()), digits)
