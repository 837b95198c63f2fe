"""``[calendar]``: day types and their chain from a real calendar and a few kinds of weather."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.calendar_days import (
    CLASSES,
    WEEKDAYS,
    Calendar,
    chain_of,
    days_of,
    following,
    season_of_month,
)
from meanwatt.model.scenario.marks import CheckedLater, Entries, Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_tables import slot_values
from meanwatt.model.scenario.tariff_file import Matrix, NumberOrList, Table, Texts, number_or_list
from meanwatt.model.scenario.time_zones import time_zones
from meanwatt.model.scenario.values import show
from meanwatt.model.scenario.weather import checked_kernel

MOST_YEARS: Final = 56
NAME: Final = "calendar"
DERIVED: Final = ("day_types", "day_type_kernel")
"""Keys of a scenario that its calendar makes."""


def _by_season(value: object) -> Any:
    """Check a number, a list, or a table of them by season."""
    if isinstance(value, Mapping):
        return {str(name): number_or_list(entry) for name, entry in value.items()}
    return number_or_list(value)


BySeason = Annotated[
    float | tuple[float, ...] | dict[str, float | tuple[float, ...]],
    BeforeValidator(_by_season),
    Form("{}, a list of one an hour or slot, or a table of these by season"),
]
"""A value of the day, or a table season → value."""


class WeatherTable(Table):
    """``[calendar.weather.NAME]``: one kind of weather."""

    pv_factor: Annotated[BySeason, ranges.FACTOR] = 1.0
    """Solar output relative to a clear day."""
    load_factor: Annotated[BySeason, ranges.FACTOR] = 1.0
    """Reference demand relative to the mean day."""
    rest_load_kw: Annotated[BySeason, ranges.REST] = 0.0
    """Load of the rest of the system per household. [kW]"""


class DayClassTable(Table):
    """``[calendar.days.weekday]`` and ``[calendar.days.weekend]``: what the day of the week changes."""

    load_factor: Annotated[NumberOrList, ranges.FACTOR] = 1.0
    """Multiplies the weather's ``load_factor``."""
    rest_load_kw: Annotated[NumberOrList, ranges.REST] = 0.0
    """Added to the weather's ``rest_load_kw``. [kW]"""


