"""Days of real years sorted into kinds, and how often one kind of day follows another.

A kind is a season and a class: weekday, or weekend, to which official holidays belong. The equilibrium's weather is a
Markov chain of day types, so that the calendar enters it by the frequencies of its kinds: how long a season lasts and
how many weekend days follow one another are right on average, and not fixed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY, WEEKEND = "weekday", "weekend"
CLASSES: Final = (WEEKDAY, WEEKEND)

Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """How dates are sorted.

    Attributes
    ----------
    season_of_month : (12,)
        Season of each month, empty where the year has no seasons.
    weekend : collection of int
        Days of the week that are weekend, Monday 0.
    holidays : collection of dates
        Weekend, too, whatever day of the week they are.
    has_weekend
        Whether days have a class at all.
    """

    season_of_month: tuple[str, ...]
    weekend: frozenset[int]
    holidays: frozenset[np.datetime64]
    has_weekend: bool = True

    @property
    def seasons(self) -> tuple[str, ...]:
        """Seasons in the order of the year's months."""
        return tuple(dict.fromkeys(self.season_of_month))

    @property
    def kinds(self) -> tuple[tuple[str, str], ...]:
        """Season and class of each kind of day; an empty name where there is nothing to tell apart."""
        classes = CLASSES if self.has_weekend else ("",)
        return tuple((season, one) for season in self.seasons for one in classes)

    def kind_of(self, dates: Dates) -> Ints:
        """Place in ``kinds`` of each date. (day,)"""
        days = dates.astype("datetime64[D]")
        month = days.astype("datetime64[M]").astype(np.int64) % 12
        season = np.array([self.seasons.index(name) for name in self.season_of_month])[month]
        if not self.has_weekend:
            return np.asarray(season)
        weekday = (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
        off = np.isin(weekday, list(self.weekend)) | np.isin(days, np.array(sorted(self.holidays), dtype=days.dtype))
        return np.asarray(len(CLASSES) * season + off)


def days_of(first_year: int, last_year: int) -> Dates:
    """Every date of some years."""
    return np.arange(f"{first_year}-01-01", f"{last_year + 1}-01-01", dtype="datetime64[D]")


def season_of_month(seasons: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Season of each month; months are written ``jun`` or ``jun-sep``, spans may wrap over the year's end.

    Raises
    ------
    ValueError
        In one line, if a span cannot be read, or a month has no season or two.
    """
    if not seasons:
        return ("",) * len(MONTHS)
    owner = [""] * len(MONTHS)
    for season, spans in seasons.items():
        for text in spans:
            for month in _months(season, text):
                if owner[month]:
                    raise ValueError(
                        f"seasons {owner[month]} and {season} both hold {MONTHS[month]}; give each month to one season"
                    )
                owner[month] = season
    if "" in owner:
        raise ValueError(f"seasons leave out {MONTHS[owner.index('')]}; give every month a season")
    return tuple(owner)


def _months(season: str, text: str) -> list[int]:
    ends = [part.strip().lower() for part in text.split("-")]
    if not 1 <= len(ends) <= 2 or not set(ends) <= set(MONTHS):
        raise ValueError(f'seasons.{season} holds {text!r}; give months as "jul" or "jun-sep"')
    first, last = MONTHS.index(ends[0]), MONTHS.index(ends[-1])
    return [month % 12 for month in range(first, last + 1 if last >= first else last + 13)]


def following(day_kinds: Ints, count: int) -> Floats:
    """How often each kind of day follows each. (kind, kind') [rows sum to one]

    Parameters
    ----------
    day_kinds : (day,) int
        Kinds of days that follow one another.
    count
        Number of kinds, each of which comes on some day but the last.
    """
    pairs = np.zeros((count, count))
    np.add.at(pairs, (day_kinds[:-1], day_kinds[1:]), 1.0)
    return np.asarray(pairs / pairs.sum(axis=1, keepdims=True))


def chain_of(frequency: Floats, weather: Sequence[Floats]) -> Floats:
    """Kernel of (kind, weather): the calendar goes on by itself, and the weather by its kernel in the coming season.

    Parameters
    ----------
    frequency : (kind, kind')
        As of `following`.
    weather : (kind',) of (weather, weather')
        Kernel of the weather by the kind of the day to come.

    Returns
    -------
    (kind · weather, kind' · weather') float
    """
    blocks = [[frequency[now, then] * weather[then] for then in range(len(weather))] for now in range(len(frequency))]
    return np.block(blocks)
