"""The reference of a kind of file as Markdown: a table of keys for its top, and one for every table in it."""

import re
from collections.abc import Iterable

from meanwatt.analysis.reference.file_keys import FileKey, file_keys

HEAD = "| key | unit | range | default | meaning |\n|---|---|---|---|---|"


def file_tables(file: str) -> str:
    """Keys of a scenario, tariff, study, game, ratebook, feeder or meter format file."""
    keys = file_keys(file)
    parts = [HEAD, *_rows(key for key in keys if not key.table and not key.heading)]
    for table in (key for key in keys if key.heading):
        inside = [key for key in keys if key.table == table.heading.strip("[]") and not key.heading]
        parts += ["", f"### `{table.heading}`", "", _about(table)]
        if inside:
            parts += ["", HEAD, *_rows(inside)]
    return "\n".join(parts)


def _rows(keys: Iterable[FileKey]) -> list[str]:
    return [
        f"| `{key.name}` | {key.unit or '–'} | {cell(key.allowed)} | {_default(key)} | {cell(key.meaning)} |"
        for key in keys
    ]


def _about(table: FileKey) -> str:
    given = "It must be given." if table.required else f"Where it is left out: {table.default}."
    limit = table.allowed.partition("; ")[2]
    return f"{cell(table.meaning)} {given}" + (f" It has {limit}." if limit else "")


def _default(key: FileKey) -> str:
    if key.required:
        return "required"
    words = key.default == "none" or " " in key.default
    return key.default if words else f"`{key.default}`"


def cell(text: str) -> str:
    """Text as Markdown in a cell: code marked once, and what Markdown would read as its own marks escaped."""
    pieces = re.split(r"`+([^`]+)`+", text)
    plain = [re.sub(r"([|*_<\[\]])", r"\\\1", piece) for piece in pieces[::2]]
    code = [f"`{piece}`" for piece in pieces[1::2]]
    return "".join(plain[0:1] + [part for pair in zip(code, plain[1:], strict=True) for part in pair])
