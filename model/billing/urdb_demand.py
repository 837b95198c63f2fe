"""Demand charges and ratchets in a record of OpenEI's Utility Rate Database."""

from collections.abc import Mapping
from typing import Any

from meanwatt.agents.tariff.ratebook.ratebook import MONTHS
from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.billing.urdb_values import (
    Record,
    number_of,
    row_of,
    schedule_of,
    structure_of,
    tiers_of,
    twelve,
    whole_of,
)
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.values import show


def demand_of(record: Record, messages: list[str]) -> dict[str, Any]:
    """Demand charges by name, in the words of our file."""
    found: dict[str, Any] = {}
    words = {"rate": "usd_per_kw", "adj": "adjustment_usd_per_kw"}
    extra = _ratchet(record)
    if record.get("demandwindow") is not None:
        extra["window_minutes"] = int(whole_of(record["demandwindow"], "demandwindow", ranges.MINUTES))
    for field in ("demandrateunit", "flatdemandunit", "demandunits"):
        _require_kw(record.get(field), field)
    if record.get("flatdemandstructure") is not None:
        table, names = _demand_periods(record, "flatdemandstructure", words)
        months = record.get("flatdemandmonths")
        if months is None:
            raise ValueError("flatdemandmonths is missing; give 12 numbers of periods of flatdemandstructure")
        table["months"] = row_of(months, "flatdemandmonths", names, MONTHS)
        found[urdb.FLAT_DEMAND] = table | extra
    elif record.get("flatdemandmonths") is not None:
        raise ValueError("flatdemandmonths is given and flatdemandstructure is missing; give both")
    if record.get("demandratestructure") is not None:
        table, names = _demand_periods(record, "demandratestructure", words)
        table["weekday"] = schedule_of(record, "demandweekdayschedule", names)
        table["weekend"] = schedule_of(record, "demandweekendschedule", names)
        found[urdb.TIME_OF_USE] = table | extra
    elif any(record.get(field) is not None for field in urdb.DEMAND[1:]):
        raise ValueError("a demand schedule is given and demandratestructure is missing; give both")
    if extra and not found:
        messages.append("A demand window or ratchet is given and no demand charge: it changes nothing.")
    return found


def _demand_periods(record: Record, field: str, words: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    structure = structure_of(record, field)
    names = [urdb.period_name(number) for number in range(len(structure))]
    periods = {}
    for number, (name, tiers) in enumerate(zip(names, structure, strict=True)):
        for place, tier in enumerate(tiers):
            _require_kw(tier.get("unit"), f"{field}: period {number}: tier {place}: unit")
        periods[name] = {"tiers": tiers_of(tiers, f"{field}: period {number}", words, ranges.DEMAND_PRICE)}
    return {"periods": periods}, names


def _require_kw(unit: object, key: str) -> None:
    if unit is not None and not (isinstance(unit, str) and unit.strip().lower() == "kw"):
        raise ValueError(f"{key} is {show(unit)}; this program bills demand in kW")


def _ratchet(record: Record) -> dict[str, Any]:
    """The ratchet of all demand charges."""
    by_month = record.get("demandratchetpercentage")
    share = record.get("lookbackpercent")
    if by_month is not None and any(twelve(record, "demandratchetpercentage", ranges.SHARE)):
        if share:
            raise ValueError("lookbackpercent and demandratchetpercentage are both given; give one of them")
        ratchet: dict[str, Any] = {"share": twelve(record, "demandratchetpercentage", ranges.SHARE)}
    elif share is not None and number_of(share, "lookbackpercent", ranges.SHARE):
        ratchet = {"share": number_of(share, "lookbackpercent", ranges.SHARE)}
    else:
        return {}
    counted = record.get("lookbackmonths")
    if counted is not None:
        if not isinstance(counted, list) or len(counted) != MONTHS or any(entry not in (0, 1) for entry in counted):
            raise ValueError(f"lookbackmonths is {show(counted)}; give a list of 12, true or false")
        ratchet["counted"] = [bool(entry) for entry in counted]
    months = record.get("lookbackrange")
    if months:
        ratchet["months"] = min(11, whole_of(months, "lookbackrange", ranges.MONTH))
    return {"ratchet": ratchet}
