"""``meanwatt bill``: a year of meter readings billed under a tariff as it is filed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.analysis.cli.options import Json, Out, one_of, whole_number
from meanwatt.model.scenario.ranges import MINUTES, YEAR

if TYPE_CHECKING:
    from meanwatt.model.billing.customer import CustomerBill

CONVENTIONS: Final = ("tariff_book", "sam")


def bill(
    tariff: Annotated[
        str,
        typer.Argument(
            metavar="TARIFF",
            help="A tariff of the gallery (meanwatt tariffs lists it), or one as filed: our TOML file"
            ' (kind = "ratebook"), or a JSON record of OpenEI\'s Utility Rate Database.',
            show_default=False,
        ),
    ],
    *,
    load: Annotated[
        str,
        typer.Option(
            metavar="FILE.csv",
            help="What is used: kWh of each interval in a column kwh, and perhaps interval starts in a column start.",
            show_default=False,
        ),
    ],
    customer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose readings, where --load is a Parquet file of import households."),
    ] = None,
    generation: Annotated[
        str | None, typer.Option(metavar="FILE.csv", help="What is generated behind the meter, in the same form.")
    ] = None,
    metering: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="net_billing, net_billing_carryover, net_metering, net_metering_dollars or buy_all_sell_all; the"
            " tariff's own rule where it is left out.",
        ),
    ] = None,
    export_rate: Annotated[
        str | None,
        typer.Option(metavar="FILE.csv", help="USD for each kWh fed in, an interval a line; in place of sell rates."),
    ] = None,
    credit_expires: Annotated[
        bool, typer.Option("--credit-expires", help="Credits in dollars that are left at the true-up are lost.")
    ] = False,
    year: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY|sam",
            help="Calendar year of rows without time stamps; sam is 365 days from a Monday on, as without this option.",
        ),
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(metavar="MINUTES", help="Length of an interval; read from the file if left out.")
    ] = None,
    convention: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="tariff_book, as tariff books say; or sam, as NREL's System Advisor Model bills."
        ),
    ] = "tariff_book",
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the meter's clock, e.g. America/Los_Angeles.")
    ] = None,
    territory: Annotated[
        str | None, typer.Option(metavar="NAME", help="The customer's territory, for a tariff with a baseline.")
    ] = None,
    discount: Annotated[
        str | None, typer.Option(metavar="NAME", help="The customer's discount, one of the tariff's.")
    ] = None,
    export: Annotated[
        str | None, typer.Option(metavar="NAME", help="Terms of feeding in, one of the tariff's exports.")
    ] = None,
    wholesale: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.csv", help="Wholesale USD for each kWh, an interval a line, for a tariff that follows it."
        ),
    ] = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Bill a year of meter readings under a tariff as it is filed."""
    from meanwatt.analysis.output.result_files import require_free
    from meanwatt.model.billing.customer import Asked, bill_customer
    from meanwatt.model.billing.local_calendar import SAM_YEAR, Clock

    clock = Clock(
        year=year if year in (None, SAM_YEAR) else whole_number("--year", year or "", YEAR, example=2026),
        minutes=None if resolution is None else whole_number("--resolution", resolution, MINUTES, example=15),
        zone=tz,
    )
    if out is not None:
        require_free(out, "bill")
    found = bill_customer(
        Asked(
            tariff=tariff,
            load=load,
            customer=customer,
            generation=generation,
            metering=metering,
            export_rate=export_rate,
            credit_expires=credit_expires,
            sam=one_of("--convention", convention, CONVENTIONS) == "sam",
            clock=clock,
            territory=territory,
            discount=discount,
            export=export,
            wholesale=wholesale,
        )
    )
    result = as_json(found)
    if out is not None:
        _write(out, found, result)
    if json:
        from meanwatt.analysis.cli.show import print_json

        print_json(result)
    else:
        from meanwatt.analysis.cli.bill_page import say_bill

        say_bill(found)
    return 0


def as_json(found: "CustomerBill") -> dict[str, Any]:
    """The bill for JSON: sums of the year, and each month; null where a month is not billed."""
    from meanwatt.agents.tariff.ratebook.bill import PARTS

    one = found.bill
    annual = {name: float(getattr(one, name).sum()) + 0.0 for name in PARTS}
    return {
        "tariff": found.book.title,
        "currency": found.book.currency,
        "metering": found.terms.metering,
        "discount": None if found.book.discount is None else found.book.discount.name,
        "convention": found.convention,
        "annual_usd": float(one.annual_usd[0]),
        "monthly_usd": found.by_month(one.monthly_usd),
        **annual,
        "credit_carried_usd": found.by_month(one.credit_carried_usd),
        "credit_carried_kwh": found.by_month(one.credit_carried_kwh),
        "peak_kw": found.by_month(one.peak_kw),
        "drawn_kwh": found.by_month(one.drawn_kwh),
        "fed_kwh": found.by_month(one.fed_kwh),
        "months": {name: found.by_month(getattr(one, name)) for name in PARTS},
        "energy": found.energy_rows(),
        "resolution_minutes": round(60 * found.calendar.interval_hours),
        "messages": found.messages,
        "settings": found.settings,
    }


def _write(out: str, found: "CustomerBill", result: dict[str, Any]) -> None:
    from meanwatt.agents.tariff.ratebook.bill import PARTS
    from meanwatt.analysis.output.result_files import write_result

    one = found.bill
    months = {
        "month": found.calendar.number + 1,
        "drawn_kwh": one.drawn_kwh[0],
        "fed_kwh": one.fed_kwh[0],
        "peak_kw": one.peak_kw[0],
        **{name: getattr(one, name)[0] for name in PARTS},
        "bill_usd": one.monthly_usd[0],
        "credit_carried_usd": one.credit_carried_usd[0],
        "credit_carried_kwh": one.credit_carried_kwh[0],
    }
    rows = found.energy_rows()
    energy = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    write_result(
        Path(out),
        name="bill",
        result=result,
        manifest={"settings": found.settings},
        tables={"months": months, "energy": energy},
    )
