"""One visitor's search for a leader's tariff: on a thread, every tariff tried in a view, stopped but not forgotten."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from meanwatt.analysis.dashboard.leader import side_words, words
from meanwatt.analysis.dashboard.leader.bar import bar_json
from meanwatt.analysis.dashboard.leader.besides import Besides
from meanwatt.analysis.dashboard.leader.choice import Choice, from_query
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.sighted import Picked, Sighted, objective_at, shown
from meanwatt.analysis.dashboard.leader.surface_chart import surface_json
from meanwatt.analysis.dashboard.leader.surfacing import Drawn, posted
from meanwatt.analysis.dashboard.leader.take_home import csv_of, toml_of
from meanwatt.analysis.dashboard.leader.view import Beside, Figures, View, figures
from meanwatt.analysis.dashboard.shared.background import Background, Solver
from meanwatt.analysis.dashboard.shared.notices import Notice, ending, notices_json, with_notice
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
        self._written: tuple[tuple[Any, ...], Figures] | None = None
        self._halt = threading.Event()
        self.beside = Besides(self._host())
        self._picked: Picked | None = None
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

    def again(self, search: str) -> None:
        """Search once more where that was stopped or failed; say so where it converged, as it would again."""
        with self._lock:
            seen = self._seen
            ended = self._work is None and seen is not None and seen.design is not None and not seen.stopped
            if ended:
                title, text = words.NOTHING_NEW
                self._say(Notice(about="again", kind="good", title=title, text=text))
        if ended:
            self._publish()
        else:
            self.show(search)

    def cancel(self, _: object = None) -> None:
        """Stop the search; the best tariff so far stays."""
        with self._lock:
            self._halt.set()
            if self._work is not None:
                self._work = Work(text=STOPPING, fraction=self._work.fraction)
        self._publish()

    def close(self) -> None:
        """Stop the search, and all that is computed beside it."""
        super().close()
        self.beside.forget()

    def draw(self, _: object = None) -> None:
        """Compute the Pareto surface, once the search has ended and the first best is known."""
        with self._lock:
            choice, seen, benchmark = self._choice, self._seen, self._benchmark
        welfare = None if benchmark is None else benchmark.welfare_usd_per_household_day
        if seen is not None and seen.design is not None and welfare is not None:
            self.beside.draw(choice, seen, welfare)

    def compare(self, _: object = None) -> None:
        """Search under every concept for the leader at hand, once no search is under way."""
        with self._lock:
            choice, stop, known, idle = self._choice, self._stop, self._benchmark is not None, self._idle
        if idle:
            self.beside.compare(choice, None if known else lambda halted: self._find_best(choice, stop, halted))

    def ask_cold(self, _: object = None) -> None:
        """Value the tariffs among cold households, once a search has ended."""
        with self._lock:
            choice, seen = self._choice, self._seen
        if seen is not None and seen.design is not None:
            self.beside.ask_cold(choice, seen)

    def learn(self, message: Mapping[str, Any]) -> None:
        """Let a learner meter tariffs, by the ``method`` of the message, once no search is under way."""
        with self._lock:
            choice, idle = self._choice, self._idle
        if idle:
            self.beside.learn(choice, str(message["method"]))

    @property
    def _idle(self) -> bool:
        """Whether the tariff in force is solved, and no search is under way."""
        return self._work is None and self._seen is not None

    def pick(self, message: Mapping[str, Any]) -> None:
        """Show a tariff of the surface in the place of the one found, or that one again if ``place`` is None."""
        with self._lock:
            seen, drawn, stop, place = self._seen, self.beside.surface.found, self._stop, message["place"]
            if seen is None or drawn is None or place is None:
                self._picked = None
        self._publish()
        if seen is not None and drawn is not None and place is not None:
            given = (seen, drawn, int(place), stop)
            threading.Thread(target=self._run_pick, args=given, name="meanwatt-pick", daemon=True).start()

    def toml(self) -> str:
        """The tariff shown as a file; empty while there is none."""
        with self._lock:
            return "" if self._seen is None else toml_of(shown(self._seen, self._picked))

    def csv(self) -> str:
        """The key numbers shown, with what was searched for; empty before anything is solved."""
        with self._lock:
            return "" if self._seen is None else csv_of(self._choice, self._seen, self._benchmark, self._picked)

    def _view(self, number: int) -> View:
        seen = self._seen
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, seen),
            notices=notices_json(self._notices),
            figures=None if seen is None else self._figures(seen),
            waiting=self._work is not None and seen is None,
            done=self._work is None and seen is not None and seen.best is not None,
            surface=self._surface(seen),
            beside=self.beside.boards(self._choice, seen, self._benchmark)
            if seen is not None and self._idle
            else Beside(),
        )

    def _surface(self, seen: Sighted | None) -> str:
        """The surface, where a search has ended of a leader who weighs what it shows."""
        benchmark = self._benchmark
        welfare = None if benchmark is None else benchmark.welfare_usd_per_household_day
        if seen is None or seen.design is None or welfare is None or not self._choice.objective.pareto:
            return ""
        return surface_json(seen, welfare, self.beside.surface.work, self.beside.surface.found, self._picked)

    def _figures(self, seen: Sighted) -> Figures:
        """The figures, written once for everything seen."""
        given = (seen, self._benchmark, self._picked)
        if self._written is None or any(old is not new for old, new in zip(self._written[0], given, strict=True)):
            self._written = (given, figures(self._choice, *given))
        return self._written[1]

    def _forget(self) -> None:
        self._seen = None

    def _begin(self, search: str) -> threading.Event:
        before, (self._choice, problems) = self._choice, from_query(search)
        under_way = self._work is not None and before.run and not self._halt.is_set()
        seen = self._seen if under_way else None
        same = before.search == self._choice.search
        others = self.beside.forget(same_leader=same)
        self._seen = self._picked = None
        self._benchmark = known_first_best(self._choice.settings.town)
        self._halt = threading.Event()
        stop = self._restart(Work(text="Solving the tariff in force", fraction=0.0), problems)
        if not same and (seen is not None or others):
            text = side_words.given_up(seen, before, others)
            self._say(Notice(about="given up", kind="warn", title="Given up.", text=text))
        return stop

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

    def _find_best(self, choice: Choice, stop: threading.Event, halted: Callable[[], bool] = lambda: False) -> None:
        """The first best, which the efficiency gap needs; it may take longer than the search."""
        try:
            found = self._best(choice.settings.town, lambda: stop.is_set() or halted())
        except Exception:  # a number that stays empty, not a page that dies
            logger.exception("the first best failed")
            return
        with self._lock:
            if stop.is_set() or found is None:
                return
            self._benchmark = found
        self._publish()

    def _run_pick(self, seen: Sighted, drawn: Drawn, place: int, stop: threading.Event) -> None:
        front = drawn.surface.front
        if not 0 <= place < len(front):
            return
        picked = Picked(place=place, posted=posted(seen, front[place]))
        with self._lock:
            if stop.is_set() or self.beside.surface.found is not drawn:
                return
            self._picked = picked
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
        family=aims.usual_family(there.economy, there.tariff),
    )
