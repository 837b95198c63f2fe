# ruff: noqa: T201
"""How wrong are expected months? ``uv run python docs/examples/component_errors.py`` prints it; some minutes.

The textbook market under its real-time price with tiers or a demand charge, at three shares of batteries: what the mean
field expects of the component, beside what 10,000 homes are billed, home by home and month by month or day by day, over
a year. Numbers of homes, and of the first case to print, may follow.
"""

import sys
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.mean_field.components.settled import market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

TARIFF = "rtp"
STORAGE = (0.0, 1.0, 2.0)
LADDER = {"tariff.tiers.limits_kwh_per_month": [300, 420], "tariff.tiers.adders_usd_per_kwh": [0.0, 0.05, 0.10]}
CHARGE = {"tariff.demand_charge.usd_per_kw_month": 5.0}
BY_DAY = {"tariff.demand_charge.usd_per_kw_day": round(5.0 * 12 / 365, 4)}
CASES: dict[str, dict[str, Any]] = {
    "tiers, marginal": LADDER,
    "tiers, average": {**LADDER, "tariff.tiers.perception": "average"},
    "demand charge, ignored": CHARGE,
    "demand charge, ex_ante": {**CHARGE, "tariff.demand_charge.decision": "ex_ante"},
    "demand charge by the day, ignored": BY_DAY,
    "demand charge by the day, state": {**BY_DAY, "tariff.demand_charge.decision": "state"},
}
HOUSEHOLDS, DAYS, SEED = 10_000, 365, 1


def lived(composed: Composed, households: int) -> tuple[Floats, Floats]:
    """What the component comes to, billed and expected. (type,) each [USD per household-day]"""
    found = market_equilibrium(composed)
    done = simulate(
        composed.economy,
        found.tariff,
        equilibrium=found,
        composed=composed,
        behaviour="equilibrium",
        households=households,
        days=DAYS,
        seed=SEED,
        power_flow=False,
    )
    (row,) = done.components
    return row.billed_usd, row.expected_usd


def main(households: int = HOUSEHOLDS, first: int = 0) -> None:
    """Print the table, from one of the cases on."""
    print("USD per home and day: | | | without a battery | | with one |")
    print("| component | homes with batteries | billed | expected | billed | expected |")
    print("|---|---|---|---|---|---|")
    for name, overrides in list(CASES.items())[first:]:
        for storage in STORAGE:
            scenario = load_scenario(
                "textbook",
                tariff=TARIFF,
                overrides={"battery_levels": 10, "battery_share_scale": storage, **overrides},
            )
            economy = build_economy(scenario)
            composed = solve_composed(economy, build_rate_classes(scenario, components=True), certify=False)
            billed, expected = lived(composed, households)
            share = economy.type_share
            stores = np.array([household.battery is not None for household in economy.types])

            cells = [f"{means(who, share, part):.4f}" if who.any() else "–" for who in (~stores, stores)
                     for part in (billed, expected)]  # fmt: skip
            print(f"| {name} | {float(share[stores].sum()):.0%} | {' | '.join(cells)} |", flush=True)


def means(who: Any, share: Floats, usd: Floats) -> float:
    """Mean over some household types. [USD per household-day]"""
    return float(share[who] @ usd[who]) / float(share[who].sum())


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:3]))
