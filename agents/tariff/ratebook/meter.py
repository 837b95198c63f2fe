"""What passes a customer's meter, interval by interval and over runs of intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, as_input
from meanwatt.agents.numerics.compiled import is_loaded
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.block_kernels import sum_blocks
from meanwatt.agents.tariff.ratebook.block_plan import BlockPlan
from meanwatt.agents.tariff.ratebook.compiled import PeriodMap
from meanwatt.agents.tariff.ratebook.run_kernels import sum_load_runs, sum_runs

MANY: Final = 32
"""Customers from which compiled kernels are worth their loading."""


def by_kernel(customers: int) -> bool:
    """Whether compiled kernels are worth their loading, or are loaded; sums differ in the last bits only."""
    return customers >= MANY or is_loaded(sum_blocks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passed:
    """What passes the meter.

    Parameters
    ----------
    drawn_kwh, fed_kwh : (customer, month, period)
        What is bought and what is fed in. [kWh]
    most_kwh : (customer, month, period)
        The most that is drawn in an interval. [kWh]
    drawn_runs_kwh, fed_runs_kwh : (customer, run)
        What is bought and fed in over each run of intervals. [kWh]
    drawn_tiers_kwh : (customer, month, period, tier) or None
        What is bought by tier in the order of time, where that was asked for. [kWh]
    demand_kwh : (demand charge,) of (customer, month, period)
        The most that is drawn in an interval, by the schedule of each demand charge; empty where it is not known. [kWh]
    """

    __repr__ = short_repr

    drawn_kwh: Floats
    fed_kwh: Floats
    most_kwh: Floats
    drawn_runs_kwh: Floats
    fed_runs_kwh: Floats
    drawn_tiers_kwh: Floats | None = None
    demand_kwh: tuple[Floats, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meter:
    """One meter behind which load and generation meet, or two.

    Parameters
    ----------
    load_kwh : (customer, interval)
        What is used. [kWh]
    generation_kwh : (customer, interval)
        What is generated; below 0, an inverter's own use, it is bought as load is. None without generation. [kWh]
    two
        Whether generation has a meter of its own.
    """

    __repr__ = short_repr

    load_kwh: Floats
    generation_kwh: Floats | None
    two: bool

    def flows(self) -> tuple[Floats, Floats | None]:
        """What is drawn and fed in, (customer, interval) each; nothing is fed in without generation. [kWh]"""
        load, generation = _double(self.load_kwh), self.generation_kwh
        if generation is None:
            return load, None
        generation = _double(generation)
        if self.two:
            fed = np.maximum(generation, 0.0)
            return load + (fed - generation), fed
        net = load - generation
        drawn = np.maximum(net, 0.0)
        return drawn, drawn - net

    def passed(self, where: PeriodMap, *, by_run: bool = False) -> Passed:
        """Sums and peaks over the months and periods of a map, and, if wanted, over its runs; else these are empty."""
        if by_kernel(len(self.load_kwh)):
            return self._compiled(where, by_run)
        _require_load(float(self.load_kwh.min(initial=0.0)))
        drawn, fed = self.flows()
        bought = np.add.reduceat(drawn, where.starts, axis=1)
        sold = np.zeros_like(bought) if fed is None else np.add.reduceat(fed, where.starts, axis=1)
        return Passed(
            drawn_kwh=where.collect(bought),
            fed_kwh=where.collect(sold),
            most_kwh=where.highest(np.maximum(np.maximum.reduceat(drawn, where.starts, axis=1), 0.0)),
            drawn_runs_kwh=bought,
            fed_runs_kwh=sold,
        )

    def _compiled(self, where: PeriodMap, by_run: bool) -> Passed:
        months, periods = where.shape
        load, generation, ends = as_input(_double(self.load_kwh)), self.generation_kwh, as_input(where.ends)
        place = as_input(where.run_month * periods + where.run_period)
        out = np.zeros((3, len(load), months * periods))
        runs = np.empty((2, len(load), len(ends)) if by_run else (2, 0, 0))
        if generation is None:
            least = sum_load_runs(load, ends, place, runs, out)
        else:
            least = sum_runs(not self.two, load, as_input(_double(generation)), ends, place, runs, out)
        _require_load(least)
        drawn, fed, most = out.reshape(3, len(load), months, periods)
        return Passed(drawn_kwh=drawn, fed_kwh=fed, most_kwh=most, drawn_runs_kwh=runs[0], fed_runs_kwh=runs[1])

    def over_blocks(self, plan: BlockPlan, limit: Floats, edges: Floats) -> Passed:
        """The same for all schedules of a plan at once, in compiled code; sums over runs are empty.

        Parameters
        ----------
        limit : (month, period, tier)
            Ends of the tiers that what is drawn climbs in the order of time over each month. [kWh]
        edges : (month, edge)
            The same but the last ones, rising; without an edge no tiers are told. [kWh]
        """
        customers, (months, periods) = len(self.load_kwh), plan.shapes[0]
        kwh, most = np.zeros((2, customers, months * periods)), np.zeros((customers, plan.places))
        tiers = np.zeros((customers, *limit.shape))
        below = sum_blocks(
            not self.two,
            as_input(self.load_kwh),
            as_input(np.empty((1, 0), self.load_kwh.dtype) if self.generation_kwh is None else self.generation_kwh),
            *plan.arrays,
            edges,
            limit,
            kwh,
            most,
            tiers,
        )
        if below:
            _require_load(float(self.load_kwh.min()))
        by_schedule, place = [], 0
        for of_months, of_periods in plan.shapes:
            part = most[:, place : place + of_months * of_periods]
            by_schedule.append(part.reshape(customers, of_months, of_periods))
            place += of_months * of_periods
        return Passed(
            drawn_kwh=kwh[0].reshape(customers, months, periods),
            fed_kwh=kwh[1].reshape(customers, months, periods),
            most_kwh=by_schedule[0],
            drawn_runs_kwh=np.empty((0, 0)),
            fed_runs_kwh=np.empty((0, 0)),
            drawn_tiers_kwh=tiers if edges.size else None,
            demand_kwh=tuple(by_schedule[1:]),
        )

    def earned_usd(self, usd_per_kwh: Floats, where: PeriodMap) -> Floats:
        """What feeding in earns over runs at rates (interval,). (customer, run) [USD]"""
        _, fed = self.flows()
        if fed is None:
            return np.zeros((len(self.load_kwh), len(where.starts)))
        return np.asarray(np.add.reduceat(fed * usd_per_kwh, where.starts, axis=1))

    def spent_usd(self, usd_per_kwh: Floats, where: PeriodMap) -> Floats:
        """What is drawn over runs at rates (interval,). (customer, run) [USD]"""
        drawn, _ = self.flows()
        return np.asarray(np.add.reduceat(drawn * usd_per_kwh, where.starts, axis=1))


def _double(kwh: Floats) -> Floats:
    """The same numbers in double precision; only `Meter.over_blocks` reads single precision as it is."""
    return kwh.astype(np.float64, copy=False)


def _require_load(least_kwh: float) -> None:
    """Raise ``ValueError`` if any load is below 0."""
    if least_kwh < 0:
        raise ValueError(f"load_kwh is {least_kwh:g} at its lowest; give numbers >= 0")
