# ruff: noqa: T201
"""Learned tariffs: efficient, fair and stable at once? ``uv run python docs/examples/headline.py`` prints and draws it.

A commission that sees meters only tries 60 tariffs by each of four methods, with ten seeds, in the mean field and in
markets of 1,000 households. Every run is a line of ``docs/examples/headline.jsonl``, written when it ends, and what is
there is not run again: stop it with Ctrl-C and start it again, or give a part of it by the options. ``--report`` runs
nothing, prints the table of what is there and draws the figure. All of it takes about twelve hours of one core.

The commission weighs equity and stability by (1, 0) or by (5, 1); or it is *constrained*: welfare, with burden gap and
price volatility at least 2 % below those of the tariff in force, as its own meters show them. Judged are the mean
field's welfare, burden gap and IMV of the tariff recommended, at the preset's temperature and among cold households,
beside ``filed`` balanced: with its surplus returned, or its shortfall charged, in equal parts.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from scipy.stats import bootstrap

from meanwatt.analysis.design.balanced import balanced
from meanwatt.analysis.design.design import DesignProblem, commitment_search
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.metered_change import MeteredChange
from meanwatt.analysis.learning.campaign import MakeEnvironment, finite_market, learning_search, mean_field
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.analysis.progress_bar import shown_progress
from meanwatt.analysis.workers import results
from meanwatt.model.mean_field.cold import solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

RUNS = Path(__file__).with_suffix(".jsonl")
FIGURE = Path(__file__).parents[1] / "images" / "headline.png"
PRESETS = ("textbook", "oahu", "california", "stress")
NAMED = ("filed", "flat", "tou", "rtp", "income_graduated")
WEIGHTS = {"(1, 0)": {"equity": 1.0, "stability": 0.0}, "(5, 1)": {"equity": 5.0, "stability": 1.0}}
CONSTRAINED = "constrained"
AIMS = (*WEIGHTS, CONSTRAINED)
METHODS = ("policy_iteration", "softmax", "cma", "optuna")
ENVIRONMENTS = ("mean field", "market")
SEEDS, EVALUATIONS, HOUSEHOLDS, DAYS = 10, 60, 1000, 28
BELOW = 0.02
"""Share by which a constrained commission stays below what the tariff in force has."""
CRITERIA = ("welfare_usd_per_household_day", "burden_gap", "imv")

Row = dict[str, Any]


@cache
def in_force(preset: str) -> Equilibrium:
    """The preset under ``filed``, posted so far."""
    scenario = load_scenario(preset, tariff="filed")
    return solve_equilibrium(build_economy(scenario), build_tariff(scenario))


def judged(found: Equilibrium | None) -> Row:
    """Welfare, burden gap and IMV of an equilibrium; empty where none was found."""
    metrics: Metrics | None = None if found is None or not found.converged else equilibrium_metrics(found)
    return {} if metrics is None else {name: getattr(metrics, name) for name in CRITERIA}


def cold(found: Equilibrium) -> Equilibrium | None:
    """The same tariff among cold households."""
    return solve_cold(found.economy, found.tariff, start=found).equilibrium


def leader_spec_of(aim: str, preset: str, environment: MakeEnvironment) -> LeaderSpec:
    """The commission's aims; limits are those that its own meters show of the balanced tariff in force."""
    if aim in WEIGHTS:
        return LeaderSpec(leader="commission", weights=WEIGHTS[aim])
    reading = environment(in_force(preset)).in_force()
    surplus = float(reading.weight @ reading.margin_usd_per_day)
    books = replace(reading, fixed_charge_usd_per_day=reading.fixed_charge_usd_per_day - surplus)
    seen = MeteredChange(in_force(preset).economy, books, books)
    limits = {"burden_gap_limit": seen.burden_gap(), "imv_limit": seen.volatility()}
    return LeaderSpec(leader="constrained", weights={name: (1 - BELOW) * limit for name, limit in limits.items()})


def beside(preset: str, tariff: str) -> Row:
    """A named tariff, or the commitment of a commission that knows the households."""
    there = found = in_force(preset)
    if tariff in WEIGHTS:
        problem = DesignProblem(economy=there.economy, aims=LeaderSpec(weights=WEIGHTS[tariff]), baseline=there)
        found = commitment_search()(problem).equilibrium
    elif tariff != "filed":
        found = solve_equilibrium(there.economy, build_tariff(there.economy.scenario, tariff))
    chilled = cold(found)
    if tariff == "filed":  # as it is, it recovers another cost than the family's tariffs
        found, chilled = balanced(found), None if chilled is None else balanced(chilled)
    return judged(found) | {"cold": judged(chilled)}


