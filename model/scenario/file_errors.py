"""What is wrong with a file, in one line: what came, where, what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.values import show

WANTED = {
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text in quotes",
    "string_pattern_mismatch": "a short name of letters, digits, dots, dashes and underlines",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "too_short": "at least one entry",
}


EXTENDS = "extends"
"""Key of a scenario file that never reaches its schema."""
NOT_EXTENDED = "only a scenario file extends another, at its top; write this table out whole"
"""What to say where a table in it, or a tariff file, has that key."""


def one_line(error: ValidationError, schema: type[BaseModel], *, also: Sequence[str] = ()) -> str:
    """Put the first problem into one line, with the number of further ones.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    schema : type of BaseModel
        The model that was filled; its field names are the valid keys.
    also : sequence of str
        Valid keys of the file that never reach the model.

    Returns
    -------
    str
        Such as ``battery.capacity_kwh is -1; give a number greater than 0 (and 2 more)``.
    """
    # a misspelt key usually brings a missing one with it: tell the misspelling
    found = sorted(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
    text = _sentence(found[0], schema, also)
    return f"{text} (and {len(found) - 1} more)" if len(found) > 1 else text


def _sentence(entry: Mapping[str, Any], schema: type[BaseModel], also: Sequence[str]) -> str:
    kind, location = entry["type"], list(entry["loc"])
    key, context = ".".join(str(part) for part in location), entry.get("ctx", {})
    if kind == "extra_forbidden" and location[-1] == EXTENDS and EXTENDS in also:
        return f"key {key!r}: {NOT_EXTENDED}"
    if kind == "extra_forbidden":
        table = [str(part) for part in location[:-1]]
        names = _fields(schema, location[:-1]) + ([] if table else [*also])
        return unknown("key", key, [".".join([*table, name]) for name in names])
    if kind == "missing":
        return f"key {key!r} is missing; add it"
    if kind == "value_error":
        text = " ".join(str(context["error"]).split())
        if not key or text.startswith(key) or f"'{key}." in text:
            return text
        return f"{key} {text}" if text.startswith("is ") else f"{key}: {text}"
    came = f"{key} is {show(entry['input'])}"
    if kind == "literal_error":
        return f"{came}; give {str(context['expected']).replace(chr(39), '')}"
    if kind in WANTED:
        return f"{came}; give {WANTED[kind]}"
    message = str(entry["msg"])
    return f"{came}; {message[:1].lower()}{message[1:]}"


def _fields(schema: type[BaseModel], location: list[int | str]) -> list[str]:
    """Field names of the table at a location of the file."""
    return list(_table(schema, location).model_fields)


def _table(schema: type[BaseModel], location: list[int | str]) -> type[BaseModel]:
    """Find the table at a location of the file."""
    table: Any = schema
    for part in location:
        if isinstance(table, type) and issubclass(table, BaseModel):
            table = table.model_fields[str(part)].annotation
            if not isinstance(table, type) and type(None) in get_args(table):  # a table that may be missing
                table = next(kind for kind in get_args(table) if kind is not type(None))
        else:  # dict[str, Table]: any name leads to the table; tuple[Table, ...]: any place
            table = get_args(table)[0 if isinstance(part, int) else 1]
    assert isinstance(table, type)
    assert issubclass(table, BaseModel)
    return table
