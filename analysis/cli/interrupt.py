"""Ctrl-C as a polite request: the first one asks a computation to stop, the second one ends the program.

SIGTERM ends the program at once. Both unwind it: worker processes end, and no file stays half-written.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


class Terminated(BaseException):
    """Raised in the main thread by SIGTERM."""


@dataclass(slots=True)
class Stop:
    """Whether somebody asked to stop."""

    asked: bool = False

    def __call__(self) -> bool:
        """Answer what a solver asks between two evaluations."""
        return self.asked


@contextmanager
def stop_on_ctrl_c() -> Iterator[Stop]:
    """Turn the first Ctrl-C inside the block into ``Stop.asked``; the second one is a ``KeyboardInterrupt``.

    Further ones are not heard until the block is left: they would break off its tidying up. Outside the main thread
    signals cannot be caught: then nothing is ever asked.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        if stop.asked:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise KeyboardInterrupt
        stop.asked = True

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def unwound_by_sigterm() -> Iterator[None]:
    """Turn the first SIGTERM inside the block into ``Terminated``.

    Others are not heard any more, also not behind the block: the program is on its way out.
    """
    ending = False

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        if not ending:
            signal.signal(signal.SIGTERM, before)