def learned(preset: str, environment: str, aim: str, method: str, seed: int) -> Row:
    """What a learner recommends."""
    where = mean_field() if environment == "mean field" else finite_market(households=HOUSEHOLDS, days=DAYS, seed=seed)
    aims = leader_spec_of(aim, preset, where)
    problem = DesignProblem(economy=in_force(preset).economy, aims=aims, baseline=in_force(preset))
    found = learning_search(method, environment=where, evaluations=EVALUATIONS, seed=seed)(problem)
    return judged(found.equilibrium) | {"parameters": list(found.parameters.values())}


def chilled(preset: str, *parameters: float) -> Row:
    """A learned tariff among cold households."""
    there = in_force(preset)
    tariff = LeaderSpec().family(there.economy, there.tariff).tariff(np.array(parameters))
    return judged(cold(solve_equilibrium(there.economy, tariff, start=there, certify=False)))


KINDS: dict[str, Callable[..., Row]] = {"beside": beside, "learned": learned, "cold": chilled}
Task = tuple[str, tuple[Any, ...]]


def run(task: Task) -> Row:
    """Do one task; a learner that finds nothing says why."""
    kind, about = task
    try:
        return KINDS[kind](*about)
    except ValueError as error:
        return {"error": str(error)}


def known() -> dict[Task, Row]:
    """What is in the file, a task once; a line torn by a crash does not count."""
    rows = {}
    for line in RUNS.read_text(encoding="ascii").splitlines() if RUNS.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        rows[entry["kind"], tuple(entry["about"])] = entry["found"]
    return rows


def runs(asked: argparse.Namespace) -> Iterator[Task]:
    """What is asked for; seed after seed, so that a run that is stopped has some of everything."""
    for preset in asked.presets:
        yield from (("beside", (preset, tariff)) for tariff in (*NAMED, *WEIGHTS))
    for environment, preset, seed in product(asked.environments, asked.presets, range(asked.seeds)):
        yield from (
            ("learned", (preset, environment, aim, method, seed)) for aim, method in product(asked.aims, asked.methods)
        )


def cold_runs(there: dict[Task, Row]) -> Iterator[Task]:
    """Learned tariffs to be judged among cold households."""
    for (kind, about), row in there.items():
        if kind == "learned" and "parameters" in row:
            yield "cold", (about[0], *row["parameters"])


def work_off(wanted: list[Task], workers: int) -> None:
    """Do what is not in the file yet."""
    there = known()
    todo = [task for task in dict.fromkeys(wanted) if task not in there]
    torn = RUNS.exists() and not RUNS.read_text(encoding="ascii").endswith("\n")
    with RUNS.open("a", encoding="ascii") as file, shown_progress("runs") as tell:
        file.write("\n" * torn)
        done = 0
        for batch in results(run, todo, workers=workers):
            for (kind, about), found in batch:
                file.write(json.dumps({"kind": kind, "about": about, "found": found}) + "\n")
                file.flush()
                done += 1
                tell(", ".join(map(str, about if kind == "learned" else about[:1])), done / len(todo))


def objective(aim: str, row: Row) -> float:
    """What a commission with weights makes of a tariff; a constrained one is held against the first weights."""
    weights = WEIGHTS.get(aim, WEIGHTS["(1, 0)"])
    welfare, gap, imv = (row[name] for name in CRITERIA)
    return float(welfare - weights["equity"] * gap - weights["stability"] * imv)


def beats(row: Row, rival: Row) -> bool:
    """Whether a tariff is better on all three."""
    return bool(row and rival) and (
        row[CRITERIA[0]] > rival[CRITERIA[0]] and all(row[name] < rival[name] for name in CRITERIA[1:])
    )


