"""A year of readings of each customer, a few customers at a time, from rows that come batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.model.billing.local_calendar import Clock, calendar_of
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError
from meanwatt.model.billing.meter_intervals import Grid, Intervals, customer_rows, numbers, read_intervals
from meanwatt.model.billing.meter_rows import Intake
from meanwatt.model.billing.meter_stamps import UNIX_TO_MINUTES
from meanwatt.model.billing.readings import Readings
from meanwatt.model.scenario.counted import counted

ALL: Final = "all"
"""Income group where the file names none."""
NOT_GIVEN: Final = "not given"
"""Income group, or what is owned, where the file has a column of it and the customer's cell is empty."""
SOLAR, NO_SOLAR = "solar", "none"
"""What a customer owns where the file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeterYears:
    """Readings of some customers over the twelve months.

    Attributes
    ----------
    names
        Their names, as the file has them.
    load_kwh : (customer, interval)
        What is used; of net readings what is drawn. [kWh]
    generation_kwh : (customer, interval) or None
        What is generated; of net readings what is fed in. None where the file has neither. [kWh]
    incomes, technologies
        Of each customer.
    income_usd_per_year : (customer,) or None
        [USD/yr]
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    load_kwh: Floats
    generation_kwh: Floats | None
    incomes: tuple[str, ...]
    technologies: tuple[str, ...]
    income_usd_per_year: Floats | None


class YearGrid:
    """The intervals of the twelve months.

    Parameters
    ----------
    form
        Names the first month, the zone and the length of an interval.

    Attributes
    ----------
    first
        Start of the first interval. [minutes since 1970 in UTC]
    intervals
        How many.
    """

    def __init__(self, form: FormatTable) -> None:
        if form.begin is None:
            raise MeterFileError('the format has no begin; give the first of the twelve months, such as "2026-01"')
        year, month = (int(part) for part in form.begin.split("-"))
        zone = ZoneInfo(form.zone)
        begin = datetime(year, month, 1, tzinfo=zone).astimezone(UTC)
        end = datetime(year + 1, month, 1, tzinfo=zone).astimezone(UTC)
        self._form = form
        self._begin = begin
        self.first = int(begin.timestamp()) // UNIX_TO_MINUTES
        self.intervals = int((end - begin).total_seconds()) // (UNIX_TO_MINUTES * form.minutes)

    @property
    def grid(self) -> Grid:
        """Where readings may stand."""
        return Grid(self.first, self.first, self.first + self.intervals * self._form.minutes)

    def calendar(self, holidays: tuple[str, ...]) -> BillingCalendar:
        """Month, day, hour and kind of day of each interval on the customers' clock."""
        step = timedelta(minutes=self._form.minutes)
        grid = Readings(
            label="[format]",
            values=np.zeros(self.intervals),
            stamps=tuple(self._begin + place * step for place in range(self.intervals)),
        )
        return calendar_of(grid, Clock(zone=self._form.zone), holidays)[0]


def meter_years(path: Path, form: FormatTable, intake: Intake) -> Iterator[tuple[MeterYears, float]]:
    """Yield customers whose readings are whole, with the share of the file that is read.

    Memory holds the customers of one batch, however long the file is; so the rows of a customer stand together.

    Raises
    ------
    MeterFileError
        In one line: the file cannot be read, lacks a column, or a customer comes again after others.
    """
    grid = YearGrid(form)
    for rows, names, share in customer_rows(path, form, intake, set(), 4 * grid.intervals + 100_000):
        found = _years(read_intervals(rows, names, form, intake, grid.grid), grid, form, intake)
        if found is not None:
            yield found, share


def _years(part: Intervals, grid: YearGrid, form: FormatTable, intake: Intake) -> MeterYears | None:
    """Readings of customers over the twelve months; None if none is billed."""
    place = part.code * grid.intervals + (part.minute - grid.first) // form.minutes
    load = _scattered(part.load_kwh, place, (len(part.names), grid.intervals), np.nan)
    income = _incomes(part.first, form)
    whole = _are_whole(load, part.names, income, form, intake)
    if not whole.any():
        return None
    gaps = np.isnan(load[whole])
    intake.gaps += int(gaps.sum())
    load = np.where(gaps, 0.0, load[whole])
    fed = None
    if part.generation_kwh is not None:
        fed = _scattered(part.generation_kwh, place, (len(part.names), grid.intervals), 0.0)[whole]
    elif part.net_kwh is not None:
        load, fed = np.maximum(load, 0.0), np.maximum(-load, 0.0)
    chosen = np.flatnonzero(whole)
    owned = np.where(np.zeros(len(load), bool) if fed is None else (fed > 0).any(axis=1), SOLAR, NO_SOLAR)
    return MeterYears(
        names=tuple(part.names[one] for one in chosen),
        load_kwh=load,
        generation_kwh=fed,
        incomes=labels(part.first, form.income, chosen, np.full(len(load), ALL)),
        technologies=labels(part.first, form.technology, chosen, owned),
        income_usd_per_year=None if income is None else income[whole],
    )


def _scattered(values: Floats, place: Ints, shape: tuple[int, int], absent: float) -> Floats:
    """Values in their places of a table, and what stands where there is none."""
    table = np.full(shape[0] * shape[1], absent)
    table[place] = values
    return table.reshape(shape)


def _incomes(first: pd.DataFrame, form: FormatTable) -> Floats | None:
    """Income in each customer's first row, nan where there is none. [USD/yr]"""
    if form.income_usd_per_year is None:
        return None
    income = numbers(first[form.income_usd_per_year])
    return np.where(np.isfinite(income) & (income > 0), income, np.nan)


def labels(first: pd.DataFrame, column: str | None, chosen: Ints, otherwise: np.ndarray) -> tuple[str, ...]:
    """What each customer's first row says, `NOT_GIVEN` where it says nothing, ``otherwise`` without a column."""
    if column is None:
        return tuple(otherwise.tolist())
    said = first[column].iloc[chosen]
    return tuple(
        NOT_GIVEN if nothing or one == "" else str(one) for one, nothing in zip(said, said.isna(), strict=True)
    )


def _are_whole(load: Floats, names: tuple[str, ...], income: Floats | None, form: FormatTable, intake: Intake) -> Bools:
    """Which customers are billed; the others are counted."""
    missing = np.isnan(load).sum(axis=1)
    whole = np.ones(len(names), dtype=bool)
    for place, name in enumerate(names):
        gaps = int(missing[place])
        if gaps == load.shape[1]:
            whole[place] = False
            intake.leave_out(name, "no reading in the twelve months", "no reading in the twelve months")
        elif gaps and form.missing == "leave_out":
            whole[place] = False
            intake.leave_out(name, "readings are missing", f"{counted(gaps, 'reading')} missing")
        elif income is not None and np.isnan(income[place]):
            whole[place] = False
            intake.leave_out(name, "no income above 0", "no income above 0")
    return whole
