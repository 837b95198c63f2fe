"""The order in which a day's computation passes through the households."""

import itertools
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Ints

CHUNK: Final = 16_384
"""Most households that are visited bus by bus; see ``Visits``."""
BLOCK: Final = 512
"""Most households that go through a day together; see ``Visits``."""


class Visits:
    """The order in which a day's computation passes through the households; it changes no result.

    A *chunk* is up to ``CHUNK`` consecutive ids of one class, visited bus by bus: their meters lie close together. A
    *block* is up to ``BLOCK`` of these visits: what it works on stays in the nearest cache. A *run* is the part of a
    block that shares a bus: its sum is one loop.

    Attributes
    ----------
    order : (household,) int32
        Ids in the order of visiting.
    chunk_start : (chunk + 1,) int64
        Where chunks begin, in ``order`` and in ids alike.
    chunk_block : (chunk + 1,) int64
        First block of each chunk.
    block_start : (block + 1,) int64
        Where blocks begin in ``order``.
    block_class : (block,) int64
        Their class.
    block_run : (block + 1,) int64
        Their first run.
    run_start : (run + 1,) int32
        Where runs begin in ``order``.
    run_bus : (run,) int16
        Their bus.
    """

    def __init__(self, first: Ints, bus: npt.NDArray[np.int16]) -> None:
        self.chunk_start = _cut(first, CHUNK)
        self.order: npt.NDArray[np.int32] = np.empty(len(bus), dtype=np.int32)
        for a, b in itertools.pairwise(self.chunk_start):
            self.order[a:b] = a + np.argsort(bus[a:b], kind="stable")
        self.block_start = _cut(self.chunk_start, BLOCK)
        self.chunk_block: Ints = np.searchsorted(self.block_start, self.chunk_start)
        self.block_class: Ints = np.searchsorted(first, self.block_start[:-1], side="right") - 1
        visited = bus[self.order]
        fresh = np.ones(len(bus), dtype=bool)
        fresh[1:] = visited[1:] != visited[:-1]
        fresh[self.block_start[:-1]] = True
        begins = np.flatnonzero(fresh)
        self.run_start = np.append(begins, len(bus)).astype(np.int32)
        self.run_bus = visited[begins]
        self.block_run: Ints = np.searchsorted(begins, self.block_start)

    @property
    def index_nbytes(self) -> int:
        """Memory of everything but ``order``. [bytes]"""
        return sum(array.nbytes for name, array in vars(self).items() if name != "order")


def _cut(edges: Ints, size: int) -> Ints:
    """Cut every interval between two edges into pieces of up to ``size``; return the edges of the pieces."""
    pieces = [np.arange(a, b, size, dtype=np.int64) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*pieces, edges[-1:]])
