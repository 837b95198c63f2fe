"""Values over the slots of a day: periods of the clock, rates by period, day type or season, values by income group."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.values import show

MINUTES_PER_DAY = 24 * 60
SEASONS = ("winter", "spring", "summer", "autumn", "fall", "shoulder")
"""Seasons that a tariff may name although a scenario does not have them."""


def _minutes(clock: str, text: str, key: str) -> int:
    """Minutes after midnight of ``"17"`` or ``"17:30"``."""
    found = re.fullmatch(r"(\d{1,2})(?::(\d\d))?", clock.strip())
    minutes = 60 * int(found[1]) + int(found[2] or 0) if found else -1
    if not 0 <= minutes <= MINUTES_PER_DAY or (found and int(found[2] or 0) >= 60):
        raise ValueError(f'{key} holds {text!r}; give hours as "17-21" or "9:30-17"')
    return minutes


def period_of_minute(periods: Mapping[str, Iterable[str]]) -> list[str]:
    """Name of the period in force at each minute of the day.

    Parameters
    ----------
    periods : mapping
        Period → ``"from-to"`` spans in hours, the end excluded; ``"21-9"`` wraps over midnight.

    Returns
    -------
    list of str
        1,440 names, from midnight on.

    Raises
    ------
    ValueError
        If a span cannot be read, two spans overlap, or a part of the day has no period.
    """
    owner: list[str] = [""] * MINUTES_PER_DAY
    for period, spans in periods.items():
        for first, last in (end for text in spans for end in _span(text, f"periods.{period}")):
            _give(owner, first, last, period)
    if "" in owner:
        raise ValueError(f"periods leave a gap at {clock_text(owner.index(''))}; cover the day from 0 to 24 hours")
    return owner


def _span(text: str, key: str) -> list[tuple[int, int]]:
    """The first minute and the one after the last of ``"from-to"`` hours; two pairs where it wraps over midnight."""
    ends = text.split("-")
    if len(ends) != 2:
        raise ValueError(f'{key} holds {text!r}; give hours as "17-21" or "9:30-17"')
    start, end = (_minutes(clock, text, key) for clock in ends)
    if start == end:
        raise ValueError(f'{key} holds {text!r}, an empty span; give "0-24" for the whole day')
    return [(start, end)] if end > start else [(start, MINUTES_PER_DAY), (0, end)]


def _give(owner: list[str], first: int, last: int, period: str) -> None:
    """Give the minutes from ``first`` to before ``last`` to a period; ValueError if one has a period."""
    if any(owner[first:last]):
        minute = next(minute for minute in range(first, last) if owner[minute])
        raise ValueError(
            f"periods {owner[minute]} and {period} overlap at {clock_text(minute)}; give each hour to one period"
        )
    owner[first:last] = [period] * (last - first)


def clock_text(minute: int) -> str:
    """``"17:30"`` for 1,050 minutes after midnight."""
    hour, rest = divmod(minute % MINUTES_PER_DAY, 60)
    return f"{hour}:{rest:02d}"


def period_of_slot(periods: Mapping[str, Iterable[str]], slots: int) -> list[str]:
    """Name of the period in force in each slot, (slot,); ValueError if a boundary falls inside a slot."""
    return list(_period_of_slot(tuple((name, tuple(spans)) for name, spans in periods.items()), slots))


@lru_cache(maxsize=256)
def _period_of_slot(periods: tuple[tuple[str, tuple[str, ...]], ...], slots: int) -> tuple[str, ...]:
    """As above: every rate of a tariff asks for the same periods."""
    minutes = MINUTES_PER_DAY // slots
    owner = period_of_minute(dict(periods))
    for slot in range(slots):
        inside = owner[slot * minutes : (slot + 1) * minutes]
        if len(set(inside)) > 1:
            boundary = slot * minutes + next(k for k, name in enumerate(inside) if name != inside[0])
            raise ValueError(
                f"periods change at {clock_text(boundary)}, inside a slot of {minutes} minutes;"
                " move the boundary or raise slots_per_day"
            )
    return tuple(owner[::minutes])


def within_window(spans: Iterable[str]) -> list[bool]:
    """Whether each minute of the day lies in one of some spans of hours. (1440,)

    Raises
    ------
    ValueError
        If a span cannot be read, or there is none.
    """
    owner: list[str] = [""] * MINUTES_PER_DAY
    for first, last in (end for text in spans for end in _span(text, "window")):
        owner[first:last] = ["window"] * (last - first)
    if not any(owner):
        raise ValueError('window is empty; give hours as "17-21", or "0-24" for the whole day')
    return [bool(name) for name in owner]


def slots_within(spans: Iterable[str], slots: int) -> list[bool]:
    """Whether each slot lies in one of some spans, (slot,); ValueError if a boundary falls inside a slot."""
    return list(_slots_within(tuple(spans), slots))


@lru_cache(maxsize=256)
def _slots_within(spans: tuple[str, ...], slots: int) -> tuple[bool, ...]:
    """As above: every tariff of a scenario is asked for its window, and most have the same."""
    minutes = MINUTES_PER_DAY // slots
    inside = within_window(spans)
    for slot in range(slots):
        if len(set(inside[slot * minutes : (slot + 1) * minutes])) > 1:
            raise ValueError(
                f"window begins or ends inside a slot of {minutes} minutes; move it or raise slots_per_day"
            )
    return tuple(inside[::minutes])


def slot_values(value: float | Sequence[float], slots: int, key: str) -> Floats:
    """One number a slot, (slot,); 24 numbers hold inside their hour.

    Raises
    ------
    ValueError
        If a list has neither 24 nor ``slots`` entries.
    """
    if isinstance(value, int | float):
        return np.full(slots, float(value))
    if len(value) == slots:
        return np.array(value, dtype=float)
    if len(value) == 24:
        return np.repeat(np.array(value, dtype=float), slots // 24)
    allowed = "24" if slots == 24 else f"24 or {slots}"
    raise ValueError(f"{key} has {len(value)} entries; give {allowed}, or one number")


def rate_table(
    form: Any,
    *,
    key: str,
    periods: Mapping[str, Iterable[str]],
    day_types: Sequence[str],
    seasons: Sequence[str | None],
    classes: Sequence[str | None] | None = None,
    slots: int,
) -> Floats:
    """Rate of every day type and slot.

    Parameters
    ----------
    form : number, list or table
        As in `RateForm`.
    key : str
        Name of the rate in error messages.
    periods : mapping
        Period → spans.
    day_types, seasons, classes : (ω,) sequences
        Names of the day types, and season and class (weekday, weekend) of each, or None.
    slots : int
        Slots per day.

    Returns
    -------
    (ω, slot) float
        [USD/kWh]

    Raises
    ------
    ValueError
        If a name is neither a period, a day type, a season nor a class, or a period or day type gets no rate, or two.

    Notes
    -----
    In a table by season there may be one by class, or the other way round. Names of `SEASONS` that no day type has are
    left aside, see `unused_seasons`.
    """
    classes = [None] * len(day_types) if classes is None else classes
    known = [*day_types, *dict.fromkeys(name for name in (*seasons, *classes) if name)]
    days = zip(day_types, seasons, classes, strict=True)
    return np.array([_rates_of_day(form, key, (periods, known), day, slots) for day in days])


def _rates_of_day(
    form: Any,
    key: str,
    names: tuple[Mapping[str, Iterable[str]], Sequence[str]],
    day: tuple[str | None, ...],
    slots: int,
) -> Floats:
    """Rates of one day. (slot,)

    Parameters
    ----------
    names
        The periods, and all names of days.
    day
        Name of its day type, season and class; a season or class is None where a table outside of this one is by it.
    """
    if not isinstance(form, Mapping):
        return slot_values(form, slots, key)
    periods, known = names
    by_day = [str(name) for name in form if name in known]
    if not by_day or any(name not in known and (name not in SEASONS or name in periods) for name in form):
        _require_rates_by_period(form, key, periods, known, by_day)
        return np.array([float(form[period]) for period in period_of_slot(periods, slots)])
    named = [name for name in day if name is not None and name in form]
    if not named:
        raise ValueError(f"{key} gives no rate for day type {day[0]}; give one for every day type")
    if len(named) > 1 and named[0] != day[0]:
        raise ValueError(
            f"{key} gives {named[0]} and {named[1]}, and day type {day[0]} is both; give a table by season, and in it"
            " one by class"
        )
    inside = (day[0], *(None if name == named[0] else name for name in day[1:]))
    return _rates_of_day(form[named[0]], f"{key}.{named[0]}", names, inside, slots)


def unused_seasons(form: Any, days: Iterable[str | None]) -> tuple[str, ...]:
    """Seasons that a rate names and a scenario does not have, in the order in which they come.

    Parameters
    ----------
    form : number, list or table
        A rate.
    days
        Names of the scenario's day types and of their seasons.
    """
    if not isinstance(form, Mapping):
        return ()
    inside = [name for entry in form.values() for name in unused_seasons(entry, days)]
    here = [str(name) for name in form if name in SEASONS and name not in set(days)]
    return tuple(dict.fromkeys([*here, *inside]))


def _require_rates_by_period(
    form: Mapping[str, Any], key: str, periods: Mapping[str, Iterable[str]], days: Sequence[str], by_day: Sequence[str]
) -> None:
    """Refuse a table that does not give every period, and nothing else, one number."""
    names = [str(name) for name in form]
    for name in names:
        if name not in periods and name not in days:
            raise ValueError(f"{key}: {unknown('name', name, [*periods, *days])}")
    if by_day:
        by_period = [name for name in names if name in periods]
        raise ValueError(
            f"{key} mixes the day type, season or class {by_day[0]} with the period {by_period[0]};"
            " give a table by day type, season or class, and in it one by period"
        )
    missing = [period for period in periods if period not in form]
    if missing:
        raise ValueError(f"{key} gives no rate for period {missing[0]}; give one for every period")
    for name in names:
        if isinstance(form[name], Mapping | list | tuple):
            raise ValueError(f"{key}.{name} is {show(form[name])}; give one number for a period")


def group_values(value: float | Mapping[str, float], groups: Sequence[str], key: str) -> Floats:
    """One number for each income group, (group,).

    Raises
    ------
    ValueError
        If the table names an unknown group or leaves one out.
    """
    if not isinstance(value, Mapping):
        return np.full(len(groups), float(value))
    for name in value:
        if name not in groups:
            raise ValueError(f"{key}: {unknown('income group', name, groups)}")
    missing = [group for group in groups if group not in value]
    if missing:
        raise ValueError(f"{key} gives nothing for income group {missing[0]}; give a number for every group")
    return np.array([float(value[group]) for group in groups])
