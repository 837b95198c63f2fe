"""Where a study's results are kept: parts that appear whole or not at all, and one table at the end.

::

    study.json          what the study is: its file, its scenarios' hashes, versions
    parts/HASH.parquet  rows of some tasks, as they came; HASH is that of the file's content
    results.parquet     all rows in order, once there are all; the parts are gone then
    report.html         the page about them, once there are all

A file is written under another name, brought to the disk (fsync) and renamed. So a process that is killed, a machine
that loses power or a disk that is full leaves at most a file that does not count: its name is not its content's hash.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meanwatt.analysis.output.result_files import versions
from meanwatt.analysis.output.strict_json import brief, dumps, plain
from meanwatt.analysis.report.page import FILE as REPORT
from meanwatt.analysis.study.measure import FAILED, REFUSED
from meanwatt.analysis.study.plan import Plan
from meanwatt.analysis.study.plan_file import StudyError
from meanwatt.model.scenario.identity import identifying_table

FORMAT: Final = 1
HASH_DIGITS: Final = 32
MANIFEST: Final = "study.json"
RESULTS: Final = "results.parquet"
PARTS: Final = "parts"
LOCK: Final = ".lock"
UNFINISHED: Final = ".unfinished-"
"""Beginning of the names of files that are being written; readers of Parquet directories pass over them."""

TEXT: Final = ("identity", "outcome", "message", "error")
WHOLE: Final = ("task", "point", "households", "replication")

Row = Mapping[str, Any]


class StudyDirectory:
    """The directory of one study, held by one process; use it in a ``with`` block.

    Parameters
    ----------
    path
        Where; made if it is not there.
    plan
        The study.
    resume
        Whether results that are there already may be kept; tasks that failed are done again.

    Attributes
    ----------
    done : set of str
        Identities of the tasks whose rows are on disk.
    columns_found : set of str, or None
        Columns that all results with numbers had that were there before; None if there were none.

    Raises
    ------
    StudyError
        In one line: the directory holds something else, another study, or results although ``resume`` is False; or
        another process is at work on it.
    """

    def __init__(self, path: str | Path, plan: Plan, *, resume: bool) -> None:
        self.path = Path(path)
        self.plan = plan
        self._resume = resume
        self._lock: BinaryIO | None = None
        self.done: set[str] = set()
        self.columns_found: set[str] | None = None

    def __enter__(self) -> Self:
        if self.path.exists() and not self.path.is_dir():
            raise StudyError(f"--out {self.path}: is a file; give a directory")
        known = {MANIFEST, RESULTS, REPORT, PARTS, LOCK}
        there = sorted(entry.name for entry in self.path.iterdir()) if self.path.exists() else []
        foreign = [name for name in there if name not in known and not name.startswith(UNFINISHED)]
        if foreign:
            raise StudyError(f"--out {self.path}: holds {foreign[0]}, which is of no study; give a new directory")
        (self.path / PARTS).mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / LOCK).open("ab")
        try:
            if not _locked(self._lock):
                raise StudyError(f"--out {self.path}: another process is at work on this study; wait, or stop it")
            self._open()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._lock is not None
        self._lock.close()  # the lock goes with it, as it does when the process is killed

    def append(self, rows: Sequence[Row]) -> None:
        """Bring rows to the disk as one part.

        Raises
        ------
        OSError
            If they cannot be written; none of them counts then.
        """
        content = _parquet(_table(rows, self.plan))
        write_whole(self.path / PARTS / f"{_hash(content)}.parquet", content)
        self.done |= {row["identity"] for row in rows}

    def finish(self) -> None:
        """Put all rows into one table, in the order of the tasks, and remove the parts.

        Raises
        ------
        OSError
            If the table cannot be written; the parts stay then.
        """
        if not (self.path / RESULTS).exists():
            write_whole(self.path / RESULTS, _parquet(self.table()))
        self._clear(PARTS)

    def table(self) -> pa.Table:
        """All rows so far in the order of the tasks."""
        if (self.path / RESULTS).exists():
            return pq.read_table(self.path / RESULTS)
        parts = [table for table in map(_whole_part, sorted(self._parts())) if table is not None]
        if not parts:
            return _table([], self.plan)
        rows = pa.concat_tables(parts, promote_options="default")
        _, first = np.unique(rows.column("task").to_numpy(), return_index=True)  # sorted, and every task once
        return rows.take(first)

    def _open(self) -> None:
        """Read what is there, or begin; remove files that were never finished."""
        for place in (self.path, self.path / PARTS):
            for torn in place.glob(f"{UNFINISHED}*"):
                torn.unlink()
        record = _manifest(self.plan)
        manifest = self.path / MANIFEST
        if not manifest.exists():
            if any(self._parts()) or (self.path / RESULTS).exists():
                raise StudyError(f"--out {self.path}: holds results without {MANIFEST}; give a new directory")
            write_whole(manifest, (dumps(record, indent=2) + "\n").encode("ascii"))
            return
        if not self._resume:
            raise StudyError(f"--out {self.path}: holds a study; add --resume to go on, or give another directory")
        self._require_same(manifest, record)
        if (self.path / RESULTS).exists():
            self._keep_results(self.path / RESULTS, pq.read_table(self.path / RESULTS))
        if (self.path / RESULTS).exists():
            self.done = {task.identity for task in self.plan.tasks}
            return
        for part in self._parts():
            table = _whole_part(part)
            if table is None:
                part.unlink()
            else:
                self._count(self._keep_results(part, table))

    def _count(self, kept: pa.Table) -> None:
        """Take rows that were there for done, and see what they hold."""
        self.done |= set(kept.column("identity").to_pylist())
        if set(kept.column("outcome").to_pylist()) - {REFUSED}:
            columns = set(kept.column_names)
            self.columns_found = columns if self.columns_found is None else self.columns_found & columns

    def _keep_results(self, file: Path, table: pa.Table) -> pa.Table:
        """The rows of tasks that did not fail: the others are done again. They are a part of their own first."""
        kept = table.filter(pc.not_equal(table.column("outcome"), FAILED))
        if len(kept) < len(table):
            if len(kept):
                content = _parquet(kept)
                write_whole(self.path / PARTS / f"{_hash(content)}.parquet", content)
            file.unlink()
        return kept

    def _require_same(self, manifest: Path, record: Mapping[str, Any]) -> None:
        """Raise ``StudyError`` unless the study on disk is the one asked for, run by the same versions."""
        try:
            found = json.loads(manifest.read_text(encoding="utf-8"))
            entries = {**found, **found["file"], **found["versions"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise StudyError(f"{manifest}: is no record of a study; give a new directory") from None
        wanted = {**record, **record["file"], **record["versions"]}
        order = [*record["file"], *record["versions"], *record]  # the innermost difference says most
        for key in dict.fromkeys([*order, *entries]):
            if key not in ("file", "versions") and entries.get(key) != wanted.get(key):
                that = "install that version" if key in record["versions"] else "give that study"
                raise StudyError(
                    f"--out {self.path}: belongs to another study: its {key} is {brief(entries.get(key))}, now it is"
                    f" {brief(wanted.get(key))}; {that}, or give another directory"
                )

    def _parts(self) -> list[Path]:
        return list((self.path / PARTS).glob("*.parquet"))

    def _clear(self, name: str) -> None:
        for part in self._parts():
            part.unlink()
        with suppress(OSError):
            (self.path / name).rmdir()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole, and on the disk, or not at all.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left of it then.
    """
    beside = path.with_name(f"{UNFINISHED}{path.name}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):  # a write does not say to which file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    """Bring a directory's new names to the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked(file: BinaryIO) -> bool:
    """Take a lock that the system gives back when the process ends, however it ends."""
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def _manifest(plan: Plan) -> dict[str, Any]:
    """What makes the study: if any of it is another, results do not go together."""
    identities = "".join(task.identity for task in plan.tasks)
    return {
        "study": FORMAT,
        "file": plain(identifying_table(plan.file)),
        "versions": versions(),
        "tasks": len(plan.tasks),
        "scenarios_sha256": plan.scenarios_sha256[:HASH_DIGITS],
        "tasks_sha256": _hash(identities.encode("ascii")),
        **({"code_sha256": {name: one.sha256 for name, one in plan.code.items()}} if plan.code else {}),
    }


def _table(rows: Sequence[Row], plan: Plan) -> pa.Table:
    """Rows as columns: who and where, what is changed at the point, and floats for all that was measured."""
    names = list(dict.fromkeys([*WHOLE, *TEXT, *(name for row in rows for name in row)]))
    columns = {name: pa.array([row.get(name) for row in rows], type=_type(name)) for name in names}
    points = {key: _point_column(key, rows, plan) for key in plan.keys}
    before = {name: columns.pop(name) for name in ("task", "identity", "point")}
    return pa.table({**before, **points, **columns})


def _type(name: str) -> pa.DataType:
    return pa.string() if name in TEXT else pa.int64() if name in WHOLE else pa.float64()


def _point_column(key: str, rows: Sequence[Row], plan: Plan) -> pa.Array:
    """Values of one scenario key at the rows' points, of the type that all points of the study have in common."""
    kinds = {type(point[key]) for point in plan.points}
    values = [plan.points[row["point"]][key] for row in rows]
    if kinds == {int}:
        return pa.array(values, type=pa.int64())
    if kinds <= {int, float}:
        return pa.array([float(value) for value in values], type=pa.float64())
    if kinds == {bool}:
        return pa.array(values, type=pa.bool_())
    return pa.array([value if isinstance(value, str) else dumps(value) for value in values], type=pa.string())


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _whole_part(path: Path) -> pa.Table | None:
    """A part as a table; None if it is not what was written."""
    content = path.read_bytes()
    return pq.read_table(io.BytesIO(content)) if _hash(content) == path.stem else None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
