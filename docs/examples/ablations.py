# ruff: noqa: T201
"""What the headline rests on: ``uv run python docs/examples/ablations.py textbook oahu`` prints and draws it.

The commission with equity=5 and stability=1 designs a tariff where one thing is different each time; its gain is over
the filed tariff with its surplus returned, or its shortfall charged, in equal parts. Rows measured are kept in
``run/ablations.jsonl`` and not measured again; both presets take about a quarter of an hour of processor time.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

import meanwatt
from meanwatt.analysis.design.balanced import balanced
from meanwatt.analysis.design.design import FILED
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.tariff_effects import EquilibriumEffects
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import commit
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import Scenario, load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "ablations.png"
KEPT = Path("run") / "ablations.jsonl"
AIMS = LeaderSpec(leader="commission", weights={"equity": 5.0, "stability": 1.0})
SLOPE = "fixed_charge_income_slope"
PARTS = {"welfare": "#0072b2", "equity": "#d55e00", "stability": "#009e73"}
SMALL = 1e-6
"""Change of a criterion that is none."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that is different: scenario keys by value, or the charge's slope in income kept out of the family."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    slope: bool = True


def cases(base: Scenario) -> list[Case]:
    """The scenario as it is, then one change at a time."""
    groups = base.income_groups
    share = np.array([group.share for group in groups.values()])

    def alike(*keys: str) -> dict[str, float]:
        """These keys of all income groups at their mean over households."""
        means = {key: float(share @ [getattr(group, key) for group in groups.values()]) for key in keys}
        return {f"income_groups.{name}.{key}": mean for name in groups for key, mean in means.items()}

    owned = ("use_factor", "pv_share", "pv_kw", "storage_share_of_pv")
    eta, carbon = base.temperature_usd, base.carbon.usd_per_t
    return [
        Case(name="as it is"),
        Case(name="temperature × ¼", changes={"temperature_usd": eta / 4}),
        Case(name="temperature × 4", changes={"temperature_usd": eta * 4}),
        Case(name="elasticity 0", changes={"elasticity": 0.0}),
        Case(name="elasticity × ½", changes={"elasticity": base.elasticity / 2}),
        Case(name="elasticity × 2", changes={"elasticity": base.elasticity * 2}),
        Case(name="no batteries", changes={"battery_share_scale": 0.0}),
        Case(name="batteries × 2", changes={"battery_share_scale": 2.0}),
        Case(name="carbon price 0", changes={"carbon.usd_per_t": 0.0}),
        Case(name="carbon price × 2", changes={"carbon.usd_per_t": 2 * carbon}),
        Case(name="groups use and own alike", changes=alike(*owned)),
        Case(name="one income, too", changes=alike(*owned, "income_usd_per_year")),
        Case(name="no charge by income", slope=False),
    ]


def parts(found: Equilibrium) -> list[float]:
    """Welfare [USD per household-day], burden gap [-] and IMV [USD/kWh]."""
    metrics = EquilibriumEffects(found).metrics
    return [metrics.welfare_usd_per_household_day, metrics.burden_gap, metrics.imv or 0.0]


def measure(scenario: Scenario, case: Case) -> Row:
    """The filed tariff, balanced, and the design; all that is needed to compare them."""
    economy = build_economy(scenario)
    filed = solve_equilibrium(economy, build_tariff(scenario), certify=False)
    problem = AIMS.problem(economy, filed.tariff)
    if not case.slope:
        free = problem.family.free
        high = np.where([name == SLOPE for name in free], 0.0, problem.family.high)
        problem = replace(problem, family=replace(problem.family, high=high))
    found = commit(problem, certify=False)
    return {
        "filed": parts(balanced(filed)),
        "designed": parts(found.equilibrium),
        "outcomes": [str(filed.outcome), str(found.outcome)],
        "tariffs": len(found.trials),
        "parameters": found.parameters,
    }


def measured(preset: str) -> list[tuple[Case, Row]]:
    """All cases of a preset, those kept by an earlier run as they are."""
    base = load_scenario(preset, tariff=FILED)
    KEPT.parent.mkdir(exist_ok=True)
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else []
    kept: dict[str, Row] = {row["key"]: row for row in map(json.loads, lines)}
    rows = []
    for case in cases(base):
        scenario = load_scenario(base, overrides=case.changes, tariff=FILED)
        decides = [meanwatt.__version__, identifying_table(scenario), dict(AIMS.weights), case.slope]
        key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        if key not in kept:
            kept[key] = {"key": key, **measure(scenario, case)}
            with KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(kept[key]) + "\n")
        rows.append((case, kept[key]))
        if case.name == "as it is":
            print(f"\n{preset}: gain = welfare + equity + stability in USD per household-day, and the criteria")
        show(case, kept[key])
    return rows


def gains(row: Row) -> list[float]:
    """What welfare, the burden gap and IMV add to the objective. [USD per household-day]"""
    welfare, gap, imv = np.subtract(row["designed"], row["filed"]).tolist()
    return [welfare, -AIMS.weights["equity"] * gap, -AIMS.weights["stability"] * imv]


def show(case: Case, row: Row) -> None:
    """Print a row."""
    own, change = gains(row), np.subtract(row["designed"], row["filed"])
    better = bool((change * [-1, 1, 1] < -SMALL).all())
    settled = "" if row["outcomes"] == ["converged", "converged"] else f"  {' and '.join(row['outcomes'])}"
    print(
        f"  {case.name:26s} {sum(own):8.4f} = {own[0]:+.4f} {own[1]:+.4f} {own[2]:+.4f}   gap"
        f" {100 * row['filed'][1]:.2f} → {100 * row['designed'][1]:.2f} %, IMV {row['filed'][2]:.5f} →"
        f" {row['designed'][2]:.5f}{', all three better' if better else ''}; {row['tariffs']} tariffs{settled}",
        flush=True,
    )


def draw(axes: Axes, preset: str, rows: list[tuple[Case, Row]]) -> None:
    """Gains and their parts, one line a case, the scenario as it is dotted."""
    for place, (_, row) in enumerate(rows):
        own = gains(row)
        axes.plot(sum(own), place, "kD", ms=6, label=None if place else "gain")
        for (name, colour), value in zip(PARTS.items(), own, strict=True):
            axes.plot(value, place, "o", color=colour, ms=4, label=None if place else f"of which {name}")
    axes.axvline(sum(gains(rows[0][1])), color="k", ls=":", lw=1)
    axes.axvline(0, color="grey", lw=0.8)
    axes.set_yticks(range(len(rows)), [case.name for case, _ in rows])
    axes.set(title=preset, xlabel="gain over filed, balanced [USD per household-day]")
    axes.grid(axis="y", alpha=0.3)


def main(presets: list[str]) -> None:
    """Measure, print and draw."""
    found = {preset: measured(preset) for preset in presets}
    figure, panels = plt.subplots(1, len(found), figsize=(5 * len(found) + 1, 4.8), layout="constrained", sharey=True)
    for axes, (preset, rows) in zip(np.atleast_1d(panels), found.items(), strict=True):
        draw(axes, preset, rows)
    first = np.atleast_1d(panels)[0]
    first.invert_yaxis()
    figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")
    figure.savefig(IMAGE, dpi=110)
    print(f"\nDrawn: {IMAGE.relative_to(Path(__file__).parents[2])}, {IMAGE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:] or ["textbook", "oahu"])
