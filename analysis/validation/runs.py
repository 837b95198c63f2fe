"""Running replications: here, in worker processes, or on the workers of a dask scheduler. Results are equal."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.analysis.validation.replication import Replication, replicate
from meanwatt.analysis.workers import require_scheduler, results
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Cancelled

OVERHEAD_HOUSEHOLDS: Final = 20_000
"""A day of the market takes about as long as this many households more, power flow included."""
WORTH_PROCESSES: Final = 150_000_000
"""Household-days, overhead included, from which worker processes earn their start (about half a minute of work)."""


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
        return partial(run_on_workers, scheduler=scheduler)
    workers = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(tasks))
    if workers > 1 and sum(task.work for task in tasks) > WORTH_PROCESSES:
        return partial(run_on_workers, workers=workers)
    return run_here


def run_here(equilibria: Sequence[Equilibrium], tasks: Sequence[Task], cancelled: Callable[[], bool] | None) -> Results:
    """Run one after the other in this process."""
    for task in tasks:
        if cancelled is not None and cancelled():
            raise Cancelled
        yield task, _replicated(equilibria, task)


def _replicated(equilibria: Sequence[Equilibrium], task: Task) -> Replication:
    return replicate(equilibria[task.law], task.households, task.key, task.days, power_flow=task.power_flow)


def run_on_workers(
    equilibria: Sequence[Equilibrium],
    tasks: Sequence[Task],
    cancelled: Callable[[], bool] | None,
    **where: Any,
) -> Results:
    """Run on workers as `meanwatt.analysis.workers.results` does, the longest first; equilibria travel to each once."""
    order = sorted(tasks, key=lambda task: -task.work)
    shared = (tuple(equilibria),)
    for batch in results(_replicated, order, shared=shared, cancelled=cancelled, prepare=load_mesa, **where):
        yield from batch
