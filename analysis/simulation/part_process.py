"""One part of a divided market as its centre sees it: a worker process behind two pipes."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from meanwatt.analysis.simulation.part_worker import work
from meanwatt.analysis.workers import LOOK_SECONDS

Order = tuple[str, tuple[Any, ...]]
"""Name of a method of ``meanwatt.analysis.simulation.part_host.PartHost``, and its arguments."""


class PartProcess:
    """One part and its worker process, as the centre sees them.

    Parameters
    ----------
    part
        (k, n): part k of n.

    Attributes
    ----------
    number, of
        Part ``number`` of so many.
    orders, meters
        Its pipes.
    owes
        Whether it has not answered the last order.
    deaths
        How many of its workers died.
    """

    orders: "Connection[Any, Any]"
    meters: "Connection[Any, Any]"

    def __init__(self, part: tuple[int, int]) -> None:
        self.number, self.of = part
        self.owes = False
        self.deaths = 0
        self._process: Any = None

    def start(self) -> None:
        """Start a worker process."""
        context = multiprocessing.get_context("spawn")
        self.orders, theirs = context.Pipe()
        self.meters, source = context.Pipe()
        process = context.Process(target=work, args=(theirs, source), name=f"part {self.number}", daemon=True)
        process.start()
        self._process = process
        theirs.close()
        source.close()

    def send(self, order: Order) -> None:
        """Give an order."""
        self.orders.send(order)

    def answer(self, look: Callable[[], None]) -> Any:
        """Wait for an answer; an error is raised as it was.

        Raises
        ------
        EOFError, OSError
            If the worker is dead.
        """
        while not self.orders.poll(LOOK_SECONDS):
            look()
        well, answer = self.orders.recv()
        if not well:
            raise answer
        return answer

    def end(self) -> None:
        """End the worker at once."""
        if self._process is None:
            return
        self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None
        self.orders.close()
        self.meters.close()
