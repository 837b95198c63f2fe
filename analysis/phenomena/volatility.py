"""Which tariff makes prices move most: flat, time of use, real time in equilibrium, real time with a herd."""

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena import herding
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns, percent_change, read_town

PLACES = ("textbook", "oahu", "california")


def find(towns: Towns) -> Finding:
    """Solve three towns under three tariffs, and let all homes of the third answer yesterday's prices."""
    lines: dict[str, list[float]] = {"flat": [], "time of use": [], "real time": [], "real time, herd": []}
    claims = []
    for place in PLACES:
        solved = [towns.solve(Case(scenario=place, tariff=tariff)) for tariff in ("flat", "tou", "rtp")]
        flat, tou, rtp = (read_town(one).imv_cents for one in solved)
        herd = herding.imv_cents(solved[-1], herding.ALL, towns.watch)
        for line, value in zip(lines.values(), (flat, tou, rtp, herd), strict=True):
            line.append(value)
        claims += [
            Claim(text=f"{place}: time of use less flat", value=percent_change(flat, tou), unit="%", below=0),
            Claim(text=f"{place}: real time less time of use", value=percent_change(tou, rtp), unit="%", below=0),
            Claim(text=f"{place}: herd less flat", value=percent_change(flat, herd), unit="%", above=0),
        ]
    return Finding(
        claims=tuple(claims),
        panel=Panel(
            x_title="",
            y_title="volatility of the price [cents/kWh a slot]",
            x=PLACES,
            lines={name: tuple(values) for name, values in lines.items()},
        ),
        reading="Real-time prices calm the system if homes foresee each other, and stir it if they follow yesterday.",
    )


PHENOMENON = Phenomenon(
    key="volatility",
    title="The order of volatility",
    expected="Wholesale prices move most under real-time rates that homes chase, then under a flat rate, less under"
    " time of use, least under real-time rates in equilibrium.",
    sources=("M. Roozbehani, M. A. Dahleh, S. K. Mitter (2011), arXiv 1106.1401.",),
    setting="tariffs flat, tou, rtp in equilibrium; and rtp with all homes answering yesterday's prices",
    why="On textbook time of use calms more than the real-time price: its rates lie further apart than the marginal"
    " cost does, so its batteries move more; nothing says that a price equal to marginal cost moves least. On"
    " california two homes of a hundred have a battery: too few to make a herd, so following yesterday's prices is as"
    " good as foreseeing them.",
    find=find,
)
