"""A line on standard error every ten seconds while long work goes on that no terminal shows."""

import sys
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from meanwatt.model.progress.watch import Progress

EVERY_SECONDS: Final = 10.0


class Heartbeat:
    """Says where work stands, once every few seconds and however seldom the work itself tells; use it as a context.

    Parameters
    ----------
    every_seconds
        Time between two lines; by default ``EVERY_SECONDS``. [s]
    """

    def __init__(self, every_seconds: float | None = None) -> None:
        self._every = EVERY_SECONDS if every_seconds is None else every_seconds
        self._text = "starting"
        self._fraction: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, text: str, fraction: float | None = None) -> None:
        """Take note of what is being done and, where that is known, the share done in [0, 1]."""
        self._text, self._fraction = text, fraction

    def new_stage(self, text: str) -> None:
        """Take note that another part of the work begins."""
        self.show(text)

    def progress(self, report: Progress) -> None:
        """Take note of where a solver stands."""
        self.show(report.text, report.fraction)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._beat, args=(time.monotonic(),), daemon=True, name="heartbeat")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _beat(self, began: float) -> None:
        while not self._ended.wait(self._every):
            share = "" if self._fraction is None else f", {self._fraction:.0%} done"
            with suppress(OSError, ValueError):  # nobody reads it any more
                sys.stderr.write(f"meanwatt: {time.monotonic() - began:.0f} s: {self._text}{share}\n")
                sys.stderr.flush()
