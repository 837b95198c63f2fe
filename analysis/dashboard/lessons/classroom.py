"""One visitor's place in the lessons: computes the lesson on a thread, publishes views as it goes on."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from meanwatt.analysis.dashboard.lessons.choice import Choice, from_query
from meanwatt.analysis.dashboard.lessons.computing import revealed
from meanwatt.analysis.dashboard.lessons.view import View, view_of
from meanwatt.analysis.dashboard.shared.background import Background
from meanwatt.analysis.dashboard.shared.notices import notices_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.lessons.lesson import Lesson, Revealed

logger = logging.getLogger(__name__)


class Compute(Protocol):
    """What computes a lesson; see `meanwatt.analysis.dashboard.lessons.computing.revealed`."""

    def __call__(
        self, lesson: Lesson, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> Revealed | None:
        """Compute a lesson; None if cancelled."""


class Classroom(Background[View]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    compute
        What computes a lesson; all visitors share it by default.
    """

    def __init__(self, search: str, *, compute: Compute = revealed) -> None:
        """Nothing is computed before `show`."""
        super().__init__()
        self._compute = compute
        self._choice = Choice()
        self._found: tuple[str, Revealed] | None = None
        self._begin(search)

    @property
    def choice(self) -> Choice:
        """Where the visitor is."""
        return self._choice

    def _view(self, number: int) -> View:
        found = self._found[1] if self._found is not None and self._found[0] == self._choice.lesson else None
        return view_of(number, self._choice, found, self._work, notices_json(self._notices))

    def _forget(self) -> None:
        self._found = None

    def show(self, search: str) -> None:
        """Go where an address says; a lesson that is there already is not computed again."""
        with self._lock:
            stop = self._begin(search)
            lesson, needed = self._choice.found, self._work is not None
        self._publish()
        if lesson is not None and needed:
            threading.Thread(target=self._run, args=(lesson, stop), name="meanwatt-lesson", daemon=True).start()

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        stop = self._restart(Work(text="Computing the lesson", fraction=0.0), problems)
        if not self._choice.lesson or (self._found is not None and self._found[0] == self._choice.lesson):
            self._work = None
        return stop

    def _run(self, lesson: Lesson, stop: threading.Event) -> None:
        try:
            found = self._compute(lesson, progress=lambda work: self._report(work, stop), cancelled=stop.is_set)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("the lesson failed")
            self._fail("The lesson could not be computed.", error, stop)
            return
        if found is None:
            return
        with self._lock:
            if stop.is_set():
                return
            self._found, self._work = (lesson.key, found), None
        self._publish()
