"""Storage games of one day: seconds to an exploitability for our exact solver, and for MFGLib's algorithms beside it.

24 hours, an affine supply curve, real-time prices with 5 cents more for imports than for exports, every household with
a battery and solar of its type, charge uniform at the start and worth nothing at the end. Targets are shares of the
exploitability of the uniform policy, where MFGLib starts. Every time is CPU seconds of one thread, compilation and
imports left out, from the call to the first iterate (MFGLib) or to the result (ours, solved anew for each target).

    uv run python benchmarks/one_day_games.py                        # our solver alone
    uv run python benchmarks/one_day_games.py --peer-env DIR         # MFGLib, too; pip makes DIR if it does not exist
    uv run python benchmarks/one_day_games.py --peer-env DIR --json  # the same as JSON

Before anything is timed, both sides score the same policies: uniform, random, and our equilibrium. The command ends
with exit code 1 if they differ by more than 1e-10 USD.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from mfglib_peer import EVERY_PAIR, MFGLIB, TORCH, Peer

from meanwatt.agents.household.storage import feasible
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.certificates import exploitability_usd_per_day
from meanwatt.model.mean_field.population.flow import household_flow
from meanwatt.model.mean_field.population.game import potential_failures
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    decision_problem,
    population_response,
    summed,
)
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import ExactSolution, solve_exact
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

GRIDS = ((21, 5), (41, 11))
TYPES = (1, 10, 30)
TARGETS = [1e-1, 1e-2, 1e-3, 1e-4]
DEEPER = [1e-6, 1e-8, 1e-10]
SAME_USD = 1e-10
"""Largest difference of the two sides' exploitability of the same policy. [USD per household-day]"""
OUR_REPEATS = 21
PEER_REPEATS = 3
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
DEFAULT_SECONDS = {
    "OnlineMirrorDescent": 20.0,
    "PriorDescent": 5.0,
    "FictitiousPlay": 10.0,
    "OccupationMeasureInclusion": 6.0,
    "MFOMO": 6.0,
}
"""CPU limits of the algorithms as they come."""
TRIAL_SECONDS = {
    "PriorDescent": 5.0,
    "OnlineMirrorDescent": 5.0,
    "FictitiousPlay": 4.0,
    "OccupationMeasureInclusion": 4.0,
    "MFOMO": 4.0,
}
"""CPU limits of one setting of the grid, and the same with many types, where fewer are tried."""
MANY_TYPES_SECONDS = 12.0
ENOUGH = 1_500
"""Every algorithm as it comes gets at least so many times the CPU seconds that we take to the last common target, and
with many types no more."""
CAPACITY_KWH = 10.0
ROUND_TRIP = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Game:
    """One game: its size, and the economy and tariff that make it."""

    levels: int
    moves: int
    economy: Economy
    tariff: Tariff

    @property
    def name(self) -> str:
        """Size in words."""
        types = len(self.economy.types)
        return f"{self.levels} levels × {self.moves} moves, {types} household type{'s' * (types > 1)}"