class CalendarTable(Table):
    """``[calendar]``: seasons, weekends and holidays of real years, times the weather, make the day types.

    It stands in the place of ``day_types`` and ``day_type_kernel``. A day type is named after its season, class and
    weather, such as ``summer_weekend_clear``, without what does not vary.
    """

    first_year: Annotated[int, ranges.CALENDAR_YEAR] = 2001
    """First of the years whose days are counted."""
    last_year: Annotated[int, ranges.CALENDAR_YEAR] = 2028
    """Last of them; after 28 years the days of the week repeat."""
    year: Annotated[int | None, ranges.CALENDAR_YEAR] = None
    """Year whose days a market lives, from 1 January on; without it its days are drawn, as after that year."""
    time_zone: Annotated[str | None, Form("the name of a time zone, such as America/Los_Angeles")] = None
    """Clock of the market's meters in ``year``, with its days of 23 and 25 hours; without it every day has 24."""
    seasons: Annotated[dict[str, Texts], Form("a table: season → list of months in quotes")] = Field(
        default_factory=dict
    )
    """Season → months as ``"jun-sep"`` or ``"jul"``; every month once. Without it the year has no seasons."""
    weekend: Texts = ("sat", "sun")
    """Days of the week that are weekend; an empty list and no holidays make all days alike."""
    holidays: Annotated[str | Texts, Form("a country such as US-CA, or a list of dates in quotes")] = ()
    """Holidays, which are weekend: a country of the package ``holidays``, perhaps with a part of it, or dates."""
    days: dict[str, DayClassTable] = Field(default_factory=dict)
    """What weekdays and weekends change, by class."""
    weather: Annotated[dict[str, WeatherTable], Entries(ranges.DAY_TYPES)] = Field(default_factory=dict)
    """Kinds of weather by name; without any it is the same on all days."""
    weather_kernel: Annotated[Matrix, CheckedLater(ranges.CHANCE)] = ()
    """P(tomorrow's weather | today's), rows and columns in the order of the weather; needed if there are several."""

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> "CalendarTable":
        if not 0 <= self.last_year - self.first_year < MOST_YEARS:
            raise ValueError(
                f"calendar.last_year is {self.last_year}; give {self.first_year} (first_year) to"
                f" {self.first_year + MOST_YEARS - 1}"
            )
        if self.time_zone is not None and self.time_zone not in time_zones():
            raise ValueError(f"calendar.time_zone: {unknown('time zone', self.time_zone, sorted(time_zones()))}")
        for day in self.weekend:
            if day not in WEEKDAYS:
                raise ValueError(f"calendar.weekend: {unknown('day', day, WEEKDAYS)}")
        for name in self.days:
            if name not in CLASSES:
                raise ValueError(f"calendar.days: {unknown('class of days', name, CLASSES)}")
        try:
            kinds = self.sorted().kinds
        except ValueError as error:
            raise ValueError(f"calendar.{error}") from None
        if len(kinds[0][1]) == 0 and self.days:
            raise ValueError(
                f"calendar.days names {next(iter(self.days))}, but calendar.weekend is empty; leave one out"
            )
        self._check_weather()
        return self

    def _check_weather(self) -> None:
        count = len(self.weather)
        if count > ranges.DAY_TYPES.high:
            raise ValueError(f"calendar.weather has {count} entries; give {ranges.DAY_TYPES.counts()}")
        if self.weather_kernel or count > 1:
            names = tuple(self.weather)
            if len(self.weather_kernel) != count or {len(row) for row in self.weather_kernel} != {count}:
                raise ValueError(
                    f"calendar.weather_kernel has {len(self.weather_kernel)} rows; give {count} x {count} numbers, a"
                    f" row for each of {', '.join(names)}"
                )
            checked_kernel(self.weather_kernel, key="calendar.weather_kernel", rows=names)
            for name, row in zip(names, self.weather_kernel, strict=True):
                ranges.CHANCE.require(row, f"calendar.weather_kernel row {name}")
        seasons = tuple(self.seasons)
        for name, one in self.weather.items():
            for field in type(one).model_fields:
                _require_seasons(getattr(one, field), seasons, f"calendar.weather.{name}.{field}")

    @property
    def skies(self) -> dict[str, WeatherTable]:
        """Kinds of weather, at least one."""
        return self.weather or {"every_day": WeatherTable()}

    def sorted(self) -> Calendar:
        """How it sorts the dates of its years; ValueError without ``calendar.`` in front, in one line."""
        return self._sorts(self.first_year, self.last_year)

    def year_kinds(self) -> Ints:
        """Kind of each day of ``year``, a place in ``sorted().kinds``; none without one. (day,)"""
        if self.year is None:
            return np.empty(0, dtype=np.int64)
        return self._sorts(self.year, self.year).kind_of(days_of(self.year, self.year))

    def _sorts(self, first_year: int, last_year: int) -> Calendar:
        return Calendar(
            season_of_month=season_of_month(self.seasons),
            weekend=frozenset(WEEKDAYS.index(day) for day in self.weekend),
            holidays=holidays_of(self.holidays, first_year, last_year),
            has_weekend=bool(self.weekend or self.holidays),
        )

    def kernel(self) -> Floats:
        """P(tomorrow's weather | today's). (w, w')"""
        if not self.weather_kernel:
            return np.ones((1, 1))
        return checked_kernel(self.weather_kernel, key="calendar.weather_kernel", rows=tuple(self.weather))


class _Holder(Table):
    """What makes messages name a key from the top of the file."""

    calendar: CalendarTable


