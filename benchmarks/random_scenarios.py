"""Random valid scenarios, each solved from scratch: how long it takes, how it ended, how far off it is.

Two hundred draws from a fixed seed (``tests/random_worlds.py``): 1 to 12 household types, 1 to 6 day types, memory 0 to
2, 24 to 96 slots, 5 to 101 levels, discounts from 0.7, temperature 0 or 0.001 to 0.5 USD, both value rules, every
recovery and export rule, affine to piecewise supply. All are solved in one process whose kernels are compiled, without
certificates. Small games (at most two million cells) are judged in seconds of processor time, larger ones in multiples
of one evaluation of the population: every type's best response and its flow at the first guess of prices.

    OPENBLAS_NUM_THREADS=1 python benchmarks/random_scenarios.py                   # all of them: half an hour
    python benchmarks/random_scenarios.py --first 40 --last 59 --limit 60          # a part, at most a minute each
    python benchmarks/random_scenarios.py --only 3 17 --verify 2000000             # some, checked by plain numpy
    python benchmarks/random_scenarios.py --small --json                           # the small ones, a line of JSON each

``--verify CELLS`` computes best responses, flows, prices and exploitability of every converged game of at most so many
cells again from the exported arrays alone (``tests/plain_game.py``).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # the draws and the checker are the tests'

from plain_game import Game, exploitability, flow, price_gap_usd_per_kwh, respond
from random_worlds import SMALL, World, random_world

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.progress.watch import Watch

COUNT = 200
WARM_UP = 12
"""Small games of every rule solved first, and as many at temperature 0."""
COLD = replace(SMALL, cold_share=1.0)
SMALL_CELLS = 2_000_000
LIMIT_SECONDS = 600.0
ASK_EVERY_SECONDS = 0.1
SMALL_WANTED = {"p50": 0.5, "p95": 5.0, "worst": 30.0}
"""Processor time. [s]"""
LARGE_WANTED = {"p95": 80.0, "worst": 400.0}
"""Evaluations of the population."""
QUOTAS = {"cold": 40, "outside_theorem_u": 60, "fine": 30}


def within(limit: float) -> Callable[[], bool]:
    """Tells whether so much processor time has passed [s]; asks for it seldom, for that costs as much as a sweep."""
    began, asked = time.process_time(), time.perf_counter()

    def passed() -> bool:
        nonlocal asked
        if time.perf_counter() - asked < ASK_EVERY_SECONDS:
            return False
        asked = time.perf_counter()
        return time.process_time() - began > limit

    return passed


def solve(world: World, limit: float) -> tuple[Equilibrium, float]:
    """Solution of a world and the processor time that it took; cancelled after ``limit`` of it. [s]"""
    began = time.process_time()
    found = solve_equilibrium(world.economy, world.tariff, certify=False, watch=Watch(cancelled=within(limit)))
    return found, time.process_time() - began


def one_evaluation(world: World) -> float:
    """Processor time of one evaluation of the population from scratch. [s]"""
    prices = first_guess(world.economy)
    began = time.process_time()
    population_response(world.economy, world.tariff, prices, 0.0)
    return time.process_time() - began


def verified(found: Equilibrium) -> dict[str, float]:
    """How far an independent computation is from a solution: prices, flows, policies or, at temperature 0, gains."""
    game: Game = game_arrays(found)
    temperature = float(game["temperature"])
    policy_gap = flow_gap = 0.0
    for kind, levels in enumerate(game["levels"]):
        if levels == 1:
            continue
        law, policy = game["law"][kind], game["policy"][kind]
        flow_gap = max(flow_gap, float(np.abs(flow(game, kind, policy, law[:, 0]) - law).max()))
        if temperature > 0:
            policy_gap = max(policy_gap, float(np.abs(respond(game, kind, temperature)[1] - policy).max()))
    gaps = {"price_gap": price_gap_usd_per_kwh(game), "flow_gap": flow_gap}
    return {**gaps, **({"policy_gap": policy_gap} if temperature > 0 else {"exploitability": exploitability(game)})}


def row(number: int, world: World, limit: float, verify: int) -> dict[str, object]:
    """Everything that is said of one game."""
    compiled = compile_seconds()
    found, seconds = solve(world, limit)
    if compile_seconds() > compiled:  # a combination of rules that the warm-up does not have
        found, seconds = solve(world, limit)
    scenario = world.scenario
    line: dict[str, object] = {
        "game": number,
        "cells": world.cells,
        "types": len(world.economy.types),
        "states": world.economy.common.count,
        "slots": scenario.slots_per_day,
        "levels": scenario.battery_levels,
        "temperature_usd": scenario.temperature_usd,
        "discount_per_day": scenario.discount_per_day,
        "value_rule": scenario.value_rule,
        "recovery": str(world.tariff.recovery),
        "export_rule": str(world.tariff.export_rule),
        "couples": world.couples,
        "outside": world.outside,
        "refused": world.refused,
        "evaluations": found.iterations,
        "cpu_seconds": seconds,
        "outcome": str(found.outcome),
        "residual_usd_per_kwh": found.residual_usd_per_kwh,
        "message": found.message,
    }
    if world.cells > SMALL_CELLS:
        line["in_evaluations"] = seconds / one_evaluation(world)
    if found.converged and world.cells <= verify:
        line["verified"] = verified(found)
    return line


def text(line: dict[str, object]) -> str:
    """One game in one line."""
    multiple = f"{line['in_evaluations']:8.1f}" if "in_evaluations" in line else " " * 8
    checked = line.get("verified")
    gaps = " ".join(f"{name} {gap:.0e}" for name, gap in checked.items()) if isinstance(checked, dict) else ""
    sizes = f"{line['types']:>2}×{line['states']}×{line['slots']}×{line['levels']}"
    kind = f"{line['value_rule']:>9} η {line['temperature_usd']:<6.3g} δ {line['discount_per_day']:<5.3g}"
    return (
        f"{line['game']:>4} {line['cells']:>10,} {sizes:>15} {kind} {line['recovery']:>10} {line['export_rule']:>12}"
        f" {'U' if not line['outside'] else '-'} {line['evaluations']:>5} {line['cpu_seconds']:9.3f} {multiple}"
        f" {line['outcome']:>26} {line['residual_usd_per_kwh']:8.1e} {gaps}"
    )


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and worst."""
    return {"p50": float(np.median(values)), "p95": float(np.quantile(values, 0.95)), "worst": max(values)}


