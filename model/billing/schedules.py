"""Which period of a tariff is in force: twelve months by 24 hours, as a matrix or as spans of hours."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.tariff.ratebook.ratebook import HOURS, MONTHS
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_tables import period_of_minute
from meanwatt.model.scenario.values import show

WHOLE_YEAR: Final = "1-12"
Rows = tuple[tuple[str, ...], ...]
"""(month, hour) names of periods."""


def read_schedule(value: object, key: str, names: Sequence[str]) -> Rows:
    """Names of periods by month and hour, from a matrix of them or from a table of months.

    Parameters
    ----------
    value
        12 rows of 24 names; or a table ``"1-5, 10-12"`` → period → spans of hours, which gives every month once.
    names
        The periods that there are.

    Raises
    ------
    ValueError
        In one line that begins with the key.
    """
    if isinstance(value, Mapping):
        rows = _from_months(value, key)
    elif isinstance(value, list | tuple):
        rows = _from_matrix(value, key)
    else:
        raise ValueError(f"{key} is {show(value)}; give 12 rows of 24 names, or a table of months")
    for row in rows:
        for name in row:
            if name not in names:
                raise ValueError(f"{key}: {unknown('period', name, names)}")
    return rows


def _from_matrix(value: Sequence[Any], key: str) -> Rows:
    if len(value) != MONTHS:
        raise ValueError(f"{key} has {len(value)} rows; give 12, one a month")
    rows = []
    for month, row in enumerate(value, start=1):
        if not isinstance(row, list | tuple) or len(row) != HOURS or not all(isinstance(name, str) for name in row):
            raise ValueError(f"{key}: row {month} is {show(row)}; give 24 names of periods, one an hour")
        rows.append(tuple(row))
    return tuple(rows)


def _from_months(value: Mapping[str, Any], key: str) -> Rows:
    rows: list[tuple[str, ...] | None] = [None] * MONTHS
    for months, spans in value.items():
        if not isinstance(spans, Mapping) or not all(
            isinstance(texts, list | tuple) and all(isinstance(text, str) for text in texts) for texts in spans.values()
        ):
            raise ValueError(f"{key}: {months!r} is {show(spans)}; give a table: period → list of texts in quotes")
        try:
            by_minute = period_of_minute(spans)
        except ValueError as error:
            raise ValueError(f"{key}: months {months!r}: {error}") from None
        row = tuple(by_minute[60 * hour] for hour in range(HOURS))
        if any(by_minute[minute] != row[minute // 60] for minute in range(len(by_minute))):
            raise ValueError(f"{key}: months {months!r}: a period changes within an hour; give whole hours")
        for month in read_months(months, key):
            if rows[month] is not None:
                raise ValueError(f"{key} gives month {month + 1} twice; give every month once")
            rows[month] = row
    missing = [month for month, row in enumerate(rows, start=1) if row is None]
    if missing:
        raise ValueError(f"{key} gives nothing for month {missing[0]}; give every month from 1 to 12")
    return tuple(row for row in rows if row is not None)


def read_months(text: str, key: str) -> list[int]:
    """Places in the year, 0 to 11, of ``"1-5, 10-12"``."""
    found: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,2})(?:\s*-\s*(\d{1,2}))?\s*", part, flags=re.ASCII)
        first = int(ends[1]) if ends else 0
        last = int(ends[2] or ends[1]) if ends else 0
        if not 1 <= first <= last <= MONTHS:
            raise ValueError(f'{key}: months {show(text)}; give numbers of months as "6-9" or "1-5, 10-12"')
        found.extend(range(first - 1, last))
    return found


def as_indices(rows: Rows, names: Sequence[str]) -> Ints:
    """The places of the names in their list, (month, hour)."""
    import numpy as np

    place = {name: number for number, name in enumerate(names)}
    return np.array([[place[name] for name in row] for row in rows], dtype=np.int64)


def as_spans(rows: Rows) -> dict[str, dict[str, list[str]]]:
    """The table of months that says the same, months that are alike together."""
    together: dict[tuple[str, ...], list[int]] = {}
    for month, row in enumerate(rows):
        together.setdefault(row, []).append(month)
    return {_months_text(months): _spans_of(row) for row, months in together.items()}


def _months_text(months: Sequence[int]) -> str:
    parts, start = [], months[0]
    for place, month in enumerate(months):
        if place + 1 == len(months) or months[place + 1] != month + 1:
            parts.append(f"{start + 1}" if start == month else f"{start + 1}-{month + 1}")
            start = months[place + 1] if place + 1 < len(months) else month
    return ", ".join(parts)


def _spans_of(row: Sequence[str]) -> dict[str, list[str]]:
    spans: dict[str, list[str]] = {}
    start = 0
    for hour, name in enumerate(row):
        if hour + 1 == len(row) or row[hour + 1] != name:
            spans.setdefault(name, []).append(f"{start}-{hour + 1}")
            start = hour + 1
    return spans
