"""One visitor's search for a leader's tariff: on a thread, every tariff tried in a view, stopped but not forgotten."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from meanwatt.analysis.dashboard.leader.choice import Choice, from_query
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.sighted import Sighted, objective_at
from meanwatt.analysis.dashboard.leader.take_home import csv_of, toml_of
from meanwatt.analysis.dashboard.leader.view import Figures, View, bar_json, figures
from meanwatt.analysis.dashboard.shared.background import Background, Solver
from meanwatt.analysis.dashboard.shared.notices import ending, notices_json, with_notice
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, known_first_best, solved

logger = logging.getLogger(__name__)
STOPPING = "Stopping: the best tariff so far is being solved"


class SearchFor(Protocol):
    """What searches; see `meanwatt.analysis.dashboard.leader.searching.searched`."""

    def __call__(
        self,
        choice: Choice,
        *,
        show: Callable[[Sighted], None],
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Sighted | None:
        """Search for the tariff of a choice; None if cancelled before it began."""


class Searcher(Background[View]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, find, best
        What solves the tariff in force, searches, and finds the first best; those that all visitors share by default.
    """

    def __init__(
        self,
        search: str,
        *,
        solve: Solver = solved,
        find: SearchFor = searched,
        best: Callable[[Settings, Callable[[], bool]], Benchmark | None] = first_best,
    ) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._solve, self._find, self._best = solve, find, best
        self._choice = Choice()
        self._seen: Sighted | None = None
        self._benchmark: Benchmark | None = None
        self._written: tuple[Sighted, Benchmark | None, Figures] | None = None
        self._halt = threading.Event()
        self._begin(search)

    @property
    def choice(self) -> Choice:
        """What is searched for."""
        return self._choice

    def show(self, search: str) -> None:
        """Search for what an address asks for, in the place of what is under way."""
        with self._lock:
            stop = self._begin(search)
            choice, halt = self._choice, self._halt
        self._publish()
        threading.Thread(target=self._run, args=(choice, stop, halt), name="meanwatt-leader", daemon=True).start()

    def cancel(self, _: object = None) -> None:
        """Stop the search; the best tariff so far stays."""
        with self._lock:
            self._halt.set()
            if self._work is not None:
                self._work = Work(text=STOPPING, fraction=self._work.fraction)
        self._publish()

    def toml(self) -> str:
        """The best tariff so far as a file; empty while there is none."""
        with self._lock:
            return "" if self._seen is None else toml_of(self._seen)

    def csv(self) -> str:
        """The key numbers, with what was searched for; empty before anything is solved."""
        with self._lock:
            return "" if self._seen is None else csv_of(self._choice, self._seen, self._benchmark)

    def _view(self, number: int) -> View:
        seen = self._seen
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, seen),
            notices=notices_json(self._notices),
            figures=None if seen is None else self._figures(seen),
            waiting=self._work is not None and seen is None,
            done=self._work is None and seen is not None and seen.best is not None,
        )

    def _figures(self, seen: Sighted) -> Figures:
        """The figures, written once for everything seen."""
        if self._written is None or self._written[0] is not seen or self._written[1] is not self._benchmark:
            self._written = (seen, self._benchmark, figures(self._choice, seen, self._benchmark))
        return self._written[2]

    def _forget(self) -> None:
        self._seen = None

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        self._seen = None
        self._benchmark = known_first_best(self._choice.settings.town)
        self._halt = threading.Event()
        return self._restart(Work(text="Solving the tariff in force", fraction=0.0), problems)

    def _run(self, choice: Choice, stop: threading.Event, halt: threading.Event) -> None:
        def told(work: Work) -> None:
            if not halt.is_set():
                self._report(work, stop)

        def show(seen: Sighted) -> None:
            self._put(seen, stop)

        def cancelled() -> bool:
            return stop.is_set() or halt.is_set()

        try:
            known: Sighted | None = None
            solution = self._solve(choice.settings, progress=told, cancelled=cancelled)
            if solution is not None:
                self._tell_ending(solution, stop)
                self._put(_in_force(choice, solution), stop)
                if choice.run:
                    known = self._find(choice, show=show, progress=told, cancelled=cancelled)
            self._put(known, stop, done=True)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("the search failed")
            self._fail("The search failed.", error, stop)
            return
        self._publish()
        if known is not None:
            self._find_best(choice, stop)

    def _find_best(self, choice: Choice, stop: threading.Event) -> None:
        """The first best, which the efficiency gap needs; it may take longer than the search."""
        try:
            found = self._best(choice.settings.town, stop.is_set)
        except Exception:  # a number that stays empty, not a page that dies
            logger.exception("the first best failed")
            return
        with self._lock:
            if stop.is_set() or found is None:
                return
            self._benchmark = found
        self._publish()

    def _tell_ending(self, solution: Solution, stop: threading.Event) -> None:
        with self._lock:
            if not stop.is_set():
                for notice in ending(solution):
                    self._notices = with_notice(self._notices, notice)

    def _put(self, seen: Sighted | None, stop: threading.Event, *, done: bool = False) -> None:
        """Keep what has been seen, if anything new was; the next view shows it."""
        with self._lock:
            if not stop.is_set():
                self._seen = self._seen if seen is None else seen
                self._work = None if done else self._work


def _in_force(choice: Choice, solution: Solution) -> Sighted:
    """What there is to see before any search."""
    there = solution.equilibrium
    aims = choice.aims(there.economy)
    return Sighted(
        in_force=there,
        in_force_objective=objective_at(aims, there),
        aims=aims,
        family=aims.family(there.economy, there.tariff),
    )
