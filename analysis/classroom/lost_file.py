"""A file that was deleted, replaced or written over while it is open: its content is here, and is written anew."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

WRITTEN_AGAIN: Final = (
    "The rooms' file was deleted while the program ran. A new one has been written with all that was in it; nothing is"
    " lost. Do not delete it before the program has ended: {path}"
)

REPLACED: Final = (
    "The rooms' file was replaced by another one while the program ran. What was in it goes on in {path}; nothing is"
    " lost, and the other file is left as it is. End the program before you exchange its file."
)

OVERWRITTEN: Final = (
    "The rooms' file was overwritten by another program while this one ran. It has been written again with all that was"
    " in it; nothing is lost{other}. End the program before you exchange its file: {path}"
)

Identity = tuple[int, int]
"""Device and number by which a disk knows a file."""
Stamp = tuple[int, int] | None
"""When a file was written last, and its length; None if there is none. [ns, bytes]"""


def stamp(path: Path) -> Stamp:
    """What a file looks like now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def identity(path: Path) -> Identity | None:
    """What file is at a place; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def journal_of(path: Path) -> Path:
    """Where SQLite keeps what is not in the database yet (https://sqlite.org/walformat.html)."""
    return path.with_name(f"{path.name}-wal")


def drop_journal(path: Path, own: Identity | None) -> None:
    """Take away the journal that a closed database left beside the file which has its name now.

    SQLite leaves it there when the name is another file's, and would play it into that one
    (https://sqlite.org/howtocorrupt.html). A journal that came with the other file stays.
    """
    left = journal_of(path)
    if own is not None and identity(left) == own:
        left.unlink(missing_ok=True)


def place_beside(path: Path, word: str = "kept") -> Path:
    """A place next to a file for what another file has the name of: the first that is free."""
    for count in itertools.count(1):
        free = path.with_name(f"{path.stem}-{word}{'' if count == 1 else count}{path.suffix}")
        if not free.exists():
            return free
    raise AssertionError


def keep_other(path: Path) -> str:
    """Keep beside a file what another program wrote into it; where, as the end of a sentence. Nothing of an empty one.

    Raises
    ------
    OSError
        If there is no room for it.
    """
    content = path.read_bytes()
    if not content:
        return ""
    place = place_beside(path, "other")
    place.write_bytes(content)
    return f", and what was written over it is kept in {place}"


def write_again(content: sqlite3.Connection, lost: sqlite3.Connection, path: Path) -> None:
    """Write a database to the place of one that is lost, and close that.

    Raises
    ------
    sqlite3.Error, OSError
        If the new file cannot be written; the open database is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(fresh)) as copy:
        content.backup(copy)
    lost.close()  # before the new one has the name: it takes the old one's journal, which has a name of its own, along
    journal_of(path).unlink(missing_ok=True)  # it would be played into the new one
    fresh.replace(path)
