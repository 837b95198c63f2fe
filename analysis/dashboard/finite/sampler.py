"""One visitor's finite markets: solves the tariff on a thread, draws the markets, publishes views as they come."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from meanwatt.analysis.dashboard.finite.choice import Choice, from_query
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.finite.floors import floors_json
from meanwatt.analysis.dashboard.finite.view import Figures, View, bar_json, figures
from meanwatt.analysis.dashboard.shared.aside import Aside
from meanwatt.analysis.dashboard.shared.background import ChoiceBackground, Solver
from meanwatt.analysis.dashboard.shared.notices import ending, notices_json, with_notice
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.solved import Work, solved

if TYPE_CHECKING:
    from meanwatt.analysis.validation.result import MemoryFloor

logger = logging.getLogger(__name__)
MEASURING = "The floors are being measured"
SOLVING = 0.2
"""Share of the progress that the solve fills."""


class Draw(Protocol):
    """What draws the markets; see `meanwatt.analysis.dashboard.finite.drawing.drawn_markets`."""

    def __call__(
        self,
        choice: Choice,
        solution: Solution,
        *,
        show: Callable[[Drawn], None],
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Drawn | None:
        """Draw the markets of a choice; None if cancelled."""


class Measure(Protocol):
    """What measures floors; see `meanwatt.analysis.dashboard.finite.drawing.memory_floors`."""

    def __call__(
        self, choice: Choice, drawn: Drawn, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> "tuple[MemoryFloor, ...] | None":
        """Measure the floor for several memories; None if cancelled."""


class Sampler(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, draw
        What solves a tariff, and draws the markets; those that all visitors share by default.
    """

    THREAD = "meanwatt-finite"

    def __init__(self, search: str, *, solve: Solver = solved, draw: Draw | None = None) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._solve, self._draw = solve, draw
        self._choice = Choice()
        self.floors = Aside["tuple[MemoryFloor, ...]"](self._host(), "floors", "The floors could not be measured.")
        self._drawn: Drawn | None = None
        self._begin(search)

    def close(self) -> None:
        """Stop drawing, and measuring floors."""
        super().close()
        self.floors.forget()

    def csv(self) -> str:
        """Every market drawn, with its parameters; empty before the end."""
        from meanwatt.analysis.dashboard.finite.take_home import csv_of

        with self._lock:
            return "" if self._drawn is None else csv_of(self._choice, self._drawn)

    def report(self) -> str:
        """The report of the study as a page of its own; empty before the end."""
        from meanwatt.analysis.dashboard.finite.take_home import report_of

        with self._lock:
            choice, drawn, floors = self._choice, self._drawn, self.floors.found
        return "" if drawn is None else report_of(choice, drawn, floors or ())

    def measure(self, _: object = None) -> None:
        """Measure the floor for several memories, once the markets are drawn."""
        with self._lock:
            choice, drawn = self._choice, self._drawn
            whole = drawn is not None and drawn.study is not None and self._work is None
        if drawn is not None and whole:
            self.floors.begin(
                lambda _, progress, cancelled: _measuring()(choice, drawn, progress=progress, cancelled=cancelled),
                Work(text=MEASURING, fraction=0.0),
            )

    def _view(self, number: int) -> View:
        drawn = self._drawn
        written: Figures | None = None if drawn is None else figures(drawn)
        whole = drawn is not None and drawn.study is not None and self._work is None
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, drawn),
            notices=notices_json(self._notices),
            figures=written,
            waiting=self._work is not None and drawn is None,
            done=whole,
            floors=floors_json(drawn, self.floors.found, self.floors.work) if drawn is not None and whole else "",
        )

    def _forget(self) -> None:
        self._drawn = None

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        self._drawn = None
        self.floors.forget()
        return self._restart(Work(text="Solving the tariff", fraction=0.0), problems)

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        def solving(work: Work) -> None:
            self._report(Work(text=work.text, fraction=SOLVING * work.fraction), stop)

        def drawing(work: Work) -> None:
            self._report(Work(text=work.text, fraction=SOLVING + (1 - SOLVING) * work.fraction), stop)

        try:
            solution = self._solve(choice.settings, progress=solving, cancelled=stop.is_set)
            if solution is None:
                return
            self._tell_ending(solution, stop)
            drawn = (self._draw or _drawing())(
                choice, solution, show=lambda now: self._put(now, stop), progress=drawing, cancelled=stop.is_set
            )
            if drawn is None:
                return
            self._put(drawn, stop, done=True)
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("drawing finite markets failed")
            self._fail("The markets could not be drawn.", error, stop)
            return
        self._publish()

    def _tell_ending(self, solution: Solution, stop: threading.Event) -> None:
        with self._lock:
            if not stop.is_set():
                for notice in ending(solution):
                    self._notices = with_notice(self._notices, notice)

    def _put(self, drawn: Drawn, stop: threading.Event, *, done: bool = False) -> None:
        """Keep what has been drawn; the next view shows it."""
        with self._lock:
            if not stop.is_set():
                self._drawn = drawn
                self._work = None if done else self._work


def _drawing() -> Draw:
    """What draws for all visitors; its statistics are slow to import, and most visitors draw none."""
    from meanwatt.analysis.dashboard.finite.drawing import drawn_markets

    return drawn_markets


def _measuring() -> Measure:
    """What measures for all visitors; imported when asked for, as above."""
    from meanwatt.analysis.dashboard.finite.drawing import memory_floors

    return memory_floors
