"""A line in which computations of all visitors wait: first come, first served, a few at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from meanwatt.analysis.dashboard.shared.memo import QUESTION_SECONDS


class Turns:
    """Lets a few computations go on at a time; the others wait in the order in which they came.

    Parameters
    ----------
    places
        How many go on at a time.
    """

    def __init__(self, places: int = 1) -> None:
        self._places: Final = places
        self._line: list[object] = []
        self._moved = threading.Condition()

    @contextmanager
    def turn(self, cancelled: Callable[[], bool], told: Callable[[str], None]) -> Iterator[bool]:
        """Wait for a place, and keep it until the end of the block.

        Yields False, at once, to whoever is ``cancelled`` before it is their turn.

        Parameters
        ----------
        told
            Hears, in words, whenever fewer are before it.
        """
        me, before = object(), -1
        with self._moved:
            self._line.append(me)
        try:
            while (ahead := self._line_before(me)) >= self._places and not cancelled():
                if ahead != before:
                    before = ahead
                    told(computed_first(ahead))
                with self._moved:
                    if self._line.index(me) == ahead:
                        self._moved.wait(QUESTION_SECONDS)
            yield ahead < self._places
        finally:
            with self._moved:
                self._line.remove(me)
                self._moved.notify_all()

    def _line_before(self, me: object) -> int:
        with self._moved:
            return self._line.index(me)


def computed_first(others: int) -> str:
    """Why somebody waits: ``3 others are being computed first``."""
    return "1 other is being computed first" if others == 1 else f"{others} others are being computed first"
