"""Reading scenarios: presets and TOML files, what they extend, overrides, and errors in one line."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meanwatt.model.scenario.by_name import names_in, opened
from meanwatt.model.scenario.calendar_file import DERIVED, with_calendar
from meanwatt.model.scenario.calendar_file import NAME as CALENDAR
from meanwatt.model.scenario.feeder_choice import FEEDER, from_folder, set_network, with_digest, without_network
from meanwatt.model.scenario.file_errors import EXTENDS, NOT_EXTENDED, one_line
from meanwatt.model.scenario.files import (
    FileError,
    TomlTable,
    is_file,
    is_path,
    parse_toml,
    read_toml,
    require_regular,
    require_shallow,
)
from meanwatt.model.scenario.marks import Names
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.rate_classes import DEFAULT
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.tables import OneDayTable
from meanwatt.model.scenario.tariff_file import TariffTable
from meanwatt.model.scenario.values import show

__all__ = [
    "Scenario",
    "ScenarioError",
    "TariffTable",
    "checked_tariff",
    "load_scenario",
    "load_tariff",
    "presets",
    "tariff_of_text",
    "tariff_with",
    "with_tariff",
]

PRESETS = Path(__file__).parent / "presets"
ORDER = ("textbook", "oahu", "california", "stress")
REPLACED_WHOLE = frozenset(
    (
        "periods",
        "energy_usd_per_kwh",
        "usd_per_kwh",
        "fixed_charge_usd_per_day",
        "fixed_charge_shape",
        "discount",
        "usd_per_household_day",
    )
)
"""Tables of values, not of settings: one that brings new names replaces the one in its place."""

LONGEST_CHAIN = 16
"""Files that extend one another; a chain this long is a slip."""


class ScenarioError(OneLineError):
    """A scenario or tariff that cannot be used, in one line."""


def presets() -> tuple[str, ...]:
    """Names of the built-in scenarios, the smallest first."""
    found = {path.stem for path in PRESETS.glob("*.toml")}
    return tuple(name for name in ORDER if name in found) + tuple(sorted(found - set(ORDER)))


def preset_text(name: str) -> str:
    """A built-in scenario as it is written, with its comments: a TOML file to begin one's own with.

    Raises
    ------
    ScenarioError
        If there is none of this name.
    """
    if name not in presets():
        raise ScenarioError(unknown("preset", name, presets()))
    return (PRESETS / f"{name}.toml").read_text(encoding="utf-8")


def load_scenario(
    source: str | Path | Scenario,
    *,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    tariff: str | Path | None = None,
) -> Scenario:
    """Read, override and validate a scenario.

    Parameters
    ----------
    source : str, Path or Scenario
        Name of a preset, path of a TOML file, or a scenario to change.
    overrides : sequence of str, or mapping
        ``"dotted.key=value"`` with a TOML value (a bare word is a string), or dotted key → Python value. Keys under
        ``tariff`` act on the tariff in force, all others on the scenario.
    tariff : str or Path, optional
        Name of one of the scenario's tariffs, or a TOML file with one, for everybody: rate classes are set aside.
        ``CLASS=TARIFF`` changes one rate class alone. Without it the scenario's ``default_tariff`` and rate classes.

    Returns
    -------
    Scenario
        Frozen; its ``selected_tariff`` is the one asked for.

    Raises
    ------
    ScenarioError
        A ValueError in one line that names the scenario, the key, the value and what is allowed.

    Examples
    --------
    >>> load_scenario("textbook", overrides=["memory=1", "tariff.recovery=fixed"]).tariffs["flat"].recovery
    'fixed'
    """
    if isinstance(source, Scenario):
        label, scenario = f"scenario {source.name}", source
    else:
        label = f"scenario {source}"
        scenario = _validated(_read(source, label, ()), label)
    changes = _parsed(overrides, label)
    if tariff is None and not changes:
        return scenario

    table = scenario.model_dump()
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
    return _validated(table, label)


def load_tariff(path: str | Path) -> TariffTable:
    """Read one tariff from a TOML file of its own, written like a ``[tariffs.NAME]`` table.

    Raises
    ------
    ScenarioError
        If the file is missing, is not TOML, or does not hold a tariff. Whether its rates fit a scenario's periods,
        day types and income groups is checked when it joins a scenario.
    """
    label = f"tariff {path}"
    try:
        table = read_toml(Path(path))
    except FileError as error:
        raise ScenarioError(f"{label}: {error}") from None
    try:
        return checked_tariff(table)
    except ScenarioError as error:
        raise ScenarioError(f"{label}: {error}") from None


def tariff_of_text(text: str) -> TariffTable:
    """The tariff that the text of a tariff file holds.

    Raises
    ------
    ScenarioError
        In one line without a file's name: it is not TOML, or does not hold a tariff. As for `load_tariff`, whether it
        fits a scenario is checked when it joins one.
    """
    try:
        return checked_tariff(parse_toml(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not valid TOML: {' '.join(str(error).split())}") from None
    except FileError as error:
        raise ScenarioError(str(error)) from None


def with_tariff(scenario: Scenario, name: str, table: TariffTable) -> Scenario:
    """Copy of a scenario with a tariff under a name, in the place of one so called, selected.

    Raises
    ------
    ScenarioError
        In one line, if the tariff does not fit the scenario's periods, day types and income groups.
    """
    whole = scenario.model_dump()
    whole["tariffs"][name] = table.model_dump()
    whole["default_tariff"] = name
    return _validated(whole, f"scenario {scenario.name}")


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


def checked_tariff(table: TomlTable) -> TariffTable:
    """The tariff that a table holds; ``ScenarioError`` in one line without the name of its file."""
    if EXTENDS in table:
        raise ScenarioError(f"key {EXTENDS!r}: {NOT_EXTENDED}")
    try:
        return TariffTable.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(one_line(error, TariffTable)) from None


def _validated(table: TomlTable, label: str) -> Scenario:
    slots = table.get("slots_per_day")
    try:
        table = with_calendar(table, slots if slots in (24, 48, 96) else 24)
    except ValidationError as error:
        raise ScenarioError(f"{label}: {one_line(error, Scenario)}") from None
    except ValueError as error:
        raise ScenarioError(f"{label}: {error}") from None
    try:
        table = with_digest(table)
    except ValueError as error:
        raise ScenarioError(f"{label}: {error}") from None
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(f"{label}: {one_line(error, Scenario, also=(EXTENDS,))}") from None


def _read(source: str | Path, label: str, readers: tuple[Path, ...]) -> TomlTable:
    """Table of a preset or file with what it extends merged in; ``readers`` are the files that led here."""
    path = (readers[-1].parent if readers else Path()) / source
    if str(source) in presets() and not isinstance(source, Path):
        path = PRESETS / f"{source}.toml"
    elif not is_path(source) and not is_file(path):
        raise ScenarioError(f"{label}: {unknown('preset', str(source), presets())} (or give the path of a TOML file)")
    if len(readers) == LONGEST_CHAIN:
        raise ScenarioError(f"{label}: extends leads on beyond {LONGEST_CHAIN} files; end the chain at a preset")
    try:
        require_regular(path)
        if path.resolve() in (reader.resolve() for reader in readers):
            chain = " -> ".join(reader.stem for reader in (*readers, path))
            raise ScenarioError(f"{label}: extends runs in a circle, {chain}; end the chain at a preset")
        table = read_toml(path)
    except FileError as error:
        raise ScenarioError(f"{label}{f' (extends {source})' if readers else ''}: {error}") from None
    if CALENDAR in table and any(key in table for key in DERIVED):
        raise ScenarioError(f"{label}: calendar and {_first(table)} are both given; leave one out")
    table.setdefault("name", re.sub(r"[^\w.-]+", "_", path.stem))
    from_folder(table, path.parent)
    parent = table.pop("extends", None)
    if parent is None:
        return table
    if not isinstance(parent, str):
        raise ScenarioError(f"{label}: extends is {show(parent)}; give the name of a preset or the path of a TOML file")
    extended = _read(parent, label, (*readers, path))
    if CALENDAR in table or any(key in table for key in DERIVED):  # one stands in the place of the other
        gone = DERIVED if CALENDAR in table else (CALENDAR,)
        extended = {key: value for key, value in extended.items() if key not in gone}
    return _merged(without_network(extended, table), table)


def _first(table: TomlTable) -> str:
    """The first of the keys that a calendar makes in a file."""
    return next(key for key in DERIVED if key in table)


def _merged(base: TomlTable, change: TomlTable) -> TomlTable:
    """Copy of ``base`` with the entries of ``change``, table by table.

    A table of values (rates, periods, charges by group) that brings names the parent does not have replaces it whole,
    as does a supply curve of another kind: the left-over entries would not make sense.
    """
    result = dict(base)
    for key, value in change.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and _can_merge(key, old, value):
            value = _merged(old, value)
        result[key] = value
    return result


def _can_merge(key: str, old: TomlTable, new: TomlTable) -> bool:
    """Whether the entries of a table go among the parent's instead of replacing them."""
    if key in REPLACED_WHOLE:
        return new.keys() <= old.keys()
    return "kind" not in new or new["kind"] == old.get("kind")