def with_calendar(table: dict[str, Any], slots: int) -> dict[str, Any]:
    """Table of a scenario whose day types and chain are those of its calendar; as it was if it has none.

    Parameters
    ----------
    table
        As it was read.
    slots
        Slots of a day.

    Raises
    ------
    ValidationError, ValueError
        If the calendar cannot be read (the error's locations are those of the file), or makes no day types.
    """
    if table.get(NAME) is None:
        return table
    calendar = _Holder.model_validate({NAME: table[NAME]}).calendar
    sorts = calendar.sorted()
    kinds = sorts.kinds
    kind = sorts.kind_of(days_of(calendar.first_year, calendar.last_year))
    never = sorted(set(range(len(kinds))) - set(kind[:-1].tolist()))
    if never:
        name = "_".join(part for part in kinds[never[0]] if part)
        raise ValueError(f"calendar: no day of its years is a {name}; give more years, or fewer seasons and classes")
    several = len(calendar.skies) > 1
    days = {}
    for season, one in kinds:
        for weather, values in calendar.skies.items():
            name = "_".join(part for part in (season, one, weather if several else "") if part) or weather
            days[name] = _day_type(values, calendar.days.get(one, DayClassTable()), season, one, slots)
    if len(days) < len(kinds) * len(calendar.skies):
        raise ValueError("calendar: two day types have one name; name its seasons and weather without shared parts")
    chain = chain_of(following(kind, len(kinds)), [calendar.kernel()] * len(kinds))
    return {**table, DERIVED[0]: days, DERIVED[1]: [list(row) for row in chain.tolist()]}


def _day_type(weather: WeatherTable, day: DayClassTable, season: str, day_class: str, slots: int) -> dict[str, Any]:
    """Table of one day type."""

    def of(value: Any) -> Any:
        return value[season] if isinstance(value, Mapping) else value

    factor, rest = of(weather.load_factor), of(weather.rest_load_kw)
    return {
        "pv_factor": of(weather.pv_factor),
        "load_factor": _product(factor, day.load_factor, slots),
        "season": season or None,
        "day_class": day_class or None,
        "rest_load_kw": _sum(rest, day.rest_load_kw, slots),
    }


def _product(first: Any, second: Any, slots: int) -> Any:
    if isinstance(first, float) and isinstance(second, float):
        return first * second
    both = _over_slots(first, slots, "load_factor") * _over_slots(second, slots, "load_factor")
    return tuple(both.tolist())


def _sum(first: Any, second: Any, slots: int) -> Any:
    if isinstance(first, float) and isinstance(second, float):
        return first + second
    both = _over_slots(first, slots, "rest_load_kw") + _over_slots(second, slots, "rest_load_kw")
    return tuple(both.tolist())


def _over_slots(value: Any, slots: int, key: str) -> Floats:
    return slot_values(value, slots, f"calendar {key}")


def holidays_of(given: str | tuple[str, ...], first_year: int, last_year: int) -> frozenset[np.datetime64]:
    """Holidays of some years.

    Parameters
    ----------
    given
        A country, or a country and a part of it such as ``US-HI``, as the package ``holidays`` names them; or dates as
        ``2027-12-24``, or every year's as ``12-24``.

    Raises
    ------
    ValueError
        In one line that begins with ``holidays``, if there is no such country, part or date.
    """
    if isinstance(given, str):
        return _official(given, range(first_year, last_year + 1)) if given else frozenset()
    found = set()
    for text in given:
        years = range(first_year, last_year + 1) if len(text) == len("12-24") else [None]
        for year in years:
            try:
                found.add(np.datetime64(text if year is None else f"{year}-{text}", "D"))
            except ValueError:
                if text == "02-29":  # there is none in most years
                    continue
                raise ValueError(f'holidays hold {show(text)}; give dates as "2027-12-24" or "12-24"') from None
    return frozenset(found)


def _official(place: str, years: range) -> frozenset[np.datetime64]:
    import holidays  # slow to import, seldom needed

    country, _, part = place.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(f"holidays: {unknown('country', country, sorted(known))}")
    if part and part not in known[country]:
        raise ValueError(f"holidays: {unknown(f'part of {country}', part, sorted(known[country]))}")
    found = holidays.country_holidays(country, subdiv=part or None, years=years)
    return frozenset(np.datetime64(day, "D") for day in found)


def _require_seasons(value: Any, seasons: tuple[str, ...], key: str) -> None:
    if not isinstance(value, Mapping):
        return
    for name in value:
        if name not in seasons:
            raise ValueError(f"{key}: {unknown('season', name, seasons)}")
    missing = [season for season in seasons if season not in value]
    if missing:
        raise ValueError(f"{key} gives nothing for season {missing[0]}; give a value for every season")
