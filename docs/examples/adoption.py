# ruff: noqa: T201
"""Who adopts next year? ``uv run python docs/examples/adoption.py`` prints the tables and draws the figure; minutes.

From the textbook island under its flat tariff, another tariff is posted, or net metering; and once the sensitivity is
raised until history decides.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from meanwatt.analysis.adoption.adoption import Adoption, adopt
from meanwatt.analysis.adoption.figures import draw_recovery, draw_shares
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "adoption.png"
SCENARIO = "textbook"
NET_METERING = "tariff.export.rule=net_metering"
POSTED = (
    ("flat", ()),
    ("flat", (NET_METERING,)),
    ("tou", ()),
    ("rtp", ()),
    ("two_part", ()),
    ("income_graduated", ()),
    ("filed", ()),
)
"""Tariffs posted, and what is changed in them."""
FLOOR = "adoption.floor_share=0.01"


def run(tariff: str, changes: tuple[str, ...] = (), years: int = 20, also: tuple[str, ...] = ()) -> Adoption:
    """Post a tariff, perhaps changed, from the default tariff on; ``also`` are keys that hold today, too."""
    today = load_scenario(SCENARIO, overrides=also)
    posted = load_scenario(SCENARIO, overrides=(*also, *changes), tariff=tariff)
    return adopt(build_economy(posted), build_rate_classes(today), build_rate_classes(posted), years=years)


def row(name: str, found: Adoption) -> str:
    """Cells of a table."""
    homes, last = found.homes, found.path[-1]
    rest = found.points[1].standing
    payback = found.path[0].worth
    assert payback is not None
    cells = [
        name,
        f"{payback.payback_years[1, 1]:.1f}",
        f"{100 * homes.solar_share(last.share):.1f} in year {len(found.path) - 1}",
        f"{100 * homes.storage_share(last.share):.1f}",
        "none" if rest is None else f"{100 * homes.solar_share(rest.share):.1f}",
        "–" if last.adder_usd_per_kwh is None else f"{last.adder_usd_per_kwh:.4f}",
        f"{last.surplus_usd_per_household_day:+.3f}",
    ]
    cells += ["–"] if last.burden is None else [" / ".join(f"{100 * (one or 0):.2f}" for one in last.burden)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables and draw the figure."""
    for tariff, changes in POSTED:
        print(row(f"{tariff} {' '.join(changes)}", run(tariff, changes)), flush=True)
    print(row("flat, net metering, everybody may begin", run("flat", (NET_METERING,), also=(FLOOR,))), flush=True)
    subsidy = (FLOOR, "adoption.subsidy_share.low=0.3")
    print(row("flat, everybody may begin, 30 % for the low", run("flat", also=subsidy)), flush=True)
    ridge = run(
        "flat",
        also=("tariffs.flat.export.rule=net_metering", "battery_share_scale=0", "adoption.sensitivity_per_kusd=0.5"),
    )
    for point in ridge.points:
        share = None if point.standing is None else round(100 * ridge.homes.solar_share(point.standing.share), 1)
        print(f"from {point.start} (way {point.way:g}): {point.outcome}, solar {share} %, feedback {point.feedback}")

    spiral = run("flat", (NET_METERING,), years=40)
    print(spiral.message)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    draw_shares(spiral, left)
    draw_recovery(spiral, right)
    figure.savefig(IMAGE, dpi=100)


if __name__ == "__main__":
    main()
