"""One visitor's bill: the files that are open, the computation on a thread, the view of what was found."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from meanwatt.analysis.dashboard.bills import words
from meanwatt.analysis.dashboard.bills.billing import MOST_BYTES, Billed, billed
from meanwatt.analysis.dashboard.bills.choice import FILES, LONGEST, Choice, from_query
from meanwatt.analysis.dashboard.bills.view import Figures, View, bar_json, figures
from meanwatt.analysis.dashboard.shared.background import ChoiceBackground
from meanwatt.analysis.dashboard.shared.notices import Notice, notices_json, sentence
from meanwatt.analysis.dashboard.shared.solved import Work

logger = logging.getLogger(__name__)


class Biller(ChoiceBackground[View, Choice]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    search
        Query of the address to begin with.
    """

    THREAD = "meanwatt-bills"

    def __init__(self, search: str) -> None:
        """Nothing is computed before `show`."""
        super().__init__()
        self._files: dict[str, tuple[str, str]] = {}
        self._choice = Choice()
        self._found: Billed | None = None
        self._figures: Figures | None = None
        self._stale = True
        self._begin(search)

    def close(self) -> None:
        """Stop, and let go of what is open."""
        super().close()
        with self._lock:
            self._files = {}

    def opened(self, message: Mapping[str, Any]) -> dict[str, str] | None:
        """Keep a file that a visitor opens, and return what it changes of the choice; None if it is refused.

        It is text, kept in memory as long as its visitor is there.
        """
        part, name, text = (str(message.get(key, "")) for key in ("part", "name", "text"))
        name = PurePath(name.replace("\\", "/")).name
        if part not in FILES:
            return None
        try:
            if len(text.encode("utf-8", errors="replace")) > MOST_BYTES[part]:
                raise ValueError(words.too_large(name[:LONGEST], MOST_BYTES[part]))
            Choice().with_part(part, name or "?")
        except ValueError as error:
            self._say(
                Notice(about=part, kind="bad", title="A file is not used.", text=sentence(words.begun(str(error))))
            )
            self._publish()
            return None
        with self._lock:
            self._files = {**self._files, part: (name, text.removeprefix("\ufeff"))}
        return {part: name}

    def _view(self, number: int) -> View:
        stopped = self._stale and self._work is None
        return View(
            number=number,
            bar=bar_json(self._choice, self._work, self._found, stopped=stopped),
            notices=notices_json(self._notices),
            figures=self._figures,
            waiting=self._work is not None and (self._figures is None or not self._figures.statement),
            old=self._stale and self._figures is not None,
        )

    def _forget(self) -> None:
        """Keep the tariff, whose terms a visitor may choose anew, and no bill."""
        self._figures = None if self._found is None else figures(self._found)
        self._stale = False

    def _begin(self, search: str) -> threading.Event:
        choice, problems = from_query(search)
        for part in FILES:
            name = getattr(choice, part)
            if name and self._files.get(part, ("",))[0] != name:
                choice = replace(choice, **{part: ""})
                problems = (*problems, words.not_open(name))
        if choice.solar and not choice.load:
            choice = replace(choice, solar="")
        self._choice, self._found, self._stale = choice, None, True
        return self._restart(Work(text="Reading the tariff", fraction=0.0), tuple(map(words.begun, problems)))

    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        with self._lock:
            files = dict(self._files)
        try:
            found = billed(
                choice,
                files,
                show=lambda part: self._put(part, stop),
                progress=lambda work: self._report(work, stop),
                cancelled=stop.is_set,
            )
        except ValueError as error:
            self._fail(words.FAILED, ValueError(words.begun(words.on_page(str(error)))), stop)
            return
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("billing a home failed")
            self._fail(words.FAILED, error, stop)
            return
        if found is None:
            return
        self._put(found, stop, done=True)
        self._publish()

    def _put(self, found: Billed, stop: threading.Event, *, done: bool = False) -> None:
        """Keep what has been found; the next view shows it."""
        written = figures(found)
        with self._lock:
            if stop.is_set():
                return
            self._found = found
            if done or self._figures is None:
                self._figures = written
            if done:
                self._work, self._stale = None, False
