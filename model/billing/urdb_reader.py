"""Reads a record of OpenEI's Utility Rate Database into the words of our own file."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.billing.ratebook_table import KIND
from meanwatt.model.billing.tier_units import read_unit
from meanwatt.model.billing.urdb_demand import demand_of
from meanwatt.model.billing.urdb_values import Record, number_of, schedule_of, structure_of, tiers_of, twelve
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.files import FileError, require_shallow
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.values import show

MONEY_WORDS = ("rate", "charge", "demand", "energy", "fixed", "schedule", "adjust", "credit", "lookback", "price")
"""What a field that may change a bill has in its name."""

MISSPELT = 0.85
"""Likeness from which an unknown field is taken as a known one misspelt."""


def value_of_json(text: str) -> Any:
    """Content of the text of a JSON file; ``FileError`` in one line."""
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_once)
    except RecursionError:
        raise FileError("has lists or objects inside one another too deep; give a flatter one") from None
    except json.JSONDecodeError as error:
        raise FileError(f"not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except FileError:
        raise
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise FileError(f"not valid JSON: {str(error).partition(';')[0]}") from None
    require_shallow(value)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise FileError("holds half a letter (a lone surrogate); save it as UTF-8") from None
    return value


def _no_constant(text: str) -> None:
    raise FileError(f"not valid JSON: {text} is no number; give finite numbers")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose names come once: else Python would take the last, and nobody would know."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError(f"{show(twice)} comes twice in one object; give it once")
    return found


def record_of(value: object) -> dict[str, Any]:
    """The one record in a file: an object, or the interface's answer with one in ``items``."""
    if isinstance(value, Mapping) and isinstance(value.get("items"), list):
        items = value["items"]
        if len(items) != 1:
            raise ValueError(f"items holds {len(items)} tariffs; give a file with one of them")
        value = items[0]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, Mapping):
        raise ValueError(f"is {show(value)}; give an object of OpenEI's Utility Rate Database, version 8")
    return dict(value)


def table_of_record(record: Record) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A record in the words of our file, and what is to be said of it.

    Raises
    ------
    ValueError
        In one line that names the field, the value and what is allowed.
    """
    messages = list(_strangers(record))
    ours = _extensions(record)
    table: dict[str, Any] = {"kind": KIND, "title": str(record.get("name", ""))}
    if record.get("dgrules") is not None:
        table["metering"] = _metering(record["dgrules"])
    table["energy"] = _energy(record, ours.get("energy", {}), messages)
    demand = demand_of(record, messages)
    if demand:
        table["demand"] = demand
    table |= _periodic(record)
    if record.get("fueladjustmentsmonthly") is not None:
        table["fuel_usd_per_kwh"] = twelve(record, "fueladjustmentsmonthly", ranges.PRICE)
    messages += [
        f"{field} ({what}) is not billed."
        for field, what in urdb.NOT_BILLED.items()
        if record.get(field) not in (None, [], 0, "")
    ]
    kept = {name: value for name, value in record.items() if name not in urdb.BILLED}
    foreign = {name: value for name, value in (record.get("extensions") or {}).items() if name != urdb.OURS}
    if foreign:
        kept["extensions"] = foreign
    if kept:
        table["urdb"] = kept
    return {**table, **{name: value for name, value in ours.items() if name != "energy"}}, tuple(messages)


def _strangers(record: Record) -> list[str]:
    """Refuse fields that are misspelt or may change a bill; say which others are only kept."""
    known = (*urdb.BILLED, *urdb.KEPT)
    others = []
    for name in record:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1, MISSPELT)
        if near:
            raise ValueError(unknown("field", name, near))
        if any(word in name.lower() for word in MONEY_WORDS):
            raise ValueError(
                f"unknown field {show(name)}, which may change the bill; take it out, or put it into extensions"
            )
        others.append(name)
    return (
        [f"Fields that this program does not know are kept and change no bill: {', '.join(others)[:200]}."]
        if others
        else []
    )


def _extensions(record: Record) -> dict[str, Any]:
    given = record.get("extensions")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError(f"extensions is {show(given)}; give an object")
    ours = given.get(urdb.OURS, {})
    if not isinstance(ours, Mapping):
        raise ValueError(f"extensions.{urdb.OURS} is {show(ours)}; give an object")
    return dict(ours)


def _metering(text: object) -> str:
    for name, words in urdb.RATES.items():
        if isinstance(text, str) and " ".join(text.lower().split()) == words.lower():
            return name
    if not isinstance(text, str):
        raise ValueError(f"dgrules is {show(text)}; give one of {', '.join(urdb.RATES.values())}")
    raise ValueError(unknown("dgrules", text, urdb.RATES.values()))


def _energy(record: Record, ours: Mapping[str, Any], messages: list[str]) -> dict[str, Any]:
    field = "energyratestructure"
    structure = structure_of(record, field)
    names = [urdb.period_name(number) for number in range(len(structure))]
    words = {"rate": "usd_per_kwh", "adj": "adjustment_usd_per_kwh", "sell": "sell_usd_per_kwh"}
    units = _units_of(structure, messages)
    mixed = len(units) > 1
    periods = {
        name: {"tiers": tiers_of(tiers, f"{field}: period {number}", words, ranges.PRICE, mixed=mixed)}
        for number, (name, tiers) in enumerate(zip(names, structure, strict=True))
    }
    table: dict[str, Any] = {"periods": periods}
    if units not in ([], ["kWh"]) and not mixed:
        table["unit"] = units[0]
    table["weekday"] = schedule_of(record, "energyweekdayschedule", names)
    table["weekend"] = schedule_of(record, "energyweekendschedule", names)
    return _renamed(table, ours)


def _renamed(table: dict[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Give the periods the names that ``extensions`` holds, and take over what else is there."""
    if not isinstance(ours, Mapping):
        raise ValueError(f"extensions.{urdb.OURS}.energy is {show(ours)}; give an object")
    names = ours.get("names")
    if names is not None:
        old = list(table["periods"])
        if not isinstance(names, list) or len({*map(str, names)}) != len(old) or len(names) != len(old):
            raise ValueError(f"extensions.{urdb.OURS}.energy.names is {show(names)}; give {len(old)} different names")
        new = dict(zip(old, map(str, names), strict=True))
        table["periods"] = {new[name]: value for name, value in table["periods"].items()}
        for key in ("weekday", "weekend"):
            table[key] = [[new[name] for name in row] for row in table[key]]
    return {**table, **{name: value for name, value in ours.items() if name != "names"}}


