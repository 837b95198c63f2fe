"""Tables as TOML: the files that this program writes, for itself and for people."""

import json
from collections.abc import Iterable, Iterator
from typing import Any


def toml_text(table: dict[str, Any]) -> str:
    """A table of text, numbers, lists and tables as TOML; numbers keep all their digits.

    A table of numbers or lists takes one line, any other a section of its own.
    """
    return "\n".join(_section((), table)).lstrip("\n") + "\n"


def toml_rows(name: str, rows: Iterable[dict[str, Any]]) -> str:
    """A list of tables as TOML, a row each."""
    return f"{_key(name)} = [\n" + "".join(f"  {_value(row)},\n" for row in rows) + "]\n"


def _section(path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    """Lines of a table: plain values, tables of one line, then sections."""
    yield from (f"{_key(key)} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict))
    yield from (f"{_key(key)} = {_value(value)}" for key, value in table.items() if _is_row(value))
    for key, inner in table.items():
        if isinstance(inner, dict) and not _is_row(inner):
            here = (*path, _key(key))
            if any(not isinstance(entry, dict) or _is_row(entry) for entry in inner.values()):
                yield from ("", f"[{'.'.join(here)}]")
            yield from _section(here, inner)


def _is_row(value: Any) -> bool:
    """Whether a table fits into one line: numbers or lists by name."""
    return isinstance(value, dict) and all(isinstance(entry, float | int | list | tuple) for entry in value.values())


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _text(name)


def _text(value: str) -> str:
    """A text in quotes; TOML reads the escapes that JSON writes, and wants that of DEL, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(str(name))} = {_value(entry)}" for name, entry in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    return repr(int(value)) if isinstance(value, int) else repr(float(value))
