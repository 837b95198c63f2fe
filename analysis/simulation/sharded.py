"""One market whose feeders live on several workers: what they exchange is their net load in each slot.

Every worker holds some of the feeders for as long as the market lives (a dask actor, which keeps its state and is
called in place; tasks would have to hand the households' columns from day to day, and would be run twice where a result
is lost, which columns that are overwritten do not bear). A day has two rounds: all workers let their households live
and answer with one whole number for each feeder and slot; the sum's mean comes back, and everybody settles at the price
it makes. What a day left behind stays with the workers until the end.
"""

import itertools
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Key, key_from, seed_of
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.workers import LOOK_SECONDS, WorkersLostError, dask_client
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.partitioned_market import Feeders, market_load_kw, require_feeders
from meanwatt.model.market.setup import find_equilibrium
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.machine import peak_bytes
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.economy import Economy

WORD_BYTES: Final = 8
"""What one number exchanged takes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShardedRun:
    """What a market on many feeders left behind.

    Attributes
    ----------
    net_load_kw, wholesale_usd_per_kwh : (day, slot)
        Mean net load per household of the whole market, and the price it made.
    day_type
        Name of each day's type.
    feeder_days
        Table by (feeder, day): load, bills, voltages, and the digest of the feeder's meters.
    day_seconds, setting_up_seconds
        Time each day took, and the time for workers and households to be ready. [s]
    cpu_seconds
        Processor time of all workers for the days. [s]
    feeder_bytes, total_bytes
        Numbers exchanged per feeder and day, and by the whole market over all days, both ways. [bytes]
    peak_bytes
        Largest memory of each worker process so far. [bytes]
    column_bytes
        Memory of the households' columns, all workers together. [bytes]
    """

    __repr__ = short_repr

    net_load_kw: Floats
    wholesale_usd_per_kwh: Floats
    day_type: tuple[str, ...]
    feeder_days: pd.DataFrame
    day_seconds: tuple[float, ...]
    setting_up_seconds: float
    cpu_seconds: float
    feeder_bytes: float
    total_bytes: int
    peak_bytes: tuple[int, ...]
    column_bytes: int


def simulate_feeders(
    economy: Economy,
    tariff: Tariff,
    *,
    households: int,
    feeders: int,
    days: int,
    seed: Key = None,
    equilibrium: Equilibrium | None = None,
    behaviour: str = "equilibrium",
    power_flow: bool = True,
    scheduler: str | None = None,
    workers: int = 0,
    threads: int = 1,
    told: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ShardedRun:
    """Simulate days of one market on many feeders.

    Parameters
    ----------
    equilibrium, behaviour, seed
        As for ``ProsumerMarket``; seed is its ``rng``. What is solved or drawn anew is solved or drawn once, here.
    households, feeders
        Of the whole market; a feeder has N/S households.
    scheduler, workers
        Address of a running dask scheduler; else processes to start on this machine, 0 for none but this one. Results
        do not depend on it.
    threads
        Threads of each worker's compiled parts.
    told, cancelled
        Progress, and a request to stop, looked for between two calls to the workers.

    Raises
    ------
    Cancelled
        If asked to stop.
    WorkersLostError
        If a worker is lost, and its feeders with it.
    ValueError
        In one line, if the market cannot be divided so, or the scheduler cannot be used.
    """
    require_feeders(feeders, households)
    equilibrium = find_equilibrium(economy, tariff, equilibrium, read_behaviour(behaviour))
    settings: dict[str, Any] = {
        "households": households,
        "feeders": feeders,
        "policies": equilibrium,
        "behaviour": behaviour,
        "rng": seed_of(key_from(seed)),
        "threads": threads,
        "tariff": None if equilibrium else tariff,
        "power_flow": power_flow,
    }
    with ExitStack() as stack:
        began = time.perf_counter()
        if scheduler is None and workers == 0:
            hosts: _Hosts = _Here(economy, settings)
        else:
            client = stack.enter_context(dask_client(scheduler, workers=workers, recycled=False, prepare=load_mesa))
            hosts = _There(client, economy, settings, cancelled)
        stack.callback(hosts.close)
        idle = sum(hosts.call("cpu_seconds"))
        ready = time.perf_counter()
        ends, loads = [ready], []
        for day in range(days):
            if cancelled is not None and cancelled():
                raise Cancelled
            quanta: list[Ints] = hosts.call("live", day)
            load_kw = market_load_kw(quanta, households, economy.slot_hours)
            hosts.call("settle", load_kw)
            loads.append(load_kw)
            ends.append(time.perf_counter())
            if told is not None:
                told(f"day {day + 1} of {days}", (day + 1) / days)
        busy = sum(hosts.call("cpu_seconds"))
        whole = hosts.call("slots")[0]
        exchanged = days * WORD_BYTES * economy.slots * (feeders + hosts.count)
        return ShardedRun(
            net_load_kw=np.array(loads),
            wholesale_usd_per_kwh=whole["wholesale_usd_per_kwh"],
            day_type=tuple(whole["day_type"]),
            feeder_days=pd.concat(hosts.call("days"), ignore_index=True),
            day_seconds=tuple(b - a for a, b in itertools.pairwise(ends)),
            setting_up_seconds=ready - began,
            cpu_seconds=busy - idle,
            feeder_bytes=WORD_BYTES * economy.slots,
            total_bytes=exchanged,
            peak_bytes=tuple(hosts.call("peak_bytes")),
            column_bytes=sum(hosts.call("column_bytes")),
        )


class FeederHost(Feeders):
    """The feeders of one worker process."""

    def live(self, day: int | None = None) -> Ints:
        """First half of a day; told which, a host that was made anew elsewhere notices.

        Raises
        ------
        RuntimeError
            If it has not lived the days before.
        """
        if day is not None and self.markets[0].day != day:
            raise RuntimeError(f"day {day} is asked for, but day {self.markets[0].day} comes next")
        return super().live()

    def peak_bytes(self) -> int:
        """Largest memory of this process so far. [bytes]"""
        return peak_bytes()

    def cpu_seconds(self) -> float:
        """Processor time of this process so far. [s]"""
        return time.process_time()

    def column_bytes(self) -> int:
        """Memory of the households' columns. [bytes]"""
        return self.nbytes


