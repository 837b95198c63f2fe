"""An equal fixed charge: efficiency up, and the burden gap up with it."""

from meanwatt.analysis.phenomena.against_flat import against_flat, charge_finding
from meanwatt.analysis.phenomena.phenomenon import Finding, Phenomenon
from meanwatt.analysis.phenomena.town import TOWNS, Towns

NO_SOLAR = (("pv_share_scale", 0.0),)
SOLAR_OF_THE_RICH = ("textbook", "stress")
"""Towns in which panels are concentrated in the high-income group: judged without solar, too."""


def find(towns: Towns) -> Finding:
    """Replace the recovery in the kWh by the same charge for all, at the social marginal price."""
    found = {place: against_flat("two_part", place, towns) for place in TOWNS}
    found |= {
        f"{place}, no solar": against_flat("two_part", place, towns, both=NO_SOLAR) for place in SOLAR_OF_THE_RICH
    }
    return charge_finding(
        found,
        gap_widens=True,
        reading="A marginal price with the same charge for all wastes less, and takes a larger part of a small income.",
    )


PHENOMENON = Phenomenon(
    key="equal-charge",
    title="An equal fixed charge",
    expected="Welfare rises and the burden gap widens; where panels are concentrated in rich homes the gap may narrow,"
    " for the charge also ends their cross-subsidy.",
    sources=(
        "S. Burger, C. Knittel, I. Pérez-Arriaga and others (2020), The Energy Journal 41(1): efficiency and"
        " distribution of alternative residential rate designs.",
    ),
    setting="tariff two_part (marginal price, equal charge) less flat, both covering the cost",
    find=find,
)
