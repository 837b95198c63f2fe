"""Reading presets, scenario files with what they extend, and tariff files; every error in one line."""

import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from meanwatt.model.scenario.adoption_table import BY_GROUP
from meanwatt.model.scenario.calendar_file import DERIVED
from meanwatt.model.scenario.calendar_file import NAME as CALENDAR
from meanwatt.model.scenario.feeder_choice import from_folder, without_network
from meanwatt.model.scenario.file_errors import EXTENDS, NOT_EXTENDED, one_line
from meanwatt.model.scenario.files import (
    FileError,
    TomlTable,
    is_file,
    is_path,
    parse_toml,
    read_toml,
    require_regular,
)
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.tariff_file import TariffTable
from meanwatt.model.scenario.values import show

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
        *BY_GROUP,
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


def checked_tariff(table: TomlTable) -> TariffTable:
    """The tariff that a table holds; ``ScenarioError`` in one line without the name of its file."""
    if EXTENDS in table:
        raise ScenarioError(f"key {EXTENDS!r}: {NOT_EXTENDED}")
    try:
        return TariffTable.model_validate(table)
    except ValidationError as error:
        raise ScenarioError(one_line(error, TariffTable)) from None


def read_table(source: str | Path, label: str, readers: tuple[Path, ...] = ()) -> TomlTable:
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
    extended = read_table(parent, label, (*readers, path))
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
