"""Results shared between visitors: a class of thirty who open the same page has it solved once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

QUESTION_SECONDS = 0.1
"""Time between two questions whether to wait any longer."""


class Memo(Generic[K, V]):
    """The last few results of a pure function by their argument; safe between threads.

    It holds frozen values only, so that no visitor can notice another one.
    """

    def __init__(self, size: int) -> None:
        """Keep at most ``size`` results."""
        self._size = size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: set[K] = set()
        self._ended = threading.Condition()

    def get(self, key: K) -> V | None:
        """Result for this argument, or None if it is not there (any more)."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep a result; the one unused for longest goes when there are too many."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    @contextmanager
    def turn(self, key: K, cancelled: Callable[[], bool]) -> Iterator[bool]:
        """Be the only one who computes this argument: who asks for it meanwhile waits here, and then looks it up.

        Yields False, at once, to whoever is ``cancelled`` before it is their turn.
        """
        with self._ended:
            while key in self._under_way:
                if cancelled():
                    break
                self._ended.wait(QUESTION_SECONDS)
            mine = key not in self._under_way
            if mine:
                self._under_way.add(key)
        try:
            yield mine
        finally:
            if mine:
                with self._ended:
                    self._under_way.discard(key)
                    self._ended.notify_all()
