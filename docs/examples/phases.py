# ruff: noqa: T201
"""Homes on one phase each: ``uv run python docs/examples/phases.py`` prints two tables and draws the figure.

The same homes live the same 28 days; only the power flow differs. So much solar is more than the preset has: three
times the share, twice the size.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import meanwatt
from meanwatt.analysis.notebook.simulated import SimulatedMarket
from meanwatt.model.market.history import phase_days
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.sensitivity import voltage_sensitivity

IMAGE = Path(__file__).parents[1] / "images" / "phases.png"
SUNNY = {"pv_share_scale": 3.0, "pv_scale": 2.0}
FEEDERS = {"lv_four_wire": 24, "lv_semiurban": 41, "lv_rural": 99}
RATIOS = (1.0, 2.0, 4.0, 7.0)
COLORS = ("#d55e00", "#009e73", "#0072b2")


def run(feeder: str, **keys: Any) -> SimulatedMarket:
    """Twenty-eight days under the tariff as filed, a simulated household for every home."""
    changes = {**SUNNY, "feeder.name": feeder, **{f"feeder.{key}": value for key, value in keys.items()}}
    return meanwatt.simulate(
        "oahu", tariff="filed", overrides=changes, households=FEEDERS[feeder], days=28, seed=0, progress=False
    )


def row(name: str, market: SimulatedMarket) -> str:
    """The run in one line of a table: the balanced power flow, and that by phase."""
    plain, found = market.simulation.feeder, market.simulation.phases
    assert plain is not None
    assert found is not None
    homes = "/".join(str(count) for count in list(found.homes_by_phase.values())[:3])
    outside = max(found.hours_outside_limits.values())
    return (
        f"| {name} | {homes} | {plain.voltage_min_pu:.4f} to {plain.voltage_max_pu:.4f} |"
        f" {found.voltage_min_pu:.4f} to {found.voltage_max_pu:.4f} |"
        f" {plain.hours_outside_limits:.0f} | {outside:.0f} |"
        f" {found.unbalance_max_percent:.2f} | {found.unbalance_95_percent:.2f} | {plain.loss_kwh:.0f} |"
        f" {found.loss_kwh:.0f} |"
    )


def draw(market: SimulatedMarket) -> None:
    """Voltages of the sunniest hour along the feeder (left), and the spread of the unbalance by hour (right)."""
    economy, history = market.equilibrium.economy, market.simulation.history
    feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    far = np.diag(voltage_sensitivity(feeder, np.arange(len(feeder.buses))).r_pu) * 10
    days = [found for _, found in phase_days(history)]
    voltage = np.array([day.voltage_pu for day in days])
    day, slot = np.unravel_index(int(voltage.max(axis=(2, 3)).argmax()), voltage.shape[:2])
    balanced = history[int(day)].grid
    assert balanced is not None
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for bus, before in enumerate(feeder.parent.tolist()):
        for phase, color in enumerate(COLORS):
            if before >= 0:
                left.plot(far[[before, bus]], voltage[day, slot, [before, bus], phase], color=color, lw=1.6)
        if before >= 0:
            left.plot(far[[before, bus]], balanced.voltage_pu[slot, [before, bus]], color="#555555", lw=1, ls=":")
    for text, color in zip(("phase a", "phase b", "phase c"), COLORS, strict=True):
        left.plot([], [], color=color, lw=1.6, label=text)
    left.plot([], [], color="#555555", lw=1, ls=":", label="balanced")
    left.axhline(1.05, color="#555555", lw=0.8, ls="--")
    left.annotate("limit 1.05", (far.max(), 1.05), va="bottom", ha="right", fontsize=9, color="#555555")
    left.legend(frameon=False, loc="upper left")
    left.set(xlabel="resistance from the source to the bus, % on 100 kVA", ylabel="voltage to neutral, pu")
    left.set_title(f"{feeder.name}: the hour of the highest voltage (day {day}, {slot}:00)", fontsize=11)
    uneven = np.array([found.unbalance_percent.max(axis=1) for found in days])
    hours = np.arange(24) + 0.5
    for level, text in ((50, "median day"), (95, "95 % of days"), (100, "worst day")):
        right.plot(hours, np.percentile(uneven, level, axis=0), lw=2 if level == 50 else 1.2, label=text)
    right.set(xlabel="hour of the day", ylabel="largest unbalance of a bus, %", xticks=range(0, 25, 6), xlim=(0, 24))
    right.set_title("Negative over positive sequence, 28 days", fontsize=11)
    right.legend(frameon=False, loc="upper left")
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    figure.savefig(IMAGE, dpi=100)


if __name__ == "__main__":
    done = {name: run(name, phases="one") for name in FEEDERS}
    for name, market in done.items():
        print(row(name, market))
    for seed in (1, 2):
        print(row(f"lv_rural, feeder.phase_seed = {seed}", run("lv_rural", phases="one", phase_seed=seed)))
    for ratio in RATIOS:
        market = run("lv_rural", phases="one", r0_per_r1=ratio, x0_per_x1=ratio)
        print(row(f"lv_rural, r0 = {ratio:g} r1, x0 = {ratio:g} x1", market))
    draw(done["lv_rural"])
