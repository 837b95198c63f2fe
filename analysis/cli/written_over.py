"""No command writes over a file that it reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

FILES: Final = ("to", "readings")
"""Options that name a file to write."""
DIRECTORIES: Final = ("out",)
"""Options that name a directory whose older result is replaced as a whole."""


def require_not_read(given: Mapping[str, Any], options: frozenset[str]) -> None:
    """Raise ``ValueError`` where a command would write over a file that another of its words names.

    Parameters
    ----------
    given
        Value by name of each argument and option; None where it is not given.
    options
        Those of the names that are options.
    """
    for written in FILES:
        target = given.get(written)
        if not target:
            continue
        for name, file in _files(given, written):
            if file.samefile(target):
                is_what = f"is the file of --{name}" if name in options else "is a file that is read"
                raise ValueError(f"--{written} {target}: {is_what}; give another name")
    for written in DIRECTORIES:
        target = given.get(written)
        if not target or not _is_there(target) or not Path(target).is_dir():
            continue  # what is no directory is refused by whoever writes there
        directory = Path(target).resolve()
        for _, file in _files(given, written):
            if file.resolve().is_relative_to(directory):
                raise ValueError(f"--{written} {target}: holds {file}, which is read; give another directory")


def _files(given: Mapping[str, Any], written: str) -> Iterator[tuple[str, Path]]:
    """Every word that names a file which is there, but for those of what is written, if that is there at all."""
    if not _is_there(given[written]):
        return
    for name, value in given.items():
        if name in (*FILES, *DIRECTORIES):
            continue
        for word in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(word, str) and _is_there(word) and Path(word).is_file():
                yield name, Path(word)


def _is_there(word: str) -> bool:
    """Whether a word names something on the disk; no name of a file, or one that may not be looked at, does not."""
    try:
        return Path(word).exists()
    except (OSError, RuntimeError, ValueError):
        return False
