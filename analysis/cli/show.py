"""What a command says on standard output: one JSON object, or short tables for people."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from meanwatt.analysis.output.strict_json import dumps
from meanwatt.analysis.output.written_numbers import figure as figure
from meanwatt.analysis.output.written_numbers import percent as percent


def print_json(result: Any) -> None:
    """Write one strict JSON object and a line end."""
    sys.stdout.write(dumps(result) + "\n")


def say(text: str) -> None:
    """Write a line for people on standard output."""
    sys.stdout.write(text + "\n")


def say_notes(messages: Iterable[str]) -> None:
    """Write the sentences of ``messages`` below a result, a line each."""
    for sentence in messages:
        say(f"Note: {sentence}")


def say_report(out: str | None) -> None:
    """Say where the report of a result directory is, if there is one."""
    if out is not None:
        from meanwatt.analysis.report.page import FILE

        say(f"Report: {Path(out) / FILE}")


def warn(text: str) -> None:
    """Write a line for people on standard error."""
    sys.stderr.write(text + "\n")


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, all others to the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for place, head in enumerate(heads):
        shown.add_column(head, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in rows:
        shown.add_row(*row)
    console = Console(markup=False)  # a name may hold brackets
    console.print(shown)
    console.print()


def unmet_row(kwh: float | None) -> list[tuple[str, str, str]]:
    """The row of a table about trips of electric vehicles; none where they lack nothing."""
    return [("trips lack", figure(kwh), "kWh per household-day")] if kwh else []


def curtailed_row(kwh: float | None) -> list[tuple[str, str, str]]:
    """The row of a table about solar output that inverters hold back; none where they hold back nothing."""
    return [("curtailed solar output", figure(kwh), "kWh per household-day")] if kwh else []
