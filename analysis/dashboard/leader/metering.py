"""A leader who learns from meters alone, for a page: a method of ``meanwatt design``, judged as it goes on.

What it recommends is set beside what a leader gains who knows its households (the commitment): the share of that gain,
by the days metered so far, and from which day on it stayed near. The learner is never told of either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.concepts import under
from meanwatt.analysis.dashboard.leader.searching import alone, searched
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.learning.campaign import EVALUATIONS, recommended_objectives, try_tariffs
from meanwatt.analysis.learning.environment import MeanFieldEnvironment
from meanwatt.analysis.learning.journal import Tried
from meanwatt.analysis.learning.learners import LEARNERS
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.nearest import unknown

METHODS: Final = tuple(LEARNERS)
NEAR: Final = 0.05
"""Share of the commitment's gain that a recommendation may lack to count as near it."""
SEARCHING: Final = 0.2
"""Share of the progress that the search for the commitment fills."""

_known: Memo[tuple[Choice, str, int], "Metered"] = Memo(12)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metered:
    """A learner so far.

    Attributes
    ----------
    method
        One of `METHODS`.
    trial_days
        Days metered by a trial.
    recommended
        Mean-field objective of the tariff recommended after each trial; None before there is one.
    in_force, commitment
        Objective at the tariff in force, None where it is undefined, and of the commitment.
    asked
        Trials that there are to be.
    """

    method: str
    trial_days: int
    recommended: tuple[float | None, ...]
    in_force: float | None
    commitment: float
    asked: int

    @property
    def gain(self) -> float | None:
        """What the commitment gains over the tariff in force; None where it gains nothing, or that is unknown."""
        if self.in_force is None or self.commitment <= self.in_force:
            return None
        return self.commitment - self.in_force

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Share of that gain that each recommendation reaches."""
        gain, before = self.gain, self.in_force
        return tuple(
            None if value is None or gain is None or before is None else (value - before) / gain
            for value in self.recommended
        )

    @property
    def near_from(self) -> int | None:
        """Number of the trial since which every recommendation was near the commitment; None if the last is not."""
        first = None
        for number, share in enumerate(self.shares, start=1):
            near = share is not None and share >= 1 - NEAR
            first = (first or number) if near else None
        return first

    @property
    def whole(self) -> bool:
        """Whether all trials are over."""
        return len(self.recommended) == self.asked


def metered(
    choice: Choice,
    method: str,
    *,
    show: Callable[[Metered], None],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
    evaluations: int = EVALUATIONS,
) -> Metered | None:
    """Let a learner try tariffs in the mean field, or find it done already; None if cancelled before its first tariff.

    Parameters
    ----------
    show
        Told after every tariff tried.
    evaluations
        Tariffs to try.

    Raises
    ------
    ValueError
        In one line, if there is no such method, its package is missing, or no tariff may be posted.
    """
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    committed = under(choice, "commitment")
    key = (committed, method, evaluations)

    def searching(work: Work) -> None:
        progress(Work(text=f"The commitment, to compare with: {work.text}", fraction=SEARCHING * work.fraction))

    seen = searched(committed, show=lambda _: None, progress=searching, cancelled=cancelled)
    if seen is None or seen.best is None or seen.stopped:
        return None
    with _known.turn(key, cancelled) as mine:
        known = _known.get(key)
        if known is None and mine:
            try:
                with alone(progress, cancelled):
                    known = _learned(seen, seen.best.objective, (method, evaluations), show, progress, cancelled)
            except Cancelled:
                return None
            if known is not None and known.whole:
                _known.put(key, known)
    return known


def _learned(
    seen: Sighted,
    commitment: float,
    task: tuple[str, int],
    show: Callable[[Metered], None],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Metered | None:
    """Let a learner try tariffs; ``task`` is its method, and how many it may try."""
    method, evaluations = task
    problem = DesignProblem(
        economy=seen.in_force.economy, aims=seen.aims, baseline=seen.in_force, watch=Watch(cancelled=cancelled)
    )
    where = MeanFieldEnvironment(seen.in_force)
    so_far: Metered | None = None
    left = TimeLeft()

    def told(tried: Sequence[Tried]) -> None:
        nonlocal so_far
        so_far = Metered(
            method=method,
            trial_days=where.trial_days,
            recommended=recommended_objectives(tried),
            in_force=seen.in_force_objective,
            commitment=commitment,
            asked=evaluations,
        )
        show(so_far)
        done = len(tried) / evaluations
        text = f"{len(tried)} of {evaluations} tariffs metered{left.said('meters', done)}"
        progress(Work(text=text, fraction=SEARCHING + (1 - SEARCHING) * done))

    try_tariffs(problem, where, method=method, evaluations=evaluations, seed=0, show=told)
    return so_far
