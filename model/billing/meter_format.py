"""How a file of many customers' meter readings is laid out: a small TOML file with a table ``[format]``."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, ValidationError, model_validator

from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import read_toml
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.tariff_file import Table

OWN_OFFSET: Final = "offset"
"""What ``stamps`` says where every stamp has its own offset."""


class MeterFileError(OneLineError):
    """A file of meter readings, or of their format, that cannot be used, in one line."""


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(unknown("time zone", name, sorted(available_timezones())))
    return name


def _stamps(name: str) -> str:
    return name if name == OWN_OFFSET else _zone(name)


def _month(text: str) -> str:
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", text):
        raise ValueError(f'is {text!r}; give the first of the twelve months, such as "2026-01"')
    return text


class FormatTable(Table):
    """``[format]``: the columns of the file, its clock, unit and sign. One row for each customer and interval."""

    customer: str
    """Column of the customer's name."""
    time: str
    """Column of the time stamps."""
    label: Literal["start", "end"]
    """Which end of the interval a stamp names."""
    minutes: Literal[60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1]
    """Length of an interval. [min]"""
    unit: Literal["kWh", "Wh", "kW", "W"]
    """Of the readings: energy of the interval, or mean power over it."""
    zone: Annotated[str, AfterValidator(_zone)]
    """Time zone the customers live in, by whose clock they are billed."""
    stamps: Annotated[str, AfterValidator(_stamps)]
    """Time zone of the stamps, such as "UTC"; "offset" where each has its own."""
    begin: Annotated[str, AfterValidator(_month)]
    """First of the twelve months that are billed."""
    use: str | None = None
    """Column of what is used, at least 0."""
    net: str | None = None
    """Column of what is drawn less what is fed in, in place of `use`."""
    generation: str | None = None
    """Column of what is generated behind the meter, beside `use`; an empty cell is 0."""
    missing: Literal["leave_out", "zero"] = "leave_out"
    """What becomes of customers whose readings have gaps: they are left out, or the gaps are 0 kWh."""
    income: str | None = None
    """Column of the income group's name."""
    technology: str | None = None
    """Column of what the customer owns; without it, whether anything is generated or fed in."""
    income_usd_per_year: str | None = None
    """Column of the income. [USD/yr]"""

    @model_validator(mode="after")
    def _readings(self) -> Self:
        if (self.use is None) == (self.net is None):
            raise ValueError("give one of the keys use and net, the column of the readings")
        if self.net is not None and self.generation is not None:
            raise ValueError("generation stands beside use, not beside net; leave one of them out")
        named = list(self.columns)
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise ValueError(f"column {twice[0]!r} is named twice; give every key a column of its own")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that are read."""
        keys = ("customer", "time", "use", "net", "generation", "income", "technology", "income_usd_per_year")
        return tuple(name for key in keys if (name := getattr(self, key)) is not None)

    @property
    def may_feed_in(self) -> bool:
        """Whether the readings can hold what is fed in."""
        return self.net is not None or self.generation is not None

    @property
    def kwh_per_unit(self) -> float:
        """What turns a reading into kWh. [kWh]"""
        hours = self.minutes / 60 if self.unit in ("kW", "W") else 1.0
        return hours / (1000 if self.unit in ("Wh", "W") else 1)


class ChoiceTable(Table):
    """``[a]`` or ``[b]``: what customers have chosen of the tariff, the same for all of them."""

    metering: Literal[tuple(rule.value for rule in Metering)] | None = None  # type: ignore[valid-type]
    """Rule of metering; the tariff's own where it is left out."""
    territory: str | None = None
    """Territory of a baseline."""
    discount: str | None = None
    """One of the tariff's discounts."""
    export: str | None = None
    """One of the tariff's terms of feeding in."""


class MeterFormat(Table):
    """The whole file."""

    format: FormatTable | None = None
    """How the readings are laid out; a simulated population needs none."""
    a: ChoiceTable = ChoiceTable()
    """Choices under tariff A."""
    b: ChoiceTable = ChoiceTable()
    """Choices under tariff B."""


def read_meter_format(path: str | Path) -> MeterFormat:
    """Read a format; ``MeterFileError`` in one line that names file, key, value and what is allowed."""
    label = f"--format {path}"
    try:
        table: dict[str, Any] = read_toml(Path(path))
        return MeterFormat.model_validate(table)
    except ValidationError as error:
        raise MeterFileError(f"{label}: {one_line(error, MeterFormat)}") from None
    except ValueError as error:
        raise MeterFileError(f"{label}: {error}") from None
