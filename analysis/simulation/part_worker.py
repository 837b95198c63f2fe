"""What a worker process of a divided market does: it answers what the centre asks of its part, in turn.

This module imports little: a process watches whoever started it from its first moment.
"""

import os
import pickle
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.analysis.simulation.part_host import PartHost


def work(orders: "Connection[Any, Any]", meters: "Connection[Any, Any]") -> None:
    """Answer orders, each a name of a method of ``PartHost`` with its arguments, until nobody gives any more.

    The answer is whether it went well, with the result or the error. The first one, which nobody asked for, says that
    this process is ready.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from meanwatt.analysis.simulation.part_host import PartHost

    host = PartHost(meters)
    with suppress(EOFError, OSError):  # the centre has gone
        orders.send((True, None))
        while True:
            name, arguments = orders.recv()
            orders.send_bytes(_answer(host, name, arguments))


def _answer(host: "PartHost", name: str, arguments: Sequence[Any]) -> bytes:
    """Do as ordered; return the pickled answer."""
    try:
        return pickle.dumps((True, getattr(host, name)(*arguments)), protocol=pickle.HIGHEST_PROTOCOL)
    except (ValueError, MemoryError) as error:
        return pickle.dumps((False, error))
    except Exception as error:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however that came."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
