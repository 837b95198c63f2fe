"""A file that was deleted while it is open: its content is still here, and is written to a new one."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

WRITTEN_AGAIN: Final = (
    "The rooms' file was deleted while the program ran. A new one has been written with all that was in it; nothing is"
    " lost. Do not delete it before the program has ended: {path}"
)


def write_again(lost: sqlite3.Connection, path: Path) -> None:
    """Write what an open database holds to its place, where no file is any more, and close it.

    Raises
    ------
    sqlite3.Error, OSError
        If the new file cannot be written; the open database is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as copy:
        lost.backup(copy)
    lost.close()  # before the new one has the name: it takes the old one's journal, which has a name of its own, along
    fresh.replace(path)
