"""What ``meanwatt bill`` prints for people: a statement by month."""

from typing import TYPE_CHECKING

from meanwatt.analysis.cli.show import figure, say, say_notes, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meanwatt.analysis.output.bill_columns import BillColumn
    from meanwatt.model.billing.customer import CustomerBill


def say_bill(found: "CustomerBill") -> None:
    """Print what passed the meter and what it costs by month, the energy by period and tier, and the notes."""
    from meanwatt.analysis.output.bill_columns import cost_columns, meter_columns

    money = found.book.currency
    say(f"{found.book.title}\n")
    _by_month("What passed the meter", found, meter_columns(found))
    _by_month(f"The bill in {money}", found, cost_columns(found))
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
    say(f"To pay over these months: {figure(float(found.bill.annual_usd[0]), 2)} {money}.")
    say_notes(found.messages)


def _by_month(title: str, found: "CustomerBill", columns: "Sequence[BillColumn]") -> None:
    """Print a row a month, and one for all."""
    from meanwatt.analysis.output.bill_columns import month_names

    rows = [
        (name, *(figure(float(one.values[month]), one.digits) for one in columns))
        for month, name in enumerate(month_names(found))
    ]
    rows.append(("all", *("" if one.total is None else figure(one.total, one.digits) for one in columns)))
    table(title, ("month", *(one.head for one in columns)), rows)
