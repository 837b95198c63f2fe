"""How a file of many customers' meter readings is laid out: a small TOML file with a table ``[format]``.

`meanwatt impacts --meters` and `meanwatt import households` read the same table; the named layouts of the latter are
such files, too.
"""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from meanwatt.agents.tariff.ratebook.ratebook import Metering
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import read_toml
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.ranges import EXPECTED_USE, INCOME, LATITUDE, LONGITUDE, SKIPPED_LINES
from meanwatt.model.scenario.tariff_file import Row, Table, Texts, tuples
from meanwatt.model.scenario.time_zones import time_zones

MINUTES_PER_DAY: Final = 1440
OWN_OFFSET: Final = "offset"
"""What ``stamps`` says where every stamp has its own offset."""


class MeterFileError(OneLineError):
    """A file of meter readings, or of their format, that cannot be used, in one line."""


def _zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError(unknown("time zone", name, sorted(time_zones())))
    return name


def _stamps(name: str) -> str:
    return name if name == OWN_OFFSET else _zone(name)


def _month(text: str) -> str:
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", text):
        raise ValueError(f'is {text!r}; give the first of the twelve months, such as "2026-01"')
    return text


def _date(text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year < 2100:
        raise ValueError(f'is {text!r}; give a date of 1970 to 2099, such as "2009-01-01"')
    return text


Role = Literal["use", "controlled", "net", "generation", "ignore"]
"""What a channel holds; controlled is use under the utility's control, net what is drawn less what is fed in."""
Optional = Literal["generation", "vehicle", "income", "technology", "income_usd_per_year", "installed_kw"]
_COLUMNS: Final = (
    *("customer", "time", "channel", "use", "net", "generation", "vehicle"),
    *("income", "technology", "income_usd_per_year", "installed_kw"),
)
"""Keys that name a column."""


class HomesTable(Table):
    """``[format.homes]``: columns of a second file, with a row for each customer."""

    customer: str
    """Column of the customer's name."""
    income: str | None = None
    """Column of the income group's name."""
    income_usd_per_year: str | None = None
    """Column of the income; 0 is a vacant home, which is left out. [USD/yr]"""
    installed_kw: str | None = None
    """Column of the solar power installed. [kW]"""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that are read."""
        keys = ("customer", "income", "income_usd_per_year", "installed_kw")
        return tuple(dict.fromkeys(name for key in keys if (name := getattr(self, key)) is not None))


class FormatTable(Table):
    """``[format]``: the columns of the file, its clock, unit and sign. A row for each customer and interval, or day."""

    customer: str | None = None
    """Column of the customer's name; without it every file is a customer, called as the file."""
    time: str
    """Column of the time stamps, or of the dates of a wide file."""
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
    begin: Annotated[str | None, AfterValidator(lambda text: text and _month(text))] = None
    """First of the twelve months that are billed; `impacts` needs it."""
    use: str | None = None
    """Column of what is used, at least 0; of a file with channels, of all readings."""
    net: str | None = None
    """Column of what is drawn less what is fed in, in place of `use`."""
    generation: str | None = None
    """Column of what is generated behind the meter; an empty cell is 0. Beside `net`, the use is the sum of both."""
    vehicle: str | None = None
    """Column of what charges an electric vehicle, a part of the use; an empty cell is 0."""
    missing: Literal["leave_out", "zero"] = "leave_out"
    """What becomes of customers whose readings have gaps: they are left out, or the gaps are 0 kWh."""
    income: str | None = None
    """Column of the income group's name."""
    technology: str | None = None
    """Column of what the customer owns; without it, whether anything is generated or fed in."""
    income_usd_per_year: str | None = None
    """Column of the income. [USD/yr]"""
    installed_kw: str | None = None
    """Column of the solar power installed. [kW]"""
    shape: Literal["long", "wide"] = "long"
    """A row for each interval, or for each day with a column for each of its intervals."""
    intervals: Texts = ()
    """Columns of a wide file, in the order of the day; the first begins at midnight, whatever its name."""
    holds: Literal["use", "net"] = "use"
    """What the columns of a wide file hold, where it has no channels."""
    channel: str | None = None
    """Column of the channel's name, where a customer has several."""
    channels: Annotated[dict[str, Role], Form("a table: channel → its role")] = Field(default_factory=dict)
    """Channel → what it holds: use, controlled (a part of the use), net, generation or ignore."""
    stamp_form: Literal["iso", "day_month_year", "month_day_year", "day_slot"] = "iso"
    """How stamps and dates are written; `day_slot` is dddtt, number of the day and of its interval, both from 1 on."""
    day_one: Annotated[str, AfterValidator(_date)] = "2009-01-01"
    """Date of day 1 of `day_slot`."""
    within_day: Literal["wall", "elapsed"] = "wall"
    """Whether the intervals of a day follow the clock on the wall, or count from midnight (46 to 50 half-hours)."""
    sign: Literal["drawn_positive", "fed_in_positive"] = "drawn_positive"
    """Which direction is positive in `net`."""
    generation_sign: Literal["positive", "negative"] = "positive"
    """Sign of what is generated."""
    no_reading: Texts = ()
    """What a cell says where there is no reading, such as "Null"; it is no fault."""
    separator: Literal["comma", "semicolon", "tab", "blank", "any"] = "comma"
    """What stands between the cells of a text file; `any` of these where `heading` says how many cells there are."""
    skip_lines: Annotated[int, SKIPPED_LINES] = 0
    """Lines before the heading."""
    heading: Texts = ()
    """Names of the columns, for a text file without a heading."""
    optional: Annotated[tuple[Optional, ...], BeforeValidator(tuples), Form("a list of keys")] = ()
    """Keys whose column a file may lack."""
    latitude: Annotated[float | None, LATITUDE] = None
    """Where the customers live, for checks against the sun. [degrees]"""
    longitude: Annotated[float | None, LONGITUDE] = None
    """East is positive. [degrees]"""
    expected_kwh_per_year: Annotated[Row | None, EXPECTED_USE] = None
    """Two numbers between which the mean use of a home should lie, for a check of the unit. [kWh/yr]"""
    incomes: Annotated[dict[str, float], INCOME, Form("a table: income group → {}")] = Field(default_factory=dict)
    """Income group → income, where no column has it. [USD/yr]"""
    homes: HomesTable | None = None
    """A second file, with a row for each customer."""

    @model_validator(mode="after")
    def _readings(self) -> Self:
        if self.shape == "wide":
            self._is_wide()
        elif self.intervals:
            raise ValueError('intervals is for shape = "wide"; leave it out')
        elif (self.use is None) == (self.net is None):
            raise ValueError("give one of the keys use and net, the column of the readings")
        self._channels_are_named()
        if self.separator == "any" and not self.heading:
            raise ValueError('separator = "any" needs a heading, which says how many cells a line has')
        if self.expected_kwh_per_year is not None and not _ascend(self.expected_kwh_per_year):
            raise ValueError("expected_kwh_per_year: give two numbers, the lower first")
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("give latitude and longitude both, or none")
        named = [name for key in _COLUMNS if (name := getattr(self, key)) is not None] + list(self.intervals)
        twice = [name for name in named if named.count(name) > 1]
        if twice:
            raise ValueError(f"column {twice[0]!r} is named twice; give every key a column of its own")
        return self

    def _is_wide(self) -> None:
        """Raise ValueError unless the keys of a wide file go together."""
        if self.within_day == "elapsed" or self.stamp_form == "day_slot":
            raise ValueError('shape = "wide" has dates and the clock on the wall; leave out within_day and day_slot')
        if not 1 <= len(self.intervals) <= MINUTES_PER_DAY // self.minutes:
            raise ValueError(
                f"intervals has {len(self.intervals)} columns; a day has {MINUTES_PER_DAY // self.minutes} intervals of"
                f" {self.minutes} min"
            )
        for key in ("use", "net", "generation", "vehicle"):
            if getattr(self, key) is not None:
                raise ValueError(f'{key} is a column of shape = "long"; give intervals alone')

    def _channels_are_named(self) -> None:
        """Raise ValueError unless channels and their column are given together, and say what is used."""
        if (self.channel is None) != (not self.channels):
            raise ValueError("give channel and channels both, or none")
        if self.channel is None:
            return
        if self.net is not None or self.generation is not None or self.vehicle is not None:
            raise ValueError("a file with channels has one column of readings, use; leave out net, generation, vehicle")
        roles = set(self.channels.values())
        if not roles & {"use", "net"}:
            raise ValueError("channels: none of them is use or net; say which one holds the readings")
        if {"use", "net"} <= roles:
            raise ValueError("channels: use and net are both there; ignore one of them")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that are read."""
        return tuple(name for key in _COLUMNS if (name := getattr(self, key)) is not None) + tuple(self.intervals)

    @property
    def roles(self) -> frozenset[str]:
        """What the readings hold: of use, net, generation, controlled, vehicle."""
        if self.channel is not None:
            return frozenset(self.channels.values()) - {"ignore"}
        if self.shape == "wide":
            return frozenset((self.holds,))
        keys = ("use", "net", "generation", "vehicle")
        return frozenset(key for key in keys if getattr(self, key) is not None)

    @property
    def may_feed_in(self) -> bool:
        """Whether the readings can hold what is fed in."""
        return bool(self.roles & {"net", "generation"})

    @property
    def kwh_per_unit(self) -> float:
        """What turns a reading into kWh. [kWh]"""
        hours = self.minutes / 60 if self.unit in ("kW", "W") else 1.0
        return hours / (1000 if self.unit in ("Wh", "W") else 1)


def _ascend(pair: tuple[float, ...]) -> bool:
    return len(pair) == 2 and pair[0] < pair[1]


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
    return checked_meter_format(lambda: read_toml(Path(path)), f"--format {path}")


def checked_meter_format(read: Callable[[], dict[str, Any]], label: str) -> MeterFormat:
    """Check the table of a format; ``MeterFileError`` in one line that begins with the label."""
    try:
        return MeterFormat.model_validate(read())
    except ValidationError as error:
        raise MeterFileError(f"{label}: {one_line(error, MeterFormat)}") from None
    except ValueError as error:
        raise MeterFileError(f"{label}: {error}") from None
