"""A tariff as filed from a file of either kind: ours in TOML, or a record of OpenEI's Utility Rate Database in JSON."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from meanwatt.agents.tariff.ratebook.ratebook import Ratebook
from meanwatt.model.billing.ratebook_table import KIND, RatebookTable
from meanwatt.model.billing.ratebook_text import toml_of_table
from meanwatt.model.billing.tariff_gallery import file_of
from meanwatt.model.billing.urdb_fields import AS_FILED
from meanwatt.model.billing.urdb_reader import record_of, table_of_record, value_of_json
from meanwatt.model.billing.urdb_spellings import as_interface
from meanwatt.model.billing.urdb_writer import as_filed, record_of_table
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import FileError, read_text, require_regular, table_of_toml
from meanwatt.model.scenario.one_line import OneLineError

WANTED: Final = "a tariff as filed: our TOML file, or a JSON record of OpenEI's Utility Rate Database"


CHOSEN_FROM: Final = {"territory": "baseline", "discount": "discounts", "export": "exports"}
"""What a customer chooses, and the table of the file that it is chosen from."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a customer chooses of a tariff; None takes what the file says.

    Attributes
    ----------
    territory
        For a baseline.
    discount, export
        Names of one of its discounts, and of its terms of feeding in.
    """

    territory: str | None = None
    discount: str | None = None
    export: str | None = None


NO_CHOICES: Final = Choices()


def load_ratebook(source: str | Path, choices: Choices = NO_CHOICES) -> RatebookFile:
    """Read a tariff as filed.

    Parameters
    ----------
    source
        Name of a tariff of the gallery, or a file that ends in ``.json`` or ``.toml``; a file whose name is one of the
        gallery's is read where it is written as a path.

    Raises
    ------
    RatebookError
        A ValueError in one line that names the file, the key, the value and what is allowed.
    """
    label, file = f"tariff {source}", file_of(source)
    try:
        require_regular(file, WANTED)
    except ValueError as error:
        raise RatebookError(f"{label}: {error}") from None
    return _read(label, file, lambda: read_text(file, WANTED), choices)


def ratebook_of_text(name: str, text: str, choices: Choices = NO_CHOICES) -> RatebookFile:
    """Read a tariff as filed from a file's text.

    Parameters
    ----------
    name
        Name of the file, which is not looked for; its ending says what the text is.
    text
        Read as data, whatever it is.

    Raises
    ------
    RatebookError
        As `load_ratebook`.
    """
    return _read(f"tariff {name}", Path(name), lambda: text, choices)


def _read(label: str, file: Path, text: Callable[[], str], choices: Choices) -> RatebookFile:
    """The tariff in a file's text, which is asked for once the file's ending is known to be one of ours."""
    try:
        messages: tuple[str, ...] = ()
        record: dict[str, Any] = {}
        if file.suffix.lower() == ".json":
            record, spelt = as_interface(record_of(value_of_json(text())))
            table, messages = table_of_record(record)
            messages = (*spelt, *messages)
        elif file.suffix.lower() == ".toml":
            table = require_kind(table_of_toml(text()))
        else:
            raise FileError(f"ends in {file.suffix or 'nothing'!r}; give a file that ends in .json or .toml")
        table = with_choices(table, choices)
        filled = RatebookTable.model_validate(table)
        book = filled.ratebook(re.sub(r"[^\w.-]+", "_", file.stem))
        if record and choices == NO_CHOICES:
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


def with_choices(table: dict[str, Any], choices: Choices) -> dict[str, Any]:
    """The same tariff as a customer has chosen it; ``FileError`` where there is nothing to choose from."""
    given = {one.name: getattr(choices, one.name) for one in fields(choices) if getattr(choices, one.name) is not None}
    for name in given:
        if not isinstance(table.get(CHOSEN_FROM[name]), dict):
            raise FileError(f"has no {CHOSEN_FROM[name]}; leave --{name} out")
    if "territory" in given:
        table = {**table, "baseline": {**table["baseline"], "territory": given.pop("territory")}}
    return {**table, **given}
