"""A percentage discount for low incomes: the burden gap falls, and who pays for it wastes more."""

from meanwatt.analysis.phenomena.against_flat import against_flat, two_changes
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Phenomenon
from meanwatt.analysis.phenomena.town import TOWNS, Towns

DISCOUNT = 0.35
"""Of California's programme for low incomes."""


def find(towns: Towns) -> Finding:
    """Give the lowest income group a discount that all kWh of the others pay for."""
    found = {place: against_flat("flat", place, towns, other=(("tariff.discount.low", DISCOUNT),)) for place in TOWNS}
    claims = []
    for place, one in found.items():
        claims += [
            Claim(text=f"{place}: burden gap", value=one.gap_percent, unit="% of income", below=0),
            Claim(
                text=f"{place}: price that the others pay",
                value=one.other.price_cents - one.flat.price_cents,
                unit="cents/kWh",
                above=0,
            ),
            Claim(text=f"{place}: welfare", value=one.welfare_usd, unit="USD/month", below=0),
        ]
    return Finding(
        claims=tuple(claims),
        panel=two_changes(found),
        reading="The discount lowers the burden of low incomes, and raises a price that was above marginal cost.",
    )


PHENOMENON = Phenomenon(
    key="discount",
    title="A discount for low incomes",
    expected="The burden gap narrows; the price of the others rises, and with it the deadweight loss.",
    sources=("arXiv 2209.14505.",),
    setting=f"flat rate with {DISCOUNT:.0%} off for the low-income group less flat, both covering the cost per kWh",
    why="On stress welfare rises: its use is flexible by 1 % only, and the others use as little as they can before the"
    " discount. Their price rises without making them waste anything, while low incomes use more at a price nearer to"
    " marginal cost.",
    find=find,
)
