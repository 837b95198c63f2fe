"""Rows of a file of many customers' readings, a batch after the other: CSV or Parquet, every cell as it is written."""

from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Bools, Ints
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError
from meanwatt.model.billing.readings import require_commas
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.files import FileError, require_regular
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.values import show

BLOCK_BYTES: Final = 2**21
"""What is read of a CSV file at once; pyarrow reads up to 32 of these ahead. [bytes]"""
BATCH_ROWS: Final = 2**18
"""Rows of a Parquet file that are read at once."""
LISTED: Final = 20
"""Bad rows that are listed one by one."""
SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "blank": " ", "any": ""}
LINE: Final = "line"
"""Column of a batch: the line of the file, or the row of a Parquet file, both counted from 1."""


@dataclass(slots=True)
class Intake:
    """What came of a file, counted while it is read.

    Attributes
    ----------
    option
        What stands before the file's name in messages.
    word
        What rows are counted by: lines of a CSV file, the heading being the first; rows of a Parquet file.
    rows
        Rows read, blank lines left out.
    bad
        Rows that cannot be used, by reason.
    listed
        The first of them: line, and what is wrong.
    outside
        Rows before and after the year that is billed.
    repeated
        Rows that say the same again.
    empty
        Cells that say there is no reading.
    gaps
        Intervals without a reading that are taken as 0.
    left_out
        Customers that are not billed, by reason.
    customers_listed
        The first of them, and why.
    """

    option: str = "--meters"
    word: str = "line"
    rows: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    listed: list[str] = field(default_factory=list)
    outside: int = 0
    repeated: int = 0
    empty: int = 0
    gaps: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    customers_listed: list[str] = field(default_factory=list)

    def refuse(self, rows: pd.DataFrame, mask: Bools, reason: str, column: str) -> None:
        """Count bad rows, and list the first."""
        count = int(mask.sum())
        if not count:
            return
        self.bad[reason] += count
        for place in np.flatnonzero(mask)[: max(LISTED - len(self.listed), 0)]:
            row = rows.iloc[int(place)]
            self.listed.append(f"{self.word} {row[LINE]}: {column} is {_show(row[column])}: {reason}")

    def leave_out(self, customer: str, reason: str, why: str) -> None:
        """Count a customer that is not billed."""
        self.left_out[reason] += 1
        if len(self.customers_listed) < LISTED:
            self.customers_listed.append(f"customer {customer}: {why}")

    def messages(self) -> Iterator[str]:
        """What is to be said, a sentence each."""
        for reason, count in self.bad.items():
            yield f"{counted(count, 'row')} left out: {reason}."
        if self.outside:
            yield f"{counted(self.outside, 'row')} before or after the twelve months are not used."
        if self.repeated:
            yield f"{counted(self.repeated, 'row')} left out: another row says the same."
        if self.empty:
            yield f"{counted(self.empty, 'cell')} say that there is no reading."
        if self.gaps:
            yield f"{counted(self.gaps, 'interval')} without a reading are 0 kWh (missing)."
        for reason, count in self.left_out.items():
            yield f"{counted(count, 'customer')} left out: {reason}."

    def to_json(self) -> dict[str, Any]:
        """Counts, and the first of what cannot be used."""
        return {
            "rows": self.rows,
            "bad_rows": sum(self.bad.values()),
            "bad_rows_by_reason": dict(self.bad),
            "bad_rows_listed": self.listed,
            "rows_outside": self.outside,
            "rows_repeated": self.repeated,
            "cells_without_reading": self.empty,
            "intervals_set_to_zero": self.gaps,
            "customers_left_out": sum(self.left_out.values()),
            "customers_left_out_listed": self.customers_listed,
        }


