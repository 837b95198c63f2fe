# ruff: noqa: T201
"""Prices by branch of a rural feeder: ``uv run python docs/examples/branch_prices.py`` prints and draws them.

Three tariffs of ``branch_prices.toml``: the real-time price for all; less at noon and more in the evening on the far
half of every cable; the same on both halves. How much solar fits under each, what each is worth, and how long voltages
are outside their limits at the resting point and while households that know no equilibrium learn their way.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting.adoption import adoption_levels
from meanwatt.analysis.hosting.first_violation import ANY, percentiles, violation_share
from meanwatt.analysis.hosting.judged import HostedTariff, judge
from meanwatt.analysis.hosting.sweep import HostingPlan, sweep
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

SCENARIO = Path(__file__).with_name("branch_prices.toml")
IMAGE = Path(__file__).parents[1] / "images" / "branch_prices.png"
LOOKS = {"even": ("#d55e00", "s", "--"), "local": ("#0072b2", "o", "-"), "everywhere": ("#009e73", "^", "-.")}
NAMES = {"even": "real-time price for all", "local": "adder on the far half", "everywhere": "adder on both halves"}
HOMES, DAYS = 990, 60
LEAST_HOURS = 0.05  # what is drawn as none
BEHAVIOURS = {"resting": "equilibrium", "learning": "belief:first_step=1"}


def rest(tariff: str) -> Equilibrium:
    """The resting point under a tariff."""
    scenario = load_scenario(SCENARIO, tariff=tariff)
    return solve_equilibrium(build_located_economy(scenario), build_rate_classes(scenario), certify=False)


def lived(found: Equilibrium, behaviour: str) -> Simulation:
    """Sixty days of a market whose fixed charges are those of the resting point."""
    return simulate(
        found.economy, found.tariff, equilibrium=found, behaviour=behaviour, households=HOMES, days=DAYS, seed=0
    )


def hours_outside(done: Simulation) -> np.ndarray:
    """Hours outside the voltage limits of each day, mean over buses. [h]"""
    hours = [record.grid.hours_outside_limits for record in done.history if record.grid]
    return np.array(hours) / len(done.history.buses)


def hosted() -> tuple[HostingPlan, tuple[HostedTariff, ...]]:
    """First violations in 50 placements at every tenth of adoption."""
    scenarios = {tariff: load_scenario(SCENARIO, tariff=tariff) for tariff in LOOKS}
    peak_kw = build_located_economy(scenarios["even"]).peak_reference_kw
    plan = HostingPlan(
        feeder=scenario_feeder(scenarios["even"].feeder, peak_reference_kw=peak_kw),
        scenarios=scenarios,
        levels=adoption_levels(0.1),
        placements=50,
        key=key_from(0),
    )
    return plan, tuple(judge(plan, list(sweep(plan))))


def branch_bills(found: Equilibrium) -> dict[str, float]:
    """Mean bill of each branch. [USD per household-day]"""
    types, share = found.economy.types, found.economy.type_share
    bills: dict[str, float] = {}
    for name in dict.fromkeys(household.branch for household in types):
        here = np.array([household.branch == name for household in types])
        bills[name] = round(float(share[here] @ found.bill_usd_per_day[here] / share[here].sum()), 3)
    return bills


def draw(plan: HostingPlan, judged: tuple[HostedTariff, ...], outside: dict[str, dict[str, np.ndarray]]) -> None:
    """Placements in violation over adoption (left), and hours outside limits day by day (right)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for one in judged:
        color, mark, stroke = LOOKS[one.tariff]
        share = 100 * np.array(violation_share(one.broken[ANY]))
        left.plot(100 * np.array(plan.levels), share, color=color, marker=mark, ls=stroke, label=NAMES[one.tariff])
    days = np.arange(1, DAYS + 1)
    for tariff, runs in outside.items():
        color, *_ = LOOKS[tariff]
        for name, hours in runs.items():
            total, learns = np.cumsum(hours), name == "learning"
            right.plot(days, total, color=color, lw=1.8, ls="-" if learns else ":")
        if runs["resting"].sum() > LEAST_HOURS:
            right.annotate(NAMES[tariff], (DAYS, runs["resting"].sum()), color=color, fontsize=9, ha="right")
    calm = [NAMES[tariff] for tariff, runs in outside.items() if runs["resting"].sum() <= LEAST_HOURS]
    if calm:
        right.annotate(f"none: {', '.join(calm)}", (DAYS, 0.05), color="#555555", fontsize=9, ha="right")
    left.set(xlabel="homes with solar, %", ylabel="placements with a violation, %")
    left.set_title("How much solar fits", fontsize=11)
    left.legend(frameon=False, fontsize=9)
    right.set(xlabel="day", ylabel="hours outside voltage limits so far, mean over buses")
    right.set_title("At the resting point (dotted) and while households learn (solid)", fontsize=11)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    figure.savefig(IMAGE, dpi=100)


def main() -> None:
    """Print a line for each tariff and draw the figure."""
    outside: dict[str, dict[str, np.ndarray]] = {}
    for tariff in LOOKS:
        found = rest(tariff)
        runs = {name: lived(found, behaviour) for name, behaviour in BEHAVIOURS.items()}
        outside[tariff] = {name: hours_outside(done) for name, done in runs.items()}
        metrics = equilibrium_metrics(found)
        print(tariff, f"welfare {metrics.welfare_usd_per_household_day:.4f}", metrics.burden, branch_bills(found))
        for name, hours in outside[tariff].items():
            print(
                f"  {name}: {hours.sum():.2f} h, {hours[:20].sum():.2f} in the first 20 days, {hours[-20:].sum():.2f}"
            )
    plan, judged = hosted()
    for one in judged:
        first: dict[str, Any] = {kind: percentiles(values) for kind, values in one.first.items()}
        print(one.tariff, first[ANY], "overvoltage", first["overvoltage"], "transformer", first["transformer"])
    draw(plan, judged, outside)


if __name__ == "__main__":
    main()
