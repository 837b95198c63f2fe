"""A family of tariffs as people write it: keys that a leader chooses, keys that are given, windows of the day.

    [free]
    "energy_usd_per_kwh.day" = [0.0, 1.0]
    "energy_usd_per_kwh.peak" = [0.0, 1.0]
    [fixed]
    recovery = "fixed"
    [windows]
    peak = { start = [15, 19], width = [3, 5] }

Keys are those of ``--set``, less ``tariff.``. Whether a tariff has them is checked where the two meet, in
`meanwatt.model.mean_field.leader.own_family`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meanwatt.model.scenario.files import FileError, TomlTable, read_toml
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.values import finite, show

PARTS: Final = ("free", "fixed", "windows")
"""Tables of the file."""
SPANS: Final = ("start", "width")
"""Keys of a window."""
HOURS: Final = 24.0
PERIODS: Final = "periods"
ENERGY: Final = "energy_usd_per_kwh"


class FamilyError(OneLineError):
    """A family of tariffs that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRange:
    """Where a window may begin and how long it may be, both ends of both ranges included. [h]"""

    start: tuple[float, float]
    width: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyFile:
    """What a family's file says.

    Attributes
    ----------
    label
        Name of the family in messages.
    free
        Dotted key of a tariff → lowest and highest value.
    fixed
        Dotted key of a tariff → value.
    windows
        Name of a window → where it may lie; empty where the tariff's own periods stay.
    """

    label: str
    free: dict[str, tuple[float, float]]
    fixed: dict[str, Any]
    windows: dict[str, WindowRange]


def load_family(path: str | Path) -> FamilyFile:
    """Read a family from a TOML file.

    Raises
    ------
    FamilyError
        In one line that names the file, the key and what is allowed.
    """
    label = f"family {path}"
    try:
        return family_of_table(read_toml(Path(path)), label)
    except FileError as error:
        raise FamilyError(f"{label}: {error}") from None


def family_of_table(table: TomlTable, label: str = "family") -> FamilyFile:
    """Check a family's table as far as it can be without a tariff; ``FamilyError`` as for `load_family`."""
    try:
        return _family(table, label)
    except ValueError as error:
        raise FamilyError(f"{label}: {error}") from None


def _family(table: TomlTable, label: str) -> FamilyFile:
    for name in table:
        if name not in PARTS:
            raise ValueError(unknown("table", name, PARTS))
    for name in PARTS:
        if not isinstance(table.get(name, {}), Mapping):
            raise ValueError(f"{name} is {show(table[name])}; give a table [{name}]")
    free = {key: _bounds(key, value) for key, value in _leaves(table.get("free", {}))}
    fixed = dict(_leaves(table.get("fixed", {})))
    if not free:
        raise ValueError("[free] names no key to search; give one its bounds, e.g. energy_usd_per_kwh = [0.0, 1.0]")
    _require_apart(free, fixed)
    windows = {name: _window(name, value) for name, value in table.get("windows", {}).items()}
    return FamilyFile(label=label, free=free, fixed=fixed, windows=windows)


def _leaves(table: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values, however the tables are nested."""
    for name, value in table.items():
        key = f"{inside}{name}"
        if key.startswith("tariff."):
            raise ValueError(f"key {key!r}: keys of a family are those of a tariff; give {key.removeprefix('tariff.')}")
        if key.split(".")[0] == PERIODS:
            raise ValueError(f"key {key!r}: periods are those of --tariff, or the family's [windows]; leave it out")
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _bounds(key: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"free.{key} is {show(value)}; give its lowest and highest value, e.g. [0.0, 1.0]")
    low, high = (finite(entry, f"free.{key}: entry {place}") for place, entry in enumerate(value))
    if low == high:
        raise ValueError(f"free.{key} is {show(value)}, an empty range; give two numbers, or one under [fixed]")
    if low > high:
        raise ValueError(f"free.{key} is {show(value)}; give the lower bound first")
    return low, high


def _require_apart(free: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
    """Refuse a key that is given twice, whole or in part."""
    for key in free:
        if key in fixed:
            raise ValueError(f"key {key!r} is both free and fixed; leave it out of [free] or of [fixed]")
    keys = [*free, *fixed]
    for key in keys:
        whole = next((other for other in keys if key.startswith(f"{other}.")), None)
        if whole is not None:
            raise ValueError(f"key {key!r} is a part of {whole!r}, which is given, too; leave one of them out")


def _window(name: str, value: Any) -> WindowRange:
    if not isinstance(value, Mapping):
        raise ValueError(f"windows.{name} is {show(value)}; give e.g. {{ start = [15, 19], width = [3, 5] }}")
    for key in value:
        if key not in SPANS:
            raise ValueError(unknown("key", f"windows.{name}.{key}", [f"windows.{name}.{one}" for one in SPANS]))
    if "." in name:
        raise ValueError(f"windows.{name!r} holds a dot; give a name without one")
    ranges = {}
    for key in SPANS:
        if key not in value:
            raise ValueError(f"key 'windows.{name}.{key}' is missing; add it, in hours")
        ranges[key] = _hours(f"windows.{name}.{key}", value[key])
    start, width = ranges["start"], ranges["width"]
    if start[0] < 0 or start[1] >= HOURS:
        raise ValueError(f"windows.{name}.start is {show(value['start'])}; give hours from 0 to before 24")
    if width[1] > HOURS:
        raise ValueError(f"windows.{name}.width is {show(value['width'])}; give at most 24 hours")
    if width[0] <= 0:
        raise ValueError(f"windows.{name}.width is {show(value['width'])}; give hours above 0")
    return WindowRange(start=start, width=width)


def _hours(key: str, value: Any) -> tuple[float, float]:
    """Both ends of a range of hours; one number is a range of its own."""
    if isinstance(value, list):
        if len(value) != 2:
            raise ValueError(f"{key} is {show(value)}; give one number of hours, or the first and the last")
        low, high = (finite(entry, f"{key}: entry {place}") for place, entry in enumerate(value))
    else:
        low = high = finite(value, key)
    if low > high:
        raise ValueError(f"{key} is {show(value)}; give the lower bound first")
    return low, high
