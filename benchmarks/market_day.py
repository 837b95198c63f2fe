"""Household-days per second of the finite market, beside the same market in plain Mesa. Run it on an idle machine.

``python benchmarks/market_day.py`` solves the textbook equilibrium once and prints, in one run,

- whole days (``step``) of plain Mesa and of ``ProsumerMarket`` at 10,000 households and their ratio;
- the day kernel alone and whole days at one million households with one and two threads.

Every figure is the best of several repetitions, so that a busy moment of the machine does not count.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import mesa
import numba
import numpy as np
from plain_mesa import PlainMarket

from model.economy import build_economy, build_tariff
from model.market.day_kernel import run_day
from model.market.day_tables import day_tables
from model.market.market import ProsumerMarket
from model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from model.scenario import load_scenario


def best_seconds(action: Callable[[], object], repetitions: int) -> float:
    """Shortest of several runs, after one that compiles and fills caches."""
    action()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def compare(equilibrium: Equilibrium, households: int, repetitions: int) -> None:
    """Whole days of both markets at one size."""
    plain = PlainMarket(equilibrium, households)
    slow = best_seconds(plain.step, max(2, repetitions // 4))
    ours = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium, power_flow=False)
    fast = best_seconds(ours.step, 4 * repetitions)
    wired = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium)
    with_feeder = best_seconds(wired.step, 4 * repetitions)
    gap = np.abs(np.mean(plain.net_load_kw, axis=0) - ours.history.stacked("net_load_kw").mean(axis=0)).max()
    print(f"whole days, {households:,} households, one thread, no power flow")
    print(f"  plain Mesa       {households / slow:14,.0f} household-days/s   ({slow * 1e3:9.2f} ms a day)")
    print(f"  ProsumerMarket   {households / fast:14,.0f} household-days/s   ({fast * 1e3:9.2f} ms a day)")
    print(f"  ratio            {slow / fast:14,.0f}     (with power flow {slow / with_feeder:,.0f})")
    print(f"  largest difference of mean load over the days run: {gap:.4f} kW")
    for market in (ours, wired):
        market.close()


def scale(equilibrium: Equilibrium, households: int, threads: int, repetitions: int) -> None:
    """Kernel alone and whole days at a large size, by number of threads."""
    economy = equilibrium.economy
    batteries = sum(household.share for household in economy.types if household.battery)
    start = time.perf_counter()
    market = ProsumerMarket(economy, households=households, policies=equilibrium, power_flow=False)
    print(f"{households:,} households, {batteries:.0%} with batteries, {economy.slots} slots")
    print(f"  created in {time.perf_counter() - start:.2f} s, {market.population.nbytes / households:.0f} bytes each")
    tables = day_tables(
        equilibrium.policies,
        0,
        levels=[household.levels for household in economy.types],
        shock_kernel=economy.shock_kernel,
        slot_hours=economy.slot_hours,
    )
    day = iter(range(10_000))
    alone: dict[int, float] = {}
    for count in range(1, threads + 1):
        with ThreadPoolExecutor(count) as pool:
            alone[count] = best_seconds(
                lambda pool=pool, count=count: run_day(
                    market.population, tables, next(day), threads=count, executor=pool
                ),
                repetitions,
            )
        print(
            f"  kernel, {count} thread{'s' * (count > 1)}   {households / alone[count]:14,.0f} household-days/s"
            f"   ({alone[count] * 1e3:7.1f} ms a day, speed-up {alone[1] / alone[count]:.2f})"
        )
    market.close()
    for count in range(1, threads + 1):
        market = ProsumerMarket(economy, households=households, policies=equilibrium, threads=count, power_flow=True)
        seconds = best_seconds(market.step, repetitions)
        print(
            f"  whole day, {count} thread{'s' * (count > 1)}{households / seconds:14,.0f} household-days/s"
            f"   ({seconds * 1e3:7.1f} ms a day, digest, bills and power flow included)"
        )
        market.close()


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", default="textbook", help="preset or TOML file with one day type")
    parser.add_argument("--households", type=int, default=10_000, help="size at which plain Mesa is compared")
    parser.add_argument("--many", type=int, default=1_000_000, help="size for the scaling with threads")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="most threads to use")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override, as in meanwatt")
    parser.add_argument("--repetitions", type=int, default=8)
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, Mesa {mesa.__version__}, numba {numba.__version__},"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    economy = build_economy(load_scenario(given.scenario, overrides=given.set))
    equilibrium = solve_equilibrium(economy, build_tariff(economy.scenario), certify=False)
    print(f"scenario {given.scenario}: {equilibrium.message}")
    compare(equilibrium, given.households, given.repetitions)
    scale(equilibrium, given.many, given.threads, given.repetitions)


if __name__ == "__main__":
    main()
