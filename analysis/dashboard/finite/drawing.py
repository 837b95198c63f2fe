"""Drawing finite markets for a page: each is told as it comes; what is found, visitors share.

Markets take a few seconds. What one home gains by deviating takes up to a minute on the larger presets: it comes last,
and the page does not wait for it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from meanwatt.analysis.dashboard.finite.choice import DAYS, SIZES, Choice
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.analysis.validation.criteria import judge
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.analysis.validation.exploitability import exploitability
from meanwatt.analysis.validation.result import MemoryFloor, Validation
from meanwatt.analysis.validation.runs import Results, Task, run_here
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.study import validate
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

MARKETS = ("aggregate", "state")
"""Checks of `meanwatt validate` that the markets drawn are for,"""
CHECKS = (*MARKETS, "exploitability")
"""and all of them."""

MARKETS_SHARE = 0.3
"""Share of the progress that the markets fill."""

MEMORIES = (0, 1, 2)
"""Numbers of remembered day types with which the floor is measured."""
SOLVING_MEMORIES = "Floors: solving with each memory"
EXACT = "Solving to the last digit, as the command does"
DEVIATING = "Computing what one home gains by deviating"
WAITING = "Waiting: other markets are being drawn"
LINE = "Waiting: {line}"
_one_at_a_time = Turns()
"""One computation in the whole server: each takes a core, and a class has many choices."""
_studies: Memo[Choice, tuple[Equilibrium, Validation]] = Memo(24)
_floors: Memo[Choice, tuple[MemoryFloor, ...]] = Memo(24)


def drawn_markets(
    choice: Choice,
    solution: Solution,
    *,
    show: Callable[[Drawn], None],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Drawn | None:
    """Draw the markets of a choice, or find them drawn already; None if cancelled.

    Parameters
    ----------
    solution
        The mean field under the choice's tariff.
    show
        Told what has been drawn after every market, before any progress about it.
    """
    so_far = nothing_drawn(solution, SIZES)
    show(so_far)
    place = {count: k for k, count in enumerate(SIZES)}

    def run(equilibria: Sequence[Equilibrium], tasks: Sequence[Task], stopped: Callable[[], bool] | None) -> Results:
        nonlocal so_far
        for task, one in run_here(equilibria, tasks, stopped):
            errors = list(so_far.errors_kw)
            errors[place[task.households]] += (one.scatter_kw2**0.5,)
            so_far = replace(so_far, errors_kw=tuple(errors))
            show(so_far)
            yield task, one

    left = TimeLeft()

    def told(report: Progress) -> None:
        text = f"Drawing: {report.stage}{left.said('markets', report.fraction)}"
        progress(Work(text=text, fraction=MARKETS_SHARE * (report.fraction or 0.0)))

    def computing(report: Progress) -> None:
        share = MARKETS_SHARE + (1 - MARKETS_SHARE) * (report.fraction or 0.0)
        text = f"{DEVIATING}{left.said('deviation', report.fraction)}"
        progress(Work(text=text, fraction=share))

    def ended(exact: Equilibrium, study: Validation) -> Drawn:
        return replace(nothing_drawn(solution, SIZES, exact), errors_kw=_errors_kw(study), study=study)

    progress(Work(text=WAITING, fraction=0.0))
    with _studies.turn(choice, cancelled) as mine:
        known = _studies.get(choice)
        if known is None and mine:
            try:
                with _alone(cancelled, progress):
                    progress(Work(text=EXACT, fraction=0.0))
                    exact = _exact(solution, cancelled)
                    so_far = nothing_drawn(solution, SIZES, exact)
                    watch = Watch(progress=told, cancelled=cancelled)
                    study = validate(exact, sample_of(choice), checks=MARKETS, run=run, watch=watch)
                show(ended(exact, study))
                with _alone(cancelled, progress):
                    watch = Watch(progress=computing, cancelled=cancelled)
                    study = replace(study, exploit=exploitability(exact, SIZES, watch=watch))
            except Cancelled:
                return None
            study = replace(study, findings=judge(study, CHECKS))
            known = (exact, study)
            _studies.put(choice, known)
    return None if known is None else ended(*known)


def _exact(solution: Solution, cancelled: Callable[[], bool]) -> Equilibrium:
    """The equilibrium that ``meanwatt validate`` compares with, where the page's own is solved to what is shown."""
    found = solve_equilibrium(
        solution.equilibrium.economy, solution.equilibrium.tariff, certify=False, watch=Watch(cancelled=cancelled)
    )
    if found.outcome is Outcome.CANCELLED:
        raise Cancelled
    return found


def memory_floors(
    choice: Choice, drawn: Drawn, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
) -> tuple[MemoryFloor, ...] | None:
    """Measure the floor of the distance for several memories of the mean field, or find it measured; None if cancelled.

    Parameters
    ----------
    drawn
        Markets of the choice that have ended.
    """
    if drawn.exact is None:
        return None

    left = TimeLeft()

    def told(report: Progress) -> None:
        text = f"Floors: {report.stage}{left.said('floors', report.fraction)}"
        progress(Work(text=text, fraction=report.fraction or 0.0))

    progress(Work(text=WAITING, fraction=0.0))
    with _floors.turn(choice, cancelled) as mine:
        known = _floors.get(choice)
        if known is None and mine:
            try:
                with _alone(cancelled, progress):
                    watch = Watch(progress=told, cancelled=cancelled)
                    progress(Work(text=SOLVING_MEMORIES, fraction=0.0))
                    study = validate(
                        drawn.exact, sample_of(choice), checks=(), memory=MEMORIES, run=run_here, watch=watch
                    )
            except Cancelled:
                return None
            known = study.memory
            _floors.put(choice, known)
    return known


@contextmanager
def _alone(cancelled: Callable[[], bool], progress: Callable[[Work], None]) -> Iterator[None]:
    """Wait, and say so, until nothing else is computed; ``Cancelled`` if given up meanwhile."""
    with _one_at_a_time.turn(cancelled, lambda line: progress(Work(text=LINE.format(line=line), fraction=0.0))) as go:
        if not go:
            raise Cancelled
        yield


def sample_of(choice: Choice) -> Sample:
    """The choice for the study."""
    return Sample(households=SIZES, replications=choice.markets, days=DAYS, seed=choice.seed)


def nothing_drawn(solution: Solution, households: tuple[int, ...], exact: Equilibrium | None = None) -> Drawn:
    """The law alone, before any market; of the exact mean field once that is known."""
    law = tuple(expected_scatter_kw2(exact or solution.equilibrium, count) ** 0.5 for count in households)
    return Drawn(solution=solution, households=households, law_kw=law, errors_kw=((),) * len(households), exact=exact)


def _errors_kw(study: Validation) -> tuple[tuple[float, ...], ...]:
    """The error of every market, by size."""
    rows = list(zip(study.by_replication["households"], study.by_replication["scatter_kw2"], strict=True))
    return tuple(tuple(square**0.5 for count, square in rows if count == size) for size in study.households)
