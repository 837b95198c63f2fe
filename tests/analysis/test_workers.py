"""Worker processes: many tasks, a validation, and one market over several of them."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scenarios import solved

from analysis.sharded import ShardedRun, simulate_feeders
from analysis.validation.runs import Task, run_here, runner
from analysis.workers import WorkersLostError, dask_client, results
from model.market.market import ProsumerMarket
from model.mean_field.watch import Cancelled

HOUSEHOLDS, FEEDERS, DAYS = 600, 5, 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two worker processes on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        with dask_client(None, workers=2, recycled=False) as client:
            yield client


def run(**where: Any) -> ShardedRun:
    equilibrium = solved("textbook", "tou")
    settings = {"households": HOUSEHOLDS, "feeders": FEEDERS, "days": DAYS, "seed": (3, 1), "equilibrium": equilibrium}
    return simulate_feeders(equilibrium.economy, equilibrium.tariff, **settings | where)


def test_over_workers_the_market_is_the_one_of_a_single_process(cluster: Any) -> None:
    told: list[str] = []
    there = run(scheduler=cluster.scheduler.address, told=lambda text, _: told.append(text))
    here = run()
    equilibrium = solved("textbook", "tou")
    whole = ProsumerMarket(
        equilibrium.economy, households=HOUSEHOLDS, policies=equilibrium, rng=(3, 1), power_flow=False
    )
    for _ in range(DAYS):
        whole.step()
    for one in (there, here):
        assert np.array_equal(one.wholesale_usd_per_kwh, whole.history.stacked("wholesale_usd_per_kwh"))
        assert np.array_equal(one.net_load_kw, whole.history.stacked("net_load_kw"))
    assert there.feeder_days.equals(here.feeder_days)
    assert there.feeder_days["households"].groupby(there.feeder_days["day"]).sum().tolist() == [HOUSEHOLDS] * DAYS
    assert there.feeder_days["day_digest"].nunique() == FEEDERS * DAYS
    assert there.feeder_bytes == 24 * 8  # one 64-bit number a slot
    assert there.total_bytes == DAYS * 24 * 8 * (FEEDERS + 2)  # up from every feeder, down to both workers
    assert told == ["day 1 of 3", "day 2 of 3", "day 3 of 3"]


def add(one: int, other: int) -> int:
    return one + other


def test_tasks_on_workers_give_what_they_give_here(cluster: Any) -> None:
    def gathered(**where: Any) -> list[tuple[int, int]]:
        return sorted(pair for batch in results(add, range(50), shared=(7,), **where) for pair in batch)

    assert gathered(scheduler=cluster.scheduler.address) == gathered() == [(k, k + 7) for k in range(50)]


def test_a_validation_on_a_scheduler_is_the_one_of_a_single_process(cluster: Any) -> None:
    equilibrium = solved("textbook", "tou")
    tasks = [Task(households=n, key=(1, r), days=1, power_flow=False) for n in (20, 30) for r in range(3)]
    there = dict(runner(cluster.scheduler.address, tasks)([equilibrium], tasks, None))
    assert there == dict(run_here([equilibrium], tasks, None))


def test_a_request_to_stop_is_heard_while_workers_are_busy(cluster: Any) -> None:
    seen: list[Any] = []
    busy = results(time.sleep, [0.0, 3.0, 3.0], scheduler=cluster.scheduler.address, cancelled=lambda: len(seen) > 0)
    seen += next(busy)
    with pytest.raises(Cancelled):
        next(busy)
    assert seen == [(0.0, None)]


def test_a_lost_worker_is_told_in_one_line_and_no_day_is_wrong(cluster: Any) -> None:
    """A host made anew elsewhere would begin at day 0; last, for it takes a worker of the cluster's."""
    victim = min(cluster.run(os.getpid).values())
    with pytest.raises(WorkersLostError, match=r"^a worker was lost, and its feeders with it; start the market again"):
        run(scheduler=cluster.scheduler.address, days=50, told=lambda *_: os.kill(victim, signal.SIGKILL))
