"""Every key of a scenario, tariff, study, game, ratebook, feeder or meter format file, by schema."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from meanwatt.analysis.reference.attribute_docstrings import attribute_docstrings
from meanwatt.analysis.study.plan_file import StudyFile
from meanwatt.model.billing.meter_format import MeterFormat
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.scenario.feeder_file import FeederFile
from meanwatt.model.scenario.file_errors import WANTED
from meanwatt.model.scenario.loading import Scenario, TariffTable
from meanwatt.model.scenario.marks import CheckedLater, Entries, Form
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.tabular.game_file import GameFile

FILES: Final[dict[str, type[BaseModel]]] = {
    "scenario": Scenario,
    "tariff": TariffTable,
    "study": StudyFile,
    "game": GameFile,
    "ratebook": RatebookTable,
    "feeder": FeederFile,
    "meters": MeterFormat,
}
"""Kind of file and its schema."""

NAMED_BY_FILE: Final = "name"
"""Key at the top of a scenario that its file's name fills in."""
NAME: Final = "NAME"
"""Stands in a key for a name that the user gives."""

_PLAIN: Final = {str: WANTED["string_type"], bool: WANTED["bool_type"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKey:
    """A key of a file.

    Attributes
    ----------
    key
        Dotted, as ``--set`` takes it; ``NAME`` stands for a name that the user gives.
    heading
        Of the table, or of each of the tables, that the key holds, such as ``[day_types.NAME]``; in two brackets where
        it is a list of tables; empty where it holds none.
    unit
        Of its numbers; empty for ratios, counts and what is no number.
    allowed
        What may be given, in the words of the error message.
    range
        The range of its numbers; None where it holds none.
    entries
        How many entries it may have; None where that is not limited or it is no list.
    required
        Whether it must be given.
    default
        What holds where it is left out, as TOML; empty if it is required.
    meaning
        One or two sentences.
    """

    key: str
    heading: str
    unit: str
    allowed: str
    range: Range | None
    entries: Range | None
    required: bool
    default: str
    meaning: str

    @property
    def table(self) -> str:
        """The table that the key lies in; empty at the top of the file."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The key as it is written in its table."""
        return self.key.rpartition(".")[2]

    @property
    def plain_meaning(self) -> str:
        """The meaning without marks of code."""
        return self.meaning.replace("`", "")


EXTENDS: Final = FileKey(
    key="extends",
    heading="",
    unit="",
    allowed="the name of a preset or the path of a TOML file",
    range=None,
    entries=None,
    required=False,
    default="none",
    meaning="A scenario that this one changes: what is left out here is taken from there.",
)
"""Read before the schema sees the file."""


def file_keys(file: str) -> tuple[FileKey, ...]:
    """Keys of one of `FILES`: first those at its top, then table by table, every table before its keys."""
    rows = tuple(_keys(FILES[file]))
    return (EXTENDS, *rows) if file == "scenario" else rows


def _keys(schema: type[BaseModel], inside: str = "") -> Iterator[FileKey]:
    """Keys of a table and of the tables in it; those of a scenario's tariffs are the keys of a tariff file."""
    texts = attribute_docstrings(schema)
    fields = [(f"{inside}{name}", field, texts.get(name, "")) for name, field in schema.model_fields.items()]
    for key, field, text in fields:
        if _table_of(field) is None:
            yield _key(key, field, text)
    for key, field, text in fields:
        table = _table_of(field)
        if table is not None:
            found = _key(key, field, text or _about(table))
            yield found
            if table is not TariffTable:
                yield from _keys(table, f"{found.heading.strip('[]')}.")


def _key(key: str, field: FieldInfo, text: str) -> FileKey:
    marks = (*field.metadata, *_parts(field.annotation))
    bounds = next((mark for mark in marks if isinstance(mark, Range | CheckedLater)), None)
    allowed = bounds.allowed if isinstance(bounds, CheckedLater) else bounds
    entries = next((mark.allowed for mark in marks if isinstance(mark, Entries)), None)
    form = next((mark.text for mark in marks if isinstance(mark, Form)), "{}")
    by_name = get_origin(field.annotation) is dict
    listed = get_origin(field.annotation) is tuple
    heading = "" if _table_of(field) is None else f"[{key}.{NAME}]" if by_name else f"[{key}]"
    if heading:
        form = "tables by name" if by_name else "a list of tables" if listed else "a table"
        heading = f"[{heading}]" if listed else heading
    numbers = form.replace("{}", allowed.bounds() if allowed else _plain(field)) if "{}" in form else form
    limit = f"; {entries.bounds().removeprefix('a whole number ')} {entries.unit}" if entries else ""
    meaning, _, unit = text.removesuffix("]").partition(" [") if text.endswith("]") else (text, "", "")
    return FileKey(
        key=key,
        heading=heading,
        unit=unit or (allowed.unit if allowed else ""),
        allowed=numbers + limit,
        range=allowed,
        entries=entries,
        required=field.is_required() and key != NAMED_BY_FILE,
        default=_default(key, field),
        meaning=meaning,
    )


def _parts(annotation: Any) -> Iterator[Any]:
    """Types and marks that an annotation is made of, at any depth."""
    for part in get_args(annotation):
        yield part
        yield from _parts(part)


def _table_of(field: FieldInfo) -> type[BaseModel] | None:
    """The table that a field holds, or holds several of by name; None if it holds none."""
    parts = (field.annotation, *get_args(field.annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def _about(table: type[BaseModel]) -> str:
    """First line on a table, ``[pv]``: rooftop solar, as a sentence on its key."""
    text = re.sub(r"^``\[.*?\]``: ", "", (table.__doc__ or "").partition("\n")[0])
    return text[:1].upper() + text[1:]


def _plain(field: FieldInfo) -> str:
    """What a value without a range may be."""
    for part in (field.annotation, *get_args(field.annotation)):
        if get_origin(part) is Literal:
            *others, last = (str(value) for value in get_args(part))
            return f"{', '.join(others)} or {last}" if others else last
        if part in _PLAIN:
            pattern = any(getattr(mark, "pattern", None) for mark in field.metadata)
            return WANTED["string_pattern_mismatch"] if pattern else _PLAIN[part]
    raise TypeError(f"{field.annotation}: say its form with meanwatt.model.scenario.marks.Form")


def _default(key: str, field: FieldInfo) -> str:
    """What holds where a key is left out, as TOML."""
    if key == NAMED_BY_FILE:
        return "the name of the file"
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "its defaults"
    return json.dumps(value) if value not in (None, (), {}) else "none"
