"""What ``meanwatt bill`` prints for people: a statement by month."""

from typing import TYPE_CHECKING

from meanwatt.analysis.cli.show import figure, say, say_notes, table

if TYPE_CHECKING:
    from meanwatt.agents.numerics.arrays import Floats
    from meanwatt.model.billing.customer import CustomerBill

PARTS = {
    "energy_usd": "energy",
    "demand_usd": "demand",
    "fixed_usd": "fixed",
    "minimum_usd": "minimum",
    "tax_usd": "tax",
    "export_credit_usd": "credit",
}
"""Parts of a bill and the heads of their columns."""


def say_bill(found: "CustomerBill") -> None:
    """Print the months, the energy by period and tier, and the notes."""
    from meanwatt.model.billing.local_calendar import MONTH_NAMES

    one = found.bill
    columns: list[tuple[str, Floats, int]] = [("kWh bought", one.drawn_kwh, 1)]
    if one.fed_kwh.any():
        columns.append(("kWh sold", one.fed_kwh, 1))
    columns.append(("peak kW", one.peak_kw, 2))
    columns += [(head, getattr(one, name), 2) for name, head in PARTS.items() if getattr(one, name).any()]
    columns.append(("bill", one.monthly_usd, 2))
    for head, values in (("carried", one.credit_carried_usd), ("carried kWh", one.credit_carried_kwh)):
        if values.any():
            columns.append((head, values, 2))
    names = [MONTH_NAMES[number] for number in found.calendar.number.tolist()]
    rows = [
        (name, *(figure(float(values[0, month]), digits) for _, values, digits in columns))
        for month, name in enumerate(names)
    ]
    rows.append(("total", *(_total(head, values, digits) for head, values, digits in columns)))
    table(f"{found.book.title}: bill in USD, by month", ("month", *(head for head, *_ in columns)), rows)
    table(
        "Energy bought, by period and tier",
        ("period", "tier", "kWh", "USD/kWh", "USD"),
        [
            (
                row["period"],
                str(row["tier"]),
                figure(row["kwh"], 1),
                figure(row["usd_per_kwh"], 5),
                figure(row["usd"], 2),
            )
            for row in found.energy_rows()
        ],
    )
    say(f"To pay over these months: {figure(float(one.annual_usd[0]), 2)} USD.")
    say_notes(found.messages)


def _total(head: str, values: "Floats", digits: int) -> str:
    """Sum of a column, its largest number, or nothing where neither has a meaning."""
    if head.startswith("carried"):
        return ""
    return figure(float(values.max() if head == "peak kW" else values.sum()), digits)