def _show(cell: Any) -> str:
    """A cell for a message: a text in quotes, anything else of a Parquet file as people write it."""
    return show(cell) if isinstance(cell, str) else " ".join(str(cell).split())


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a text file is written; Parquet needs none of it.

    Attributes
    ----------
    separator
        What stands between cells; a comma needs the ending ``.csv``, others go with any ending.
    skipped
        Lines before the heading.
    heading
        Names of the columns where the file has no heading.
    """

    separator: str = ","
    skipped: int = 0
    heading: tuple[str, ...] = ()

    def settled(self, path: Path) -> "TextForm":
        """The same with the separator that makes as many cells of the first line as the heading has."""
        if self.separator:
            return self
        with path.open("rb") as file:
            for _ in range(self.skipped):
                file.readline(BLOCK_BYTES)
            line = file.readline(BLOCK_BYTES).decode("utf-8-sig", "replace").strip()
        for mark in SEPARATORS.values():
            if mark and line.count(mark) == len(self.heading) - 1:
                return replace(self, separator=mark)
        raise FileError(
            f"line {self.skipped + 1} is {show(line)}; give {counted(len(self.heading), 'cell')} a line"
            f" ({', '.join(self.heading)}) with commas, semicolons, tabs or single blanks between"
        )

    @classmethod
    def of(cls, form: FormatTable) -> "TextForm":
        """That of a format."""
        return cls(SEPARATORS[form.separator], form.skip_lines, form.heading)


def meter_rows(
    path: Path, columns: Sequence[str], intake: Intake, text: TextForm = TextForm()
) -> Iterator[tuple[pd.DataFrame, float]]:
    """Yield batches of rows, columns as named and ``line``, with the share of the file that is read.

    Cells of a text file are texts without blanks around them; those of Parquet have their own type.

    Raises
    ------
    MeterFileError
        In one line: the file cannot be read, or lacks a column.
    """
    from pyarrow import ArrowException

    label = f"{intake.option} {path}"
    try:
        require_regular(path, "a CSV or Parquet file")
        ending = path.suffix.lower()
        if ending == ".parquet":
            yield from _parquet(path, columns, intake)
            return
        if ending != ".csv" and not (ending == ".txt" and (text.heading or text.separator != ",")):
            raise FileError(f"ends in {path.suffix or 'nothing'!r}; give a file that ends in .csv or .parquet")
        yield from _csv(path, columns, intake, text.settled(path))
    except (FileError, ArrowException, OSError) as error:
        raise MeterFileError(f"{label}: {str(error).partition(chr(10))[0]}") from None


def column_names(path: Path, form: FormatTable, option: str) -> list[str]:
    """Names of a file's columns; ``MeterFileError`` in one line."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    text = TextForm.of(form)
    try:
        require_regular(path, "a CSV or Parquet file")
        if path.suffix.lower() == ".parquet":
            return list(read_schema(path).names)
        if text.heading:
            return list(text.heading)
        with path.open("rb") as file:
            for _ in range(text.skipped):
                file.readline(BLOCK_BYTES)
            return _heading(file.readline(BLOCK_BYTES), text.separator, text.skipped + 1)
    except (FileError, ArrowException, OSError) as error:
        raise MeterFileError(f"{option} {path}: {str(error).partition(chr(10))[0]}") from None


def fitted(path: Path, form: FormatTable, option: str = "--meters") -> FormatTable:
    """A format without the optional keys whose column a file lacks."""
    if not form.optional:
        return form
    names = column_names(path, form, option)
    return form.model_copy(update={key: None for key in form.optional if getattr(form, key) not in names})


class _Utf8File:
    """A file's bytes as pyarrow asks for them; ``FileError`` at the first that are no UTF-8.

    Else pyarrow drops what its handler of bad rows raises on such bytes, and prints a traceback.
    """

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = getincrementaldecoder("utf-8")()
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        block = self._file.read(size)
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise FileError(
                f"not UTF-8 text near byte {self.read_bytes + error.start}; save the file as UTF-8"
            ) from None
        self.read_bytes += len(block)
        return block


