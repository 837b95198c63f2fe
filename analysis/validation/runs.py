"""Running replications: here, in worker processes, or on the workers of a dask scheduler. Results are equal."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

from analysis.validation.replication import Replication, replicate
from analysis.workers import require_scheduler, results
from model.mean_field.equilibrium import Equilibrium
from model.mean_field.watch import Cancelled

OVERHEAD_HOUSEHOLDS: Final = 20_000
"""A day of the market takes about as long as this many households more, power flow included."""
WORTH_PROCESSES: Final = 150_000_000
"""Household-days, overhead included, from which worker processes earn their start (about half a minute of work)."""
RECYCLED_AFTER: Final = 64
"""Markets after which a worker process is replaced: Mesa 3.3 keeps something of every model alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One market to simulate: replication r of a study has the key (seed, r), whatever its size.

    Attributes
    ----------
    law
        Which of the study's equilibria its households follow.
    """

    law: int = 0
    households: int
    key: tuple[int, int]
    days: int
    power_flow: bool = True

    @property
    def work(self) -> float:
        """About how long it takes. [household-days]"""
        return float(self.days * (self.households + OVERHEAD_HOUSEHOLDS))


Results = Iterator[tuple[Task, Replication]]
Runner = Callable[[Sequence[Equilibrium], Sequence[Task], Callable[[], bool] | None], Results]
"""Runs tasks in any order; raises ``Cancelled`` when asked to stop."""


def runner(scheduler: str | None, tasks: Sequence[Task]) -> Runner:
    """Choose where to run: on a scheduler if its address is given, else here, in processes where that pays.

    Raises
    ------
    ValueError
        If the scheduler cannot be reached.
    """
    if scheduler is not None:
        require_scheduler(scheduler)
        return lambda equilibria, given, cancelled: _run_on(scheduler, equilibria, given, cancelled)
    workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(tasks))
    if workers > 1 and sum(task.work for task in tasks) > WORTH_PROCESSES:
        return lambda equilibria, given, cancelled: run_in_processes(equilibria, given, cancelled, workers=workers)
    return run_here


def run_here(equilibria: Sequence[Equilibrium], tasks: Sequence[Task], cancelled: Callable[[], bool] | None) -> Results:
    """Run one after the other in this process."""
    for task in tasks:
        if cancelled is not None and cancelled():
            raise Cancelled
        yield task, _replicated(equilibria, task)


def run_in_processes(
    equilibria: Sequence[Equilibrium],
    tasks: Sequence[Task],
    cancelled: Callable[[], bool] | None,
    *,
    workers: int,
) -> Results:
    """Run in worker processes, the longest tasks first; the equilibria travel to each worker once."""
    order = sorted(tasks, key=lambda task: -task.work)
    context = multiprocessing.get_context("spawn")
    for first in range(0, len(order), RECYCLED_AFTER * workers):
        batch = order[first : first + RECYCLED_AFTER * workers]
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(tuple(equilibria),))
        try:
            futures = {pool.submit(_replicated_there, task): task for task in batch}
            for future in as_completed(futures):
                if cancelled is not None and cancelled():
                    raise Cancelled
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


_here: tuple[Equilibrium, ...] = ()
"""A worker process's own copy of the study's equilibria."""


def _begin(equilibria: tuple[Equilibrium, ...]) -> None:
    global _here
    _here = equilibria
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that collects the results


def _replicated_there(task: Task) -> Replication:
    return _replicated(_here, task)


def _replicated(equilibria: Sequence[Equilibrium], task: Task) -> Replication:
    return replicate(equilibria[task.law], task.households, task.key, task.days, power_flow=task.power_flow)


def _run_on(
    address: str, equilibria: Sequence[Equilibrium], tasks: Sequence[Task], cancelled: Callable[[], bool] | None
) -> Results:
    """Run on the workers of a dask scheduler, the longest tasks first; the equilibria travel to each of them once."""
    order = sorted(tasks, key=lambda task: -task.work)
    for batch in results(_replicated, order, shared=(tuple(equilibria),), scheduler=address, cancelled=cancelled):
        yield from batch
