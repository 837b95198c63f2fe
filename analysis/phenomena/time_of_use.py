"""A time-of-use rate of 1 : 2 : 3 gains a little efficiency, far less than a marginal price with a fixed charge."""

from meanwatt.analysis.phenomena.against_flat import against_flat
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import TOWNS, Towns

FAR_LESS = 0.5
"""Part of the two-part tariff's gain below which the other's counts as far less."""


def find(towns: Towns) -> Finding:
    """Solve every town under both."""
    tou, two_part, claims = [], [], []
    for place in TOWNS:
        gains = [against_flat(tariff, place, towns).welfare_usd for tariff in ("tou", "two_part")]
        tou.append(gains[0])
        two_part.append(gains[1])
        claims += [
            Claim(text=f"{place}: welfare, time of use less flat", value=gains[0], unit="USD/month", above=0),
            Claim(
                text=f"{place}: as part of the two-part tariff's gain",
                value=gains[0] / gains[1],
                unit="1",
                below=FAR_LESS,
            ),
        ]
    return Finding(
        claims=tuple(claims),
        panel=Panel(
            x_title="",
            y_title="welfare less flat [USD/month]",
            x=TOWNS,
            lines={"time of use 1 : 2 : 3": tuple(tou), "two-part": tuple(two_part)},
        ),
        reading="Most of the loss comes from a price above marginal cost at all hours, which time of use leaves.",
    )


PHENOMENON = Phenomenon(
    key="time-of-use",
    title="What time of use gains",
    expected="Rates of 1 : 2 : 3 lower the deadweight loss modestly against a flat rate, far less than two parts do.",
    sources=("The theory of linear pricing: the loss grows with the square of the margin over marginal cost.",),
    setting="tariffs tou and two_part less flat, all covering the cost",
    why="On oahu and stress time of use loses. Its rates lie 38 cents apart, the social marginal cost of evening and"
    " noon at most 19: the margin over cost spreads further than under the flat rate, and the loss grows with its"
    " square. Rates 10 cents apart gain .30 USD on oahu and .02 on stress.",
    find=find,
)