class _Hosts:
    """Who holds the feeders; ``call`` lets all of them do something and collects the answers in order."""

    count: int

    def call(self, method: str, *arguments: Any) -> list[Any]:
        raise NotImplementedError

    def close(self) -> None:
        """End the markets."""


class _Here(_Hosts):
    """All feeders in this process."""

    def __init__(self, economy: Economy, settings: dict[str, Any]) -> None:
        self.count = 1
        self._host = FeederHost(economy, first=0, last=settings["feeders"], **settings)

    def call(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(self._host, method)(*arguments)]

    def close(self) -> None:
        self._host.close()


class _There(_Hosts):
    """Feeders on the workers of a cluster, in equal shares."""

    def __init__(
        self, client: Any, economy: Economy, settings: dict[str, Any], cancelled: Callable[[], bool] | None
    ) -> None:
        self._client = client
        self._cancelled = cancelled
        feeders = settings["feeders"]
        self._addresses = sorted(client.nthreads())[:feeders]
        self.count = len(self._addresses)
        edges = [feeders * k // self.count for k in range(self.count + 1)]
        self._futures = [
            client.submit(
                FeederHost,
                economy,
                first=edges[k],
                last=edges[k + 1],
                **settings,
                actor=True,
                workers=[address],
                allow_other_workers=False,
                pure=False,
            )
            for k, address in enumerate(self._addresses)
        ]
        self._actors = [self._answer(future) for future in self._futures]

    def call(self, method: str, *arguments: Any) -> list[Any]:
        answers = [getattr(actor, method)(*arguments) for actor in self._actors]
        return [self._answer(answer) for answer in answers]

    def _answer(self, answer: Any) -> Any:
        """Wait for an answer as long as its giver may still give it."""
        from distributed import CancelledError

        looked = time.monotonic()
        while True:
            try:
                return answer.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled from None
            except (OSError, CancelledError, RuntimeError) as error:
                raise WorkersLostError(_LOST) from error
            if time.monotonic() - looked > 1.0:
                looked = time.monotonic()
                if not set(self._addresses) <= set(self._client.nthreads()):
                    raise WorkersLostError(_LOST)

    def close(self) -> None:
        self._actors.clear()
        self._futures.clear()


_LOST: Final = "a worker was lost, and its feeders with it; start the market again: the same seed gives the same days"
