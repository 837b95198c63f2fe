"""No command writes over a file that it reads."""

import os
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
            if os.path.samefile(file, target):
                is_what = f"is the file of --{name}" if name in options else "is a file that is read"
                raise ValueError(f"--{written} {target}: {is_what}; give another name")
    for written in DIRECTORIES:
        target = given.get(written)
        if not target:
            continue
        directory = Path(target).resolve()
        for _, file in _files(given, written):
            if file.resolve().is_relative_to(directory):
                raise ValueError(f"--{written} {target}: holds {file}, which is read; give another directory")


def _files(given: Mapping[str, Any], written: str) -> Iterator[tuple[str, Path]]:
    """Every word that names a file which is there, but for those of what is written, if that is there at all."""
    try:
        if not os.path.exists(given[written]):
            return
    except ValueError:  # no name of a file; told where it is opened
        return
    for name, value in given.items():
        if name in (*FILES, *DIRECTORIES):
            continue
        for word in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(word, str) and "\0" not in word and os.path.isfile(word):
                yield name, Path(word)
