"""Result directories that appear whole or not at all: a JSON result, Parquet tables, and a manifest that names them."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from meanwatt.analysis.output.strict_json import dumps

MANIFEST: Final = "manifest.json"
NAMED_VERSIONS: Final = ("meanwatt", "numpy", "scipy", "numba", "mesa", "power-grid-model", "pyarrow")
"""Distributions whose versions a manifest records: those that can change a number."""

Columns = Mapping[str, npt.ArrayLike]
"""A table: column name → values, all of one length."""


def require_free(directory: str | Path, command: str | None = None) -> None:
    """Raise ``ValueError`` unless a result may be written to a directory: it is new, empty, or an older result.

    An older result is one of the same command: what another command found is not replaced. Call it before a long
    computation: a result that cannot be kept is time lost.
    """
    path = Path(directory)
    above = path.absolute().parent
    if os.path.lexists(path) and not path.is_dir():
        raise ValueError(f"--out {path}: is {_what_is(path)}; give a directory")
    if not path.exists():
        while not above.exists():
            above = above.parent
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            raise ValueError(f"--out {path}: {above} cannot be written to; give another directory")
        return
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        raise ValueError(f"--out {path}: {path.absolute().parent} cannot be written to; give another directory")
    older = _result_in(path)
    foreign = sorted({entry.name for entry in path.iterdir()} - older.files)
    if foreign:
        raise ValueError(f"--out {path}: holds {foreign[0]}, which is not ours to replace; give a new directory")
    if command is not None and older.command not in (None, command):
        raise ValueError(
            f"--out {path}: holds the result of {older.command}, which {command} does not replace; give another"
            f" directory, e.g. {path.with_name(f'{path.name}-{command}')}"
        )


def write_result(
    directory: str | Path,
    *,
    name: str,
    result: Any,
    manifest: Mapping[str, Any],
    tables: Mapping[str, Columns],
    texts: Mapping[str, str] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    written: Mapping[str, Path] | None = None,
) -> Path:
    """Write a result directory; it replaces an older one of the same name as a whole.

    Parameters
    ----------
    directory
        Where; see `require_free`.
    name
        Name of the command, and of the JSON result without its ending, e.g. ``solve``.
    result
        What `meanwatt.analysis.output.strict_json.dumps` can write.
    manifest
        Scenario, seed and other settings; versions and the files' hashes are added.
    tables
        Name → columns; each becomes ``NAME.parquet``.
    texts
        Further files, name → content.
    pictures
        The same of bytes.
    written
        The same of files that are there already, on the same disk; they are moved.

    Returns
    -------
    Path
        The directory.
    """
    with staged_directory(directory, name) as stage:
        (stage / f"{name}.json").write_text(dumps(result) + "\n", encoding="utf-8")
        for table, columns in tables.items():
            _write_parquet(stage / f"{table}.parquet", columns)
        for file, text in (texts or {}).items():
            (stage / file).write_text(text, encoding="utf-8")
        for file, content in (pictures or {}).items():
            (stage / file).write_bytes(content)
        for file, place in (written or {}).items():
            place.replace(stage / file)
        files = {path.name: _sha256(path) for path in sorted(stage.iterdir())}
        record = {"command": name, **manifest, "versions": versions(), "sha256": files}
        (stage / MANIFEST).write_text(dumps(record, indent=2) + "\n", encoding="utf-8")
    return Path(directory)


@contextmanager
def staged_directory(directory: str | Path, command: str | None = None) -> Iterator[Path]:
    """Give a hidden directory to fill; put it in place of ``directory`` at the end, or remove it after an error.

    Raises
    ------
    ValueError
        If ``directory`` is not free for the command; see `require_free`.
    """
    require_free(directory, command)
    target = Path(directory).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield stage
        stage.chmod(0o777 & ~_umask())
        _put(stage, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def staged_file(file: str | Path) -> Iterator[Path]:
    """Give a path to write to; put the file in place of ``file`` at the end, or remove it after an error."""
    target = Path(file).absolute()
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as stage:
        written = Path(stage) / target.name
        yield written
        written.chmod(0o666 & ~_umask())
        written.replace(target)


def versions() -> dict[str, str]:
    """Versions of Python and of the distributions that can change a number."""
    found = {"python": platform.python_version()}
    for name in NAMED_VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree that is not installed
            continue
    return found


def require_free_file(option: str, file: str | Path) -> None:
    """Raise ``ValueError`` unless a file may be written: it is new or a file, and its directory is there."""
    path = Path(file)
    if os.path.lexists(path) and not path.is_file():
        raise ValueError(f"{option} {path}: is {_what_is(path)}; give the name of a file")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{option} {path}: its directory does not exist")


def _what_is(path: Path) -> str:
    """Say what stands where a result should go."""
    if path.is_dir():
        return "a directory"
    if path.is_file():
        return "a file"
    return "a link that leads nowhere" if path.is_symlink() and not path.exists() else "a pipe, socket or device"


def _put(stage: Path, target: Path) -> None:
    """Move a full directory to its place; an older result there goes only once the new one is in place."""
    if not target.exists():
        stage.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    old = aside / target.name
    target.rename(old)
    try:
        stage.rename(target)
    except OSError:
        old.rename(target)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Older:
    """A result that a directory holds: the command that wrote it, and the names of its files; none of either."""

    command: str | None = None
    files: frozenset[str] = frozenset()


def _result_in(directory: Path) -> _Older:
    try:
        record = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        return _Older(record.get("command"), frozenset((MANIFEST, *record["sha256"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return _Older()


def _sha256(path: Path) -> str:
    """The digest of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_parquet(path: Path, columns: Columns) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
