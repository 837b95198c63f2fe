"""Regret of four learners who see meters only: ``uv run python docs/examples/learning_leader.py`` (some minutes)."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from meanwatt.analysis.design.design import DesignProblem, commitment_search
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.campaign import MakeEnvironment, finite_market, mean_field
from meanwatt.analysis.learning.curves import learning_curves, regret_band
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

FIGURE = Path(__file__).parents[1] / "images" / "learning_leader.png"
SEEDS, EVALUATIONS, HOUSEHOLDS, DAYS = range(5), 100, 300, 28
COLOURS = {"softmax": "#0072b2", "cma": "#d55e00", "optuna": "#009e73", "policy_iteration": "#cc79a7"}
FLOOR = 1e-4


def market(seed: int) -> MakeEnvironment:
    """A finite market, another one for every seed."""
    return finite_market(households=HOUSEHOLDS, days=DAYS, seed=seed)


def main() -> None:
    """Learn, print the regret at the end, and draw."""
    scenario = load_scenario("textbook", tariff="filed")
    economy, tariff = build_economy(scenario), build_tariff(scenario)
    commission = LeaderSpec(leader="commission")
    utility = LeaderSpec(leader="utility", price_cap_usd_per_kwh=default_price_cap_usd_per_kwh(economy))
    panels = [
        ("Utility, mean field", utility, lambda _: mean_field()),
        ("Commission, mean field", commission, lambda _: mean_field()),
        (f"Commission, {HOUSEHOLDS} households × {DAYS} days", commission, market),
    ]
    baseline = solve_equilibrium(economy, tariff)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    for axis, (title, aims, environment) in zip(axes, panels, strict=True):
        problem = DesignProblem(economy=economy, aims=aims, baseline=baseline)
        best = commitment_search()(problem)
        curves = learning_curves(
            problem,
            methods=tuple(COLOURS),
            seeds=SEEDS,
            evaluations=EVALUATIONS,
            environment=environment,
            commitment=best,
        )
        last = regret_band(curves)
        for method, band in last.groupby("method", sort=False):
            shown = band[np.isfinite(band["high"])]
            low, median, high = (np.maximum(shown[name], FLOOR) for name in ("low", "median", "high"))
            axis.plot(shown["evaluation"], median, color=COLOURS[str(method)], label=str(method))
            axis.fill_between(shown["evaluation"], low, high, color=COLOURS[str(method)], alpha=0.18, linewidth=0)
            end = band.iloc[-1]
            figures = ", ".join(f"{name} {end[name]:.4f}" for name in ("low", "median", "high"))
            sys.stdout.write(f"{title}: {method} after {EVALUATIONS} tariffs: {figures}\n")
        axis.axhline(in_force := best.objective - aims.objective()(baseline), color="#888888", linestyle=":")
        axis.annotate("tariff in force", (EVALUATIONS, max(in_force, FLOOR)), ha="right", va="bottom", fontsize=8)
        axis.set(title=title, xlabel="tariffs tried", yscale="log", ylim=(FLOOR / 1.5, None), xlim=(1, EVALUATIONS))
    axes[0].set_ylabel("regret against the commitment,\nUSD per household-day")
    axes[0].legend(frameon=False, loc="lower left")
    figure.savefig(FIGURE, dpi=110)


if __name__ == "__main__":
    main()
