"""Household-days per second of the finite market: what is wanted of it, and the same market with other packages.

``uv run python benchmarks/market_day.py`` takes the market of ``third_with_batteries.toml`` (24 hours, nine types,
flexible demand, a third with batteries, 33 buses, every household's meter kept) and prints, in one run,

- what is wanted at a million and at 100,000 households beside what is measured;
- a table of whole days: ours, plain Mesa (``plain_mesa.py``) and, with ``--peer-env DIR``, AgentPy and mesa-frames,
  which pip installs into environments of their own below DIR; each checked against the mean field's load.

Every figure is the best of several repetitions, so that a busy moment of the machine does not count; run it on an idle
machine all the same. It ends with exit code 1 if results depend on threads or visits, or if a market is off the mean
field by more than its sampling error.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import mesa
import numba
import numpy as np
from market_peers import PEERS, PLAIN, ask, ask_us
from peer_game import resident_bytes, standard_deviation_kw

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.market import visits
from meanwatt.model.market.day_kernel import run_day
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

SCENARIO = Path(__file__).with_name("third_with_batteries.toml")
MANY, FEEDER = 1_000_000, 100_000
"""Households of the two sizes about which something is wanted."""
MOST_ERRORS = 4.5
"""Standard errors by which a mean load of 24 slots may be off; 24 normal numbers stay within with chance 0.9998."""
CUTS = ((1, 16_384, 512), (2, 16_384, 512), (2, 5_000, 100), (1, 999, 7))
"""Threads, most households of a chunk and of a block under which results must be the same."""


@contextmanager
def market_of(equilibrium: Equilibrium, households: int, **settings: Any) -> Iterator[ProsumerMarket]:
    """A market that plays the equilibrium."""
    market = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium, **{"rng": 0, **settings})
    try:
        yield market
    finally:
        market.close()


def best_seconds(actions: list[Callable[[], object]], repetitions: int) -> tuple[list[float], list[float]]:
    """Shortest of several runs of each action, in turn, after one that compiles and fills caches: wall and CPU."""
    seconds = np.zeros((repetitions + 1, 2, len(actions)))
    for row in seconds:
        for k, action in enumerate(actions):
            wall, cpu = time.perf_counter(), time.process_time()
            action()
            row[:, k] = time.perf_counter() - wall, time.process_time() - cpu
    best_wall, best_cpu = seconds[1:].min(axis=0).tolist()
    return best_wall, best_cpu


def measure_scale(equilibrium: Equilibrium, threads: int, repetitions: int) -> dict[str, Any]:
    """Kernel, whole day, memory and creation at a million households."""
    with market_of(equilibrium, 1_000) as small:
        small.step()  # compiles
    before, began = resident_bytes(), time.perf_counter()
    with market_of(equilibrium, MANY, threads=threads) as market:
        created = time.perf_counter() - began
        market.step()
        grown = resident_bytes() - before
        tables, executor = market.tables_of(0), market._executor
        days = iter(range(1_000_000))

        def kernel(count: int) -> Callable[[], object]:
            return lambda: run_day(market.population, tables, next(days), threads=count, executor=executor)

        alone, alone_cpu = best_seconds([kernel(1), kernel(threads)], repetitions)
        with market_of(equilibrium, MANY, threads=1) as single:
            whole, whole_cpu = best_seconds([single.step, market.step], repetitions)
        tracked = market.population.nbytes
    return {
        "kernel_s": alone,
        "kernel_cpu_s": alone_cpu,
        "whole_day_s": whole,
        "whole_day_cpu_s": whole_cpu,
        "created_s": created,
        "tracked_bytes_per_household": tracked / MANY,
        "grown_bytes_per_household": grown / MANY,
    }


def measure_feeder_day(equilibrium: Equilibrium, threads: int, repetitions: int) -> list[float]:
    """Seconds of a day of 100,000 households with power flow and settlement, with one thread and with all."""
    with market_of(equilibrium, FEEDER) as one, market_of(equilibrium, FEEDER, threads=threads) as all_threads:
        return best_seconds([one.step, all_threads.step], 4 * repetitions)[0]


def same_under_all_cuts(equilibrium: Equilibrium, households: int = FEEDER) -> bool:
    """Whether meters, prices, bills and accounts of two days are the same bits under ``CUTS``."""
    seen = []
    for threads, chunk, block in CUTS:
        with (
            patch.object(visits, "CHUNK", chunk),
            patch.object(visits, "BLOCK", block),
            market_of(equilibrium, households, threads=threads) as market,
        ):
            market.step()
            market.step()
            names = ("net_load_kw", "use_kw", "stored_kwh", "wholesale_usd_per_kwh", "bill_usd", "type_net_load_kw")
            raw = [market.history.stacked(name).tobytes() for name in names]
            raw += [market.population.bill_usd.tobytes(), str(market.utility.account).encode()]
            seen.append((market.day_digest, raw))
    return all(other == seen[0] for other in seen[1:])


def print_wanted(scale: dict[str, Any], feeder_day: list[float], same: bool, threads: int) -> None:
    """What is wanted and what is measured, line by line."""
    (kernel_1, kernel_n), (whole_1, whole_n) = scale["kernel_s"], scale["whole_day_s"]
    rows: list[tuple[str, str, str, bool]] = []

    def row(name: str, wanted: str, measured: str, met: bool) -> None:
        rows.append((name, wanted, measured, met))

    for name, key in (("day kernel", "kernel"), ("whole day", "whole_day")):
        one, many = scale[f"{key}_s"]
        rate = 1e-6 * MANY / many
        cpu = " and ".join(f"{1e3 * seconds:.0f}" for seconds in scale[f"{key}_cpu_s"])
        text = f"{rate:.1f} M household-days/s; one thread {1e-6 * MANY / one:.1f} M; CPU {cpu} ms"
        row(f"{name}, {threads} threads", "≥ 10 M household-days/s", text, rate >= 10)
    row("day kernel, second core", "≥ 1.8 ×", f"{kernel_1 / kernel_n:.2f} ×", kernel_1 / kernel_n >= 1.8)
    row(
        "whole day, second core",
        "",
        f"{whole_1 / whole_n:.2f} × (two fifths of the work is one SHA-256 of all meters)",
        True,
    )
    for name, key in (
        ("arrays", "tracked_bytes_per_household"),
        ("growth of the process", "grown_bytes_per_household"),
    ):
        row(f"memory, {name}", "≤ 250 bytes a household", f"{scale[key]:.0f} bytes", scale[key] <= 250)
    row("creation", "≤ 1 s", f"{scale['created_s']:.2f} s", scale["created_s"] <= 1)
    day = min(feeder_day)
    text = f"{1e3 * feeder_day[1]:.1f} ms (one thread {1e3 * feeder_day[0]:.1f} ms)"
    row(f"a day of {FEEDER:,}, power flow and bills", "≤ 30 ms", text, day <= 0.030)
    cuts = f"{len(CUTS)} cuts of {FEEDER:,} households: {'the same' if same else 'NOT the same'}"
    row("any number of threads, any cut of visits", "the same bits", cuts, same)
    print(f"\n{MANY:,} households, a third with batteries, 33 buses, meters kept")
    print(f"  {'':<42}{'wanted':<26}measured")
    for name, wanted, measured, met in rows:
        print(f"  {name:<42}{wanted:<26}{measured}{'' if met else '   NOT MET'}")


def errors_off(mean_load_kw: Floats, households: int, arrays: dict[str, Any]) -> float:
    """Largest distance of a mean load from the mean field's, in standard errors of a single day's."""
    error = standard_deviation_kw(arrays) / np.sqrt(households)
    return float((np.abs(mean_load_kw - arrays["net_load"][0]) / error).max())


def print_peers(equilibrium: Equilibrium, given: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    """Print the table of all packages at all sizes; tell whether all agree with the mean field."""
    arrays = game_arrays(equilibrium)
    tariff = equilibrium.tariff
    rows: list[dict[str, Any]] = []
    peers = PEERS if given.peer_env else (PLAIN,)
    print(
        "\nwhole days: draws, meters, price, bills; other packages without the feeder; every market in its own process"
    )
    print(f"  {'':<32}{'households':>11}{'household-days/s':>18}{'ms a day':>10}{'CPU ms':>10}{'CPU/ours':>10}", end="")
    print(f"{'created s':>11}{'bytes each':>12}{'off':>10}")
    with tempfile.TemporaryDirectory() as folder:
        game = Path(folder) / "game.npz"
        shares = {"pass_through": tariff.pass_through, "export_pass_through": tariff.export_pass_through}
        np.savez(game, **arrays, **shares)
        for households in given.sizes:
            block: list[dict[str, Any]] = []
            for threads in range(1, given.threads + 1):
                for feeder in (False, True):
                    name = f"Meanwatt, {threads} thread{'s' * (threads > 1)}{', 33 buses' * feeder}"
                    found = ask_us(SCENARIO, households, given.seconds, threads=threads, feeder=feeder)
                    block.append({"name": name, "asked": households, **found})
            block += [
                {"name": peer.name, "asked": households, **ask(peer, game, households, given.seconds, given.peer_env)}
                for peer in peers
                if households <= peer.largest
            ]
            for row in block:
                if "failed" not in row:
                    row["standard_errors_off"] = errors_off(np.array(row["mean_load_kw"]), households, arrays)
                print_row(row, block[0])
            rows += block
    print("  off: largest distance of the mean load of 24 slots from the mean field's, in standard errors of one day")
    return rows, all(row.get("standard_errors_off", 0.0) <= MOST_ERRORS for row in rows)


def print_row(row: dict[str, Any], reference: dict[str, Any]) -> None:
    """One line of the table; CPU time is compared with that of ``reference``."""
    start = f"  {row['name']:<32}{row['asked']:>11,}"
    if "failed" in row:
        print(f"{start}   left out: {row['failed']}")
        return
    ratio = row["day_cpu_s"] / reference["day_cpu_s"] if "day_cpu_s" in reference else np.nan
    print(
        f"{start}{row['asked'] / row['day_s']:>18,.0f}{1e3 * row['day_s']:>10,.2f}{1e3 * row['day_cpu_s']:>10,.2f}"
        f"{ratio:>8,.1f} ×{row['created_s']:>11.2f}{row['bytes_per_household']:>12,.0f}"
        f"{row['standard_errors_off']:>5.1f} s.e."
    )


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-env", type=Path, metavar="DIR", help="where AgentPy and mesa-frames are, or will be")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="households in the table"
    )
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="most threads to use")
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a market of the table is timed")
    parser.add_argument("--json", action="store_true", help="print one JSON object after the tables")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(
        f"Python {platform.python_version()}, Mesa {mesa.__version__}, numba {numba.__version__},"
        f" {os.cpu_count()} cores, load {load:.1f}"
    )
    economy = build_economy(load_scenario(SCENARIO))
    equilibrium = solve_equilibrium(economy, build_tariff(economy.scenario), certify=False)
    print(f"scenario {economy.scenario.name}: {equilibrium.message}")
    scale = measure_scale(equilibrium, given.threads, given.repetitions)
    feeder_day = measure_feeder_day(equilibrium, given.threads, given.repetitions)
    same = same_under_all_cuts(equilibrium)
    print_wanted(scale, feeder_day, same, given.threads)
    rows, agree = print_peers(equilibrium, given)
    if given.json:
        print(json.dumps({"load": load, **scale, "feeder_day_s": feeder_day, "same_bits": same, "table": rows}))
    return 0 if same and agree else 1


if __name__ == "__main__":
    sys.exit(main())
