"""The digest of a day's meters, reckoned beside whatever else is left to do."""

import hashlib
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import numpy.typing as npt


class MeterDigest:
    """SHA-256 of meter readings as little-endian float32, in the order in which they come.

    One hash can only be taken in one piece: at a million households it is as long as the day itself. With an executor
    of one thread it runs there while the day goes on; the readings must stay until ``hexdigest``.

    Parameters
    ----------
    executor
        Of one thread, which keeps the order; None to hash at once.
    """

    def __init__(self, executor: Executor | None) -> None:
        self._hash = hashlib.sha256()
        self._executor = executor
        self._pending: list[Future[Any]] = []

    def add(self, energy_kwh: npt.NDArray[np.float32]) -> None:
        """Take in the readings of the next households, (household, slot)."""
        raw = energy_kwh.astype("<f4", copy=False).data
        if self._executor:
            self._pending.append(self._executor.submit(self._hash.update, raw))
        else:
            self._hash.update(raw)

    def hexdigest(self) -> str:
        """Wait for what is pending; return the digest in hex."""
        for future in self._pending:
            future.result()
        return self._hash.hexdigest()


class NoDigest(MeterDigest):
    """No digest, where somebody else takes in the readings."""

    def __init__(self) -> None:
        super().__init__(None)

    def add(self, energy_kwh: npt.NDArray[np.float32]) -> None:
        """Leave the readings alone."""

    def hexdigest(self) -> str:
        """Nothing."""
        return ""
