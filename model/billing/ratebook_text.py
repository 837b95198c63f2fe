"""Writes a tariff as filed as TOML, the way people write one: months that are alike together, spans of hours."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.schedules import as_spans, read_schedule
from meanwatt.model.billing.urdb_writer import plain_json

SCHEDULES: Final = ("weekday", "weekend")
BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_of_table(table: RatebookTable) -> str:
    """The tariff as a TOML file; read again it gives the same table."""
    said = plain_json(table.model_dump(exclude_unset=True, exclude_none=True))
    for part in (said["energy"], *said.get("demand", {}).values()):
        _with_spans(part)
    if "urdb" in said:
        said["urdb"] = _held_by_toml(said["urdb"])
    return "\n".join(_lines(said, ())).strip() + "\n"


def _with_spans(part: dict[str, Any]) -> None:
    """Write schedules as spans, and leave out a weekend that is as the week."""
    names = list(part["periods"])
    rows = {key: read_schedule(part[key], key, names) for key in SCHEDULES if key in part}
    for key, found in rows.items():
        part[key] = as_spans(found)
    if len(rows) == len(SCHEDULES) and rows["weekend"] == rows["weekday"]:
        del part["weekend"]


def _held_by_toml(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that TOML cannot hold, such as null, as JSON text."""
    plain = {name: value for name, value in kept.items() if _holds(value)}
    other = {name: json.dumps(value) for name, value in kept.items() if not _holds(value)}
    text = {**kept.get(urdb.JSON_TEXT, {}), **other}
    return plain | ({urdb.JSON_TEXT: text} if text else {})


def _holds(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_holds(entry) for entry in value.values())
    if isinstance(value, list):
        return all(_holds(entry) for entry in value)
    whole = isinstance(value, int) and abs(value) < 2**63
    return isinstance(value, str | bool) or whole or (isinstance(value, float) and math.isfinite(value))


def _lines(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    """Lines of a table: first its values, then the tables in it."""
    values = {name: value for name, value in table.items() if not _apart(name, value)}
    lines = [f"{_key(name)} = {_value(value)}" for name, value in values.items()]
    if place and (lines or not table):
        lines = [f"[{'.'.join(map(_key, place))}]", *lines]
    if lines:
        lines.append("")
    for name, value in table.items():
        if _apart(name, value):
            lines += _lines(value, (*place, name))
    return lines


def _apart(name: str, value: Any) -> bool:
    """Whether a value is a table with a heading of its own."""
    return isinstance(value, Mapping) and (name in SCHEDULES or not _is_month(value))


def _is_month(value: Mapping[str, Any]) -> bool:
    """Whether this is the day of some months, period → spans, which is written in one line."""
    return bool(value) and all(
        isinstance(entry, list) and all(isinstance(text, str) and re.fullmatch(r"\d+-\d+", text) for text in entry)
        for entry in value.values()
    )


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        whole = "[" + ", ".join(_value(entry) for entry in value) + "]"
        tables = bool(value) and all(isinstance(entry, Mapping) for entry in value)
        return "[\n" + "".join(f"  {_value(entry)},\n" for entry in value) + "]" if tables and len(value) > 1 else whole
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {_value(entry)}" for name, entry in value.items()) + " }"
    return repr(value)