def build_game(levels: int, moves: int, types: int) -> Game:
    """Preset ``textbook`` without elasticity and shocks; types differ in use (0.6 to 1.4) and solar (0 to 6 kW)."""
    use = np.linspace(0.6, 1.4, types) if types > 1 else np.ones(1)
    solar_kw = 6.0 * (0.6180339887 * np.arange(types) % 1.0) if types > 1 else np.full(1, 4.0)
    groups = {
        f"type_{k}": {
            "share": 1 / types,
            "income_usd_per_year": 50_000.0,
            "use_factor": float(factor),
            "pv_share": 1.0,
            "pv_kw": float(kw),
            "storage_share_of_pv": 1.0,
        }
        for k, (factor, kw) in enumerate(zip(use, solar_kw, strict=True))
    }
    reach_kwh = (moves // 2) * CAPACITY_KWH / (levels - 1)
    scenario = load_scenario(
        "textbook",
        tariff="rtp",
        overrides={
            "income_groups": groups,
            "battery_levels": levels,
            "battery.capacity_kwh": CAPACITY_KWH,
            "battery.round_trip_efficiency": ROUND_TRIP,
            "battery.power_limit_kw": reach_kwh / ROUND_TRIP**0.5,
            "temperature_usd": 0.0,
            "elasticity": 0.0,
            "shock.levels": [1.0],
            "shock.kernel": [[1.0]],
            "one_day": {"charge": "uniform", "salvage_usd_per_kwh": 0.0},
            "supply.coefficients": [0.05, 0.10],
            "tariff.recovery": "posted",
            "tariff.energy_usd_per_kwh": 0.05,
            "tariff.export.usd_per_kwh": 0.0,
            "tariffs.income_graduated.fixed_charge_shape": 1.0,  # it names the preset's groups
        },
    )
    game = Game(levels=levels, moves=moves, economy=build_economy(scenario), tariff=build_tariff(scenario))
    assert not potential_failures(game.economy, game.tariff)
    return game


def solve(game: Game, gap_usd_per_day: float) -> ExactSolution:
    """Our solver with its one setting, from the prices at reference demand."""
    guess = first_guess(game.economy)
    return solve_exact(game.economy, game.tariff, 0.0, guess, watch=Watch(), gap_usd_per_day=gap_usd_per_day)


def answer_with(game: Game, policies: Floats) -> PopulationResponse:
    """What the continuum does under policies (θ, h, e, j) of our choice."""
    economy, tariff = game.economy, game.tariff
    free = population_response(economy, tariff, first_guess(economy), 0.0)
    responses = [
        replace(response, policy=replace(response.policy, probability=policy[None, :, :, None, :].copy()))
        for response, policy in zip(free.responses, policies, strict=True)
    ]
    horizon = decision_problem(economy)
    flows = [household_flow(response.policy, horizon, economy.common.backward) for response in responses]
    return summed(economy, tariff, free.wholesale_usd_per_kwh, 0.0, free.rates, responses, flows)


def uniform_policy(game: Game, move: Floats) -> Floats:
    """MFGLib's start: every move alike, those beyond an end of the battery counted where they stop. (θ, h, e, j)"""
    level = np.arange(game.levels)[:, None]
    stops = np.searchsorted(move, np.clip(level + move, 0, game.levels - 1) - level)
    rows = (stops[:, :, None] == np.arange(len(move))).mean(axis=1)
    return np.tile(rows, (len(game.economy.types), game.economy.slots, 1, 1))


def random_policy(game: Game, move: Floats, rng: np.random.Generator) -> Floats:
    """Any chances for the moves that stay on the grid. (θ, h, e, j)"""
    open_to = feasible(game.levels, move)
    weight = rng.exponential(size=(len(game.economy.types), game.economy.slots, *open_to.shape)) * open_to
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def arrays(game: Game, found: PopulationResponse, policies: list[Floats]) -> dict[str, Any]:
    """The game and policies (p, θ, h, e, j) as plain arrays; no demand moves with the price, so loads are given."""
    economy, tariff = game.economy, game.tariff
    outcomes = [response.outcome for response in found.responses]
    assert economy.one_day is not None
    return {
        "moves": outcomes[0].moves,
        "net_load_kw": np.stack([o.net_load_kw[0, :, 0] for o in outcomes], axis=1),
        "wear_usd": outcomes[0].wear_usd,
        "share": economy.type_share,
        "charge_law": economy.one_day.charge_law,
        "supply": economy.supply.coefficients[0, :2],
        "rest_load_kw": economy.rest_load_kw[0],
        "import_base": tariff.energy_usd_per_kwh[0],
        "export_base": tariff.export_usd_per_kwh[0],
        "pass_through": tariff.pass_through,
        "export_pass_through": tariff.export_pass_through,
        "slot_hours": economy.slot_hours,
        "policies": np.stack(policies),
    }


def measure_ours(game: Game, start_usd: float) -> dict[str, Any]:
    """Medians of our solver for every target, each solved from scratch."""
    reached = []
    solve(game, start_usd)  # compiles, fills caches
    for target in [*TARGETS, *DEEPER]:
        repeats = OUR_REPEATS if len(game.economy.types) < 30 else OUR_REPEATS // 3
        cpu, wall = np.empty(repeats), np.empty(repeats)
        for k in range(repeats):
            began_cpu, began_wall = time.process_time(), time.perf_counter()
            found = solve(game, target * start_usd)
            cpu[k], wall[k] = time.process_time() - began_cpu, time.perf_counter() - began_wall
        if found.converged:
            row = {"target": target, "cpu": float(np.median(cpu)), "wall": float(np.median(wall))}
            reached.append({**row, "iterations": found.rounds})
    lowest = exploitability_usd_per_day(game.economy, game.tariff, found.answer) / start_usd
    return {"ended": "reached", "reached": reached, "lowest": lowest, "repeats": repeats}


def measure(game: Game, peer: Peer | None, folder: Path) -> dict[str, Any]:
    """Everything on one game."""
    economy, tariff = game.economy, game.tariff
    exact = solve(game, 1e-12)
    move = exact.answer.responses[0].outcome.moves
    equilibrium = np.stack([response.policy.probability[0, :, :, 0] for response in exact.answer.responses])
    policies = [uniform_policy(game, move), random_policy(game, move, np.random.default_rng(0)), equilibrium]
    own = [exploitability_usd_per_day(economy, tariff, answer_with(game, policy)) for policy in policies]
    row: dict[str, Any] = {"game": game.name, "start_usd": own[0], "ours": measure_ours(game, own[0])}
    if peer is None:
        return row
    file = folder / "game.npz"
    np.savez(file, **arrays(game, exact.answer, policies))
    scores = peer.scores(file)
    if scores is not None:
        row["policies_scored"] = {"ours": own, "mfglib": scores[1:], "mfglib_start": scores[0]}
        row["largest_difference_usd"] = max(np.abs(np.subtract(scores[1:], own)).max(), abs(scores[0] - own[0]))
    limits, trial = dict(DEFAULT_SECONDS), dict(TRIAL_SECONDS)
    if len(economy.types) > 1:
        limits = {algorithm: limits[algorithm] for algorithm in limits if algorithm not in EVERY_PAIR}
        trial = dict.fromkeys(("PriorDescent", "OnlineMirrorDescent"), MANY_TYPES_SECONDS)
    settings = None if len(economy.types) == 1 else 2
    least = ENOUGH * {r["target"]: r["cpu"] for r in row["ours"]["reached"]}[TARGETS[-1]]
    limits = {a: max(limit, least) if len(economy.types) == 1 else least for a, limit in limits.items()}
    if scores is None:  # too large to score one policy: no need to try every setting
        settings = 1
    row["defaults"] = peer.defaults(file, targets=TARGETS, seconds=limits)
    row["tuned"] = peer.tuned(
        file, targets=TARGETS, deeper=DEEPER, seconds=trial, settings=settings, repeats=PEER_REPEATS
    )
    row["limits"] = {"defaults": limits, "tuned": trial}
    return row


def seconds_text(seconds: float) -> str:
    """Three digits and a unit."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 0.1 else f"{seconds:.3g} s"


def line(label: str, run: dict[str, Any], column: str = "cpu") -> str:
    """One row of the table."""
    reached = {row["target"]: row for row in run.get("reached", [])}
    cells = [seconds_text(reached[t][column]) if t in reached else "·" for t in [*TARGETS, *DEEPER]]
    tail = run.get("failed", run.get("ended", ""))
    if TARGETS[-1] in reached:
        tail = ""
    elif tail == "out of time":
        spent = f"{run['cpu']:.0f} s"
        tail = f"{run['lowest']:.0e} after {spent}" if run["iterations"] > 0 else f"no iteration in {spent}"
    memory = f"{run['peak_bytes'] / 1e6:,.0f}" if "peak_bytes" in run else ""
    return f"  {label:<46}" + "".join(f"{cell:>9}" for cell in cells) + f"{memory:>8}  {tail}"


def setting_text(run: dict[str, Any]) -> str:
    """Parameters in a few characters."""
    parameters = run.get("setting", {}).get("parameters", {})
    flat = parameters.get("optimizer", {}).get("config", parameters)
    return ", ".join(f"{key}={value:g}" for key, value in flat.items())


def ratio_text(row: dict[str, Any]) -> str:
    """How many times longer MFGLib takes to the last common target, or to its limit."""
    ours = {r["target"]: r["cpu"] for r in row["ours"]["reached"]}[TARGETS[-1]]
    parts = []
    for label, runs in (("best tuned", row["tuned"]), ("best default", row["defaults"])):
        done = [r["reached"][len(TARGETS) - 1]["cpu"] for r in runs.values() if r.get("ended") == "reached"]
        spent = [run["cpu"] for run in runs.values() if "cpu" in run]
        if done:
            parts.append(f"{label} {min(done) / ours:,.0f} ×")
        elif spent:
            parts.append(f"{label} not reached by any in {min(spent):.0f} s, more than {min(spent) / ours:,.0f} ×")
    return f"  CPU seconds to {TARGETS[-1]:g}, MFGLib over ours: " + "; ".join(parts)


def print_game(row: dict[str, Any]) -> None:
    """One block of the table."""
    print(f"\n{row['game']}; the uniform policy's exploitability is {row['start_usd']:.4f} USD per household-day")
    if "largest_difference_usd" in row:
        print(f"  same policies scored by both sides: they differ by {row['largest_difference_usd']:.0e} USD at most;")
        judged = row["policies_scored"]["mfglib"][-1] / row["start_usd"]
        print(f"  MFGLib scores our equilibrium {judged:.0e} of the start")
    elif "defaults" in row:
        print("  MFGLib could not score a policy of this game in the memory and time allowed")
    head = "".join(f"{target:>9.0e}" for target in [*TARGETS, *DEEPER])
    print(f"  {'CPU seconds to share of it left':<46}{head}{'MB':>8}")
    print(line(f"Meanwatt, exact ({row['ours']['reached'][-1]['iterations']} best responses)", row["ours"]))
    if "defaults" not in row:
        return
    for algorithm, run in row["defaults"].items():
        print(line(f"{algorithm}, default", run))
    for algorithm, run in row["tuned"].items():
        star = " *" if run.get("best") else ""
        print(line(f"{algorithm}, {setting_text(run)}{star}", run))
        if run.get("best"):
            print(line("  its steps alone, no iterate scored", run, "steps_cpu"))
    print(ratio_text(row))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-env", type=Path, metavar="DIR", help="environment with MFGLib, made if missing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", type=int, nargs="*", metavar="N", help="games by number, from 0")
    asked = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})  # read when numpy is loaded
    peer = Peer.at(asked.peer_env) if asked.peer_env else None
    head = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "peer": f"{MFGLIB}, {TORCH}, one thread" if peer else None,
    }
    if not asked.json:
        print("; ".join(f"{key} {value}" for key, value in head.items() if value is not None))
    began, rows = time.perf_counter(), []
    sizes = [(levels, moves, types) for types, (levels, moves) in product(TYPES, GRIDS)]
    with tempfile.TemporaryDirectory() as folder:
        for number, size in enumerate(sizes):
            if asked.only is None or number in asked.only:
                rows.append(measure(build_game(*size), peer, Path(folder)))
                if not asked.json:
                    print_game(rows[-1])
                    sys.stdout.flush()
    minutes = (time.perf_counter() - began) / 60
    if asked.json:
        print(json.dumps({**head, "minutes": minutes, "games": rows}, indent=1))
    else:
        print(f"\n· not reached. * The best setting: median of {PEER_REPEATS} runs if below 3 s, else one run.")
        print(f"Ours: medians of {OUR_REPEATS} runs ({OUR_REPEATS // 3} with 30 types). {minutes:.1f} minutes in all.")
    if any(row.get("largest_difference_usd", 0.0) > SAME_USD for row in rows):
        sys.exit(f"The two sides score the same policy differently by more than {SAME_USD:g} USD")


if __name__ == "__main__":
    main()