def summary(lines: Sequence[dict[str, object]]) -> dict[str, object]:
    """Quantiles beside what is wanted, outcomes, quotas, and draws refused."""
    small = [float(str(line["cpu_seconds"])) for line in lines if "in_evaluations" not in line]
    large = [float(str(line["in_evaluations"])) for line in lines if "in_evaluations" in line]
    outcomes = [str(line["outcome"]) for line in lines]
    return {
        "games": len(lines),
        "refused_draws": sum(int(str(line["refused"])) for line in lines),
        "quotas": {
            "cold": sum(line["temperature_usd"] == 0 for line in lines),
            "outside_theorem_u": sum(bool(line["outside"]) for line in lines),
            "fine": sum(int(str(line["slots"])) >= 48 and int(str(line["levels"])) >= 51 for line in lines),
        },
        "quotas_wanted": QUOTAS,
        "small_seconds": {"games": len(small), **quantiles(small)} if small else {},
        "small_wanted": SMALL_WANTED,
        "large_evaluations": {"games": len(large), **quantiles(large)} if large else {},
        "large_wanted": LARGE_WANTED,
        "outcomes": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        "not_converged": {
            str(line["game"]): line["residual_usd_per_kwh"]
            for line in lines
            if line["outcome"] in ("round_limit", "cancelled")
        },
    }


def main() -> None:
    """Solve the games asked for; print a line each and the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, nargs="+", metavar="GAME", help="these games by number")
    parser.add_argument("--first", type=int, default=0, metavar="GAME")
    parser.add_argument("--last", type=int, default=COUNT - 1, metavar="GAME")
    parser.add_argument("--small", action="store_true", help=f"only games of at most {SMALL_CELLS:,} cells")
    parser.add_argument("--large", action="store_true", help="only games of more")
    parser.add_argument(
        "--limit", type=float, default=LIMIT_SECONDS, metavar="SECONDS", help="processor time of a game"
    )
    parser.add_argument(
        "--verify", type=int, default=0, metavar="CELLS", help="check converged games up to this size independently"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per game, then the summary")
    asked = parser.parse_args()
    for number in range(WARM_UP):  # compile
        for ranges in (SMALL, COLD):
            solve(random_world(number, ranges), LIMIT_SECONDS)
    lines = []
    for number in asked.only or range(asked.first, asked.last + 1):
        world = random_world(number)
        if (asked.small and world.cells > SMALL_CELLS) or (asked.large and world.cells <= SMALL_CELLS):
            continue
        line = row(number, world, asked.limit, asked.verify)
        lines.append(line)
        print(json.dumps(line) if asked.json else text(line), flush=True)
    print(json.dumps(summary(lines), indent=None if asked.json else 1))


if __name__ == "__main__":
    main()
