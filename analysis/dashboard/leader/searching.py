"""The search of ``meanwatt design`` for a page: every tariff is told as it is tried; what is found, visitors share.

A search takes seconds on the smallest preset and minutes on the others, and a core all the while: there is one at a
time in the whole server. Who asks for what is being searched for already watches that search.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.sighted import Sighted, ended, objective_at, with_trial
from meanwatt.analysis.dashboard.shared.memo import QUESTION_SECONDS, Memo
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.analysis.design.design import DesignProblem, Search, commitment_search, concept_search, design
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.mean_field.leader.leader_problem import Trial, Tried
from meanwatt.model.mean_field.leader.tariff_family import starting_points
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import build_tariff

BEGINNING = "Solving the tariff in force"
WAITING = "Searches take turns: {line}"
SHARED = "Another visitor has asked for the same search; you watch it"
HALF_WAY = 30
"""Tariffs after which the progress bar stands at one half; nobody knows the number in advance."""

_one_at_a_time = Turns()
_found: Memo[Choice, Sighted] = Memo(12)
_under_way: dict[Choice, Sighted] = {}
"""What searches have seen that have not ended."""

Show = Callable[[Sighted], None]
Tell = Callable[[Work], None]


def searched(choice: Choice, *, show: Show, progress: Tell, cancelled: Callable[[], bool]) -> Sighted | None:
    """Search for the tariff of a choice, or find it found already.

    Parameters
    ----------
    show
        Told what was seen, after every tariff tried.
    cancelled
        Whether to stop; what was found by then is the result, if anything was.

    Returns
    -------
    Sighted or None
        None if it was cancelled before it began.

    Raises
    ------
    ValueError
        In one line, if there is no tariff that the leader may post.
    """
    asked = choice.search
    _watch_others(asked, show, progress, cancelled)
    with _found.turn(asked, cancelled) as mine:
        known = _found.get(asked)
        if known is None and mine:
            try:
                with alone(progress, cancelled):
                    known = _search(asked, show, progress, cancelled)
            except Cancelled:
                return None
            if not known.stopped:
                _found.put(asked, known)
    return known


@contextmanager
def alone(progress: Tell, cancelled: Callable[[], bool]) -> Iterator[None]:
    """Wait, and say so, until nothing else is searched for; ``Cancelled`` if given up meanwhile."""
    with _one_at_a_time.turn(
        cancelled, lambda line: progress(Work(text=WAITING.format(line=line), fraction=0.0))
    ) as go:
        if not go:
            raise Cancelled
        yield


def _watch_others(choice: Choice, show: Show, progress: Tell, cancelled: Callable[[], bool]) -> None:
    """Show what somebody else's equal search sees, until it ends."""
    left = TimeLeft()
    while (seen := _under_way.get(choice)) is not None and not cancelled():
        show(seen)
        progress(Work(text=f"{SHARED}. {_told(seen, choice, left)}", fraction=_share(seen)))
        time.sleep(QUESTION_SECONDS)


def _search(choice: Choice, show: Show, progress: Tell, cancelled: Callable[[], bool]) -> Sighted:
    progress(Work(text=BEGINNING, fraction=0.0))
    scenario = choice.settings.load()
    economy = town_of(scenario)
    aims, left = choice.aims(economy), TimeLeft()

    def put(now: Sighted) -> None:
        _under_way[choice] = now
        show(now)
        progress(Work(text=_told(now, choice, left), fraction=_share(now)))

    def tried(trial: Trial, found: Equilibrium) -> None:
        put(with_trial(_under_way[choice], trial, found, commits=choice.commits))

    def search(problem: DesignProblem) -> Commitment:
        there = problem.baseline
        family = aims.usual_family(economy, there.tariff)
        put(Sighted(in_force=there, in_force_objective=objective_at(aims, there), aims=aims, family=family))
        return search_of(choice, tried)(problem)

    try:
        done = design(economy, build_tariff(scenario), aims, search=search, watch=Watch(cancelled=cancelled))
        seen = _under_way.get(choice)
    finally:
        _under_way.pop(choice, None)
    if seen is None:  # cancelled within the first solve
        raise Cancelled
    return ended(seen, done)


def _told(seen: Sighted, choice: Choice, left: TimeLeft) -> str:
    """Where a search stands, and how long it goes on at most: it may settle long before it has tried all it may."""
    starts = len(starting_points(seen.family, seen.in_force.economy))
    most = choice.tariffs * starts if choice.commits else choice.tariffs + 1  # no round leads to the first tariff
    return words.working(seen, choice) + left.said("search", min(1.0, len(seen.steps) / most), most=True)


def _share(seen: Sighted) -> float:
    """An estimate of the share done, which only rises."""
    return len(seen.steps) / (len(seen.steps) + HALF_WAY)


def search_of(choice: Choice, tried: Tried | None = None) -> Search:
    """The search that ``meanwatt design`` makes of the same arguments."""
    if choice.commits:
        return commitment_search(choice.tariffs, tried=tried)
    return concept_search(choice.concept, choice.tariffs, tried=tried)
