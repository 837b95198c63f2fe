"""A table that a page shows, as a Parquet file: the same cells as in its CSV, with types, and with its header."""

import csv
import io
import re
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

MOST_CELLS: Final = 200_000
"""Cells of a table that are read; no page shows more."""
GUARDED: Final = re.compile(r"'[=+\-@|\t\r]")
"""How a CSV keeps a spreadsheet from reading a text as a formula; a Parquet file needs no such guard."""
NUMBER: Final = re.compile(r"-?(\d+)?(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def parquet_of(text: str) -> bytes:
    """Write the table of a page's CSV as Parquet.

    Parameters
    ----------
    text
        Lines ``# key: value``, then the names of the columns, then the rows.

    Returns
    -------
    bytes
        A file whose columns are whole numbers, numbers or texts, empty cells being null; the lines in front of the
        table are its metadata.

    Raises
    ------
    ValueError
        In one line, if there is no table, a row has another number of cells, or the table is too large.
    """
    about, body = _split(text)
    try:
        rows = list(csv.reader(io.StringIO(body, newline="")))
    except csv.Error as error:
        raise ValueError(f"the table cannot be read: {error}") from None
    if not rows:
        raise ValueError("there is no table; give a line with the names of the columns, and rows")
    names, cells = _unique(rows[0]), rows[1:]
    if len(names) * len(cells) > MOST_CELLS:
        raise ValueError(f"the table has {len(names) * len(cells)} cells; give at most {MOST_CELLS}")
    for number, row in enumerate(cells, start=1):
        if len(row) != len(names):
            raise ValueError(f"row {number} has {len(row)} cells; give {len(names)}, one for each column")
    columns = {name: _typed([row[place] for row in cells]) for place, name in enumerate(names)}
    table = pa.table(columns).replace_schema_metadata(about)
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


def _split(text: str) -> tuple[dict[str, str], str]:
    """What stands in front of a table, by its key, and the table."""
    about = dict[str, str]()
    while text.startswith("# "):
        line, _, text = text.partition("\n")
        key, _, value = line.removeprefix("# ").partition(": ")
        about[key] = value
    return about, text


def _unique(names: list[str]) -> list[str]:
    """Names of columns, of which no two are the same and none is empty."""
    found: list[str] = []
    for place, given in enumerate(names, start=1):
        plain = given.strip() or f"column {place}"
        name, count = plain, 1
        while name in found:
            count += 1
            name = f"{plain} ({count})"
        found.append(name)
    return found


def _typed(texts: list[str]) -> Any:
    """A column as numbers, if every cell that is not empty is one."""
    present = [text for text in texts if text]
    numbers = bool(present) and all(any(map(str.isdigit, text)) and NUMBER.fullmatch(text) for text in present)
    if not numbers:
        plain = [text[1:] if GUARDED.match(text) else text for text in texts]
        return pa.array([text or None for text in plain], type=pa.string())
    whole = all(re.fullmatch(r"-?\d{1,18}", text) for text in present)
    kind, read = (pa.int64(), int) if whole else (pa.float64(), float)
    return pa.array([read(text) if text else None for text in texts], type=kind)
