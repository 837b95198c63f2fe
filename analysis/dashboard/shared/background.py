"""A visitor's computation on a thread: given up when something else is asked for, and shown in views as it goes on."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from meanwatt.analysis.dashboard.shared.aside import Host
from meanwatt.analysis.dashboard.shared.notices import Notice, failure, sentence, with_notice
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.solved import Work

VIEWS_PER_SECOND = 10
"""Reports of progress that reach a page."""

View = TypeVar("View")
Choice = TypeVar("Choice")


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


class Background(ABC, Generic[View]):
    """Every public method may be called from any thread and returns at once.

    A subclass keeps what it found and writes it into a view. What it does goes on until ``_restart`` or ``close`` set
    the event that it was begun with.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._listener: Callable[[View], None] | None = None
        self._number = 0
        self._told = 0.0
        self._work: Work | None = None
        self._notices: tuple[Notice, ...] = ()

    @abstractmethod
    def _view(self, number: int) -> View:
        """What is to be seen now, under this number."""

    @abstractmethod
    def _forget(self) -> None:
        """Drop what was found: the computation failed. Called under the lock."""

    def view(self) -> View:
        """What is to be seen now, with a number of its own: an older view never replaces a newer one."""
        with self._lock:
            self._number += 1
            return self._view(self._number)

    def listen(self, listener: Callable[[View], None]) -> Callable[[], None]:
        """Publish views from now on; return what ends it all."""
        self._listener = listener
        return self.close

    def close(self) -> None:
        """Stop a thread at its next question."""
        with self._lock:
            self._listener = None
            self._stop.set()

    def dismiss(self, message: dict[str, Any]) -> None:
        """Take a sentence off the page."""
        with self._lock:
            self._notices = tuple(notice for notice in self._notices if notice.text != message.get("text"))
        self._publish()

    def _restart(self, work: Work, problems: tuple[str, ...]) -> threading.Event:
        """Give up what is under way for something else; problems of its address become a sentence."""
        self._stop.set()
        stop = self._stop = threading.Event()
        self._work, self._notices = work, ()
        if problems:
            text = " ".join(sentence(problem) for problem in problems)
            title = "A value was left out."  # an address may hold what was typed on the page
            self._notices = (Notice(about="address", kind="warn", title=title, text=text),)
        return stop

    def _host(self) -> Host:
        """What this page is to computations beside it, see `meanwatt.analysis.dashboard.shared.aside.Aside`."""
        return Host(lock=self._lock, publish=self._publish, seldom=self._seldom, say=self._say)

    def _say(self, notice: Notice) -> None:
        """Put a sentence above the page, in the place of one about the same."""
        with self._lock:
            self._notices = with_notice(self._notices, notice)

    def _report(self, work: Work, stop: threading.Event) -> None:
        """Say how far it is, seldom enough for a page to draw."""
        with self._lock:
            if stop.is_set():
                return
            before = self._work.fraction if self._work else 0.0
            self._work = Work(text=work.text, fraction=max(before, work.fraction))
        self._seldom()

    def _seldom(self) -> None:
        """Publish, unless the page has just been told something."""
        with self._lock:
            now = time.monotonic()
            if now - self._told < 1 / VIEWS_PER_SECOND:
                return
            self._told = now
        self._publish()

    def _fail(self, title: str, error: Exception, stop: threading.Event) -> None:
        """Say that it failed, and why."""
        with self._lock:
            if stop.is_set():
                return
            self._notices += (failure("solve", title, error),)
            self._work = None
            self._forget()
        self._publish()

    def _publish(self) -> None:
        """Hand a view to the page, outside the lock: drawing takes locks of its own."""
        with self._lock:
            listener = self._listener
            if listener is None:
                return
            view = self.view()
        listener(view)


class ChoiceBackground(Background[View], Generic[View, Choice]):
    """A computation of what the query of an address chooses.

    A subclass sets ``_choice`` in ``_begin``, and names its threads.
    """

    THREAD: ClassVar[str]
    _choice: Choice

    @abstractmethod
    def _begin(self, search: str) -> threading.Event:
        """Read the choice of an address, restart, and return what stops the computation. Called under the lock."""

    @abstractmethod
    def _compute(self, choice: Choice, stop: threading.Event) -> None:
        """Compute a choice on a thread of its own until ``stop`` is set."""

    @property
    def choice(self) -> Choice:
        """What is asked for."""
        return self._choice

    def show(self, search: str) -> None:
        """Compute what an address asks for, in the place of what is under way."""
        with self._lock:
            stop = self._begin(search)
            choice = self._choice
        self._publish()
        threading.Thread(target=self._compute, args=(choice, stop), name=self.THREAD, daemon=True).start()

    def cancel(self, _: object = None) -> None:
        """Stop computing; what is there stays."""
        with self._lock:
            self._stop.set()
            self._work = None
        self._publish()
