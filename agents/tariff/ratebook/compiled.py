"""A ratebook laid over a calendar once, for all customers: which period each interval falls into."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, as_input
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.billing_calendar import BillingCalendar
from meanwatt.agents.tariff.ratebook.block_plan import BlockPlan, plan_blocks
from meanwatt.agents.tariff.ratebook.ratebook import Ratebook, Schedule, TierPeriod
from meanwatt.agents.tariff.ratebook.tier_limits import any_tier, climbs_in_order, counts_peaks, tier_limits_kwh


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodMap:
    """The intervals in runs of one month and period each, for sums and peaks over months and periods.

    Parameters
    ----------
    period : (interval,)
        Period of each interval.
    present : (month, period)
        Whether the schedule has the period in that month at any hour.
    shape
        Months and periods.
    starts, ends : (run,)
        First interval of each run, and the one after its last.
    run_month, run_period, run_day : (run,)
        Month, period and day that a run begins in.
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
    ends: Ints
    run_month: Ints
    run_period: Ints
    run_day: Ints
    order: Ints
    cell_starts: Ints
    cells: Ints

    def collect(self, values: Floats) -> Floats:
        """Sum (customer, run) numbers by month and period: (customer, month, period)."""
        return self._reduce(np.add, values)

    def highest(self, values: Floats) -> Floats:
        """Largest of (customer, run) numbers ≥ 0 by month and period: (customer, month, period)."""
        return self._reduce(np.maximum, values)

    def _reduce(self, what: np.ufunc, values: Floats) -> Floats:
        out = np.zeros((len(values), self.shape[0] * self.shape[1]))
        out[:, self.cells] = what.reduceat(values[:, self.order], self.cell_starts, axis=1)
        return out.reshape(len(values), *self.shape)


def map_periods(schedule: Schedule, periods: int, calendar: BillingCalendar, *, by_day: bool = False) -> PeriodMap:
    """Lay a schedule over a calendar; ``by_day`` ends every run with its day."""
    number = calendar.number[calendar.month]
    period = np.where(
        calendar.weekend, schedule.weekend[number, calendar.hour], schedule.weekday[number, calendar.hour]
    )
    cell = calendar.month * periods + period
    breaks = np.diff(cell, prepend=-1) != 0
    if by_day:
        breaks |= np.diff(calendar.day, prepend=-1) != 0
    starts = np.flatnonzero(breaks)
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
        ends=np.append(starts[1:], calendar.intervals),
        run_month=calendar.month[starts],
        run_period=period[starts],
        run_day=calendar.day[starts],
        order=order,
        cell_starts=cell_starts,
        cells=of_run[order][cell_starts],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledRatebook:
    """A ratebook and the calendar that it bills, with the map of each of its schedules.

    Parameters
    ----------
    blocks
        The calendar's blocks under the schedules of the energy charge and of each demand charge.
    limit_kwh : (1, month, period, tier) or None
        Where the tiers of the energy charge end; None where that depends on a customer's peak. [kWh]
    edges_kwh : (month, edge) or None
        Where a tier of any period ends, rising. [kWh]
    in_order
        Whether the order of time decides on which tier a kWh stands.
    sold_alike
        Whether a kWh fed in earns the same on all tiers.
    """

    __repr__ = short_repr

    book: Ratebook
    calendar: BillingCalendar
    energy: PeriodMap
    demand: tuple[PeriodMap, ...]
    blocks: BlockPlan
    limit_kwh: Floats | None
    edges_kwh: Floats | None
    in_order: bool
    sold_alike: bool


def compile_ratebook(book: Ratebook, calendar: BillingCalendar) -> CompiledRatebook:
    """Lay a ratebook over a calendar."""
    by_day = book.energy.tiered and book.energy.tier_period is TierPeriod.DAY
    energy = map_periods(book.energy.schedule, len(book.energy.names), calendar, by_day=by_day)
    demand = tuple(map_periods(charge.schedule, len(charge.names), calendar) for charge in book.demand)
    schedules = (energy, *demand)
    limit = edges = None
    if not counts_peaks(book.energy):
        limit = as_input(tier_limits_kwh(book.energy, calendar, np.empty((1, 0))))
        edges = as_input(np.sort(limit[0, ..., :-1].reshape(calendar.months, -1), axis=1))
    return CompiledRatebook(
        book=book,
        calendar=calendar,
        energy=energy,
        demand=demand,
        blocks=plan_blocks(calendar, [one.period for one in schedules], [one.shape for one in schedules]),
        limit_kwh=limit,
        edges_kwh=edges,
        in_order=climbs_in_order(book.energy),
        sold_alike=any_tier(book.energy.sell_usd_per_kwh),
    )
