"""A ratebook laid over a calendar once, for all customers: which period each interval falls into."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.ratebook import Ratebook, Schedule, always


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodMap:
    """The intervals of each month and period, for sums and peaks over them.

    Parameters
    ----------
    period : (interval,)
        Period of each interval.
    present : (month, period)
        Whether the schedule has the period in that month at any hour.
    shape
        Months and periods.
    starts : (run,)
        Where a run of intervals of one month and period begins.
    order : (run,)
        Runs by month and period.
    cell_starts, cells : (cell,)
        Where in that order a month and period begins, and its place in the table of both.
    """

    __repr__ = short_repr

    period: Ints
    present: Bools
    shape: tuple[int, int]
    starts: Ints
    order: Ints
    cell_starts: Ints
    cells: Ints

    def sums(self, values: Floats) -> Floats:
        """Sum (customer, interval) numbers by month and period: (customer, month, period)."""
        return self._reduce(np.add, values)

    def peaks(self, values: Floats) -> Floats:
        """Largest of (customer, interval) numbers ≥ 0 by month and period: (customer, month, period)."""
        return self._reduce(np.maximum, values)

    def _reduce(self, what: np.ufunc, values: Floats) -> Floats:
        runs = what.reduceat(values, self.starts, axis=1)[:, self.order]
        out = np.zeros((len(values), self.shape[0] * self.shape[1]))
        out[:, self.cells] = what.reduceat(runs, self.cell_starts, axis=1)
        return out.reshape(len(values), *self.shape)


def map_periods(schedule: Schedule, periods: int, calendar: BillingCalendar) -> PeriodMap:
    """Lay a schedule over a calendar."""
    number = calendar.number[calendar.month]
    period = np.where(
        calendar.weekend, schedule.weekend[number, calendar.hour], schedule.weekday[number, calendar.hour]
    )
    cell = calendar.month * periods + period
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    of_run = cell[starts]
    order = np.argsort(of_run, kind="stable")
    cell_starts = np.flatnonzero(np.diff(of_run[order], prepend=-1))
    present = np.zeros((calendar.months, periods), dtype=np.bool_)
    for table in (schedule.weekday, schedule.weekend):
        for month, place in enumerate(calendar.number.tolist()):
            present[month, table[place]] = True
    return PeriodMap(
        period=period,
        present=present,
        shape=(calendar.months, periods),
        starts=starts,
        order=order,
        cell_starts=cell_starts,
        cells=of_run[order][cell_starts],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledRatebook:
    """A ratebook and the calendar that it bills, with the map of each of its schedules."""

    __repr__ = short_repr

    book: Ratebook
    calendar: BillingCalendar
    energy: PeriodMap
    demand: tuple[PeriodMap, ...]
    months: PeriodMap
    """Months without periods."""


def compile_ratebook(book: Ratebook, calendar: BillingCalendar) -> CompiledRatebook:
    """Lay a ratebook over a calendar."""
    return CompiledRatebook(
        book=book,
        calendar=calendar,
        energy=map_periods(book.energy.schedule, len(book.energy.names), calendar),
        demand=tuple(map_periods(charge.schedule, len(charge.names), calendar) for charge in book.demand),
        months=map_periods(always(), 1, calendar),
    )