def _csv(path: Path, columns: Sequence[str], intake: Intake, text: TextForm) -> Iterator[tuple[pd.DataFrame, float]]:
    import pyarrow as pa
    from pyarrow import csv

    broken: list[int] = []

    def skip(row: Any) -> str:
        broken.append(row.number)
        intake.rows += 1
        reason = "another number of cells than the heading"
        intake.bad[reason] += 1
        if len(intake.listed) < LISTED:
            intake.listed.append(f"line {row.number}: {show(row.text)}: {reason}")
        return "skip"

    size = max(path.stat().st_size, 1)
    before = text.skipped + (0 if text.heading else 1)
    with path.open("rb") as file:
        for _ in range(text.skipped):
            file.readline(BLOCK_BYTES)
        names = list(text.heading) or _heading(file.readline(BLOCK_BYTES), text.separator, text.skipped + 1)
        _require_columns(names, columns)
        file.seek(0)
        checked = _Utf8File(file)
        reader = csv.open_csv(
            pa.PythonFile(checked, mode="r"),
            read_options=csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=before
            ),
            parse_options=csv.ParseOptions(
                delimiter=text.separator, invalid_row_handler=skip, ignore_empty_lines=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), include_columns=list(columns), strings_can_be_null=False
            ),
        )
        whole = 0
        for batch in reader:
            if not batch.num_rows:
                continue
            rows = batch.to_pandas().apply(lambda cells: cells.str.strip())
            rows[LINE] = _lines(whole, len(rows), broken, before)
            whole += len(rows)
            rows = rows[(rows[list(columns)] != "").any(axis=1)]
            intake.rows += len(rows)
            yield rows.reset_index(drop=True), checked.read_bytes / size


def _heading(line: bytes, separator: str, number: int) -> list[str]:
    import csv

    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(f"line {number} is not UTF-8 text; save the file as UTF-8") from None
    text = text.rstrip("\r\n")
    if "\r" in text:
        raise FileError("has lines that end in CR alone; save it with line ends LF or CR LF")
    try:
        names = next(csv.reader([text], delimiter=separator), [])
    except csv.Error as error:
        raise FileError(f"line {number} is no heading ({error}); give the names of the columns there") from None
    if separator == ",":
        require_commas(names)
    if not any(name.strip() for name in names):
        raise FileError(
            f"{'begins with' if number == 1 else f'line {number} is'} no heading; give the names of the columns in line"
            f" {number}"
        )
    return [name.strip() for name in names]


def _require_columns(names: Sequence[str], columns: Sequence[str]) -> None:
    for column in columns:
        if column not in names:
            raise FileError(unknown("column", column, names))
        if list(names).count(column) > 1:
            raise FileError(f"column {column!r} comes twice; give every column a name of its own")


def _lines(whole: int, count: int, broken: list[int], heading: int) -> Ints:
    """Lines of rows that follow ``whole`` earlier ones after a heading, where the lines ``broken`` are no rows."""
    before = np.array(broken, dtype=np.int64) - heading - 1 - np.arange(len(broken))  # rows before each of these
    rows = np.arange(whole, whole + count)
    return np.asarray(rows + heading + 1 + np.searchsorted(before, rows, side="right"))


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _parquet(path: Path, columns: Sequence[str], intake: Intake) -> Iterator[tuple[pd.DataFrame, float]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    intake.word = "row"
    with pq.ParquetFile(path) as file:
        _require_columns(file.schema_arrow.names, columns)
        for column in columns:
            kind = file.schema_arrow.field(column).type
            if pa.types.is_nested(kind) or pa.types.is_boolean(kind) or _is_binary(kind):
                raise FileError(f"column {column!r} holds {kind}; give a column of texts, numbers or times")
        whole = max(file.metadata.num_rows, 1)
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns), use_threads=False):
            rows = batch.to_pandas()
            rows[LINE] = np.arange(intake.rows + 1, intake.rows + 1 + len(rows))
            intake.rows += len(rows)
            yield rows, intake.rows / whole
