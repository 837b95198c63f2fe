"""Running a study: tasks to the workers, rows to the disk as they come, one table at the end."""

import errno
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from meanwatt.analysis.study.directory import RESULTS, StudyDirectory
from meanwatt.analysis.study.measure import FAILED, REFUSED, killed, measure
from meanwatt.analysis.study.plan import Plan
from meanwatt.analysis.study.task import Task
from meanwatt.analysis.workers import WorkersLostError, results
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.messages import Messages

OVERHEAD_HOUSEHOLDS: Final = 5_000
"""A day of a market takes about as long as this many households more; for the estimate of the time left."""

REASONS: Final = 3
"""Different reasons of refusal that are told."""
NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class StudyOutcome(StrEnum):
    """How a study ended."""

    COMPLETE = "complete"
    CANCELLED = "cancelled"
    DISK_FULL = "disk_full"
    WORKERS_LOST = "workers_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """How a run of a study ended.

    Attributes
    ----------
    outcome, message
        A code, and a sentence that says what to do.
    tasks, found, done
        Tasks of the study; how many were on disk before, and how many are now.
    refused, failed, not_converged
        Rows without numbers, by reason, and rows at an equilibrium that was not reached. None unless complete.
    table
        File of the whole table; None unless complete.
    messages
        What its rows leave out, a sentence each.
    """

    outcome: StudyOutcome
    message: str
    tasks: int
    found: int
    done: int
    refused: int | None = None
    failed: int | None = None
    not_converged: int | None = None
    table: Path | None = None
    messages: Messages = ()

    @property
    def complete(self) -> bool:
        """Whether every task is done and gave numbers."""
        return self.outcome is StudyOutcome.COMPLETE and not self.refused and not self.failed


Tell = Callable[[str, float], None]
"""Takes what is being done and the share done."""


def run_study(
    plan: Plan,
    directory: str | Path,
    *,
    scheduler: str | None = None,
    workers: int = 0,
    resume: bool = False,
    told: Tell | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StudyRun:
    """Run a study, or what is left of it.

    Parameters
    ----------
    plan
        What to run.
    directory
        Where results are kept; see ``meanwatt.analysis.study.directory``.
    scheduler, workers
        Where tasks run; see ``meanwatt.analysis.workers.results``. Results do not depend on it.
    resume
        Whether results that are there already are kept; tasks that failed are done again.
    told, cancelled
        Progress, and a request to stop.

    Raises
    ------
    ValueError
        In one line: the directory is not this study's, or the scheduler cannot be used.
    """
    with StudyDirectory(directory, plan, resume=resume) as kept:
        found = len(kept.done)
        todo = [task for task in plan.tasks if task.identity not in kept.done]
        try:
            _run(kept, todo, scheduler, workers, told, cancelled)
            kept.finish()
        except Cancelled:
            outcome, reason = StudyOutcome.CANCELLED, "Cancelled"
        except WorkersLostError as error:
            outcome, reason = StudyOutcome.WORKERS_LOST, f"Stopped: {error}; stopped"
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            outcome = StudyOutcome.DISK_FULL
            reason = f"Stopped: {directory} cannot be written to ({error.strerror}); make room there. Stopped"
        else:
            return _complete(kept, found)
        done, tasks = len(kept.done), len(plan.tasks)
        return StudyRun(
            outcome=outcome,
            message=f"{reason} with {done} of {counted(tasks, 'task')} in {directory}; add --resume to go on.",
            tasks=tasks,
            found=found,
            done=done,
        )


def _run(
    kept: StudyDirectory,
    todo: list[Task],
    scheduler: str | None,
    workers: int,
    told: Tell | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Send the tasks out and keep every row that comes back."""
    if not todo:
        return
    total, done = sum(map(_work, todo)), 0.0
    coming = results(measure, todo, scheduler=scheduler, workers=workers, given_up=killed, cancelled=cancelled)
    with closing(coming):  # workers stop where a row cannot be kept
        for batch in coming:
            kept.append([row for _, row in batch])
            done += sum(_work(task) for task, _ in batch)
            if told is not None:
                told(f"{len(kept.done)} of {counted(len(kept.plan.tasks), 'task')}", min(done / total, 1.0))


def _work(task: Task) -> float:
    return float(task.days * ((task.households or 0) + OVERHEAD_HOUSEHOLDS))


def _complete(kept: StudyDirectory, found: int) -> StudyRun:
    rows = kept.table()
    outcomes = rows.column("outcome").to_pylist()
    refused, failed = outcomes.count(REFUSED), outcomes.count(FAILED)
    not_converged = len(outcomes) - outcomes.count("converged") - refused - failed
    tasks = len(kept.plan.tasks)
    table = kept.path / RESULTS
    counts = {
        ("was" if refused == 1 else "were") + " refused": refused,
        "failed": failed,
        "did not converge": not_converged,
    }
    text = " and ".join(f"{count} {what}" for what, count in counts.items() if count)
    again = ", and --resume does again what failed" if failed else ""
    seen = f"; {text}: see its columns outcome and message{again}" if text else ""
    return StudyRun(
        outcome=StudyOutcome.COMPLETE,
        message=f"{counted(tasks, 'task')} {'is' if tasks == 1 else 'are'} in {table}{seen}.",
        tasks=tasks,
        found=found,
        done=tasks,
        refused=refused,
        failed=failed,
        not_converged=not_converged,
        table=table,
        messages=(
            *_refusals(
                [
                    reason
                    for outcome, reason in zip(outcomes, rows.column("message").to_pylist(), strict=True)
                    if outcome == REFUSED
                ]
            ),
            *_unsolved(rows.column("hours_unsolved").to_pylist() if "hours_unsolved" in rows.column_names else []),
            *_unknown_before(rows.column_names, kept.columns_found),
        ),
    )


def _refusals(reasons: Sequence[str]) -> Messages:
    """Say why tasks were refused, the most frequent reasons first."""
    return tuple(
        f"Refused, {counted(count, 'task')}: {reason}" for reason, count in Counter(reasons).most_common(REASONS)
    )


def _unsolved(hours: Sequence[float | None]) -> Messages:
    """Say how many markets have hours without a power flow."""
    count = sum(bool(one) for one in hours)
    if not count:
        return ()
    return (
        f"Power flow: no state found in some hours of {count} of {counted(len(hours), 'row')},"
        " see their column hours_unsolved;"
        " their voltages, loadings and losses are those of the other hours.",
    )


def _unknown_before(columns: Sequence[str], found: set[str] | None) -> Messages:
    """Say which columns the results of an earlier version, with which a study went on, do not have."""
    new = [name for name in columns if found is not None and name not in found]
    if not new:
        return ()
    return (
        f"Columns that results found there did not have are empty in their rows: {', '.join(new)}; for numbers begin"
        " the study anew.",
    )
