"""Checks of the values in a tariff file that are no plain numbers."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator

from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, TierUnit
from meanwatt.model.billing.tier_units import read_unit
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.values import finite, show

SCHEDULE = Form(
    'a table of months, such as "1-5, 10-12" = { off = ["0-16", "21-24"], peak = ["16-21"] }, or 12 rows of 24 names'
)
MONTHLY = Form("{}, or a list of 12, one a month")


def _unit(value: object) -> object:
    """Take a unit in any capitals and spacing."""
    if not isinstance(value, str):
        raise ValueError(f"is {show(value)}; give one of {', '.join(unit.value for unit in TierUnit)}")
    return read_unit(value).value


def _monthly(value: object) -> object:
    """Check a number, or 12 of them."""
    if isinstance(value, list | tuple):
        if len(value) != MONTHS:
            raise ValueError(f"has {len(value)} entries; give 12, one a month, or one number")
        return tuple(finite(entry, f"entry {place}") for place, entry in enumerate(value))
    return finite(value)


def allowances(value: object) -> object:
    """Check a table territory → number or 12 of them."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"is {show(value)}; give a table: territory → kWh a day")
    found = {}
    for name, entry in value.items():
        try:
            found[str(name)] = _monthly(entry)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return found


def beginning_of_date(value: object) -> object:
    """Check a date, or its beginning."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", value, flags=re.ASCII):
        try:
            date.fromisoformat((value + "-01-01")[:10] if len(value) != 7 else f"{value}-01")
        except ValueError:
            pass
        else:
            return value
    raise ValueError(f'is {show(value)}; give a day, month or year in quotes, such as "2026-03-01"')


def currency_code(value: object) -> object:
    """Check a code of three capitals."""
    if isinstance(value, str) and re.fullmatch("[A-Z]{3}", value):
        return value
    raise ValueError(f'is {show(value)}; give three capitals, such as "USD"')


def texts_by_key(value: object) -> object:
    """Check a table key → text."""
    if isinstance(value, Mapping) and all(isinstance(entry, str) and entry for entry in value.values()):
        return {str(name): entry for name, entry in value.items()}
    raise ValueError(f"is {show(value)}; give a table: key → why, in quotes")


Monthly = Annotated[float | tuple[float, ...], BeforeValidator(_monthly), MONTHLY]
Unit = Annotated[Literal["kWh", "kWh daily", "kWh/kW", "kWh/kW daily"], BeforeValidator(_unit)]
