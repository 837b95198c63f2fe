"""Large games: processor seconds and peak memory of each, solved in a process of its own.

``weather`` is the textbook island with six day types, two days remembered: 24 slots × 216 common states = 5,184 prices,
temperature 0.004 USD, a real-time tariff, every home with solar owning a battery. ``levels`` is the textbook island
with batteries of 401 levels, certified. Wanted: 1e-8 USD/kWh in 60 s of processor time, 1.5 and 2 GB.

    OPENBLAS_NUM_THREADS=1 python benchmarks/large_games.py          # both
    python benchmarks/large_games.py --only levels --json            # one, as JSON

A first small game compiles the kernels and is not counted. The variable keeps the linear algebra to one thread, whose
idle ones wait actively, which counts as work.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.progress.machine import peak_bytes
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

RESIDUAL_USD_PER_KWH = 1e-8
SECONDS = 60.0
GIGABYTES = {"weather": 1.5, "levels": 2.0}
DAY_TYPES = 6


def weather(memory: int) -> tuple[Economy, Tariff]:
    """The island under six kinds of weather, drawn once."""
    rng = np.random.default_rng(0)
    names = [f"d{k}" for k in range(DAY_TYPES)]
    kernel = rng.uniform(0.2, 1.0, (DAY_TYPES, DAY_TYPES))
    kernel = np.round(kernel / kernel.sum(axis=1, keepdims=True), 4)
    kernel[:, -1] = 1 - kernel[:, :-1].sum(axis=1)
    days = {
        name: {"pv_factor": round(rng.uniform(0.2, 1), 3), "load_factor": round(rng.uniform(0.8, 1.3), 3)}
        for name in names
    }
    scenario = load_scenario(
        "textbook",
        overrides={
            "memory": memory,
            "temperature_usd": 0.004,
            "day_types": days,
            "day_type_kernel": kernel.tolist(),
            **{f"income_groups.{group}.storage_share_of_pv": 1.0 for group in ("low", "middle", "high")},
        },
        tariff="rtp",
    )
    return build_economy(scenario), build_tariff(scenario)


def levels(count: int) -> tuple[Economy, Tariff]:
    """The island with batteries of many levels."""
    scenario = load_scenario("textbook", overrides={"battery_levels": count}, tariff="rtp")
    return build_economy(scenario), build_tariff(scenario)


def measure(name: str) -> dict[str, object]:
    """Solve a game after a small one of its kind."""
    small, large = {"weather": (weather(0), weather(2)), "levels": (levels(41), levels(401))}[name]
    certify = name == "levels"
    solve_equilibrium(*small, certify=certify)
    began = time.process_time()
    found = solve_equilibrium(*large, certify=certify, tolerance_usd_per_kwh=RESIDUAL_USD_PER_KWH)
    return {
        "game": name,
        "prices": found.net_load_kw.size,
        "certified": certify,
        "evaluations": found.iterations,
        "residual_usd_per_kwh": found.residual_usd_per_kwh,
        "cpu_seconds": time.process_time() - began,
        "peak_gigabytes": peak_bytes() / 1e9,
    }


def main() -> None:
    """Run every game in a process of its own and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=tuple(GIGABYTES), help="one game")
    parser.add_argument("--json", action="store_true", help="print one JSON object per game")
    parser.add_argument("--here", action="store_true", help="in this process (needs --only)")
    asked = parser.parse_args()
    for name in (asked.only,) if asked.only else GIGABYTES:
        if asked.here:
            print(json.dumps(measure(name)))
            continue
        again = [sys.executable, __file__, "--only", name, "--here"]
        row = json.loads(subprocess.run(again, capture_output=True, text=True, check=True).stdout)
        if asked.json:
            print(json.dumps(row), flush=True)
            continue
        met = (
            row["residual_usd_per_kwh"] <= RESIDUAL_USD_PER_KWH
            and row["cpu_seconds"] <= SECONDS
            and row["peak_gigabytes"] <= GIGABYTES[name]
        )
        print(
            f"{name:>8}: {row['prices']:5d} prices, residual {row['residual_usd_per_kwh']:.1e} USD/kWh after"
            f" {row['evaluations']} evaluations, {row['cpu_seconds']:.1f} s of processor time,"
            f" {row['peak_gigabytes']:.2f} GB{'' if met else '  missed'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
