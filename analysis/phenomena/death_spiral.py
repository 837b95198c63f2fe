"""The death spiral: under net metering the price that covers the cost rises convexly with solar."""

from itertools import pairwise

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns

SCALES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
"""Times as many solar homes as the preset has."""
PLACES = ("oahu", "california")
WALLED, WALLED_SCALE = "stress", 1.5
NET_METERED = (("tariff.export.rule", "net_metering"), ("battery_share_scale", 0.0))


def _case(scenario: str, scale: float) -> Case:
    return Case(scenario=scenario, tariff="flat", changes=(*NET_METERED, ("pv_share_scale", scale)))


def find(towns: Towns) -> Finding:
    """Solve towns with more and more solar until no price covers the cost."""
    lines = {}
    claims = []
    for place in PLACES:
        solved = [towns.town(_case(place, scale)) for scale in SCALES]
        prices = tuple(one.price_cents if one.adequate else None for one in solved)
        lines[place] = prices
        known = [price for price in prices if price is not None]
        steps = [later - sooner for sooner, later in pairwise(known)]
        bends = [later - sooner for sooner, later in pairwise(steps)]
        claims += [
            Claim(
                text=f"{place}: smallest step of the price up to the last one that covers the cost",
                value=min(steps, default=None),
                unit="cents/kWh",
                above=0,
            ),
            Claim(
                text=f"{place}: smallest increase from step to step",
                value=min(bends, default=None),
                unit="cents/kWh",
                above=0,
            ),
        ]
    walled = towns.town(_case(WALLED, WALLED_SCALE))
    claims.append(
        Claim(
            text=f"{WALLED}, {WALLED_SCALE:g} times the solar: prices that cover the cost",
            value=float(walled.adequate),
            unit="prices",
            below=1,
        )
    )
    return Finding(
        claims=tuple(claims),
        panel=Panel(
            x_title="solar homes, times the preset's",
            y_title="price that covers the cost [cents/kWh]",
            x=SCALES,
            lines=lines,
        ),
        reading="Each further half of today's solar raises the price by more than the one before; a line that ends"
        " early has no price that covers the cost beyond.",
    )


PHENOMENON = Phenomenon(
    key="death-spiral",
    title="The death spiral",
    expected="Under a flat rate with net metering the price that covers the cost rises convexly with the share of solar"
    " homes, and is not defined once net sales vanish.",
    sources=(
        "N. R. Darghouth, R. H. Wiser, G. Barbose, A. D. Mills (2016), Net metering and market feedback loops, Applied"
        " Energy 162: nationally two feedbacks nearly cancel.",
    ),
    setting="flat rate, net metering, no batteries; the share of solar homes is multiplied",
    find=find,
)
