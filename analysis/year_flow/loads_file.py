"""Loads by slot and bus in a CSV or Parquet file, read a block after the other so that a year never is in memory."""

import csv as text_csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.readings import STARTS, require_commas
from meanwatt.model.scenario.files import FileError, require_regular
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.values import show

BLOCK_ROWS: Final = 512
"""Most slots of a block."""
MOST_KW: Final = 1e9
"""Largest power of a bus; more is a mistake of units."""
_BLOCK_BYTES: Final = 2**21
_ENDINGS: Final = (".csv", ".parquet")
_WANTED: Final = "a CSV or Parquet file"
_INDEX: Final = "__index_level_0__"
"""What pandas calls an index without a name."""


class LoadsError(OneLineError):
    """A file of loads that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadBlock:
    """Consecutive slots of a file.

    Attributes
    ----------
    times : (slot,) str
        Their time stamps as written; empty where the file has none.
    power : (slot, bus)
        Power drawn, negative where it is fed in. [kW or kvar]
    share
        Part of the file that is read with this block, in [0, 1].
    """

    __repr__ = short_repr

    times: tuple[str, ...]
    power: Floats
    share: float


class LoadsFile:
    """A file with a row for each slot, a column for each bus that draws or feeds in, and perhaps one of time stamps.

    Parameters
    ----------
    option
        What the file was given by, for messages.
    path
        The file.
    buses
        Names of the feeder's buses; those without a column draw nothing.

    Attributes
    ----------
    without : int
        How many buses have no column.

    Raises
    ------
    LoadsError
        In one line, where the file cannot be read, names no bus of the feeder, or holds no number in some cell.
    """

    def __init__(self, option: str, path: str | Path, buses: Sequence[str]) -> None:
        self._label, self._path, self._count = f"{option} {path}", Path(path), len(buses)
        try:
            require_regular(self._path, _WANTED)
            if self._path.suffix.lower() not in _ENDINGS:
                raise FileError(f"ends in {self._path.suffix or 'nothing'!r}; give {_WANTED}, .csv or .parquet")
            names = self._names()
            stamps = [name for name in names if name.lower() in (*STARTS, _INDEX) and name not in buses]
            self._time = stamps[0] if stamps else None
            self._columns = [name for name in names if name != self._time]
            self._bus = self._positions(buses)
        except (FileError, OSError) as error:
            raise LoadsError(f"{self._label}: {error}") from None
        self.without = len(buses) - len(self._columns)

    def blocks(self) -> Iterator[LoadBlock]:
        """Read on, from the beginning."""
        from pyarrow import ArrowException

        try:
            row = 0
            for batch, share in self._csv() if self._is_csv else self._parquet():
                for start in range(0, batch.num_rows, BLOCK_ROWS):
                    part = batch.slice(start, BLOCK_ROWS)
                    yield self._block(part, row, share)
                    row += part.num_rows
            if not row:
                raise FileError("holds a heading and no slots; give a row for each slot")
        except (FileError, ArrowException, OSError) as error:
            raise LoadsError(f"{self._label}: {str(error).partition(chr(10))[0]}") from None

    @property
    def _is_csv(self) -> bool:
        return self._path.suffix.lower() == ".csv"

    def _names(self) -> list[str]:
        if not self._is_csv:
            import pyarrow.parquet as pq
            from pyarrow import ArrowException

            try:
                return list(pq.read_schema(self._path).names)
            except ArrowException as error:
                raise FileError(f"is no Parquet file ({str(error).partition(chr(10))[0]})") from None
        with self._path.open("rb") as file:
            line = file.readline(_BLOCK_BYTES)
        try:
            names = next(text_csv.reader([line.decode("utf-8-sig").rstrip("\r\n")], strict=True), [])
        except (UnicodeDecodeError, text_csv.Error):
            raise FileError("line 1 is no heading; give the names of buses between commas, as UTF-8 text") from None
        require_commas(names)
        return [name.strip() for name in names]

    def _positions(self, buses: Sequence[str]) -> Any:
        place = {bus: number for number, bus in enumerate(buses)}
        for name in self._columns:
            if name not in place:
                raise FileError(f"{unknown('bus', name, buses)} (a column is a bus, or time)")
            if self._columns.count(name) > 1:
                raise FileError(f"column {name!r} comes twice; give every bus one column")
        if not self._columns:
            raise FileError("has no column of a bus; give a column for each bus that draws power")
        return np.array([place[name] for name in self._columns])

    def _csv(self) -> Iterator[tuple[Any, float]]:
        import pyarrow as pa
        from pyarrow import csv

        names = self._names()
        size = max(self._path.stat().st_size, 1)
        with self._path.open("rb") as file:
            reader = csv.open_csv(
                pa.PythonFile(file, mode="r"),
                read_options=csv.ReadOptions(
                    use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows=1
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
            for batch in reader:
                yield batch, min(file.tell() / size, 1.0)

    def _parquet(self) -> Iterator[tuple[Any, float]]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._path) as file:
            whole, read = max(file.metadata.num_rows, 1), 0
            for batch in file.iter_batches(batch_size=BLOCK_ROWS, use_threads=False):
                read += batch.num_rows
                yield batch, read / whole

    def _block(self, batch: Any, row: int, share: float) -> LoadBlock:
        power = np.zeros((batch.num_rows, self._count))
        for name, bus in zip(self._columns, self._bus.tolist(), strict=True):
            power[:, bus] = self._numbers(batch.column(name), name, row)
        times = () if self._time is None else tuple(map(_stamp, batch.column(self._time).to_pylist()))
        return LoadBlock(times=times, power=power, share=share)

    def _numbers(self, column: Any, name: str, row: int) -> Floats:
        """A column's numbers; ``FileError`` that names the first cell that is none."""
        import pyarrow as pa
        from pyarrow import compute

        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not (text or pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise FileError(f"column {name!r} holds {column.type}; give numbers, kW or kvar")
        try:
            numbers = compute.cast(compute.utf8_trim_whitespace(column) if text else column, pa.float64())
            found: Floats = numbers.to_numpy(zero_copy_only=False).astype(float)
        except pa.ArrowException:
            found = np.array([_number(cell) for cell in column.to_pylist()])
        wrong = ~(np.abs(found) <= MOST_KW)
        if wrong.any():
            place = int(np.argmax(wrong))
            cell = column[place].as_py()
            word = f"line {row + place + 2}" if self._is_csv else f"row {row + place + 1}"
            raise FileError(
                f"{word}, column {name!r} is {'empty' if cell in (None, '') else show(cell)};"
                f" give a number from -{MOST_KW:g} to {MOST_KW:g} in every cell, negative where power is fed in"
            )
        return found


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def _stamp(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else "" if cell is None else str(cell)
