"""The record of every part of a long run, on disk before the next one begins, so that no kill loses one.

One JSON object a line: first the settings that fix the run, then a line for every part. A line is on disk (fsync)
before the run goes on. A last line torn by a crash is cut off; the run had not gone on from it.
"""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from meanwatt.analysis.output.strict_json import brief, dumps, plain

Part = TypeVar("Part")
FORMAT: Final = 1
START_ANEW: Final = "delete the file to start anew"
ENDING: Final = ".journal.jsonl"
"""What the name of a journal adds to that of the result directory that it lies beside."""


class RunJournal(ABC, Generic[Part]):
    """An append-only file of the parts of a run; use it in a ``with`` block.

    Parameters
    ----------
    path
        The file.
    settings
        What fixes the run; a journal of other settings is refused.
    resume
        Whether an existing journal may be continued. Without one, a resumed run starts at the beginning.

    Attributes
    ----------
    parts : list
        The parts on record, in their order.

    Raises
    ------
    ValueError
        In one line: a journal exists and ``resume`` is False, belongs to other settings, or holds a broken line.
    """

    called: ClassVar[str]
    """What a part is called, e.g. ``trial``."""

    def __init__(self, path: str | Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.path = Path(path)
        head = {"journal": FORMAT, **plain(settings)}
        self.parts: list[Part] = []
        if self.path.exists():
            if not resume:
                self.refuse_unfinished(path)
            *whole, torn = self.path.read_bytes().split(b"\n")
            if not whole and not _line(head).startswith(torn):
                raise ValueError(f"{self.path} is no journal of this run; {START_ANEW}")
            if whole:
                self._read(whole, head)
                os.truncate(self.path, self.path.stat().st_size - len(torn))
                self._file = self.path.open("ab")
                return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("wb")
        self._write(head)

    @abstractmethod
    def entry_of(self, part: Part) -> Mapping[str, Any]:
        """What is written of a part."""

    @abstractmethod
    def part_of(self, entry: dict[str, Any], number: int) -> Part | None:
        """The part that an entry is of, the first one being number 1; None if it is not of that part."""

    @classmethod
    def refuse_unfinished(cls, path: str | Path) -> None:
        """Raise ``ValueError`` if a journal is there: a new run would lose its parts."""
        if Path(path).exists():
            raise ValueError(
                f"{path} holds the {cls.called}s of an interrupted run; add --resume to go on, or delete the file"
            )

    @classmethod
    def check(cls, path: str | Path, *, resume: bool) -> None:
        """Raise ``ValueError`` if a run that resumes finds no journal, or one that begins finds some."""
        if not resume:
            cls.refuse_unfinished(path)
        elif not Path(path).exists():
            raise ValueError(f"--resume: there is no journal {path} to go on from; leave --resume out to begin")

    def append(self, part: Part) -> None:
        """Put a part on disk."""
        self._write(self.entry_of(part))
        self.parts.append(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(_line(entry))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, lines: list[bytes], head: dict[str, Any]) -> None:
        found = self._entry(lines[0], 1)
        for key in {**head, **found}:
            if found.get(key) != head.get(key):
                what = f"{key} is {brief(found.get(key), 40)}, now it is {brief(head.get(key), 40)}"
                if key.endswith("_sha256"):
                    what = f"{key.removesuffix('_sha256')} had other numbers than now"
                raise ValueError(
                    f"{self.path} belongs to another run: its {what}; give the settings of that run, or another --out"
                )
        for number, line in enumerate(lines[1:], start=2):
            part = self.part_of(self._entry(line, number), number - 1)
            if part is None:
                raise ValueError(f"{self.path}, line {number}: is not {self.called} {number - 1}; {START_ANEW}")
            self.parts.append(part)

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ValueError(f"{self.path}, line {number}: is not a JSON object; {START_ANEW}")
        return entry


def journal_beside(out: str | Path) -> Path:
    """Where the journal of a run lies that writes its result to a directory."""
    place = Path(out).absolute()
    return place.with_name(place.name + ENDING)


def _line(entry: Mapping[str, Any]) -> bytes:
    return dumps(entry).encode("ascii") + b"\n"
