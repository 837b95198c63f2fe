"""The digest of a day's meters that come from several parts, in the order of ids."""

import hashlib
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Ints

_NOBODY: Final = -1


class MeterStream:
    """SHA-256 of the meters of all households: of the first type those of every part, then of the next type.

    Parameters
    ----------
    sizes : (type, part) int
        Bytes of each part's meters.
    """

    def __init__(self, sizes: Ints) -> None:
        parts = sizes.shape[1]
        self._owner = np.tile(np.arange(parts), len(sizes))[sizes.ravel() > 0]
        self._size = sizes.ravel()[sizes.ravel() > 0]
        self._taken = np.zeros(parts, dtype=np.int64)
        self._stretch, self._in_stretch = len(self._size), 0
        self._hash = hashlib.sha256()

    def begin(self) -> None:
        """Begin another day."""
        self._taken[:] = 0
        self._stretch, self._in_stretch = 0, 0
        self._hash = hashlib.sha256()

    @property
    def turn(self) -> int | None:
        """The part whose meters come next; None where all have come."""
        return int(self._owner[self._stretch]) if self._stretch < len(self._size) else None

    def taken_bytes(self, part: int) -> int:
        """What has come of a part's meters today."""
        return int(self._taken[part])

    def add(self, raw: bytes) -> None:
        """Take in a piece of the meters of the part whose turn it is; it ends no later than that part's stretch.

        Raises
        ------
        ValueError
            If it is longer.
        """
        turn, left = self.turn, int(self._size[self._stretch]) - self._in_stretch
        if len(raw) > left:
            raise ValueError(f"{len(raw)} bytes came of part {turn}, {left} were to come")
        self._hash.update(raw)
        self._taken[turn] += len(raw)
        self._in_stretch += len(raw)
        if len(raw) == left:
            self._stretch, self._in_stretch = self._stretch + 1, 0

    def hexdigest(self) -> str:
        """The digest in hex."""
        return self._hash.hexdigest()
