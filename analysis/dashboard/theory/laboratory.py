"""One visitor's theory lab: solves the game on a thread, then its curves over temperature."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from meanwatt.analysis.dashboard.shared.background import ChoiceBackground
from meanwatt.analysis.dashboard.shared.notices import notices_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.theory.choice import Choice, from_query
from meanwatt.analysis.dashboard.theory.solving import at_temperature, over_temperature
from meanwatt.analysis.dashboard.theory.take_home import csv_of
from meanwatt.analysis.dashboard.theory.view import Figures, View, bar_json, errors_json, figures
from meanwatt.analysis.tabular.solution import GameSolution

logger = logging.getLogger(__name__)
AT_ONCE = 0.4
"""Share of the progress until the first figures are there."""


class Solve(Protocol):
    """What solves a choice; see `meanwatt.analysis.dashboard.theory.solving`."""

    def __call__(
        self, choice: Choice, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> GameSolution | None:
        """Solve the game of a choice; None if cancelled."""


class Laboratory(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Figures of the choice before stay until those of the new one are there.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, sweep
        What solves a game at its temperature, and at those of the curves; all visitors share it by default.
    """

    THREAD = "meanwatt-theory"

    def __init__(self, search: str, *, solve: Solve = at_temperature, sweep: Solve = over_temperature) -> None:
        """Nothing is solved before `show`."""
        super().__init__()
        self._solve, self._sweep = solve, sweep
        self._choice = Choice()
        self._found: tuple[Choice, GameSolution] | None = None
        self._figures: Figures | None = None
        self._begin(search)

    def csv(self) -> str:
        """The solved game as a table, with its parameters; empty before there is one."""
        with self._lock:
            return "" if self._found is None else csv_of(*self._found)

    def _view(self, number: int) -> View:
        found = self._found
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, None if found is None else found[1]),
            notices=notices_json(self._notices),
            figures=self._figures,
            old=found is None and self._figures is not None,
        )

    def _forget(self) -> None:
        self._found = self._figures = None

    def _begin(self, search: str) -> threading.Event:
        before = self._choice.game
        self._choice, problems = from_query(search)
        self._found = None
        if self._choice.game != before:
            self._figures = None
        return self._restart(Work(text="Solving the game", fraction=0.0), problems)

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        def solving(work: Work) -> None:
            self._report(Work(text=work.text, fraction=AT_ONCE * work.fraction), stop)

        def sweeping(work: Work) -> None:
            text = work.text.replace("Solving", "Drawing the curve")
            self._report(Work(text=text, fraction=AT_ONCE + (1 - AT_ONCE) * work.fraction), stop)

        try:
            found = self._solve(choice, progress=solving, cancelled=stop.is_set)
            if found is None:
                return
            drawn = figures(choice, found)
            self._put(found, drawn, choice, stop)
            self._publish()
            curve = None if found.errors is None else self._sweep(choice, progress=sweeping, cancelled=stop.is_set)
            if curve is not None:
                drawn = replace(drawn, errors=errors_json(choice, found, curve))
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("solving a game failed")
            self._fail("The game could not be solved.", error, stop)
            return
        self._put(found, drawn, choice, stop, done=True)
        self._publish()

    def _put(
        self, found: GameSolution, drawn: Figures, choice: Choice, stop: threading.Event, *, done: bool = False
    ) -> None:
        """Keep what has been solved; the next view shows it."""
        with self._lock:
            if not stop.is_set():
                self._found, self._figures = (choice, found), drawn
                self._work = None if done else self._work
