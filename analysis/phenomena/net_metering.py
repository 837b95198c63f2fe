"""The cost shift: a home of low income without solar pays more under net metering than under net billing."""

from meanwatt.analysis.lessons.case import Case, Value
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns

PLACES = ("oahu", "california")
CHANGES: dict[str, tuple[tuple[str, Value], ...]] = {
    "net metering": (("tariff.export.rule", "net_metering"),),
    "net billing": (),
    "no solar": (("pv_share_scale", 0.0),),
}
NEAR = 0.5
"""Part of the shift under net metering below which net billing counts as near no solar."""


def find(towns: Towns) -> Finding:
    """Solve each place under both export rules, and without solar."""
    bills = {
        name: [towns.town(Case(scenario=place, tariff="flat", changes=changes)).low_bill_usd for place in PLACES]
        for name, changes in CHANGES.items()
    }
    claims = []
    for place, metering, billing, without in zip(PLACES, *bills.values(), strict=True):
        claims += [
            Claim(text=f"{place}: net metering less net billing", value=metering - billing, unit="USD/month", above=0),
            Claim(
                text=f"{place}: what net billing shifts, as part of what net metering does",
                value=abs(billing - without) / abs(metering - without),
                unit="1",
                below=NEAR,
            ),
        ]
    return Finding(
        claims=tuple(claims),
        panel=Panel(
            x_title="",
            y_title="bill, low income, no solar [USD/month]",
            x=PLACES,
            lines={name: tuple(values) for name, values in bills.items()},
        ),
        reading="The same network cost is recovered in all three; under net metering homes without solar carry what"
        " solar homes no longer pay.",
    )


PHENOMENON = Phenomenon(
    key="net-metering",
    title="The cost shift of net metering",
    expected="A low-income home without solar pays more under net metering than under net billing, which is near what"
    " it would pay if nobody had solar.",
    sources=(
        "S. Borenstein (2021), Energy Institute at Haas: a solar home saves 20–30 cents a kWh, its utility 7–9.",
        "Public Advocates Office, California (2024): 8.5 billion dollars a year; contested by the solar industry.",
    ),
    setting="flat rate that covers the cost, today's batteries; only the export rule changes, or solar goes",
    find=find,
)
