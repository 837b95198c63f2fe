"""The CSV files that a page hands out: what they are of stands in front, as comments."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any


def release() -> str:
    """Version of the program that is installed."""
    try:
        return version("meanwatt")
    except PackageNotFoundError:
        return "unknown"


def csv_text(head: Mapping[str, Any], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table.

    Parameters
    ----------
    head
        What the table is of; a line ``# key: value`` each, below that of the program and its version.
    names, rows
        Names of the columns, and their cells.
    """
    out = io.StringIO()
    for key, value in {"program": f"meanwatt {release()}", **head}.items():
        out.write(f"# {key}: {value}\n")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(names)
    table.writerows(rows)
    return out.getvalue()
