"""Learners and the herd: ``uv run python docs/examples/emergence.py`` prints and draws them (some minutes).

The textbook island under its real-time price, batteries with every owner of PV (30 % of households).
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.emergence.emergence import MEASURES, NEAR, Emergence, emergence
from meanwatt.analysis.emergence.figures import emergence_figure, last_days_figure
from meanwatt.analysis.figures.saved import image
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGES = Path(__file__).parents[1] / "images"
ALIKE = "belief:first_step=1"
GREEDY = {
    "greedy, all alike": ALIKE,
    "greedy, one in seven answers a day": "belief:first_step=1:cohorts=7:stagger=7",
    "greedy, different steps": "belief:cohorts=7:step_spread=.9",
    "greedy, different first beliefs": "belief:cohorts=7:belief_spread=.5",
}
SOFT = {
    "beliefs, all alike": ALIKE,
    "beliefs, different steps and first beliefs": "belief:cohorts=7:belief_spread=.5:step_spread=.9",
    "own bills only (Q-learning)": "qlearning",
}
TEMPERATURES_USD = (0.02, 0.01, 0.005, 0.002, 0.001)
WEEK = 7
CALM_DAYS = 500


def solved(temperature_usd: float) -> Equilibrium:
    """The equilibrium of the island at a temperature."""
    overrides = {"battery_share_scale": 2, "temperature_usd": temperature_usd}
    economy = build_economy(load_scenario("textbook", overrides=overrides))
    return solve_equilibrium(economy, build_tariff(economy.scenario, "rtp"), certify=temperature_usd > 0)


def learn(target: Equilibrium, populations: dict[str, str], **size: int) -> list[Emergence]:
    """Let populations learn, and say what they came to."""
    runs = [replace(emergence(target, way, **size), behaviour=label) for label, way in populations.items()]
    for run in runs:
        mean = {name: run.last(name) for name in (*MEASURES, "floor_move_usd_per_kwh")}
        sys.stdout.write(
            f"{run.verdict}\n  belief error {mean[MEASURES[0]]:.5f}, price move {mean[MEASURES[2]]:.5f}, noise"
            f" {mean['floor_move_usd_per_kwh']:.5f}; exploitability {mean[MEASURES[3]]:.4f}, of the equilibrium"
            f" {run.limit_usd_per_household_day:.4f}\n"
        )
    return runs


def calm_day(run: Emergence) -> int | None:
    """The day from which the weekly price error stays within ``NEAR`` times the noise; None if it never does."""

    def weekly(daily: Floats) -> Floats:
        weeks = len(daily) // WEEK
        return np.asarray(np.sqrt((daily[: weeks * WEEK].reshape(weeks, WEEK) ** 2).mean(axis=1)))

    loud = weekly(run.price_error_usd_per_kwh) > NEAR * weekly(run.floor_error_usd_per_kwh)
    if loud[-1]:
        return None
    return 0 if not loud.any() else WEEK * (int(np.flatnonzero(loud)[-1]) + 1)


def main() -> None:
    """Print numbers, draw figures."""
    greedy = learn(solved(0.0), GREEDY, households=1000, days=365)
    mild = solved(0.02)
    soft = learn(mild, SOFT, households=400, days=1500, every=60)
    short = learn(mild, {"η = 0.02 USD, all alike": ALIKE}, households=1000, days=365)
    for temperature_usd in TEMPERATURES_USD:
        target = solved(temperature_usd)
        run = emergence(target, ALIKE, households=1000, days=CALM_DAYS, every=CALM_DAYS)
        assert target.contraction is not None
        calm = calm_day(run)
        sys.stdout.write(
            f"temperature {temperature_usd:g} USD: contraction {target.contraction:.2f}, step stable from day"
            f" {((1 + target.contraction) / 2) ** 2:.0f}, calm"
            f" {f'not within {CALM_DAYS} days' if calm is None else f'from day {calm}'}\n"
        )
    title = "Ten days after a year of learning: prices by the hour"
    figures = {
        "herding": last_days_figure([greedy[0], greedy[1], short[0]], title),
        "herding_errors": emergence_figure(greedy, "Greedy households learn for a year (temperature 0)"),
        "emergence": emergence_figure(soft, "Households of temperature 0.02 USD learn for four years"),
    }
    for name, figure in figures.items():
        (IMAGES / f"{name}.png").write_bytes(image(figure, "png", dpi=90))


if __name__ == "__main__":
    main()