def _parsed(overrides: Sequence[str] | Mapping[str, Any], label: str) -> TomlTable:
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
    """Make a tariff, named or in a file, the one in force: for everybody, or for one rate class."""
    if not isinstance(tariff, Path) and "=" in tariff and tariff not in table["tariffs"] and not is_file(tariff):
        name, _, of_class = (part.strip() for part in tariff.partition("="))
        _select_for(table, name, of_class, label)
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


def _set(table: TomlTable, key: str, value: Any, label: str) -> None:
    """Set one dotted key of a fully written-out scenario table."""
    parts = key.split(".")
    _require_settable(table, parts, label)
    tariff = table["default_tariff"]
    if parts[0] == "tariffs" and len(parts) > 2 and parts[1] in table["tariffs"]:
        tariff, parts = parts[1], ["tariff", *parts[2:]]
    of_tariff = parts[0] == "tariff"
    if parts[0] == "one_day" and table["one_day"] is None and len(parts) > 1:
        table["one_day"] = OneDayTable().model_dump()
    inner: Any = table["tariffs"][tariff] if of_tariff else table
    outer: Any = None
    for depth in range(1 if of_tariff else 0, len(parts)):
        by = names_in(parts[: depth + 1])
        if of_tariff and by is not None and (not isinstance(inner, dict) or by is Names.TECHNOLOGIES):
            inner = outer[parts[depth - 1]] = _opened(table, by, ".".join(parts[: depth + 1]), inner, label)
        if not isinstance(inner, dict):
            inside = ".".join(parts[:depth])
            raise ScenarioError(f"{label}: key {key!r} goes into {inside}, which is not a table; drop .{parts[depth]}")
        if parts[depth] not in inner:
            names = [*inner, "tariff"] if depth == 0 else list(inner)
            valid = [".".join([*parts[:depth], name, *parts[depth + 1 :]]) for name in names]
            raise ScenarioError(f"{label}: {unknown('key', key, valid)}")
        if depth < len(parts) - 1:
            outer, inner = inner, inner[parts[depth]]
    inner[parts[-1]] = value
    if parts[0] == FEEDER and len(parts) == 2:
        set_network(inner, parts[1])
