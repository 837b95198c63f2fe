"""Voltages of all slots and buses, written to a Parquet file block by block."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from meanwatt.model.network.power_flow import PowerFlowResult


class VoltagesFile:
    """A table with a row for each slot: ``slot``, ``time`` where there is one, and a column for each bus. [pu]

    Numbers are single precision, 6e-8 pu; those of a slot without a state are missing (nan).
    """

    def __init__(self, path: Path, buses: Sequence[str]) -> None:
        self._path, self._buses = path, buses
        self._writer: Any = None
        self._slot = 0

    def add(self, times: tuple[str, ...], found: PowerFlowResult) -> None:
        """Write a block."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        count = len(found.converged)
        names = ["slot", *(["time"] if times else []), *self._buses]
        values = found.voltage_pu.astype(np.float32)
        columns = [pa.array(np.arange(self._slot, self._slot + count)), *([pa.array(times)] if times else [])]
        columns += [pa.array(values[:, bus]) for bus in range(len(self._buses))]
        block = pa.Table.from_arrays(columns, names=names)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, block.schema)
        self._writer.write_table(block)
        self._slot += count

    def close(self) -> None:
        """Write what ends the file."""
        if self._writer is not None:
            self._writer.close()
