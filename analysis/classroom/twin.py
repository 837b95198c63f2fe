"""A database on disk and the same one in memory: what is read comes from memory, whatever becomes of the file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Twin:
    """Every statement goes to both, and is in both or in neither.

    Parameters
    ----------
    file
        The database on disk, with transactions by hand; it is read once.

    Attributes
    ----------
    memory
        The same in memory.

    Raises
    ------
    sqlite3.Error
        If the file cannot be read whole.
    """

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self.memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            file.backup(self.memory)
        except sqlite3.Error:
            self.memory.close()
            raise
        self.memory.row_factory = sqlite3.Row
        self.memory.execute("PRAGMA foreign_keys = ON")

    def execute(self, query: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement on both; return what it answers."""
        self._file.execute(query, values)
        return self.memory.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed meanwhile is on disk afterwards, and in memory, or none of it."""
        both = (self._file, self.memory)
        try:
            for one in both:
                one.execute("BEGIN IMMEDIATE")
            yield
            for one in both:  # the disk may refuse, memory does not
                one.execute("COMMIT")
        except BaseException:
            for one in reversed(both):  # memory first: a disk that cannot even roll back must not hold it open
                if one.in_transaction:
                    one.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Free the memory; the file is the caller's to close."""
        self.memory.close()
