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
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.analysis.validation.criteria import judge
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.analysis.validation.exploitability import exploitability
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.runs import Results, Task, run_here
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.study import validate
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

MARKETS = ("aggregate", "state")
"""Checks of `meanwatt validate` that the markets drawn are for,"""
CHECKS = (*MARKETS, "exploitability")
"""and all of them."""

MARKETS_SHARE = 0.3
"""Share of the progress that the markets fill."""

WAITING = "Waiting: other markets are being drawn"
LINE = "Waiting: {line}"
_one_at_a_time = Turns()
"""One computation in the whole server: each takes a core, and a class has many choices."""
_studies: Memo[Choice, Validation] = Memo(24)


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

    def told(report: Progress) -> None:
        progress(Work(text=f"Drawing: {report.stage}", fraction=MARKETS_SHARE * (report.fraction or 0.0)))

    def computing(report: Progress) -> None:
        share = MARKETS_SHARE + (1 - MARKETS_SHARE) * (report.fraction or 0.0)
        progress(Work(text="Computing what one home gains by deviating", fraction=share))

    def ended(study: Validation) -> Drawn:
        return replace(so_far, errors_kw=_errors_kw(study), study=study)

    equilibrium = solution.equilibrium
    progress(Work(text=WAITING, fraction=0.0))
    with _studies.turn(choice, cancelled) as mine:
        study = _studies.get(choice)
        if study is None and mine:
            try:
                with _alone(cancelled, progress):
                    watch = Watch(progress=told, cancelled=cancelled)
                    study = validate(equilibrium, sample_of(choice), checks=MARKETS, run=run, watch=watch)
                show(ended(study))
                with _alone(cancelled, progress):
                    watch = Watch(progress=computing, cancelled=cancelled)
                    study = replace(study, exploit=exploitability(equilibrium, SIZES, watch=watch))
            except Cancelled:
                return None
            study = replace(study, findings=judge(study, CHECKS))
            _studies.put(choice, study)
    return None if study is None else ended(study)


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


def nothing_drawn(solution: Solution, households: tuple[int, ...]) -> Drawn:
    """The law alone, before any market."""
    law = tuple(expected_scatter_kw2(solution.equilibrium, count) ** 0.5 for count in households)
    return Drawn(solution=solution, households=households, law_kw=law, errors_kw=((),) * len(households))


def _errors_kw(study: Validation) -> tuple[tuple[float, ...], ...]:
    """The error of every market, by size."""
    rows = list(zip(study.by_replication["households"], study.by_replication["scatter_kw2"], strict=True))
    return tuple(tuple(square**0.5 for count, square in rows if count == size) for size in study.households)
