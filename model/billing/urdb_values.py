"""Numbers, schedules and tiers in a record of OpenEI's Utility Rate Database, refused in one line if wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from meanwatt.agents.tariff.ratebook.ratebook import HOURS, MONTHS
from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.billing.tier_units import read_unit
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.values import finite, show

Record = Mapping[str, Any]


def number_of(value: object, key: str, allowed: Range) -> float:
    """A finite number in a range."""
    return float(allowed.require(finite(value, key), key))


def twelve(record: Record, field: str, allowed: Range) -> list[float]:
    """Twelve numbers, one a month."""
    value = record[field]
    if not isinstance(value, list) or len(value) != MONTHS:
        raise ValueError(f"{field} is {show(value)}; give a list of 12 numbers, one a month")
    return [number_of(entry, f"{field}: entry {place}", allowed) for place, entry in enumerate(value)]


def structure_of(record: Record, field: str) -> list[list[Mapping[str, Any]]]:
    """Periods and tiers as a record has them."""
    value = record.get(field)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{field} is {show(value)}; give a list of periods, each a list of tiers")
    for number, period in enumerate(value):
        if not isinstance(period, list) or not period or not all(isinstance(tier, Mapping) for tier in period):
            raise ValueError(f"{field}: period {number} is {show(period)}; give a list of tiers, each an object")
    return value


def schedule_of(record: Record, field: str, names: Sequence[str]) -> list[list[str]]:
    """Names of periods, (month, hour)."""
    value = record.get(field)
    if value is None:
        raise ValueError(f"{field} is missing; give 12 rows of 24 numbers of periods, counted from 0")
    if not isinstance(value, list) or len(value) != MONTHS:
        raise ValueError(f"{field} is {show(value)}; give 12 rows of 24 numbers of periods, counted from 0")
    return [row_of(row, f"{field}: row {month}", names, HOURS) for month, row in enumerate(value)]


def row_of(row: object, key: str, names: Sequence[str], length: int) -> list[str]:
    """Names of periods, one for each number of a row."""
    if not isinstance(row, list) or len(row) != length:
        raise ValueError(f"{key} is {show(row)}; give {length} numbers of periods, counted from 0")
    found = []
    for place, number in enumerate(row):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(names):
            raise ValueError(f"{key}: entry {place} is {show(number)}; give a period from 0 to {len(names) - 1}")
        found.append(names[number])
    return found


def _limit(tier: Mapping[str, Any], key: str) -> float | None:
    if tier.get("max") is None:
        return None
    value = finite(tier["max"], f"{key}.max")
    return None if value >= urdb.LONGEST_LADDER_END else number_of(value, f"{key}.max", ranges.TIER_LIMIT)


def tiers_of(
    period: Sequence[Mapping[str, Any]], key: str, words: Mapping[str, str], allowed: Range, *, mixed: bool = False
) -> list[dict[str, Any]]:
    """Tiers of a period; ``words`` is the name here of each number that a tier may have.

    Limits rise, and only the last tier has none, unless tiers have units of their own, ``mixed``.
    """
    found: list[dict[str, Any]] = []
    last = 0.0
    for number, tier in enumerate(period):
        place = f"{key}: tier {number}"
        for name in tier:
            if name not in (*words, "max", "unit"):
                raise ValueError(f"{place}: {unknown('field', str(name), [*words, 'max', 'unit'])}")
        if tier.get("rate") is None:
            raise ValueError(f"{place} has no rate; give one")
        entry: dict[str, Any] = {
            ours: number_of(tier[name], f"{place}: {name}", allowed)
            for name, ours in words.items()
            if tier.get(name) is not None
        }
        limit = _limit(tier, place)
        if limit is None and not mixed and number + 1 < len(period):
            raise ValueError(f"{place} has no max; only the last tier has none")
        if limit is not None:
            if limit <= last and not mixed:
                raise ValueError(f"{place}: max is {limit:g}, of the tier below {last:g}; let them rise")
            entry["limit"] = last = limit
        if mixed:
            entry["unit"] = read_unit(tier["unit"]).value if tier.get("unit") else "kWh"
        found.append(entry)
    return found


def whole_of(value: object, key: str, allowed: Range) -> int:
    """A whole number in a range."""
    number = finite(value, key)
    if number != math.floor(number):
        raise ValueError(f"{key} is {show(value)}; give a whole number")
    return int(allowed.require(int(number), key))
