"""What an import made of each row: taken as it is, approximated, refused, or not in service."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Protocol

NAMED: Final = 4
"""Rows that a message names; the others it counts."""


class Named(Protocol):
    """A row of a file, or an element of a circuit: its table or class, and its number or name there."""

    @property
    def table(self) -> str:
        """Name of its table or class."""

    @property
    def index(self) -> int | str:
        """Its number or name there."""


@dataclass(slots=True)
class Report:
    """Rows by what became of them, each by table.

    Attributes
    ----------
    taken, approximated, refused
        Number of rows by table. A refused row is left out of the feeder; every table with one is told in ``messages``.
    not_in_service, not_supplied
        Number of rows that are switched off, or that no source feeds.
    """

    taken: Counter[str] = field(default_factory=Counter)
    approximated: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    not_in_service: Counter[str] = field(default_factory=Counter)
    not_supplied: Counter[str] = field(default_factory=Counter)
    _why: dict[tuple[str, str], list[Named]] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list)

    def take(self, row: Named) -> None:
        """Count a row that is in the feeder as the file has it."""
        self.taken[row.table] += 1

    def approximate(self, row: Named, how: str) -> None:
        """Count a row that is in the feeder in another form."""
        self.approximated[row.table] += 1
        self._why.setdefault((row.table, how), []).append(row)

    def approximate_taken(self, row: Named, how: str) -> None:
        """Count a row as approximated that was counted as taken; one that was not so counted is only told."""
        if self.taken[row.table] > 0:
            self.taken[row.table] -= 1
            self.approximated[row.table] += 1
        self._why.setdefault((row.table, how), []).append(row)

    def refuse(self, row: Named, why: str) -> None:
        """Count a row that is left out."""
        self.refused[row.table] += 1
        self._why.setdefault((row.table, f"left out: {why}"), []).append(row)

    def note(self, sentence: str) -> None:
        """Say a sentence."""
        self._notes.append(sentence)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is to be said, a sentence for each table and reason, notes last."""
        return (*(f"{_named(table, rows)} {why}." for (table, why), rows in self._why.items()), *self._notes)


def _named(table: str, rows: list[Named]) -> str:
    numbers = ", ".join(str(row.index) for row in rows[:NAMED])
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"{table} {numbers}{more}:"
