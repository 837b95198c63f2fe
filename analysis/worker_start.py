"""How worker processes start: deaf to Ctrl-C, and never those of a script that each of them would run again."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Final

_GUARD: Final = "MEANWATT_STARTS_WORKERS"
"""Environment variable by which worker processes know the file that tells of a script without a main guard."""


class NoMainGuardError(SystemExit, ValueError):
    """A script starts worker processes where every one of them runs it again; left alone it ends with this line."""


@contextmanager
def ctrl_c_stays_here() -> Iterator[None]:
    """Let processes started in the block, and by its threads later, not hear Ctrl-C: this one ends them in its time.

    Where signals can be blocked, one that comes inside the block is heard at its end. Python's own helper process for
    shared resources is started before: to start it unblocks them (until Python 3.12).
    """
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def end_if_just_started() -> None:
    """End a process without a word that imports the script it is to work for, and is led to start processes itself.

    It leaves a note for the process that started it; see `main_guard`.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        with suppress(OSError):
            Path(os.environ.get(_GUARD, "")).touch()
        os._exit(1)


@contextmanager
def main_guard(scratch: str) -> Iterator[None]:
    """Tell in one line where starting worker processes failed because each of them began to run the script again."""
    note = Path(scratch) / "no-main-guard"
    os.environ[_GUARD] = str(note)
    try:
        yield
    except Exception:
        if note.exists():
            raise NoMainGuardError(
                "worker processes run the script that starts them again; put what it does under"
                " if __name__ == '__main__':"
            ) from None
        raise
    finally:
        del os.environ[_GUARD]
