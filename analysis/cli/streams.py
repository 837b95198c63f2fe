"""The standard streams of a process that may have been started without them, or whose reader has gone."""

import os
import sys
from contextlib import suppress
from typing import Final

_STREAMS: Final = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))


def reopen_closed() -> None:
    """Put the null device in place of every standard stream that is closed.

    Python leaves such a stream None; the next file that is opened would take its number, and what is printed with it.
    """
    for number, name, mode in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def drop_output() -> None:
    """Send what is left to print to the null device: nobody reads it, and Python would complain at its end."""
    with suppress(OSError, ValueError):  # a stream of a test has no number
        handle = os.open(os.devnull, os.O_WRONLY)
        os.dup2(handle, sys.stdout.fileno())
        os.close(handle)
