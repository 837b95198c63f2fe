"""One function over many tasks: here, on processes of this machine, or on the workers of a dask scheduler.

Results come in the order in which they are ready. A worker that dies takes no result with it: the scheduler gives its
tasks to another one, and what all tasks share is itself the result of a task, computed again where it was lost.
Worker processes of this machine are replaced from time to time (Mesa 3.3 keeps what refers to a model alive).
"""

import asyncio
import itertools
import logging
import pickle
import queue
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any, Final, TypeVar

from meanwatt.analysis.output.result_files import versions
from meanwatt.analysis.worker_start import ctrl_c_stays_here, end_if_just_started, main_guard
from meanwatt.model.progress.watch import Cancelled

CONNECT_SECONDS: Final = 10
"""Time a scheduler has to answer."""
LOOK_SECONDS: Final = 0.2
"""How often a request to stop is looked for while nothing comes in."""
COUNT_SECONDS: Final = 5.0
"""How often workers are counted anew: a cluster may grow or shrink."""
AHEAD: Final = 4
"""Tasks sent out for each thread of the workers, so that none waits and a request to stop is soon met."""
LIFETIME: Final = "12 hours"
"""Age at which a worker process of this machine is replaced, within an hour. A task under way is then begun anew, so
no task may take as long; a closed market leaves some 20 kB behind, so nothing asks for more haste."""

KILLED: Final = (
    "ended every worker process that it was given to, for want of memory or because they were killed; give fewer"
    " workers, or smaller markets"
)
"""What is said of a task that takes one worker after the other with it."""

DESERTED: Final = (
    "no worker process has been there for 2 minutes, for want of memory or because they were killed; give fewer"
    " workers, or smaller markets"
)
"""What is said where all have gone for good."""

_QUIET: Final = {
    "distributed.admin.large-graph-warning-threshold": "1 GiB",
    "distributed.worker.daemon": True,
    "distributed.scheduler.allowed-failures": 5,
    "distributed.scheduler.no-workers-timeout": "2 minutes",  # what starts them anew may have gone with them
}

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkersLostError(ConnectionError):
    """The scheduler is gone, or a task killed every worker that it was given to. One line says what to do."""


def results(
    function: Callable[..., Result],
    tasks: Iterable[Task],
    *,
    shared: tuple[Any, ...] = (),
    scheduler: str | None = None,
    workers: int = 0,
    given_up: Callable[[Task], Result] | None = None,
    cancelled: Callable[[], bool] | None = None,
    prepare: Callable[[], None] | None = None,
) -> Generator[list[tuple[Task, Result]], None, None]:
    """Yield tasks with their results, all that came in at a time.

    Parameters
    ----------
    function
        Called as ``function(*shared, task)``; a top-level function, so that it can travel.
    tasks
        Sent out in this order, a few for each worker ahead of the results.
    shared
        What every call gets; it travels to a worker once.
    scheduler
        Address of a running dask scheduler.
    workers
        Without a scheduler: processes to start on this machine; 0 runs the tasks in this one.
    given_up
        The result of a task that took one worker after the other with it; without, such a task ends everything.
    cancelled
        Asked between results, and every moment while there are none.
    prepare
        Called by every worker process before its first task, as for `dask_client`.

    Raises
    ------
    Cancelled
        If asked to stop. Tasks under way are given up.
    WorkersLostError
        If the scheduler does not answer any more, or a task that is not ``given_up`` takes one worker after the other
        with it.
    ValueError
        If the scheduler cannot be reached, has no workers, or they run other versions than this process; if worker
        processes would run the calling script again (``NoMainGuardError``).
    """
    if scheduler is None and workers == 0:
        for task in tasks:
            if cancelled is not None and cancelled():
                raise Cancelled
            yield [(task, function(*shared, task))]
        return
    with dask_client(scheduler, workers=workers, prepare=prepare) as client:
        yield from _collected(client, function, tasks, shared, given_up, cancelled, scheduler)


@contextmanager
def dask_client(
    scheduler: str | None, *, workers: int, recycled: bool = True, prepare: Callable[[], None] | None = None
) -> Iterator[Any]:
    """Connect to a scheduler, or start a quiet one with worker processes on this machine, ended at the end.

    Parameters
    ----------
    scheduler, workers
        As for `results`.
    recycled
        Whether worker processes of this machine may be replaced when they are old.
    prepare
        Called once by the workers there are, e.g. to load first what is slow to load late.

    Raises
    ------
    ValueError
        As for `results`.
    """
    if scheduler is None:
        end_if_just_started()
    distributed: Any = import_module("dask.distributed")
    dask: Any = import_module("dask")
    if scheduler is not None:
        require_scheduler(scheduler)
    opened: list[Any] = []
    with _quiet_end(opened), ExitStack() as stack:
        stack.enter_context(dask.config.set(_QUIET))
        stack.enter_context(_silent("distributed"))
        if scheduler is None:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="meanwatt-", ignore_cleanup_errors=True))
            stack.enter_context(dask.config.set({"temporary-directory": scratch}))
            age = {"lifetime": LIFETIME, "lifetime_stagger": "1 hour", "lifetime_restart": True}
            with ctrl_c_stays_here(), main_guard(scratch):
                started = distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",  # None is port 8787, on which two studies at once would meet
                    worker_dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    local_directory=scratch,
                    **(age if recycled else {}),
                )
                cluster = stack.enter_context(_ended(started))
            client = stack.enter_context(distributed.Client(cluster))
        else:
            client = stack.enter_context(distributed.Client(scheduler, timeout=CONNECT_SECONDS))
            _require_same_workers(client, scheduler)
        opened.append(client)
        if prepare is not None:
            client.run(prepare, on_error="ignore")  # a worker that died meanwhile will be missed by its tasks
        yield client


