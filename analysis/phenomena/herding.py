"""Herding: homes that answer yesterday's prices are the more volatile the more batteries there are."""

from meanwatt.analysis.emergence.naive_days import naive_days
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.metrics.stability import expected_imv
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch

SCALES = (0.0, 0.5, 1.0, 2.0)
"""Times as many batteries as the preset has."""
DAYS, LAST = 28, 14
ALL, FEW = 1.0, 0.1
"""Part of the homes that plans anew each morning."""


def imv_cents(found: Equilibrium, part: float, watch: Watch) -> float:
    """Incremental mean volatility of the last days on each of which a part plans for yesterday's prices. [cents/kWh]"""
    common = found.economy.common
    prices, _ = naive_days(found, part, DAYS, watch)
    return 100 * sum(expected_imv(one, common.probability, common.kernel) for one in prices[-LAST:]) / LAST


def find(towns: Towns) -> Finding:
    """Let all homes, and one in ten, answer yesterday's prices, with more and more batteries."""
    lines: dict[str, list[float]] = {"all homes plan anew": [], "one in ten": []}
    shares = []
    for scale in SCALES:
        found = towns.solve(Case(tariff="rtp", changes=(("battery_share_scale", scale),)))
        shares.append(100 * sum(one.share for one in found.economy.types if one.battery is not None))
        for line, part in zip(lines.values(), (ALL, FEW), strict=True):
            line.append(imv_cents(found, part, towns.watch))
    herd, calm = lines.values()
    return Finding(
        claims=(
            Claim(
                text="all homes: volatility with most batteries over that without any",
                value=herd[-1] / herd[0],
                unit="1",
                above=1,
            ),
            Claim(text="one in ten: the same", value=calm[-1] / calm[0], unit="1", below=1),
            Claim(text="most batteries: all homes over one in ten", value=herd[-1] / calm[-1], unit="1", above=1),
        ),
        panel=Panel(
            x_title="homes with a battery [%]",
            y_title="volatility of the price [cents/kWh a slot]",
            x=tuple(shares),
            lines={name: tuple(values) for name, values in lines.items()},
        ),
        reading="A few batteries calm even a herd; beyond about a tenth of the homes they make it.",
    )


PHENOMENON = Phenomenon(
    key="herding",
    title="Herding under real-time prices",
    expected="If all homes answer yesterday's price, volatility rises with the share of batteries; if few do, it"
    " falls.",
    sources=(
        "arXiv 2201.08303: synchronisation of demand.",
        "M. Roozbehani, M. A. Dahleh, S. K. Mitter (2012), IEEE Transactions on Power Systems 27(4).",
    ),
    setting=f"textbook, real-time price; {DAYS} days, volatility of the last {LAST}",
    find=find,
)
