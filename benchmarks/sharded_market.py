"""Ten million households on a hundred feeders: one market over several worker processes.

``uv run python benchmarks/sharded_market.py`` solves the textbook equilibrium once and prints, for one market on a
local cluster of two workers, the time of its days, the memory of each worker and the bytes exchanged; then the same
market at a size that fits into one process, divided and whole, and whether meters and prices are the same bit for bit.
"""

import argparse
import os
import platform
import sys

import numpy as np

from meanwatt.analysis.simulation.sharded import ShardedRun, simulate_feeders
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

MIB = 2**20


def run(equilibrium: Equilibrium, households: int, feeders: int, days: int, workers: int) -> ShardedRun:
    """Run one market on many feeders."""
    return simulate_feeders(
        equilibrium.economy,
        equilibrium.tariff,
        equilibrium=equilibrium,
        households=households,
        feeders=feeders,
        days=days,
        seed=1,
        workers=workers,
        told=lambda text, _: print(f"\r  {text}", end="", file=sys.stderr, flush=True),
    )


def report(done: ShardedRun, households: int, feeders: int, days: int) -> None:
    """Print what a run took."""
    fastest, middle = min(done.day_seconds), sorted(done.day_seconds)[days // 2]
    peaks = " and ".join(f"{peak / MIB:,.0f}" for peak in done.peak_bytes)
    print(f"  fastest day       {fastest:14.2f} s   {1 / fastest:8.2f} days/s")
    print(f"  that is           {households / fastest:14,.0f} household-days/s")
    print(f"  middle day        {middle:14.2f} s   {1 / middle:8.2f} days/s")
    print(f"  processor time    {done.cpu_seconds / days:14.2f} s a day, both workers together")
    print(f"  creation          {done.setting_up_seconds:14.1f} s   (worker processes and households)")
    print(f"  memory by worker  {peaks:>14} MiB at most")
    print(f"  columns           {done.column_bytes / households:14.0f} bytes a household")
    print(f"  exchanged         {done.feeder_bytes:14,.0f} bytes per feeder and day")
    print(f"  in all            {done.total_bytes / MIB:14.3f} MiB, both ways")
    print(f"  lowest voltage    {done.feeder_days['min_voltage_pu'].min():14.4f} pu  (of {feeders} feeders)")


def compare(equilibrium: Equilibrium, households: int, feeders: int, days: int, workers: int) -> None:
    """Run the same market divided over workers, on feeders in this process, and whole, and compare them."""
    there = run(equilibrium, households, feeders, days, workers)
    here = run(equilibrium, households, feeders, days, 0)
    whole = ProsumerMarket(equilibrium.economy, households=households, policies=equilibrium, rng=1, power_flow=False)
    for _ in range(days):
        whole.step()
    meters = (there.feeder_days["day_digest"] == here.feeder_days["day_digest"]).all()
    prices = np.array_equal(there.wholesale_usd_per_kwh, whole.history.stacked("wholesale_usd_per_kwh"))
    loads = np.array_equal(there.net_load_kw, whole.history.stacked("net_load_kw"))
    whole.close()
    print(f"\n{households:,} households, {feeders} feeders, {days} days: over {workers} workers against one process")
    print(f"  meters of every feeder and day the same     {'yes' if meters else 'NO'}")
    print(f"  prices those of the undivided market        {'yes' if prices and loads else 'NO'}")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--households", type=int, default=10_000_000)
    parser.add_argument("--feeders", type=int, default=100)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    scenario = load_scenario("textbook", overrides=["battery_levels=21"])  # so that runs of different versions compare
    equilibrium = solve_equilibrium(build_economy(scenario), build_tariff(scenario), certify=False)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    done = run(equilibrium, given.households, given.feeders, given.days, given.workers)
    print(f"\n{given.households:,} households, {given.feeders} feeders, {given.days} days, {given.workers} workers")
    report(done, given.households, given.feeders, given.days)
    small = min(given.households, 500_000)
    compare(equilibrium, small, given.feeders, min(given.days, 3), given.workers)


if __name__ == "__main__":
    main()
