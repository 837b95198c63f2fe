"""Mean days by group, season, kind of day and sky, every month of the year with its own weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.households.day_sums import DayTable
from meanwatt.model.households.hourly import FIELDS

MONTH_DAYS: Final = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SKIES: Final = ("clear", "partly", "cloudy")
SKY_BOUNDS: Final = (0.8, 0.45)
"""Where clear, partly and cloudy part: a day's solar output over that of the month's clear days (choice)."""
CLEAR_QUANTILE: Final = 0.9
"""Of the days of a month: such a day is taken for clear (choice)."""
LEAST_SUNNY_DAYS: Final = 60
"""Fewer days with solar output tell nothing of the weather."""
WEEKEND: Final = (5, 6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skies:
    """What the sun does.

    Attributes
    ----------
    names
        Kinds of weather that came.
    shape_kw_per_kw : (hour,)
        Output of a clear day. [kW/kW]
    factor : (sky, season)
        Output over that of a clear day.
    kernel : (sky, sky)
        P(tomorrow's | today's).
    share : (sky,)
        Of the days.
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    shape_kw_per_kw: Floats
    factor: Floats
    kernel: Floats
    share: Floats


class Shapes:
    """Mean days of a table of sums.

    Parameters
    ----------
    days
        The sums.
    rows
        Which of them count.
    seasons
        Season of each month. (12,)
    """

    def __init__(self, days: DayTable, rows: Bools, seasons: Sequence[int]) -> None:
        dates = days.day.astype("datetime64[D]")
        self._days = days
        self._rows = rows
        self._month = np.asarray(dates.astype("datetime64[M]").astype(np.int64) % 12)
        self._weekend = np.isin((days.day + 3) % 7, WEEKEND)
        self._seasons = np.asarray(seasons)

    @property
    def months(self) -> Bools:
        """Which months of the year have readings. (12,)"""
        return np.isin(np.arange(12), self._month[self._rows])

    def _by_month(self, rows: Bools, fields: Sequence[str]) -> tuple[Floats, Bools]:
        """Mean power of each month by hour, and which months have one. (12, hour) [kW]"""
        sums = self._days.sums[rows]
        month = self._month[rows]
        hours, kwh = np.zeros((12, 24)), np.zeros((12, 24))
        np.add.at(hours, month, sums[:, :, 0])
        signs = {"load": 1.0, "vehicle": -1.0 if "load" in fields else 1.0}
        for name in fields:
            np.add.at(kwh, month, signs.get(name, 1.0) * sums[:, :, FIELDS.index(name)])
        with np.errstate(invalid="ignore", divide="ignore"):
            return kwh / hours, np.asarray((hours > 0).all(axis=1))

    def mean_kw(
        self,
        *,
        group: int | None = None,
        solar: bool | None = None,
        season: int | None = None,
        weekend: bool | None = None,
        fields: Sequence[str] = ("load", "vehicle"),
    ) -> Floats | None:
        """Mean day of some homes and days, without vehicles unless other fields are named; None without readings.

        Months count by their days, however much of each was read. (hour,) [kW]
        """
        rows = self._rows.copy()
        if group is not None:
            rows &= self._days.group == group
        if solar is not None:
            rows &= self._days.solar == solar
        if weekend is not None:
            rows &= self._weekend == weekend
        months = np.ones(12, dtype=bool) if season is None else self._seasons == season
        mean, there = self._by_month(rows, fields)
        kept = there & months
        if not kept.any():
            return None
        return np.asarray(MONTH_DAYS[kept] @ mean[kept] / MONTH_DAYS[kept].sum())

    def skies(self, kw: float, seasons: int) -> Skies | None:
        """What the sun does by day, of homes with so many kW each; None if too few days tell it."""
        rows = self._days.solar & (self._days.sums[:, :, 0] > 0).all(axis=1)
        days, place = np.unique(self._days.day[rows], return_inverse=True)
        sums = np.zeros((len(days), 24, len(FIELDS)))
        np.add.at(sums, place, self._days.sums[rows])
        per_kw = sums[:, :, FIELDS.index("generation")] / np.where(sums[:, :, 0] > 0, sums[:, :, 0], np.inf) / kw
        output = np.maximum(per_kw, 0.0).sum(axis=1)
        if len(days) < LEAST_SUNNY_DAYS or not (output > 0).any():
            return None
        month = np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12)
        clear = np.array(
            [np.quantile(output[month == one], CLEAR_QUANTILE) if (month == one).any() else np.nan for one in range(12)]
        )
        ratio = output / np.where(clear[month] > 0, clear[month], np.inf)
        sky = np.where(ratio >= SKY_BOUNDS[0], 0, np.where(ratio >= SKY_BOUNDS[1], 1, 2))
        shape = self._clear_day(np.maximum(per_kw, 0.0)[sky == 0], month[sky == 0])
        names = tuple(name for number, name in enumerate(SKIES) if (sky == number).any())
        sky = np.searchsorted([number for number in range(len(SKIES)) if SKIES[number] in names], sky)
        season = self._seasons[month]
        factor = np.empty((len(names), seasons))
        for one in range(len(names)):
            for other in range(seasons):
                mine = (sky == one) & (season == other)
                factor[one, other] = output[mine if mine.any() else sky == one].mean() / shape.sum()
        return Skies(
            names=names,
            shape_kw_per_kw=shape,
            factor=factor,
            kernel=_kernel(days, sky, len(names)),
            share=np.bincount(sky, minlength=len(names)) / len(sky),
        )

    @staticmethod
    def _clear_day(per_kw: Floats, month: Ints) -> Floats:
        """Mean clear day, every month by its days. (hour,) [kW/kW]"""
        there = np.unique(month)
        return np.asarray(
            MONTH_DAYS[there] @ np.array([per_kw[month == one].mean(axis=0) for one in there]) / MONTH_DAYS[there].sum()
        )


def _kernel(days: Ints, sky: Ints, count: int) -> Floats:
    """P(tomorrow's weather | today's) from days that follow each other; as all days where one has no successor."""
    follows = np.diff(days) == 1
    moves = np.zeros((count, count))
    np.add.at(moves, (sky[:-1][follows], sky[1:][follows]), 1.0)
    every = np.bincount(sky, minlength=count) / len(sky)
    totals = moves.sum(axis=1, keepdims=True)
    return np.where(totals > 0, moves / np.where(totals > 0, totals, 1.0), every)
