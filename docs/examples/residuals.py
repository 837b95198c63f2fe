"""Who pays for a shift of load, and default rates by class: ``uv run python docs/examples/residuals.py``.

The first table is that of ``uv run meanwatt allot textbook --tariff tou --set battery_share_scale=0
--shift battery_share_scale=1``; its figure is drawn, too. A minute.
"""

import sys
from pathlib import Path

from meanwatt.analysis.allotment.allot import allot
from meanwatt.analysis.allotment.figures import allotment_figure, home_names
from meanwatt.analysis.metrics.default_rate import ClassDemand, default_rate
from meanwatt.analysis.metrics.residual_allotment import Allotter
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "residuals.png"
CENTS = 100.0
CASES = (
    ("as it is", {}),
    ("most of it paid by a fixed charge", {"fixed_charge_usd_per_day": 0.8}),
    ("more paid by the fixed charge than allotted", {"fixed_charge_usd_per_day": 1.2}),
    ("ten times the residual", {"residual_usd_per_day": 9.86}),
    ("a residual that no rate below the cap pays", {"residual_usd_per_day": 20.0}),
    ("customers who leave (elasticity 1, flexibility 1)", {"elasticity": 1.0, "flexibility": 1.0}),
    ("the same, twice the residual", {"elasticity": 1.0, "flexibility": 1.0, "residual_usd_per_day": 1.97}),
    ("nothing bought from the grid", {"reference_kwh_per_day": 0.0}),
)


def main() -> None:
    """Print both tables, and draw the figure of the first."""
    after = load_scenario("textbook", tariff="tou")
    before = load_scenario("textbook", overrides={"battery_share_scale": 0}, tariff="tou")
    tariff = build_tariff(after)
    done = allot(build_economy(before), tariff, (build_economy(after), tariff))
    figure = allotment_figure(done)
    figure.savefig(IMAGE, dpi=100)
    sys.stdout.write(f"cents per household-day; residual {CENTS * done.residual_usd_per_household_day:.1f}\n")
    assert done.shift is not None
    assert done.allotted_after is not None
    for allotter in Allotter:
        found, allotted = done.shift[allotter], done.allotted_after[allotter]
        assert found is not None
        assert allotted is not None
        for place, name in enumerate(home_names(done)):
            numbers = (allotted[place], found.frozen[place], found.adjusting[place])
            sys.stdout.write(f"{allotter} | {name} | " + " | ".join(f"{CENTS * one:.2f}" for one in numbers) + "\n")
    for label, change in CASES:
        settings = {
            "reference_kwh_per_day": 14.0,
            "reference_price_usd_per_kwh": 0.185,
            "elasticity": 0.1,
            "flexibility": 0.5,
            "marginal_cost_usd_per_kwh": 0.1125,
            "residual_usd_per_day": 0.986,
            "fixed_charge_usd_per_day": 0.0,
        }
        found_rate = default_rate(ClassDemand(**(settings | change)))
        rate = "–" if found_rate.usd_per_kwh is None else f"{found_rate.usd_per_kwh:.4f}"
        line = (label, rate, str(found_rate.reason or ""), f"{found_rate.missing_usd_per_day:.3f}")
        sys.stdout.write(" | ".join((*line, f"{found_rate.largest_margin_usd_per_day:.3f}")) + "\n")


if __name__ == "__main__":
    main()
