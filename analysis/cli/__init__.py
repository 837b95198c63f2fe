"""The command line. Commands import what they need when they run, so that every one of them starts fast."""

import gc
import os
import signal
from collections.abc import Sequence
from typing import Any

__all__ = ["main"]

FEW_COLLECTIONS = 100_000
"""Objects after which Python looks for garbage: importing makes ten thousands, none of them garbage."""

LINEAR_ALGEBRA = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Its threads. Of systems of some hundred rows each number of threads gives other last bits, and threads that have
nothing to do wait actively: household types and worker processes are what fills the cores. Who sets them is obeyed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; see ``meanwatt.analysis.cli.entry.main``.

    While a process that is the command loads its modules there is nothing to tidy up: Ctrl-C ends it on the spot.
    """
    if arguments is None:
        gc.set_threshold(FEW_COLLECTIONS)
        for name in LINEAR_ALGEBRA:  # before NumPy is there
            os.environ.setdefault(name, "1")
    ours = arguments is None and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, _end)
    from meanwatt.analysis.cli.entry import main as run

    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run(arguments)


def _end(number: int, frame: Any) -> None:
    os.write(2, b"meanwatt: interrupted\n")
    os._exit(1)
