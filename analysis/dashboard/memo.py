"""Results shared between visitors: a class of thirty who open the same page has it solved once."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """The last few results of a pure function by their argument; safe between threads.

    It holds frozen values only, so that no visitor can notice another one.
    """

    def __init__(self, size: int) -> None:
        """Keep at most ``size`` results."""
        self._size = size
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

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