@contextmanager
def _ended(cluster: Any) -> Iterator[Any]:
    """End a cluster with its block. One that is about to start a lost worker anew cannot wait for that process."""
    try:
        with cluster as there:
            yield there
    except AssertionError as error:
        if str(error) != "can only join a started process":
            raise


@contextmanager
def _quiet_end(opened: list[Any]) -> Iterator[None]:
    """Who breaks off a client as it closes, and the program with it, is not told what it did not come to await.

    Nor does such a client try to close once more when Python lets go of it: nobody would answer, for a minute.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException:
        for client in opened:
            client.status = "closed"
        warnings.filterwarnings("ignore", message="coroutine '.*' was never awaited", category=RuntimeWarning)
        raise


def _collected(
    client: Any,
    function: Callable[..., Result],
    tasks: Iterable[Task],
    shared: tuple[Any, ...],
    given_up: Callable[[Task], Result] | None,
    cancelled: Callable[[], bool] | None,
    scheduler: str | None,
) -> Iterator[list[tuple[Task, Result]]]:
    """Send tasks out a few ahead of the results, and yield these as they come.

    All tasks on a worker that dies are under suspicion. Where they may be given up, each is tried again at the end with
    none beside it: only what then kills its workers once more was the cause.
    """
    from dask.distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    waiting = iter(tasks)
    there = [client.submit(pickle.loads, pickle.dumps(value), pure=False) for value in shared]
    out: dict[Any, Task] = {}
    suspects: list[Task] = []
    alone = False
    finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
    counted, room = -COUNT_SECONDS, 1

    def send(task: Task) -> None:
        future = client.submit(function, *there, task, pure=False)
        out[future] = task
        future.add_done_callback(finished.put)

    def killed(task: Task, error: Exception) -> list[tuple[Task, Result]]:
        if given_up is None:
            raise WorkersLostError(f"a task {KILLED}") from error
        if alone:
            return [(task, given_up(task))]
        suspects.append(task)
        return []

    try:
        while True:
            if time.monotonic() - counted > COUNT_SECONDS:
                room = AHEAD * max(sum(client.nthreads().values()), 1)
                counted = time.monotonic()
            for task in itertools.islice(waiting, max(room - len(out), 0)):
                send(task)
            if not out and suspects:
                send(suspects.pop(0))
                alone = True
            if not out:
                return
            found = []
            for future in _waited(finished, cancelled):
                task = out.pop(future)
                try:
                    found.append((task, _result(future, scheduler)))
                except KilledWorker as error:
                    found += killed(task, error)
            if found:
                yield found
    except CommClosedError as error:  # the connection broke while we spoke
        raise WorkersLostError(_lost(scheduler)) from error
    finally:
        if out and client.status == "running":
            client.cancel([*out, *there], force=True)


def _waited(finished: "queue.SimpleQueue[Any]", cancelled: Callable[[], bool] | None) -> list[Any]:
    """Wait for a finished future, take all there are; an empty list after a while without any."""
    if cancelled is not None and cancelled():
        raise Cancelled
    ready = []
    try:
        ready.append(finished.get(timeout=LOOK_SECONDS))
        while True:
            ready.append(finished.get_nowait())
    except queue.Empty:
        return ready


def _result(future: Any, scheduler: str | None) -> Any:
    """Fetch a result; an error of the task is raised as it was."""
    from dask.distributed import CancelledError
    from distributed.scheduler import NoWorkerError

    try:
        return future.result()
    except CancelledError as error:
        raise WorkersLostError(_lost(scheduler)) from error
    except NoWorkerError as error:
        raise WorkersLostError(DESERTED) from error


def _lost(scheduler: str | None) -> str:
    if scheduler is None:
        return "the scheduler of this machine's workers has gone"
    return f"--scheduler {scheduler}: does not answer any more; start it again with dask scheduler, and its workers"


def require_scheduler(address: str) -> None:
    """Raise ``ValueError`` unless somebody listens there; a client that fails to connect lingers for long."""
    core: Any = import_module("distributed.core")

    async def knock() -> None:
        comm = await core.connect(address, timeout=CONNECT_SECONDS)
        await comm.close()

    try:
        asyncio.run(knock())
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--scheduler {address}: cannot be reached ({error}); start one with dask scheduler,"
            " and give its address, e.g. tcp://localhost:8786"
        ) from None


def _require_same_workers(client: Any, address: str) -> None:
    """Raise ``ValueError`` unless there are workers, and they run what this process runs."""
    if not client.nthreads():
        raise ValueError(f"--scheduler {address}: has no workers; start some with dask worker {address}")
    here = versions()
    try:
        there: dict[str, dict[str, str]] = client.run(versions)
    except Exception as error:  # whatever kept the workers from answering
        raise ValueError(
            f"--scheduler {address}: its workers cannot run meanwatt ({' '.join(str(error).split())});"
            " install it where they run"
        ) from None
    for worker, found in there.items():
        for name in {**here, **found}:
            if found.get(name) != here.get(name):
                raise ValueError(
                    f"--scheduler {address}: worker {worker} runs {name} {found.get(name)}, this process"
                    f" {here.get(name)}; install the same versions"
                )


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep a logger and those below it from speaking."""
    known = [
        logging.getLogger(other)
        for other in list(logging.root.manager.loggerDict)
        if f"{other}.".startswith(f"{name}.")
    ]
    before = [logger.disabled for logger in known]
    try:
        for logger in known:
            logger.disabled = True
        yield
    finally:
        for logger, disabled in zip(known, before, strict=True):
            logger.disabled = disabled
