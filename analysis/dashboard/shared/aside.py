"""Something more that a visitor asks for beside what a page shows: told as it goes on, stopped, given up with the page.

A page that computes by itself does so as a `meanwatt.analysis.dashboard.shared.background.Background`; what takes long
and few want is computed when somebody presses its button, and is one of these.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from meanwatt.analysis.dashboard.shared.notices import Notice, failure
from meanwatt.analysis.dashboard.shared.solved import Work

logger = logging.getLogger(__name__)

T = TypeVar("T")

Compute = Callable[[Callable[[T], None], Callable[[Work], None], Callable[[], bool]], T | None]
"""Computes, given what shows a part of the result, what is told of progress, and whether to stop. None if there is
nothing to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The page that it belongs to.

    Attributes
    ----------
    lock
        Guards all that the page keeps.
    publish, seldom
        Show the page anew: at once, or unless that has just been done.
    say
        Put a sentence above the page.
    """

    lock: threading.RLock
    publish: Callable[[], None]
    seldom: Callable[[], None]
    say: Callable[[Notice], None]


class Aside(Generic[T]):
    """Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    host
        Its page.
    about
        What it is called in the page's notices and threads.
    failed
        What is said above the reason if it fails.
    """

    def __init__(self, host: Host, about: str, failed: str) -> None:
        self._host, self._about, self._failed = host, about, failed
        self._halt = self._stop = threading.Event()
        self.work: Work | None = None
        self.found: T | None = None

    def forget(self) -> bool:
        """Give up what is under way, drop what was found; whether anything was under way. Also as a visitor leaves."""
        with self._host.lock:
            self._stop.set()
            was = self.work is not None
            self.work = self.found = None
        return was

    def halt(self, _: object = None) -> None:
        """Stop it; what it has by then stays."""
        self._halt.set()

    def begin(self, compute: Compute[T], first: Work) -> None:
        """Compute, unless it is under way already; ``first`` is what it does first."""
        with self._host.lock:
            if self.work is not None:
                return
            self.work = first
            stop = self._stop = threading.Event()
            halt = self._halt = threading.Event()

        self._host.publish()
        name = f"meanwatt-{self._about}"
        threading.Thread(target=self._run, args=(compute, stop, halt), name=name, daemon=True).start()

    def _run(self, compute: Compute[T], stop: threading.Event, halt: threading.Event) -> None:
        host, given_up = self._host, stop.is_set

        def told(work: Work) -> None:
            with host.lock:
                if given_up() or halt.is_set() or self.work is None:
                    return
                self.work = Work(text=work.text, fraction=max(self.work.fraction, work.fraction))
            host.seldom()

        def show(part: T) -> None:
            with host.lock:
                if given_up():
                    return
                self.found = part
            host.seldom()

        found: T | None = None
        try:
            found = compute(show, told, lambda: halt.is_set() or given_up())
        except Exception as error:  # whatever it was, the visitor gets a sentence and keeps the page
            logger.exception("%s failed", self._about)
            if not given_up():
                host.say(failure(self._about, self._failed, error))
        with host.lock:
            if given_up():
                return
            self.found, self.work = self.found if found is None else found, None
        host.publish()
