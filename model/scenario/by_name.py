"""Values for all that may be tables by name, and one entry of such a table set by a dotted key."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from meanwatt.model.scenario.adoption_table import AdoptionTable
from meanwatt.model.scenario.files import TomlTable
from meanwatt.model.scenario.marks import ByName, Names
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.tariff_file import Table, TariffTable
from meanwatt.model.scenario.technologies import TECHNOLOGIES


def names_in(parts: list[str]) -> Names | None:
    """What the last part of a dotted key names, if it is an entry of a table that may be one value instead."""
    marked = [(depth, _marked()[part]) for depth, part in enumerate(parts[:-1]) if part in _marked()]
    if not marked:
        return None
    depth, names = marked[-1]
    inside = len(parts) - 1 - depth
    return names if inside == 1 or (inside == 2 and names is Names.PERIODS_OR_DAYS) else None


def opened(scenario: TomlTable, names: Names, key: str, value: Any) -> TomlTable:
    """The table by name that stands for one value, with an entry for the last part of a key.

    Parameters
    ----------
    scenario
        Fully written out; its periods are those of the tariff in force.
    value
        One for all, or a table of technologies, which may leave some out.

    Raises
    ------
    ValueError
        In one line, if there is no such name.
    """
    inside, _, name = key.rpartition(".")
    tables = list(_tables(scenario, names, value))
    for table in tables:
        if name in table and names is Names.TECHNOLOGIES:  # 0 goes without saying
            return {key: entry for key, entry in table.items() if entry or key == name}
        if name in table:
            return table
    valid = dict.fromkeys(f"{inside}.{known}" for table in tables for known in table)
    raise ValueError(unknown("key", key, list(valid)))


def _tables(scenario: TomlTable, names: Names, value: Any) -> Iterator[TomlTable]:
    """The tables by name that say the same as a value."""
    if names is Names.TECHNOLOGIES:
        given = value if isinstance(value, Mapping) else {}
        everybody = 0.0 if isinstance(value, Mapping) else value
        yield {technology.name: given.get(technology.name, everybody) for technology in TECHNOLOGIES}
    elif names is Names.INCOME_GROUPS:
        yield dict.fromkeys(scenario["income_groups"], value)
    else:
        if isinstance(value, int | float):
            yield dict.fromkeys(scenario["tariffs"][scenario["default_tariff"]]["periods"], value)
        days = scenario["day_types"]
        yield dict.fromkeys(days, value)
        yield {day.get("season") or name: value for name, day in days.items()}
        yield {day.get("day_class") or name: value for name, day in days.items()}


@cache
def _marked() -> dict[str, Names]:
    """Keys of a tariff and of adoption that are marked `ByName`."""
    return dict(_marks(TariffTable)) | dict(_marks(AdoptionTable))


def _marks(schema: type[Table]) -> Iterator[tuple[str, Names]]:
    for key, field in schema.model_fields.items():
        yield from ((key, mark.names) for mark in field.metadata if isinstance(mark, ByName))
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table):
            yield from _marks(field.annotation)
