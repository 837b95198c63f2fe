"""One visitor's comparison: solves both tariffs on a thread, gives up what is no longer asked, publishes views."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query
from meanwatt.analysis.dashboard.compare.view import Figures, View, bar_json, figures
from meanwatt.analysis.dashboard.shared.background import Background, Solver
from meanwatt.analysis.dashboard.shared.notices import ending, notices_json, with_notice
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, solved

logger = logging.getLogger(__name__)


class Comparer(Background[View]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, best
        What solves a tariff, and finds the first best of its town; those that all visitors share by default.
    """

    def __init__(
        self,
        search: str,
        *,
        solve: Solver = solved,
        best: Callable[[Settings, Callable[[], bool]], Benchmark | None] = first_best,
    ) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._solve, self._best = solve, best
        self._choice = Choice()
        self._figures: Figures | None = None
        self._begin(search)

    @property
    def choice(self) -> Choice:
        """What is compared, or being solved."""
        return self._choice

    def _view(self, number: int) -> View:
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, self._figures),
            notices=notices_json(self._notices),
            figures=self._figures,
            waiting=self._work is not None and self._figures is None,
            stale=self._work is not None and self._figures is not None,
        )

    def _forget(self) -> None:
        self._figures = None

    def show(self, search: str) -> None:
        """Compare what an address asks for, in the place of what is being solved."""
        with self._lock:
            stop = self._begin(search)
            choice = self._choice
        self._publish()
        threading.Thread(target=self._run, args=(choice, stop), name="meanwatt-compare", daemon=True).start()

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        return self._restart(Work(text="Solving tariff A", fraction=0.0), problems)

    def _run(self, choice: Choice, stop: threading.Event) -> None:
        """Solve A, then B from it, then find the first best, which takes longest and is shown when it comes."""
        try:
            a = self._solve_side(0, choice, None, stop)
            b = None if a is None else self._solve_side(1, choice, a, stop)
            if a is None or b is None:
                return
            self._put(choice, (a, b), None, stop)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("the comparison failed")
            self._fail("The solve failed.", error, stop)
            return
        try:
            found = self._best(a.settings.town, stop.is_set)
            if found is not None:
                self._put(choice, (a, b), found, stop)
        except Exception:  # a number that stays empty, not a page that dies
            logger.exception("the first best failed")

    def _solve_side(self, place: int, choice: Choice, start: Solution | None, stop: threading.Event) -> Solution | None:
        """Solve A (place 0) or B (1), which fill a half of the progress each."""
        name = "AB"[place]

        def progress(work: Work) -> None:
            self._report(Work(text=f"Tariff {name}. {work.text}", fraction=(place + work.fraction) / 2), stop)

        return self._solve(choice.sides[place], start=start, progress=progress, cancelled=stop.is_set)

    def _put(
        self, choice: Choice, pair: tuple[Solution, Solution], best: Benchmark | None, stop: threading.Event
    ) -> None:
        """Show what was found, unless something else is asked for by now."""
        written = figures(choice, *pair, best)
        with self._lock:
            if stop.is_set():
                return
            for name, solution in zip("AB", pair, strict=True):
                for notice in ending(solution):
                    told = replace(notice, about=f"ending of {name}", title=f"{name}: {notice.title}")
                    self._notices = with_notice(self._notices, told)
            self._figures, self._work = written, None
        self._publish()
