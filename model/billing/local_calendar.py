"""The calendar of meter readings: real years with their time zone, or the reference year."""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from meanwatt.agents.tariff.ratebook.billing_calendar import DAYS_PER_YEAR, BillingCalendar, reference_year
from meanwatt.model.billing.readings import Readings, ReadingsError
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.time_zones import time_zones

HOURS: Final = 24
SAM_YEAR: Final = "sam"
"""Name of the year of 365 days that begins on a Monday."""
MONTH_NAMES: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What is said of the time of readings beside the file.

    Attributes
    ----------
    year
        Calendar year; ``"sam"``; None where nothing is said.
    minutes
        Length of an interval; None where nothing is said.
    zone
        Time zone of the meter's wall clock; None where nothing is said.
    """

    year: int | str | None = None
    minutes: int | None = None
    zone: str | None = None


def read_zone(name: str) -> ZoneInfo:
    """A time zone by its name; ``ReadingsError`` with the nearest one."""
    if name not in time_zones():
        raise ReadingsError(unknown("--tz", name, sorted(time_zones())))
    return ZoneInfo(name)


def calendar_of(load: Readings, clock: Clock, holidays: Sequence[str]) -> tuple[BillingCalendar, tuple[str, ...]]:
    """The calendar of readings, and what is to be said of it.

    Raises
    ------
    ReadingsError
        In one line, if rows are missing, come twice or do not make up whole months.
    """
    if clock.year == SAM_YEAR or (load.stamps is None and clock.year is None):
        return _reference(load, clock), ()
    if load.stamps is None:
        return _year_without_stamps(load, clock, holidays)
    return _with_stamps(load, clock, holidays)


def _require_minutes(label: str, minutes: float) -> int:
    if minutes != int(minutes) or minutes < 1 or 60 % int(minutes):
        raise ReadingsError(f"{label}: intervals of {minutes:g} minutes; give 60 or a part of it, such as 15")
    return int(minutes)


def _intervals_per_hour(load: Readings, clock: Clock, days: int) -> int:
    """Intervals of an hour, from the number of rows; it must be that of ``--resolution`` if that is given."""
    hours = days * HOURS
    if clock.minutes is not None:
        per_hour = 60 // _require_minutes("--resolution", clock.minutes)
        if load.rows != hours * per_hour:
            raise ReadingsError(
                f"{load.label}: {load.rows} rows; a year of {days} days has {hours * per_hour} of {clock.minutes} min"
            )
        return per_hour
    if load.rows % hours or 60 % (load.rows // hours):
        leap = " (8784 are a leap year: give --year, such as --year 2024)" if load.rows % 8784 == 0 else ""
        raise ReadingsError(
            f"{load.label}: {load.rows} rows; a year of {days} days has {hours} hours, or a multiple such as"
            f" {4 * hours} quarter-hours{leap}"
        )
    return load.rows // hours


def _reference(load: Readings, clock: Clock) -> BillingCalendar:
    if clock.zone is not None and load.stamps is None:
        raise ReadingsError("--tz needs time stamps, or --year YYYY; without either the year has no clock changes")
    return reference_year(_intervals_per_hour(load, clock, DAYS_PER_YEAR))


def _year_without_stamps(
    load: Readings, clock: Clock, holidays: Sequence[str]
) -> tuple[BillingCalendar, tuple[str, ...]]:
    assert isinstance(clock.year, int)
    year = clock.year
    days = (date(year + 1, 1, 1) - date(year, 1, 1)).days
    per_hour = _intervals_per_hour(load, clock, days)
    step = timedelta(minutes=60 // per_hour)
    if clock.zone is None:
        first = datetime(year, 1, 1)
        local = [first + row * step for row in range(load.rows)]
        said = (
            f"The rows are the year {year} without clock changes; --tz ZONE takes them as instants in a time zone.",
        )
        return _calendar(local, step, holidays), said
    start = datetime(year, 1, 1, tzinfo=read_zone(clock.zone))
    return _calendar(_walls(start, step, load.rows, start.tzinfo), step, holidays), ()


def _walls(start: datetime, step: timedelta, rows: int, zone: tzinfo | None) -> list[datetime]:
    """What the wall clock shows at the start of each interval."""
    first = start.astimezone(UTC)
    return [(first + row * step).astimezone(zone).replace(tzinfo=None, fold=0) for row in range(rows)]


def _with_stamps(load: Readings, clock: Clock, holidays: Sequence[str]) -> tuple[BillingCalendar, tuple[str, ...]]:
    assert load.stamps is not None
    stamps = load.stamps
    if len(stamps) < 2:
        raise ReadingsError(f"{load.label}: holds one reading; give whole months")
    step = _step(load, clock)
    zone = read_zone(clock.zone) if clock.zone else None
    if stamps[0].tzinfo is None:
        if zone is None:
            raise ReadingsError(
                f"{load.label}: the time stamps have no time zone; give one, such as --tz America/Los_Angeles"
            )
        local = _walls(stamps[0].replace(tzinfo=zone), step, load.rows, zone)
        _require_walls(load, local, clock.zone or "")
    else:
        _require_regular(load, stamps, step)
        local = [(stamp.astimezone(zone) if zone else stamp).replace(tzinfo=None, fold=0) for stamp in stamps]
    if isinstance(clock.year, int) and any(wall.year != clock.year for wall in (local[0], local[-1])):
        raise ReadingsError(f"{load.label}: holds {local[0]:%Y-%m-%d} to {local[-1]:%Y-%m-%d}; --year is {clock.year}")
    _require_whole_months(load, local, step)
    calendar = _calendar(local, step, holidays)
    said = []
    if zone is None:
        said.append("The clock is that of the time stamps, with the offsets written there; --tz ZONE takes another.")
    if calendar.months < 12:
        first, last = (MONTH_NAMES[calendar.number[place]] for place in (0, -1))
        said.append(f"The readings are of {first} to {last}; other months are not billed.")
    return calendar, tuple(said)


def _step(load: Readings, clock: Clock) -> timedelta:
    assert load.stamps is not None
    step = load.stamps[1] - load.stamps[0]
    minutes = _require_minutes(load.label, step.total_seconds() / 60)
    if clock.minutes is not None and clock.minutes != minutes:
        raise ReadingsError(
            f"{load.label}: the first rows are {minutes} minutes apart; --resolution is {clock.minutes}"
        )
    return step


def _require_walls(load: Readings, local: Sequence[datetime], zone: str) -> None:
    """Refuse rows whose stamps are not those of the wall clock at regular instants."""
    assert load.stamps is not None
    for row, (stamp, due) in enumerate(zip(load.stamps, local, strict=True)):
        if stamp != due:
            raise ReadingsError(
                f"{load.label}: line {load.line(row)} is {stamp:%Y-%m-%d %H:%M} where {due:%Y-%m-%d %H:%M} was due in"
                f" {zone}; give every interval once, clock changes included, or stamps with their offset"
            )


def _require_regular(load: Readings, stamps: Sequence[datetime], step: timedelta) -> None:
    for row in range(1, len(stamps)):
        apart = stamps[row] - stamps[row - 1]
        if apart != step:
            raise ReadingsError(
                f"{load.label}: line {load.line(row)} is {stamps[row].isoformat()}, {apart.total_seconds() / 60:g} min"
                f" after the line before, and others are {step.total_seconds() / 60:g}; give every interval once"
            )


def _require_whole_months(load: Readings, local: Sequence[datetime], step: timedelta) -> None:
    first, end = local[0], local[-1] + step
    months = (local[-1].year - first.year) * 12 + local[-1].month - first.month + 1
    whole = (first.day, first.hour, first.minute) == (1, 0, 0) and (end.day, end.hour, end.minute) == (1, 0, 0)
    if not whole or months > 12:
        raise ReadingsError(
            f"{load.label}: holds {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} on the local clock;"
            " give one to twelve whole months"
        )


def _calendar(local: Sequence[datetime], step: timedelta, holidays: Sequence[str]) -> BillingCalendar:
    month = np.array([wall.year * 12 + wall.month - 1 for wall in local])
    ordinal = np.array([wall.toordinal() for wall in local])
    every = set(holidays)
    days, where = np.unique(ordinal, return_inverse=True)
    dates = [date.fromordinal(int(day)) for day in days]
    free = np.array([day.weekday() >= 5 or f"{day:%m-%d}" in every or day.isoformat() in every for day in dates])
    numbers, index = np.unique(month, return_inverse=True)
    of_month = np.array([day.year * 12 + day.month - 1 for day in dates])
    return BillingCalendar(
        month=index,
        day=where,
        hour=np.array([wall.hour for wall in local]),
        weekend=free[where],
        number=numbers % 12,
        days=np.array([(of_month == number).sum() for number in numbers], dtype=float),
        interval_hours=step.total_seconds() / 3600,
        days_of_year=_days_of_year(dates),
    )


def _days_of_year(dates: Sequence[date]) -> int:
    """Days of the year that a yearly sum is spread over."""
    first, last = dates[0].year, dates[-1].year
    leap = isleap(first) if first == last else any((day.month, day.day) == (2, 29) for day in dates)
    return DAYS_PER_YEAR + leap
