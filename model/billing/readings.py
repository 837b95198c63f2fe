"""Meter readings in a CSV file: a column of kWh, and perhaps one of time stamps."""

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.files import FileError, read_text
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.values import show

MOST_BYTES: Final = 64 * 2**20
"""Largest file of readings: a leap year of minutes with time stamps is a third of it. [bytes]"""
STARTS: Final = ("start", "interval_start", "start_time", "timestamp", "time", "datetime", "date_time", "date")
"""Names of a column of time stamps, which are interval starts."""
DATE: Final = "date"
TIMES_OF_DAY: Final = ("time", "start_time", "start")
"""Names of a column of times of the day beside one of dates."""
ENDS: Final = ("end", "interval_end", "end_time", "time_end", "period_end")
KWH: Final = "kwh"
USD_PER_KWH: Final = "usd_per_kwh"
WANTED: Final = "a CSV file"
_OTHER_MARKS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What else stands between cells in files that are called CSV."""


class ReadingsError(OneLineError):
    """A file of readings that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """Numbers of a file, in its order.

    Attributes
    ----------
    label
        The option and the file's name, for messages.
    values : (row,)
        [kWh] or [USD/kWh]
    stamps
        Start of the interval of each row, as written; None where the file has none.
    """

    __repr__ = short_repr

    label: str
    values: Floats
    stamps: tuple[datetime, ...] | None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.values)

    def line(self, row: int) -> int:
        """The line of the file that a row is in, the heading being the first."""
        return row + 2


def read_energy(option: str, path: str | Path) -> Readings:
    """Read kWh per interval; ``ReadingsError`` in one line that names option, file, line, value and what is allowed."""
    return _read(option, path, energy=True)


def energy_of_text(name: str, text: str) -> Readings:
    """Read kWh per interval from the text of a CSV file; ``ReadingsError`` as in `read_energy`, by the given name."""
    return _read_text(name, lambda: text, energy=True)


def rates_of_text(name: str, text: str) -> Readings:
    """Read USD per kWh by interval from the text of a CSV file, likewise."""
    return _read_text(name, lambda: text, energy=False)


def read_rates(option: str, path: str | Path) -> Readings:
    """Read USD per kWh by interval; ``ReadingsError`` as in `read_energy`."""
    return _read(option, path, energy=False)


def _read(option: str, path: str | Path, *, energy: bool) -> Readings:
    return _read_text(f"{option} {path}", lambda: read_text(Path(path), WANTED, MOST_BYTES), energy=energy)


def _read_text(label: str, text: Callable[[], str], *, energy: bool) -> Readings:
    try:
        rows = _rows(text())
        time_columns, value_column = _columns(rows[0], energy)
        values = _values(rows, value_column, ranges.READING if energy else ranges.PRICE)
        stamps = _stamps(rows, time_columns) if time_columns else None
    except ValueError as error:
        raise ReadingsError(f"{label}: {error}") from None
    return Readings(label=label, values=values, stamps=stamps)


def _rows(text: str) -> list[list[str]]:
    """Cells, a list a line; empty lines at the end are left out."""
    try:
        rows = list(csv.reader(text.splitlines(), strict=True))
    except csv.Error as error:
        raise FileError(f"not valid CSV: {error}") from None
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise FileError("is empty; give a heading kwh, and a number a line")
    require_commas(rows[0])
    if len(rows) == 1:
        raise FileError("holds a heading and no readings; give a number a line")
    return rows


def require_commas(heading: Sequence[str]) -> None:
    """Raise ``FileError`` in one line if a heading, read as CSV, is one cell that holds another mark between names."""
    for mark, name in _OTHER_MARKS.items():
        if len(heading) == 1 and mark in heading[0]:
            raise FileError(f"line 1 has {name} and no comma; save the file with commas between cells")


def _columns(heading: Sequence[str], energy: bool) -> tuple[tuple[int, ...], int]:
    """Which columns hold the stamps, none, one, or a date and a time, and which the numbers.

    Ends of intervals beside their starts say nothing more.
    """
    names = [re.sub(r"[\s\-]+", "_", cell.strip().lower()) for cell in heading]
    wanted = KWH if energy else USD_PER_KWH
    if not names:
        raise ValueError(f"line 1 is empty; begin with a heading, {wanted}, and perhaps a column start")
    if _is_number(names[0]):
        raise ValueError(f"line 1 is {show(heading[0])}; begin with a heading, {wanted}, and perhaps a column start")
    times = [place for place, name in enumerate(names) if name in STARTS]
    for name in names:
        if name in ENDS and not times:
            raise ValueError(f"column {name!r} holds ends of intervals; give their starts, in a column start")
    others = [place for place, name in enumerate(names) if place not in times and name not in ENDS]
    times.sort(key=lambda place: names[place] != DATE)
    if len(times) > 2 or (len(times) == 2 and (names[times[0]] != DATE or names[times[1]] not in TIMES_OF_DAY)):
        raise ValueError(f"columns {heading[times[0]]!r} and {heading[times[1]]!r} both hold times; give one")
    if energy:
        others = _energy_columns(names, others)
    if len(others) != 1:
        raise ValueError(f"line 1 has {len(others)} columns of numbers; give one, {wanted}")
    _require_unit(names[others[0]], energy)
    return tuple(times), others[0]


def _energy_columns(names: Sequence[str], others: Sequence[int]) -> list[int]:
    for place in others:
        if KWH not in _words(names[place]):
            _require_unit(names[place], True)
            raise ValueError(unknown("column", names[place], [KWH, *STARTS]))
    return list(others)


def _require_unit(name: str, energy: bool) -> None:
    words = _words(name)
    if energy and words & {"kw", "w", "wh", "mwh", "mw"} and KWH not in words:
        raise ValueError(f"column {name!r} is not in kWh; give kWh of each interval, in a column kwh")
    if not energy and words & {"cents", "cent", "ct", "mwh", "p", "pence", "eur", "gbp"}:
        raise ValueError(f"column {name!r} is not in USD/kWh; give USD a kWh, in a column usd_per_kwh")


def _words(name: str) -> set[str]:
    return set(re.split(r"[_/()\[\]]+", name))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(row: Sequence[str], line: int, column: int, heading: Sequence[str]) -> str:
    if len(row) != len(heading):
        raise ValueError(f"line {line} has {len(row)} cells; give {len(heading)}, as line 1 has")
    return row[column].strip()


def _values(rows: Sequence[Sequence[str]], column: int, allowed: Range) -> Floats:
    found = np.empty(len(rows) - 1)
    for place, row in enumerate(rows[1:]):
        text = _cell(row, place + 2, column, rows[0])
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not allowed.holds(value) or "_" in text:
            raise ValueError(f"line {place + 2}: {rows[0][column].strip()} is {show(text)}; give {allowed.wanted()}")
        found[place] = value
    return found


def _stamps(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> tuple[datetime, ...]:
    found = []
    for place, row in enumerate(rows[1:]):
        text = " ".join(_cell(row, place + 2, column, rows[0]) for column in columns)
        try:
            found.append(datetime.fromisoformat(text))
        except ValueError:
            raise ValueError(
                f"line {place + 2}: {rows[0][columns[-1]].strip()} is {show(text)};"
                ' give a time such as "2026-01-31 23:00" or "2026-01-31T23:00-08:00"'
            ) from None
    aware = [stamp.tzinfo is not None for stamp in found]
    if any(aware) and not all(aware):
        line = aware.index(not aware[0]) + 2
        raise ValueError(
            f"line {line} has {'a' if aware[line - 2] else 'no'} time zone, and line 2 not so; give all or none"
        )
    return tuple(found)
