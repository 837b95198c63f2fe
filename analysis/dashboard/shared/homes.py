"""How many homes all visitors' markets have together: what a server's memory is for."""

import threading
from typing import Final
from weakref import WeakKeyDictionary

MOST_HOMES: Final = 500_000
"""Homes of all markets that visitors have open: about 0.7 GB at 1.3 kB a home."""


class Homes:
    """Counts the homes of open markets.

    Parameters
    ----------
    most
        Homes that all owners may have together.
    """

    def __init__(self, most: int = MOST_HOMES) -> None:
        self._most: Final = most
        self._held: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def hold(self, owner: object, count: int) -> None:
        """Let an owner have so many homes, in the place of what it had.

        Raises
        ------
        ValueError
            In one line, if there is no room for them; the owner keeps what it had.
        """
        with self._lock:
            others = sum(homes for one, homes in self._held.items() if one is not owner)
            room = max(0, self._most - others)
            if count > room:
                raise ValueError(
                    f"this market needs {count:,} homes, and the other visitors of this server leave room for {room:,}"
                    f" of {self._most:,}; choose fewer homes, or wait until somebody has left"
                )
            self._held[owner] = count

    def free(self, owner: object) -> None:
        """Take back what an owner had."""
        with self._lock:
            self._held.pop(owner, None)

    @property
    def held(self) -> int:
        """Homes that all owners have together."""
        with self._lock:
            return sum(self._held.values())


ALL: Final = Homes()
"""Those of this server."""
