"""Files that people hand in: regular files only, of bounded size and depth; every fault is one line."""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

MOST_BYTES: Final = 4 * 2**20
"""Largest file that is read: a year of quarter-hourly rates for each of ten tariffs is a quarter of it. [bytes]"""
DEEPEST: Final = 16
"""Tables and lists inside one another; a scenario needs six."""

_DOTS = re.compile(r"(?:\.[ \t]*[\w\"'-]+[ \t]*){100}")
"""A dotted key of this many parts takes the TOML reader time that grows with the square of their number."""
_KINDS: Final = (
    (stat.S_ISDIR, "directory"),
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)

_NESTS: Final = (Mapping, list, tuple)

TomlTable = dict[str, Any]


class FileError(ValueError):
    """A file that cannot be used, in one line."""


def require_regular(path: Path, wanted: str = "a TOML file") -> None:
    """Raise ``FileError`` unless there is a regular file, without opening anything else: a pipe would hang for ever."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FileError(f"file not found; give the path of {wanted}") from None
    except OSError as error:  # a loop of links, a name too long, no permission
        raise FileError(f"cannot be read ({error.strerror}); give the path of {wanted}") from None
    except ValueError:
        raise FileError(f"holds a null character; give the path of {wanted}") from None
    _refuse_special(found.st_mode, wanted)


def is_path(source: str | Path) -> bool:
    """Whether what may be the name of something built in is meant as a file."""
    return isinstance(source, Path) or source.endswith(".toml") or bool(re.search(r"[/\\]", source))


def is_file(path: str | Path) -> bool:
    """Whether there is a regular file; False where the name could not be one."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name too long, a null character
        return False


def read_text(path: Path, wanted: str = "a TOML file", most_bytes: int = MOST_BYTES) -> str:
    """Text of a regular file in UTF-8, with or without a byte-order mark.

    Parameters
    ----------
    wanted
        What the file should be, for the message.
    most_bytes
        Largest file that is read. [bytes]

    Raises
    ------
    FileError
        In one line without the file's name: it is missing, is no regular file, cannot be read, is larger than
        ``most_bytes``, or is not UTF-8.
    """
    require_regular(path, wanted)
    try:
        # without blocking, for what was a file may have become a pipe since
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:  # noqa: PTH123  (a descriptor)
            _refuse_special(os.fstat(handle).st_mode, wanted)
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise FileError(f"cannot be read ({error.strerror}); give the path of {wanted}") from None
    if len(content) > most_bytes:
        raise FileError(f"is larger than {most_bytes / 2**20:g} MB; give the path of {wanted}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"not UTF-8 text at byte {error.start}; save the file as UTF-8") from None


def read_toml(path: Path) -> TomlTable:
    """Table of a TOML file; ``FileError`` in one line without the file's name."""
    return table_of_toml(read_text(path))


def table_of_toml(text: str) -> TomlTable:
    """Table in the text of a TOML file; ``FileError`` in one line that says where it is none."""
    try:
        return parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        last = len(text.splitlines())
        reason = str(error).replace("at end of document", f"at the end of the document, line {last}")
        raise FileError(f"not valid TOML: {' '.join(reason.split())}") from None


def parse_toml(text: str) -> TomlTable:
    """Table of a TOML text.

    Raises
    ------
    tomllib.TOMLDecodeError
        If it is none.
    FileError
        If tables or lists lie in one another too deep, or a number has too many digits.
    """
    if _DOTS.search(text):
        raise FileError(_TOO_DEEP)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise FileError(_TOO_DEEP) from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise FileError(f"not valid TOML: {str(error).partition(';')[0]}") from None
    require_shallow(table)
    return table


_TOO_DEEP: Final = f"has tables or lists inside one another more than {DEEPEST} deep; give a flatter one"


def require_shallow(value: object) -> None:
    """Raise ``FileError`` if tables or lists lie in one another more than ``DEEPEST`` deep."""
    here = [value]
    for _ in range(DEEPEST):
        parts = [entry.values() if isinstance(entry, Mapping) else entry for entry in here if isinstance(entry, _NESTS)]
        here = [entry for part in parts for entry in part if isinstance(entry, _NESTS)]
        if not here:
            return
    raise FileError(_TOO_DEEP)


def _refuse_special(mode: int, wanted: str) -> None:
    """Raise ``FileError`` unless this is the mode of a regular file."""
    if stat.S_ISREG(mode):
        return
    kind = next((name for belongs, name in _KINDS if belongs(mode)), "special file")
    raise FileError(f"is a {kind}, not a file; give the path of {wanted}")
