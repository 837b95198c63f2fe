"""Sums of a population's readings by group, solar, date and hour: all that shapes and day types are made of."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.billing.meter_format import MeterFileError
from meanwatt.model.households.hourly import FIELDS, Hours

HOURS: Final = 24
MOST_DAYS: Final = 25 * 366
"""Different dates of a file."""
_DAYS_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayTable:
    """Sums by date and hour.

    Attributes
    ----------
    groups
        Names of the groups.
    group, solar, day : (row,)
        Group's place, whether the homes have solar, and the date. [days since 1970]
    sums : (row, hour, field)
        As in ``FIELDS``. [h, kWh]
    """

    __repr__ = short_repr

    groups: tuple[str, ...]
    group: Ints
    solar: Bools
    day: Ints
    sums: Floats

    def dates(self) -> list[date]:
        """The date of each row."""
        return [date(1970, 1, 1) + timedelta(days=int(day)) for day in self.day]

    def mean_kw(self, rows: Bools, field: str = "load") -> Floats:
        """Mean power by hour over some rows, nan where nothing was read. (hour,) [kW]"""
        total = self.sums[rows].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[:, FIELDS.index(field)] / total[:, 0])


class DaySums:
    """Takes readings and adds them up; memory grows with groups and dates, not with homes."""

    def __init__(self) -> None:
        self._groups: dict[str, int] = {}
        self._rows: dict[tuple[int, bool, int], Floats] = {}
        self._days: set[int] = set()

    def add(self, hours: Hours, groups: list[str], solar: Bools, counted: Bools) -> None:
        """Add hours of homes.

        Parameters
        ----------
        groups, solar, counted
            Of each home: its group, whether it has solar, and whether it counts.

        Raises
        ------
        MeterFileError
            In one line, if the dates are of more than 25 years.
        """
        number = np.array([self._groups.setdefault(name, len(self._groups)) for name in groups])
        kept = counted[hours.code]
        code, day, hour, sums = hours.code[kept], hours.day[kept], hours.hour[kept], hours.sums[kept]
        key = (2 * number[code] + solar[code]) * _DAYS_AT_ONCE + day
        found, place = np.unique(key, return_inverse=True)
        if not len(found):
            return
        table = np.stack(
            [
                np.bincount(place * HOURS + hour, sums[:, field], minlength=len(found) * HOURS).reshape(-1, HOURS)
                for field in range(len(FIELDS))
            ],
            axis=-1,
        )
        for one, values in zip(found.tolist(), table, strict=True):
            cell, when = divmod(one, _DAYS_AT_ONCE)
            where = (cell // 2, bool(cell % 2), when)
            self._rows[where] = self._rows[where] + values if where in self._rows else values
            self._days.add(when)
        if len(self._days) > MOST_DAYS:
            raise MeterFileError(
                f"the readings are of {len(self._days)} different dates, more than 25 years; check time and stamp_form"
            )

    def table(self) -> DayTable:
        """What was added up, by group, solar and date."""
        names = sorted(self._groups)
        order = {number: names.index(name) for name, number in self._groups.items()}
        keys = sorted(self._rows, key=lambda key: (order[key[0]], key[1], key[2]))
        sums = [self._rows[key] for key in keys]
        return DayTable(
            groups=tuple(names),
            group=np.array([order[key[0]] for key in keys], dtype=np.int64),
            solar=np.array([key[1] for key in keys], dtype=bool),
            day=np.array([key[2] for key in keys], dtype=np.int64),
            sums=np.stack(sums) if sums else np.empty((0, HOURS, len(FIELDS))),
        )
