"""Worker processes: many tasks, a validation, and one market over several of them."""

import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from scenarios import solved

from meanwatt.analysis import workers
from meanwatt.analysis.simulation.sharded import ShardedRun, simulate_feeders
from meanwatt.analysis.validation.runs import Task, run_here, run_on_workers, runner
from meanwatt.analysis.worker_start import NoMainGuardError
from meanwatt.analysis.workers import WorkersLostError, dask_client, results
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.progress.watch import Cancelled

HOUSEHOLDS, FEEDERS, DAYS = 600, 5, 3


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two worker processes on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
            patch.delenv("PYTHONDONTWRITEBYTECODE")
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


def test_tasks_on_workers_give_what_they_give_here(cluster: Any) -> None:
    def add(one: int, other: int) -> int:
        return one + other

    def gathered(**where: Any) -> list[tuple[int, int]]:
        return sorted(pair for batch in results(add, range(50), shared=(7,), **where) for pair in batch)

    assert gathered(scheduler=cluster.scheduler.address) == gathered() == [(k, k + 7) for k in range(50)]


def test_workers_are_prepared_before_their_first_task(cluster: Any) -> None:
    def prepare() -> None:
        os.environ["MEANWATT_PREPARED"] = "yes"

    def found(_: int) -> str | None:
        return os.environ.get("MEANWATT_PREPARED")

    done = results(found, range(8), scheduler=cluster.scheduler.address, prepare=prepare)
    assert {value for batch in done for _, value in batch} == {"yes"}


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


def test_a_task_that_kills_its_workers_is_given_up_where_somebody_stands_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a study it is a row like any other that failed. A worker gets the function itself and need not import us."""

    def killed_unless_small(number: int) -> int:
        if number > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    monkeypatch.setitem(workers._QUIET, "distributed.scheduler.allowed-failures", 0)
    done = results(killed_unless_small, [1, 2, 3], workers=1, given_up=lambda number: -number)
    assert sorted(pair for batch in done for pair in batch) == [(1, 1), (2, 2), (3, -3)]
    with pytest.raises(WorkersLostError, match=r"^a task ended every worker process that it was given to, for want"):
        list(results(killed_unless_small, [3], workers=1))


def test_workers_that_do_not_come_back_are_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts them anew may die with them. A scheduler of others may well be without workers for a while."""
    monkeypatch.setitem(workers._QUIET, "distributed.scheduler.no-workers-timeout", "1 second")
    with dask_client(None, workers=1) as client:
        (nanny,) = client.cluster.workers.values()
        client.sync(nanny.close)
        asked = workers._collected(client, abs, [-1], (), None, None, None)
        with pytest.raises(WorkersLostError, match=r"^no worker process has been there for 2 minutes, for want of"):
            list(asked)


@pytest.mark.parametrize(("said", "told"), [("can only join a started process", False), ("another one", True)])
def test_a_cluster_that_ends_as_a_worker_is_started_anew_is_no_fault(said: str, told: bool) -> None:
    @contextmanager
    def cluster() -> Iterator[str]:
        yield "open"
        raise AssertionError(said)

    with pytest.raises(AssertionError, match=said) if told else nullcontext(), workers._ended(cluster()) as opened:
        assert opened == "open"


def test_a_validation_does_not_miss_a_killed_worker() -> None:
    equilibrium = solved("textbook", "tou")
    tasks = [Task(households=n, key=(1, r), days=40, power_flow=False) for n in (20, 30) for r in range(12)]
    before = set(psutil.Process().children(recursive=True))
    coming = run_on_workers([equilibrium], tasks, None, workers=2)
    found = dict([next(coming)])
    started = set(psutil.Process().children(recursive=True)) - before
    victim = min((child for child in started if "spawn_main" in " ".join(child.cmdline())), key=lambda c: c.pid)
    victim.kill()
    found |= dict(coming)
    assert found == dict(run_here([equilibrium], tasks, None))


UNGUARDED = """
from meanwatt.analysis.simulation.sharded import simulate_feeders
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

scenario = load_scenario("textbook", tariff="filed")
simulate_feeders(
    build_economy(scenario), build_tariff(scenario), households=20, feeders=2, days=1, behaviour="passive", workers=2
)
"""


def test_a_script_without_a_main_guard_is_told_in_one_line(tmp_path: Path) -> None:
    script, scratch = tmp_path / "script.py", tmp_path / "scratch"
    script.write_text(UNGUARDED)
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    line = "worker processes run the script that starts them again; put what it does under if __name__ == '__main__':\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    assert list(scratch.glob("meanwatt-*")) == []
    assert issubclass(NoMainGuardError, ValueError)  # for those who catch it


def test_a_client_that_is_broken_off_as_it_closes_does_not_close_once_more(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second Ctrl-C comes while the first is obeyed; the client would wait a minute when Python lets go of it."""

    def broken(client: Any, *_: object) -> None:
        client.status = "closing"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("distributed.Client.__exit__", broken)
        with pytest.raises(KeyboardInterrupt), dask_client(cluster.scheduler.address, workers=0) as client:
            assert client.status == "running"
    assert client.status == "closed"
    client.status = "running"
    client.close()


def test_a_lost_worker_is_told_in_one_line_and_no_day_is_wrong(cluster: Any) -> None:
    """A host made anew elsewhere would begin at day 0; last, for it takes a worker of the cluster's."""
    victim = min(cluster.run(os.getpid).values())
    with pytest.raises(WorkersLostError, match=r"^a worker was lost, and its feeders with it; start the market again"):
        run(scheduler=cluster.scheduler.address, days=50, told=lambda *_: os.kill(victim, signal.SIGKILL))


def test_who_breaks_off_a_client_as_it_closes_is_not_told_what_nobody_awaited() -> None:
    async def closing() -> None:
        """What a client is left with, when a second Ctrl-C comes."""

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        closing()
        gc.collect()
        assert len(told) == 1
        with pytest.raises(ValueError, match="of a task"), workers._quiet_end([]):
            raise ValueError("of a task")
        closing()
        gc.collect()
        assert len(told) == 2
        with pytest.raises(KeyboardInterrupt), workers._quiet_end([]):
            raise KeyboardInterrupt
        closing()
        gc.collect()
        assert len(told) == 2