def spread(values: list[float]) -> str:
    """Median, and its bootstrap interval at 95 % over seeds; equal seeds are said to be equal."""
    sample = np.array(values)
    median = float(np.median(sample))
    if len(sample) < 3 or np.ptp(sample) < 1e-12:
        return f"{median:.4f} (all equal)" if len(sample) > 1 else f"{median:.4f}"
    ends = bootstrap((sample,), np.median, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    return f"{median:.4f} [{ends.low:.4f}, {ends.high:.4f}]"


def learned_table(there: dict[Task, Row]) -> pd.DataFrame:
    """A line for each preset, environment, aim and method."""
    lines = []
    groups: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
    for (kind, about), row in there.items():
        if kind == "learned":
            judged_cold = there.get(("cold", (about[0], *row.get("parameters", ()))), {})
            groups.setdefault(about[:4], []).append((row, judged_cold))
    for (preset, environment, aim, method), found in groups.items():
        best = there.get(("beside", (preset, aim if aim in WEIGHTS else "(1, 0)")), {})
        rival = there.get(("beside", (preset, "filed")), {})
        whole = [row for row, _ in found if CRITERIA[0] in row]
        if not (best and rival and whole):
            continue
        start, end = objective(aim, rival), objective(aim, best)
        colds = [row for _, row in found if row]
        closed = spread([(objective(aim, row) - start) / (end - start) for row in whole])
        lines.append(
            {
                "preset": preset,
                "learned in": environment,
                "aim": aim,
                "method": method,
                "seeds": len(found),
                "welfare": spread([row[CRITERIA[0]] for row in whole]),
                "burden gap, %": spread([100 * row[CRITERIA[1]] for row in whole]),
                "IMV": spread([row[CRITERIA[2]] for row in whole]),
                "objective": spread([objective(aim, row) for row in whole]),
                "gap closed": "" if aim == CONSTRAINED else closed,
                "beats filed": sum(beats(row, rival) for row in whole),
                "also cold": f"{sum(beats(row, rival['cold']) for row in colds)} of {len(colds)}",
            }
        )
    return pd.DataFrame(lines)


def named_table(there: dict[Task, Row]) -> pd.DataFrame:
    """What the learned tariffs stand beside, warm and cold."""
    lines = []
    for (kind, about), row in there.items():
        if kind == "beside":
            name = {"filed": "filed, balanced"}.get(about[1], about[1])
            name = f"commitment {name}" if about[1] in WEIGHTS else name
            shown = {"preset": about[0], "tariff": name}
            for when, judged_there in (("", row), (", cold", row.get("cold", {}))):
                shown |= {f"{name}{when}": judged_there.get(name, np.nan) for name in CRITERIA}
            lines.append(shown)
    return pd.DataFrame(lines)


def draw(there: dict[Task, Row]) -> None:
    """Where learned tariffs lie beside ``filed`` balanced: better on all three is the shaded corner, and filled."""
    presets = [preset for preset in PRESETS if ("beside", (preset, "filed")) in there]
    figure, axes = plt.subplots(1, len(presets), figsize=(3.4 * len(presets), 3.8), layout="constrained", squeeze=False)
    colours = dict(zip(AIMS, ("#0072b2", "#e69f00", "#009e73"), strict=True))
    for axis, preset in zip(axes[0], presets, strict=True):
        rival = there["beside", (preset, "filed")]
        for (kind, about), row in there.items():
            if kind == "learned" and about[0] == preset and CRITERIA[0] in row:
                change = [row[name] - rival[name] for name in CRITERIA]
                colour = colours[about[2]]
                axis.scatter(
                    change[0],
                    100 * change[1],
                    s=18,
                    marker="o" if about[1] == "mean field" else "s",
                    facecolor=colour if beats(row, rival) else "none",
                    edgecolor=colour,
                    linewidth=0.9,
                )
        axis.axhline(0, color="#888888", linestyle=":")
        axis.axvline(0, color="#888888", linestyle=":")
        axis.set(title=preset, xlabel="welfare gained,\nUSD per household-day")
    axes[0, 0].set_ylabel("change of the burden gap, % of income")
    marks: list[tuple[str, str, str, str | None]] = [(aim, "o", colours[aim], None) for aim in AIMS]
    marks += [(name, mark, "#888888", None) for name, mark in zip(ENVIRONMENTS, "os", strict=True)]
    marks.append(("not better on all three", "o", "#888888", "none"))
    handles = [
        Line2D([], [], linestyle="", label=label, marker=mark, color=colour, markerfacecolor=fill)
        for label, mark, colour, fill in marks
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    """Run what is asked for and not there yet; print and draw what is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=PRESETS)
    parser.add_argument("--environments", nargs="+", choices=ENVIRONMENTS, default=ENVIRONMENTS)
    parser.add_argument("--aims", nargs="+", choices=AIMS, default=AIMS)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=1, help="processes; 0 runs all in this one")
    parser.add_argument("--report", action="store_true", help="run nothing; print and draw what is there")
    asked = parser.parse_args()
    if not asked.report:
        work_off(list(runs(asked)), asked.workers)
        work_off(list(cold_runs(known())), asked.workers)
    there = known()
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print(named_table(there).to_string(index=False, float_format=lambda value: f"{value:.5f}"), end="\n\n")
        print(learned_table(there).to_string(index=False))
    draw(there)


if __name__ == "__main__":
    main()
