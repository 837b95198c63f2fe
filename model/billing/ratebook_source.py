"""A tariff as filed from a file of either kind: ours in TOML, or a record of OpenEI's Utility Rate Database in JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from meanwatt.agents.tariff.ratebook.ratebook import Ratebook
from meanwatt.model.billing.ratebook_table import KIND, RatebookTable
from meanwatt.model.billing.ratebook_text import toml_of_table
from meanwatt.model.billing.urdb_fields import AS_FILED
from meanwatt.model.billing.urdb_reader import read_json, record_of, table_of_record
from meanwatt.model.billing.urdb_writer import as_filed, record_of_table
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import FileError, read_toml, require_regular
from meanwatt.model.scenario.one_line import OneLineError

WANTED: Final = "a tariff as filed: our TOML file, or a JSON record of OpenEI's Utility Rate Database"


class RatebookError(OneLineError):
    """A tariff file that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatebookFile:
    """A tariff file as read.

    Attributes
    ----------
    table
        What it says, in the words of our file.
    book
        The same as arrays.
    messages
        What is to be said of it.
    """

    table: RatebookTable
    book: Ratebook
    messages: tuple[str, ...]


def load_ratebook(path: str | Path, *, territory: str | None = None) -> RatebookFile:
    """Read a tariff as filed.

    Parameters
    ----------
    path
        A file that ends in ``.json`` or ``.toml``.
    territory
        The customer's, for a baseline; in place of what the file says.

    Raises
    ------
    RatebookError
        A ValueError in one line that names the file, the key, the value and what is allowed.
    """
    file = Path(path)
    label = f"tariff {path}"
    try:
        require_regular(file, WANTED)
        messages: tuple[str, ...] = ()
        record: dict[str, Any] = {}
        if file.suffix.lower() == ".json":
            record = record_of(read_json(file))
            table, messages = table_of_record(record)
        elif file.suffix.lower() == ".toml":
            table = require_kind(read_toml(file))
        else:
            raise FileError(f"ends in {file.suffix or 'nothing'!r}; give a file that ends in .json or .toml")
        if territory is not None:
            table = with_territory(table, territory)
        filled = RatebookTable.model_validate(table)
        book = filled.ratebook(re.sub(r"[^\w.-]+", "_", file.stem))
        if record and territory is None:
            filled = with_words_of(record, filled)
    except ValidationError as error:
        raise RatebookError(f"{label}: {one_line(error, RatebookTable)}") from None
    except ValueError as error:
        raise RatebookError(f"{label}: {error}") from None
    return RatebookFile(table=filled, book=book, messages=messages)


def with_words_of(record: Mapping[str, Any], table: RatebookTable) -> RatebookTable:
    """The table that also keeps what the record says in other words than this program would."""
    words = as_filed(record, table)
    return table.model_copy(update={"urdb": {**table.urdb, AS_FILED: words}}) if words else table


def write_ratebook(path: Path, table: RatebookTable) -> None:
    """Write a tariff as filed as TOML or as a JSON record, by the ending of the file's name."""
    if path.suffix.lower() == ".toml":
        text = toml_of_table(table)
    else:
        text = json.dumps(record_of_table(table), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")


def require_kind(table: dict[str, Any]) -> dict[str, Any]:
    """Raise ``FileError`` where a TOML file is another of this program's."""
    if table.get("kind") != KIND:
        other = "; this one is a tariff of a scenario, which meanwatt solve reads" if "recovery" in table else ""
        raise FileError(f'holds no kind = "{KIND}", which begins a tariff as filed{other}')
    return table


def with_territory(table: dict[str, Any], territory: str) -> dict[str, Any]:
    """The same tariff in a territory; ``FileError`` if it has no baseline."""
    if not isinstance(table.get("baseline"), dict):
        raise FileError("has no baseline; leave --territory out")
    return {**table, "baseline": {**table["baseline"], "territory": territory}}
