"""Changing a scenario that is written out: overrides by dotted key, and which tariff is in force."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from meanwatt.model.scenario.branches import ADDER as BRANCH_ADDER
from meanwatt.model.scenario.by_name import names_in, opened
from meanwatt.model.scenario.calendar_file import DERIVED
from meanwatt.model.scenario.calendar_file import NAME as CALENDAR
from meanwatt.model.scenario.envelope_table import EnvelopeTable
from meanwatt.model.scenario.feeder_choice import set_beside
from meanwatt.model.scenario.filed_classes import FILED_CLASSES, has_filed_classes, with_filed_classes
from meanwatt.model.scenario.files import FileError, TomlTable, is_file, is_path, parse_toml, require_shallow
from meanwatt.model.scenario.marks import Names
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_classes import DEFAULT
from meanwatt.model.scenario.reading import ScenarioError, load_tariff
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.tables import OneDayTable
from meanwatt.model.scenario.values import show

ADOPTION = "adoption"
"""The table that has values by income group beside tariffs."""


def override_table(table: TomlTable, changes: TomlTable, tariff: str | Path | None, label: str) -> None:
    """Set dotted keys of a fully written-out scenario table, and the tariff in force.

    Raises
    ------
    ScenarioError
        In one line, if there is no such key or tariff, or two changes say the same thing.
    """
    if tariff is not None and "default_tariff" in changes:
        raise ScenarioError(f"{label}: tariff {tariff} and default_tariff are both given; give one of them")
    if tariff is not None:
        _select(table, tariff, label)
    elif "default_tariff" in changes:
        table["default_tariff"] = changes.pop("default_tariff")
        _require_tariff(table, str(table["default_tariff"]), label)
        _for_everybody(table)
    for key, value in changes.items():
        _set(table, key, value, label)


def parse_overrides(overrides: Sequence[str] | Mapping[str, Any], label: str) -> TomlTable:
    """Dotted key → value, in the order given."""
    if isinstance(overrides, Mapping):
        for key, value in overrides.items():
            try:
                require_shallow(value)
            except FileError as error:
                raise ScenarioError(f"{label}: override {key} {error}") from None
        return deepcopy(dict(overrides))  # a later key may go into the table of an earlier one
    if isinstance(overrides, str):
        overrides = [overrides]
    changes = {}
    for text in overrides:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key or not value:
            raise ScenarioError(f"{label}: override {show(text)} is not of the form key=value, e.g. memory=1")
        changes[key] = _value(value, text, label)
    return changes


def tariff_with(scenario: Scenario, name: str, changes: Mapping[str, Any], label: str) -> TomlTable:
    """Table of one of a scenario's tariffs with changes by dotted key, the keys of ``--set`` less ``tariff.``.

    ``periods``, the first of the changes, may be a table whole. What the values are is not checked.

    Raises
    ------
    ScenarioError
        In one line that begins with ``label``, if the tariff has no such key.
    """
    whole = scenario.model_dump()
    whole["default_tariff"] = name
    for key, value in changes.items():
        try:
            _set(whole, f"tariff.{key}", deepcopy(value), label)
        except ScenarioError as error:
            raise ScenarioError(str(error).replace("'tariff.", "'")) from None
    return dict(whole["tariffs"][name])


def _value(value: str, text: str, label: str) -> Any:
    """Read a TOML value; a bare word is a string."""
    try:
        table = parse_toml(f"value = {value}")
    except FileError as error:
        raise ScenarioError(f"{label}: override {show(text)} {error}") from None
    except tomllib.TOMLDecodeError:
        if re.fullmatch(r"[+-]?(\d+\.|\.\d+)([eE][+-]?\d+)?", value):  # .5 and 1. are no TOML but surely meant
            return float(value)
        if re.fullmatch(r"[^\s\"'\[\]{}=#,]+", value):
            return value
        raise ScenarioError(
            f"{label}: override {show(text)} has no TOML value; give a number, a word or a list"
        ) from None
    if list(table) != ["value"]:
        raise ScenarioError(f"{label}: override {show(text)} holds more than one value; give one override for each key")
    return table["value"]


def _select(table: TomlTable, tariff: str | Path, label: str) -> None:
    """Make a tariff, named or in a file, the one in force, for everybody or one rate class; or filed rate classes."""
    if not isinstance(tariff, Path) and "=" in tariff and tariff not in table["tariffs"] and not is_file(tariff):
        name, _, of_class = (part.strip() for part in tariff.partition("="))
        _select_for(table, name, of_class, label)
    elif tariff == FILED_CLASSES and tariff not in table["tariffs"] and has_filed_classes(str(table["name"])):
        table.update(with_filed_classes(table))
    else:
        table["default_tariff"] = _taken(table, tariff, label)
        _for_everybody(table)


def _select_for(table: TomlTable, name: str, tariff: str, label: str) -> None:
    """Make a tariff that of one rate class."""
    if not table["rate_classes"]:
        raise ScenarioError(f"{label}: tariff {name}={tariff} names a rate class, and there is none; give {tariff}")
    if name not in (DEFAULT, *table["rate_classes"]):
        raise ScenarioError(f"{label}: {unknown('rate class', name, [DEFAULT, *table['rate_classes']])}")
    chosen = _taken(table, tariff, label)
    if name == DEFAULT:
        table["default_tariff"] = chosen
    else:
        table["rate_classes"][name]["tariff"] = chosen


def _for_everybody(table: TomlTable) -> None:
    """Set rate classes aside, where there are any."""
    table["rate_classes_in_force"] = table["rate_classes_in_force"] and not table["rate_classes"]


def _taken(table: TomlTable, tariff: str | Path, label: str) -> str:
    """Name of a tariff among the scenario's, one in a file having joined them."""
    if not isinstance(tariff, Path) and tariff in table["tariffs"]:
        return tariff
    if not (is_path(tariff) or is_file(tariff)):
        _require_tariff(table, str(tariff), label)
    name = Path(tariff).stem
    table["tariffs"][name] = load_tariff(tariff).model_dump()
    return name


