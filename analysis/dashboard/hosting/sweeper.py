"""One visitor's sweep: on a thread, shown level by level."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from meanwatt.analysis.dashboard.hosting import words
from meanwatt.analysis.dashboard.hosting.choice import Choice, from_query
from meanwatt.analysis.dashboard.hosting.swept import Swept
from meanwatt.analysis.dashboard.hosting.view import Figures, View, bar_json, figures, offer_json
from meanwatt.analysis.dashboard.shared.background import ChoiceBackground
from meanwatt.analysis.dashboard.shared.notices import notices_json
from meanwatt.analysis.dashboard.shared.solved import Work

logger = logging.getLogger(__name__)


class Sweep(Protocol):
    """What sweeps; see `meanwatt.analysis.dashboard.hosting.sweeping.swept`."""

    def __call__(
        self,
        choice: Choice,
        *,
        show: Callable[[Swept], None],
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Swept | None:
        """Sweep a choice; None if cancelled."""


class Sweeper(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    sweep
        What sweeps; what all visitors share by default.
    """

    THREAD = "meanwatt-hosting"

    def __init__(self, search: str, *, sweep: Sweep | None = None) -> None:
        """Nothing is swept before `show`."""
        super().__init__()
        self._sweep = sweep
        self._choice = Choice()
        self._swept: Swept | None = None
        self._figures: Figures | None = None
        self._begin(search)

    def csv(self) -> str:
        """First violations by tariff and placement, with their parameters; empty before the end."""
        from meanwatt.analysis.dashboard.hosting.take_home import csv_of

        with self._lock:
            return "" if self._swept is None else csv_of(self._choice, self._swept)

    def states(self) -> bytes:
        """The worst state of every tariff, level and placement as Parquet; empty before the end."""
        from meanwatt.analysis.dashboard.hosting.take_home import parquet_of_states

        with self._lock:
            return b"" if self._swept is None else parquet_of_states(self._choice, self._swept)

    def report(self) -> str:
        """The report of ``meanwatt hosting`` as a page of its own; empty before the end."""
        from meanwatt.analysis.dashboard.hosting.take_home import report_of

        with self._lock:
            choice, swept = self._choice, self._swept
        return "" if swept is None else report_of(choice, swept)

    def _view(self, number: int) -> View:
        whole = self._swept is not None and self._swept.whole and self._work is None
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, self._figures, whole=whole),
            notices=notices_json(self._notices),
            figures=self._figures,
            waiting=self._work is not None and self._figures is None,
            done=whole,
            offer=offer_json() if whole and not self._choice.designed else "",
        )

    def _forget(self) -> None:
        """What was found stays: the tariffs in force are still true where the designed one could not be found."""

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        self._swept = self._figures = None
        return self._restart(Work(text=words.BEGINNING, fraction=0.0), problems)

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        try:
            found = (self._sweep or _sweeping())(
                choice,
                show=lambda now: self._put(now, stop),
                progress=lambda work: self._report(work, stop),
                cancelled=stop.is_set,
            )
            if found is None:
                return
            self._put(found, stop, done=True)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("sweeping a feeder failed")
            self._fail(words.FAILED, error, stop)
            return
        self._publish()

    def _put(self, swept: Swept, stop: threading.Event, *, done: bool = False) -> None:
        """Keep what is known; the next view shows it."""
        before = self._swept
        anew = before is None or before.plan is not swept.plan or before.cells != swept.cells
        written = (figures(swept) if swept.cells else None) if anew else self._figures
        with self._lock:
            if not stop.is_set():
                self._swept, self._figures = swept, written
                self._work = None if done else self._work
        if anew:
            self._seldom()


def _sweeping() -> Sweep:
    """What sweeps for all visitors; its power flows are slow to import, and most visitors sweep nothing."""
    from meanwatt.analysis.dashboard.hosting.sweeping import swept

    return swept
