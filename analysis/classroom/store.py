"""Rooms on disk: one SQLite file, in which every accepted move stands before it is acknowledged.

What is kept is what was said (settings, names, plans, which rounds are closed), never what follows from it: the days
are played again from it. Keys are kept as hashes, so that the file gives nobody a seat.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meanwatt.analysis.classroom.lost_file import (
    OVERWRITTEN,
    REPLACED,
    WRITTEN_AGAIN,
    Identity,
    Stamp,
    drop_journal,
    identity,
    journal_of,
    keep_other,
    place_beside,
    stamp,
    write_again,
)
from meanwatt.analysis.classroom.rooms_schema import SCHEMA, VERSION
from meanwatt.analysis.classroom.twin import Twin

BUSY_SECONDS: Final = 0.5
"""How long another process that has the file is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a game is played on.

    Attributes
    ----------
    scenario, tariff
        Name of a preset, and of one of its tariffs.
    households
        Homes in the market.
    key
        Key of all draws.
    """

    scenario: str
    tariff: str
    households: int
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRow:
    """A room as it stands on disk.

    Attributes
    ----------
    room, code
        Its number, and the six letters by which students find it.
    seconds
        Length of a round; 0 where the teacher ends it.
    solo
        Whether its only student is the teacher.
    frozen
        Whether plans are taken at the moment.
    note
        The teacher's message to all.
    """

    room: int
    code: str
    seconds: int
    solo: bool
    frozen: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRow:
    """A student in a room: seat number from 0, and pseudonym."""

    seat: int
    name: str
    removed: bool


class RoomStore:
    """Safe between threads; no other process has the file at the same time.

    Parameters
    ----------
    path
        The file; it is made if there is none, and made again if it is deleted. ``:memory:`` keeps nothing.

    Attributes
    ----------
    warning
        What has happened to the file, in words; empty if nothing has.

    Raises
    ------
    ValueError
        In one line, if the file cannot be used.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._path = None if str(path) == ":memory:" else Path(path).absolute()
        self.warning = ""
        self._open(path)

    def _open(self, path: Path | str) -> None:
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, check_same_thread=False, timeout=BUSY_SECONDS, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise ValueError(_unusable(path, error)) from None
        try:
            self._prepare(path)
            self._twin = Twin(self._file)
        except (sqlite3.Error, ValueError) as error:
            self._file.close()
            raise ValueError(_unusable(path, error)) from None
        self._identity = None if self._path is None else identity(self._path)
        self._journal: Identity | None = None
        self._stamp = self._stamp_now()

    def _stamp_now(self) -> tuple[Stamp, Stamp]:
        """What the file and its journal look like; they change by this program's own writing alone."""
        return (None, None) if self._path is None else (stamp(self._path), stamp(journal_of(self._path)))

    def _prepare(self, path: Path | str) -> None:
        """Make the tables, unless they are there; ``ValueError`` in one line if others are."""
        self._file.execute("PRAGMA locking_mode = EXCLUSIVE")  # two servers would each know half of a class
        version = int(self._file.execute("PRAGMA user_version").fetchone()[0])
        if version not in (0, VERSION):
            raise ValueError(
                f"rooms: {path} was written by another version of Meanwatt (format {version}, here {VERSION});"
                " name another file"
            )
        if version == 0 and self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise ValueError(f"rooms: {path} is a database of something else; name another file")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute("PRAGMA foreign_keys = ON")
        self._file.executescript(SCHEMA)
        self._file.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            with suppress(ValueError):  # closed before, or the disk refuses; there is nobody left to tell
                self._find_again()
            self._file.close()
            self._twin.close()

    def _find_again(self) -> None:
        """If the file was deleted or written over write it again, and if it was replaced beside the other one.

        ``ValueError`` if that is not possible.
        """
        if self._path is None:
            return
        there = identity(self._path)
        if there == self._identity and self._stamp_now() == self._stamp:
            return
        what, told, path, other = "deleted", WRITTEN_AGAIN, self._path, ""
        if there is not None and there != self._identity:
            what, told, path = "replaced", REPLACED, place_beside(self._path)
        elif there is not None:
            what, told = "overwritten", OVERWRITTEN
        try:
            if what == "overwritten":
                other = keep_other(self._path)
            write_again(self._twin.memory, self._file, path)
        except (sqlite3.Error, OSError) as error:
            raise ValueError(
                f"The rooms' file was {what}, and no new one can be written to {path} ({error}); nothing was changed."
            ) from None
        if what == "replaced":
            drop_journal(self._path, self._journal)
        self._twin.close()
        self._path = path
        self._open(path)
        self.warning = told.format(path=path, other=other)

    @contextmanager
    def _write(self) -> Iterator[Twin]:
        """One transaction: all of it is on disk afterwards, or none; ``ValueError`` in one line if the disk refuses."""
        with self._lock:
            self._find_again()
            try:
                with self._twin.transaction():
                    yield self._twin
                if self._path is not None and self._journal is None:
                    self._journal = identity(journal_of(self._path))
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                raise ValueError(f"The rooms' file cannot be written ({error}); nothing was changed.") from None
            finally:
                self._stamp = self._stamp_now()

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._twin.memory.execute(query, values).fetchall()

    # --- rooms ------------------------------------------------------------------------------------------------------

    def add_room(self, *, code: str, key: str, seconds: int, solo: bool, terms: Terms) -> int:
        """Make a room with its first game; return its number.

        Raises
        ------
        FileExistsError
            If another room has this code.
        """
        try:
            with self._write() as file:
                made = file.execute(
                    "INSERT INTO room (code, teacher, touched, seconds, solo) VALUES (?, ?, ?, ?, ?)",
                    (code, _hash(key), time.time(), seconds, solo),
                )
                room = int(made.lastrowid or 0)
                self._add_game(file, room, 0, terms)
        except sqlite3.IntegrityError:
            raise FileExistsError(code) from None
        return room

    def rooms(self) -> list[RoomRow]:
        """All rooms, the oldest first."""
        return [_room(row) for row in self._rows("SELECT * FROM room ORDER BY room")]

    def room_of_code(self, code: str) -> int | None:
        """The room with a code."""
        found = self._rows("SELECT room FROM room WHERE code = ?", code)
        return int(found[0]["room"]) if found else None

    def room_of_key(self, key: str) -> int | None:
        """The room whose teacher has a key."""
        found = self._rows("SELECT room FROM room WHERE teacher = ?", _hash(key))
        return int(found[0]["room"]) if found else None

    def room(self, room: int) -> RoomRow:
        """One room as it stands."""
        return _room(self._rows("SELECT * FROM room WHERE room = ?", room)[0])

    def update_room(self, room: int, **values: str | int) -> None:
        """Set ``frozen``, ``note`` or ``seconds`` of a room."""
        names = ", ".join(f"{name} = ?" for name in values)
        with self._write() as file:
            file.execute(f"UPDATE room SET {names}, touched = ? WHERE room = ?", (*values.values(), time.time(), room))

    def drop_room(self, room: int) -> None:
        """Forget a room and all that was said in it."""
        with self._write() as file:
            file.execute("DELETE FROM room WHERE room = ?", (room,))

    def untouched_since(self, when: float) -> list[int]:
        """Rooms in which nothing has happened since a time. [s since 1970]"""
        return [int(row["room"]) for row in self._rows("SELECT room FROM room WHERE touched < ?", when)]

    # --- games ------------------------------------------------------------------------------------------------------

    def add_game(self, room: int, terms: Terms) -> int:
        """Begin another game in a room; return its number."""
        with self._write() as file:
            found = file.execute("SELECT max(game) FROM game WHERE room = ?", (room,)).fetchone()
            number = int(found[0]) + 1
            self._add_game(file, room, number, terms)
        return number

    @staticmethod
    def _add_game(file: Twin, room: int, number: int, terms: Terms) -> None:
        file.execute(
            "INSERT INTO game (room, game, scenario, tariff, households, key) VALUES (?, ?, ?, ?, ?, ?)",
            (room, number, terms.scenario, terms.tariff, terms.households, terms.key),
        )

    def games(self, room: int) -> list[tuple[Terms, bool]]:
        """Terms of every game in a room, and whether it is over."""
        rows = self._rows("SELECT * FROM game WHERE room = ? ORDER BY game", room)
        return [(_terms(row), bool(row["over"])) for row in rows]

    def end_game(self, room: int, game: int) -> None:
        """Say that a game is over."""
        with self._write() as file:
            file.execute("UPDATE game SET over = 1 WHERE room = ? AND game = ?", (room, game))

    # --- seats ------------------------------------------------------------------------------------------------------

    def add_seat(self, room: int, *, name: str, token: str) -> int:
        """Give a student the next seat; return its number."""
        with self._write() as file:
            seat = int(file.execute("SELECT count(*) FROM seat WHERE room = ?", (room,)).fetchone()[0])
            file.execute(
                "INSERT INTO seat (room, seat, name, token) VALUES (?, ?, ?, ?)", (room, seat, name, _hash(token))
            )
            file.execute("UPDATE room SET touched = ? WHERE room = ?", (time.time(), room))
        return seat

    def seats(self, room: int) -> list[SeatRow]:
        """All students that a room has seen."""
        rows = self._rows("SELECT * FROM seat WHERE room = ? ORDER BY seat", room)
        return [SeatRow(seat=int(row["seat"]), name=row["name"], removed=bool(row["removed"])) for row in rows]

    def seat_of_token(self, token: str) -> tuple[int, int] | None:
        """Room and seat of the student who has a token, unless removed."""
        found = self._rows("SELECT room, seat FROM seat WHERE token = ? AND NOT removed", _hash(token))
        return (int(found[0]["room"]), int(found[0]["seat"])) if found else None

    def remove_seat(self, room: int, seat: int) -> None:
        """Let a student go; what was played stays."""
        with self._write() as file:
            file.execute("UPDATE seat SET removed = 1 WHERE room = ? AND seat = ?", (room, seat))

    # --- plans and rounds -------------------------------------------------------------------------------------------

    def put_plan(self, room: int, game: int, number: int, seat: int, letters: str) -> bool:
        """Keep a plan, the last one of a round counting; False if the round was played meanwhile."""
        with self._write() as file:
            over = file.execute(
                "SELECT 1 FROM played WHERE room = ? AND game = ? AND round = ?", (room, game, number)
            ).fetchone()
            if over:
                return False
            file.execute("INSERT OR REPLACE INTO plan VALUES (?, ?, ?, ?, ?)", (room, game, number, seat, letters))
            file.execute("UPDATE room SET touched = ? WHERE room = ?", (time.time(), room))
        return True

    def plans(self, room: int, game: int, number: int) -> dict[int, str]:
        """Plans of a round by seat."""
        rows = self._rows(
            "SELECT seat, letters FROM plan WHERE room = ? AND game = ? AND round = ?", room, game, number
        )
        return {int(row["seat"]): row["letters"] for row in rows}

    def close_round(self, room: int, game: int, number: int, seats: list[int]) -> dict[int, str]:
        """Take no more plans for a round in which these seats play; return the plans that count."""
        with self._write() as file:
            text = ",".join(map(str, seats))
            file.execute("INSERT OR IGNORE INTO played VALUES (?, ?, ?, ?)", (room, game, number, text))
            file.execute("UPDATE room SET touched = ? WHERE room = ?", (time.time(), room))
        return self.plans(room, game, number)

    def played(self, room: int, game: int) -> list[list[int]]:
        """Seats of every round played, in order."""
        rows = self._rows("SELECT seats FROM played WHERE room = ? AND game = ? ORDER BY round", room, game)
        return [[int(seat) for seat in row["seats"].split(",") if seat] for row in rows]


def _unusable(path: Path | str, error: Exception) -> str:
    """Why a file cannot be used, in one line."""
    if isinstance(error, ValueError):
        return str(error)
    said = error.strerror if isinstance(error, OSError) else str(error)
    if "locked" in str(error):
        return f"rooms: {path} is in use by another server; name another file, or stop that one"
    return f"rooms: {path} cannot be used ({said}); name a file in a folder of your own"


def _hash(secret: str) -> bytes:
    """What is kept of a key of 128 random bits; those need no salt."""
    return hashlib.sha256(secret.encode()).digest()


def _room(row: sqlite3.Row) -> RoomRow:
    return RoomRow(
        room=int(row["room"]),
        code=row["code"],
        seconds=int(row["seconds"]),
        solo=bool(row["solo"]),
        frozen=bool(row["frozen"]),
        note=row["note"],
    )


def _terms(row: sqlite3.Row) -> Terms:
    return Terms(scenario=row["scenario"], tariff=row["tariff"], households=int(row["households"]), key=int(row["key"]))
