# ruff: noqa: T201
"""What memory makes of a tariff drawn every midnight: ``uv run python docs/examples/drawn_tariffs.py`` prints it.

Textbook, one kind of day, twice as many batteries, households four times as cold. A coin decides every midnight whether
the flat tariff is ten cents higher in the evening. Markets of 30,000 households are compared with the continuum.
"""

from dataclasses import replace

import numpy as np

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.analysis.validation.replication import replicate
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.leader.mixed_tariff import extended_economy, extended_tariff
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

CHANGES = {"temperature_usd": 0.005, "battery_share_scale": 2.0}
EVENING_USD_PER_KWH = 0.10
HOUSEHOLDS, MARKETS, DAYS = 30_000, 10, 56


def coin(economy: Economy) -> list[Tariff]:
    """The flat tariff, and the same with a dearer evening; exports earn what they save."""
    flat = replace(build_tariff(economy.scenario, "flat"), recovery=Recovery.FIXED)
    evening = np.zeros_like(flat.energy_usd_per_kwh)
    evening[:, 17:21] = EVENING_USD_PER_KWH
    dear = replace(
        flat,
        name="dear evening",
        energy_usd_per_kwh=flat.energy_usd_per_kwh + evening,
        export_usd_per_kwh=flat.export_usd_per_kwh + evening,
    )
    return [flat, dear]


def main() -> None:
    """Measure and print."""
    print(f"Textbook, {CHANGES}, a coin between two tariffs; {MARKETS} markets of {HOUSEHOLDS:,}, {DAYS} days, seed 0")
    print(
        "  memory  states  closure error, kW  floor in the market, kW  of mean load  RMS over independent households'"
    )
    for memory in (0, 1, 2):
        economy = build_economy(load_scenario("textbook", overrides={**CHANGES, "memory": memory}))
        menu, policy = coin(economy), np.full((economy.common.count, 2), 0.5)
        found = solve_equilibrium(
            extended_economy(economy, menu, policy), extended_tariff(economy, menu, policy), certify=False
        )
        states = found.economy.common.count
        markets = [replicate(found, HOUSEHOLDS, (0, r), DAYS).scatter_kw2 for r in range(MARKETS)]
        alone = expected_scatter_kw2(found, HOUSEHOLDS)
        floor = np.sqrt(max(np.mean(markets) - alone, 0.0))
        mean_load = np.abs(found.net_load_kw).mean(axis=1) @ found.economy.common.probability
        print(
            f"  {memory:6d}  {states:6d}  {found.closure_error_kw:17.5f}  {floor:23.5f}"
            f"  {floor / mean_load:12.2%}  {np.sqrt(np.mean(markets) / alone):34.2f}"
        )


if __name__ == "__main__":
    main()
