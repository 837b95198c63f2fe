"""How long the rest of a computation takes, from the share of it that is done; counted anew in every part."""

import math
import time
from collections.abc import Callable
from typing import Final

LEAST_SECONDS: Final = 1.0
LEAST_SHARE: Final = 0.02
"""What must have passed, and must have been done, before anything is said: a guess from less is worth nothing."""


class TimeLeft:
    """An estimate for one computation, which is told how far it is.

    Parameters
    ----------
    now
        A clock that never goes back. [s]
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known before the first report."""
        self._now = now
        self._part = ""
        self._began = (0.0, 0.0)
        self._last = 0.0

    def said(self, part: str, share: float | None, *, most: bool = False) -> str:
        """Words to put behind the name of a part, such as ``, about 20 s left``; empty while there is no estimate.

        Parameters
        ----------
        part
            Which part of the computation is under way; another one begins a new estimate.
        share
            What is done of it, 0 to 1; None if unknown.
        most
            Whether the part may end earlier, as a search does that settles: it takes so long at most.
        """
        now = self._now()
        anew = part != self._part or share is None or share < self._last
        self._last = share or 0.0
        if anew or share is None:
            self._part, self._began = part, (now, self._last)
            return ""
        passed, done = now - self._began[0], share - self._began[1]
        if passed < LEAST_SECONDS or done < LEAST_SHARE or share >= 1:
            return ""
        return f", {'at most ' if most else ''}about {_rounded(passed * (1 - share) / done)} left"


def _rounded(seconds: float) -> str:
    """Seconds in steps of 5, from 100 on minutes; rounded up."""
    if seconds > 100:
        return f"{math.ceil(seconds / 60)} min"
    return f"{max(5, 5 * math.ceil(seconds / 5 - 1e-9))} s"
