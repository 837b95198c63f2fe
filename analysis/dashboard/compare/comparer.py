"""One visitor's comparison: solves both tariffs on a thread, gives up what is no longer asked, publishes views."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query
from meanwatt.analysis.dashboard.compare.view import Figures, View, bar_json, figures
from meanwatt.analysis.dashboard.shared.notices import Notice, ending, failure, notices_json, sentence, with_notice
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, solved

VIEWS_PER_SECOND = 10

logger = logging.getLogger(__name__)


class Solver(Protocol):
    """What solves a tariff; see `meanwatt.analysis.dashboard.shared.solved.solved`."""

    def __call__(
        self,
        settings: Settings,
        *,
        start: Solution | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Solution | None:
        """Solve, perhaps from a solution nearby; None if cancelled."""


class Comparer:
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
        self._solve, self._best = solve, best
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._listener: Callable[[View], None] | None = None
        self._number = 0
        self._choice = Choice()
        self._work: Work | None = None
        self._notices: tuple[Notice, ...] = ()
        self._figures: Figures | None = None
        self._begin(search)

    @property
    def choice(self) -> Choice:
        """What is compared, or being solved."""
        return self._choice

    def view(self) -> View:
        """What is to be seen now, with a number of its own."""
        with self._lock:
            self._number += 1
            return View(
                number=self._number,
                bar=bar_json(self._choice, self._work, self._figures),
                notices=notices_json(self._notices),
                figures=self._figures,
                waiting=self._work is not None and self._figures is None,
                stale=self._work is not None and self._figures is not None,
            )

    def listen(self, listener: Callable[[View], None]) -> Callable[[], None]:
        """Publish views from now on; return what ends it all."""
        self._listener = listener
        return self.close

    def close(self) -> None:
        """Stop a thread at its next question."""
        with self._lock:
            self._listener = None
            self._stop.set()

    def show(self, search: str) -> None:
        """Compare what an address asks for, in the place of what is being solved."""
        with self._lock:
            stop = self._begin(search)
            choice = self._choice
        self._publish()
        threading.Thread(target=self._run, args=(choice, stop), name="meanwatt-compare", daemon=True).start()

    def dismiss(self, message: dict[str, Any]) -> None:
        """Take a sentence off the page."""
        with self._lock:
            self._notices = tuple(notice for notice in self._notices if notice.text != message.get("text"))
        self._publish()

    def _begin(self, search: str) -> threading.Event:
        self._stop.set()
        stop = self._stop = threading.Event()
        self._choice, problems = from_query(search)
        self._work = Work(text="Solving tariff A", fraction=0.0)
        self._notices = ()
        if problems:
            text = " ".join(sentence(problem) for problem in problems)
            title = "Part of the link was left out."
            self._notices = (Notice(about="address", kind="warn", title=title, text=text),)
        return stop

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
            self._fail(error, stop)
            return
        try:
            found = self._best(a.settings.town, stop.is_set)
            if found is not None:
                self._put(choice, (a, b), found, stop)
        except Exception:  # a number that stays empty, not a page that dies
            logger.exception("the first best failed")

    def _solve_side(self, place: int, choice: Choice, start: Solution | None, stop: threading.Event) -> Solution | None:
        """Solve A (place 0) or B (1), which fill a half of the progress each."""
        name, last = "AB"[place], 0.0

        def progress(work: Work) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= 1 / VIEWS_PER_SECOND:
                last = now
                self._report(Work(text=f"Tariff {name}. {work.text}", fraction=(place + work.fraction) / 2), stop)

        return self._solve(choice.sides[place], start=start, progress=progress, cancelled=stop.is_set)

    def _report(self, work: Work, stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():
                return
            before = self._work.fraction if self._work else 0.0
            self._work = Work(text=work.text, fraction=max(before, work.fraction))
        self._publish()

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

    def _fail(self, error: Exception, stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():
                return
            self._notices += (failure("solve", "The solve failed.", error),)
            self._figures, self._work = None, None
        self._publish()

    def _publish(self) -> None:
        """Hand a view to the page, outside the lock: drawing takes locks of its own."""
        with self._lock:
            listener = self._listener
            if listener is None:
                return
            view = self.view()
        listener(view)