def _require_tariff(table: TomlTable, name: str, label: str) -> None:
    if name not in table["tariffs"]:
        raise ScenarioError(f"{label}: {unknown('tariff', name, table['tariffs'])} (or give the path of a TOML file)")


def _opened(table: TomlTable, names: Names, key: str, value: Any, label: str) -> TomlTable:
    """The table by name that a value for all stands for."""
    try:
        return opened(table, names, key, value)
    except ValueError as error:
        raise ScenarioError(f"{label}: {error}") from None


def _require_settable(table: TomlTable, parts: Sequence[str], label: str) -> None:
    """Refuse keys that name a whole tariff, or what a calendar makes, or a calendar that is not there."""
    key = ".".join(parts)
    if parts == ["tariff"]:
        raise ScenarioError(f"{label}: key 'tariff' is a table; name one of its keys, e.g. tariff.recovery")
    if parts[0] in DERIVED and table[CALENDAR] is not None:
        raise ScenarioError(
            f"{label}: key {key!r} is made by the calendar; set a key of calendar.weather or calendar.days"
        )
    if parts[0] == CALENDAR and len(parts) > 1 and table[CALENDAR] is None:
        raise ScenarioError(
            f"{label}: key {key!r} goes into a calendar, which the scenario has not; write it in a file"
        )


def _open_named(inner: TomlTable, parts: Sequence[str], depth: int) -> None:
    """Make room for an entry where a table takes names of the user's own: branches, adders on them, envelopes."""
    if depth > 1 and list(parts[:2]) in (["feeder", "branches"], ["tariff", BRANCH_ADDER]):
        inner.setdefault(parts[depth], {})
    if depth == 2 and list(parts[:2]) == ["feeder", "envelopes"]:
        inner.setdefault(parts[depth], EnvelopeTable().model_dump())


def _set(table: TomlTable, key: str, value: Any, label: str) -> None:
    """Set one dotted key of a fully written-out scenario table."""
    parts = key.split(".")
    _require_settable(table, parts, label)
    tariff = table["default_tariff"]
    if parts[0] == "tariffs" and len(parts) > 2 and parts[1] in table["tariffs"]:
        tariff, parts = parts[1], ["tariff", *parts[2:]]
    of_tariff, opens = parts[0] == "tariff", parts[0] in ("tariff", ADOPTION)
    if parts[0] == "one_day" and table["one_day"] is None and len(parts) > 1:
        table["one_day"] = OneDayTable().model_dump()
    inner: Any = table["tariffs"][tariff] if of_tariff else table
    outer: Any = None
    for depth in range(1 if of_tariff else 0, len(parts)):
        by = names_in(parts[: depth + 1])
        if opens and by is not None and (not isinstance(inner, dict) or by is Names.TECHNOLOGIES):
            inner = outer[parts[depth - 1]] = _opened(table, by, ".".join(parts[: depth + 1]), inner, label)
        if not isinstance(inner, dict):
            inside = ".".join(parts[:depth])
            raise ScenarioError(f"{label}: key {key!r} goes into {inside}, which is not a table; drop .{parts[depth]}")
        _open_named(inner, parts, depth)
        if parts[depth] not in inner:
            names = [*inner, "tariff"] if depth == 0 else list(inner)
            valid = [".".join([*parts[:depth], name, *parts[depth + 1 :]]) for name in names]
            raise ScenarioError(f"{label}: {unknown('key', key, valid)}")
        if depth < len(parts) - 1:
            outer, inner = inner, inner[parts[depth]]
    inner[parts[-1]] = value
    set_beside(inner, parts)