def _units_of(structure: Sequence[Sequence[Mapping[str, Any]]], messages: list[str]) -> list[str]:
    """Different units of the limits."""
    found: dict[str, None] = {}
    for number, period in enumerate(structure):
        for place, tier in enumerate(period):
            if tier.get("unit") is None:
                continue
            if not isinstance(tier["unit"], str):
                raise ValueError(
                    f"energyratestructure: period {number}: tier {place}: unit is {show(tier['unit'])}; give a text"
                )
            try:
                found[read_unit(tier["unit"]).value] = None
            except ValueError as error:
                raise ValueError(f"energyratestructure: period {number}: tier {place}: {error}") from None
    if not found and any(tier.get("max") is not None for period in structure for tier in period):
        messages.append("energyratestructure gives no unit; limits of tiers are taken as kWh.")
    return list(found)


def _periodic(record: Record) -> dict[str, Any]:
    """Fixed and minimum charges."""
    fixed = _sum_with_unit(record, "fixedchargefirstmeter", "fixedchargeunits", "fixedmonthlycharge")
    found: dict[str, Any] = {"fixed": {urdb.FIXED: fixed}} if fixed else {}
    least = {}
    minimum = _sum_with_unit(record, "mincharge", "minchargeunits", None)
    if minimum:
        least[urdb.MINIMUM] = minimum
    for name, field, per in (
        (urdb.MONTHLY_MINIMUM, "minmonthlycharge", "month"),
        (urdb.ANNUAL_MINIMUM, "annualmincharge", "year"),
    ):
        if record.get(field) is not None:
            least[name] = {"usd": number_of(record[field], field, ranges.SUM), "per": per}
    return found | ({"minimum": least} if least else {})


def _sum_with_unit(record: Record, field: str, unit_field: str, monthly_field: str | None) -> dict[str, Any] | None:
    value = record.get(field)
    if value is None:
        if monthly_field and record.get(monthly_field) is not None:
            return {"usd": number_of(record[monthly_field], monthly_field, ranges.SUM), "per": "month"}
        return None
    unit = record.get(unit_field)
    if unit is None:
        raise ValueError(
            f"{field} is {show(value)} and {unit_field} is missing; give one of {', '.join(urdb.PER.values())}"
        )
    plain = "".join(str(unit).lower().split())
    per = next((name for name, text in urdb.PER.items() if text == plain), None)
    if per is None or not isinstance(unit, str):
        raise ValueError(unknown(unit_field, str(unit), urdb.PER.values()))
    return {"usd": number_of(value, field, ranges.SUM), "per": per}
