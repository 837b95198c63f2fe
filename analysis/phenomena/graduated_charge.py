"""A fixed charge that rises with income: efficiency up and the burden gap down."""

from meanwatt.analysis.phenomena.against_flat import against_flat, charge_finding
from meanwatt.analysis.phenomena.phenomenon import Finding, Phenomenon
from meanwatt.analysis.phenomena.town import TOWNS, Towns


def find(towns: Towns) -> Finding:
    """Replace the recovery in the kWh by a charge that doubles from group to group."""
    found = {place: against_flat("income_graduated", place, towns) for place in TOWNS}
    return charge_finding(
        found,
        gap_widens=False,
        reading="The price of a kWh decides what is wasted, the charge who pays: graduated, it gains on both.",
    )


PHENOMENON = Phenomenon(
    key="graduated-charge",
    title="A fixed charge by income",
    expected="Welfare rises and the burden gap narrows, at once.",
    sources=(
        "S. Borenstein, M. Fowlie, J. Sallee (2021), Energy Institute at Haas: prices are two to three times marginal"
        " cost, half to two thirds of a bill is no supply.",
        "arXiv 2209.14505.",
    ),
    setting="tariff income_graduated (marginal price, charges 1 : 2 : 4) less flat, both covering the cost",
    find=find,
)
