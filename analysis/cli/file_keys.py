"""``meanwatt scenarios --keys``: every key of a scenario, tariff, study, game or ratebook file."""

import sys

from rich.console import Console
from rich.table import Table

from meanwatt.analysis.cli.show import print_json
from meanwatt.analysis.reference.file_keys import FILES, FileKey, file_keys

WIDTH_IN_A_FILE = 150
"""Columns where nobody tells how many there are."""


def print_keys(json: bool) -> None:
    """Print the reference of the files, as tables or as JSON."""
    if json:
        print_json({"files": {file: [_row(key) for key in file_keys(file)] for file in FILES}, "messages": []})
        return
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_IN_A_FILE)
    for file in FILES:
        console.print(_table(file), markup=False)
        console.print()


def _row(key: FileKey) -> dict[str, object]:
    """A key for JSON; the bounds are those of its numbers, besides 0 where that is allowed, too."""
    return {
        "key": key.key,
        "unit": key.unit or None,
        "allowed": key.allowed,
        "low": key.range.low if key.range else None,
        "high": key.range.high if key.range else None,
        "or_zero": key.range.or_zero if key.range else None,
        "required": key.required,
        "default": key.default or None,
        "meaning": key.plain_meaning,
    }


def _table(file: str) -> Table:
    """All keys of a kind of file, those of a table indented below its heading."""
    shown = Table(title=f"Keys of a {file} file", title_justify="left", show_edge=False, pad_edge=False)
    for head in ("key", "unit"):
        shown.add_column(head, no_wrap=True)
    for head in ("range", "default"):
        shown.add_column(head)
    shown.add_column("meaning", ratio=1)
    for key in file_keys(file):
        name = key.heading or f"{'  ' if key.table else ''}{key.name}"
        shown.add_row(name, key.unit, key.allowed, key.default or "required", key.plain_meaning)
    return shown
