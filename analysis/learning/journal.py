"""The record of every tariff tried, on disk before the next one is tried, so that no kill loses one.

One JSON object a line: first the settings that fix the run, then a line for every trial. A line is on disk (fsync)
before the learner goes on. A last line torn by a crash is cut off; it was never told to the learner.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from meanwatt.analysis.output.strict_json import brief, dumps, plain

FORMAT: Final = 1
START_ANEW: Final = "delete the file to start anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A tariff tried. Money is USD per household-day.

    Attributes
    ----------
    trial
        1, 2, …
    unit
        Its free parameters, each as a share of its range.
    told
        What the learner was told, finite.
    metered, half_width
        Metered objective, and half the bracket of the part of it that is estimated; None without an equilibrium, or
        where the objective is undefined.
    metered_violation
        Highest import rate charged less the cap. [USD/kWh]
    objective, violation
        Objective and violation of the mean field at the tariff: to judge the learner, never told to it.
    books
        The leader's books after the trial, see `meanwatt.analysis.learning.books.MeteredBooks.entry`; None where it
        keeps none, and then not in the file.
    """

    trial: int
    unit: tuple[float, ...]
    told: float
    metered: float | None
    half_width: float | None
    metered_violation: float | None
    objective: float | None
    violation: float
    books: dict[str, Any] | None = None


class Journal:
    """An append-only file of trials; use it in a ``with`` block.

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
    tried : list of Tried
        The trials on record.

    Raises
    ------
    ValueError
        In one line: a journal exists and ``resume`` is False, belongs to other settings, or holds a broken line.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.path = Path(path)
        head = {"journal": FORMAT, **plain(settings)}
        self.tried: list[Tried] = []
        if self.path.exists():
            if not resume:
                refuse_unfinished(path)
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

    def append(self, tried: Tried) -> None:
        """Put a trial on disk."""
        entry = asdict(tried)
        if tried.books is None:
            del entry["books"]
        self._write(entry)
        self.tried.append(tried)

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
                raise ValueError(
                    f"{self.path} belongs to another run: its {key} is {brief(found.get(key), 40)}, now it is"
                    f" {brief(head.get(key), 40)}; give the settings of that run, or another --out"
                )
        names = {one.name for one in fields(Tried)}
        for number, line in enumerate(lines[1:], start=2):
            entry = self._entry(line, number)
            if set(entry) | {"books"} != names or entry["trial"] != number - 1 or not isinstance(entry["unit"], list):
                raise ValueError(f"{self.path}, line {number}: is not trial {number - 1}; {START_ANEW}")
            self.tried.append(Tried(**{**entry, "unit": tuple(entry["unit"])}))

    def _entry(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ValueError(f"{self.path}, line {number}: is not a JSON object; {START_ANEW}")
        return entry


def refuse_unfinished(path: str | Path) -> None:
    """Raise ``ValueError`` if a journal is there: a new run would lose its trials."""
    if Path(path).exists():
        raise ValueError(f"{path} holds the trials of an interrupted run; add --resume to go on, or delete the file")


def _line(entry: Mapping[str, Any]) -> bytes:
    return dumps(entry).encode("ascii") + b"\n"
