"""One visitor's comparison: solves both tariffs on a thread, gives up what is no longer asked, publishes views."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.compare.edits import Edits
from meanwatt.analysis.dashboard.compare.filed import tariff_sent
from meanwatt.analysis.dashboard.compare.form import sent
from meanwatt.analysis.dashboard.compare.sides import SIDES
from meanwatt.analysis.dashboard.compare.view import Figures, View, bar_json, cards_json, figures, forms_json
from meanwatt.analysis.dashboard.shared.background import ChoiceBackground, Solver
from meanwatt.analysis.dashboard.shared.notices import OF_TOWN, Notice, ending, notices_json, sentence, with_notice
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work, first_best, solved

logger = logging.getLogger(__name__)


class Comparer(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    solve, best
        What solves a tariff, and finds the first best of its town; those that all visitors share by default.
    """

    THREAD = "meanwatt-compare"

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
        self._opened: frozenset[str] = frozenset()
        self._problems: dict[str, str] = {}
        self._left_out: dict[str, tuple[str, str]] = {}
        self._begin(search)

    def _view(self, number: int) -> View:
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, self._figures),
            notices=notices_json(self._notices),
            cards=cards_json(self._choice, self._opened, self._problems, self._left_out),
            forms=forms_json(self._choice, self._opened, None if self._work else self._figures),
            figures=self._figures,
            waiting=self._work is not None and self._figures is None,
            stale=self._work is not None and self._figures is not None,
        )

    def _forget(self) -> None:
        self._figures = None

    def toggle(self, message: Mapping[str, Any]) -> None:
        """Open the form of a side, or close it."""
        with self._lock:
            self._opened ^= frozenset(SIDES) & {message.get("side")}
        self._publish()

    def submitted(self, message: Mapping[str, Any]) -> Choice | None:
        """The choice with the edits sent for a side; None, and a sentence on the page, if they are not allowed."""
        try:
            return sent(self._choice, _side(message), message)
        except ValueError as error:
            with self._lock:
                refusal = Notice(about="edits", kind="warn", title="Not applied.", text=sentence(error))
                self._notices = with_notice(self._notices, refusal)
            self._publish()
            return None

    def balanced(self, _: object = None) -> Choice | None:
        """The choice at equal cost recovery; None where it is that, or nothing is known of it yet."""
        with self._lock:
            found = self._figures
            if found is None or self._work is not None or found.equal_recovery:
                return None
            return self._choice.balanced(found.unbalanced)

    def discarded(self, message: Mapping[str, Any]) -> Choice:
        """The choice without the edits of a side; a tariff read from a file stays."""
        side = _side(message)
        return self._choice.edited(side, Edits(own=self._choice.edits_of(side).own))

    def read(self, message: Mapping[str, Any]) -> Choice | None:
        """The choice with a file's or the gallery's tariff on a side; None, and a sentence there, if it is not used."""
        side, found, said = _side(message), None, ""
        left_out: tuple[str, str] = ("", "")
        try:
            table, messages = tariff_sent(self._choice, message)
            own = toml_of(table)
            found = self._choice.edited(side, Edits(own=own))
            query(found)  # it has to go into an address
            left_out = own, " ".join(messages)
        except ValueError as error:
            name = message.get("gallery") or message.get("name") or "The file"
            found, said = None, f"{str(name)[:80]} is not used: {sentence(error)}"
        with self._lock:
            self._problems[side] = said
            self._left_out[side] = left_out if found else self._left_out.get(side, ("", ""))
        self._publish()
        return found

    def _begin(self, search: str) -> threading.Event:
        self._choice, problems = from_query(search)
        self._problems = {}
        return self._restart(Work(text="Solving tariff A", fraction=0.0), problems)

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
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
                    told = notice
                    if notice.about not in OF_TOWN:  # what is said of the scenario is said once
                        told = replace(notice, about=f"{notice.about} of {name}", title=f"{name}: {notice.title}")
                    self._notices = with_notice(self._notices, told)
            self._figures, self._work = written, None
        self._publish()


def _side(message: Mapping[str, Any]) -> str:
    """The side that a message is about; ValueError if it is none."""
    side = message.get("side")
    if side not in SIDES:
        raise ValueError("the page sent a side that is neither a nor b; load it anew")
    return str(side)
