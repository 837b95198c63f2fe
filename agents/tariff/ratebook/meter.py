"""What passes a customer's meter, interval by interval and over runs of intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, as_input
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.compiled import PeriodMap
from meanwatt.agents.tariff.ratebook.run_kernels import sum_load_runs, sum_runs

MANY: Final = 32
"""Customers from which compiled kernels are worth their loading."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFlows:
    """What passes the meter in runs of intervals.

    Parameters
    ----------
    drawn_kwh, fed_kwh : (customer, run)
        What is bought and what is fed in. [kWh]
    most_kwh : (customer, run)
        The most that is drawn in an interval. [kWh]
    """

    __repr__ = short_repr

    drawn_kwh: Floats
    fed_kwh: Floats
    most_kwh: Floats

    def in_cells(self, where: PeriodMap) -> "RunFlows":
        """The same over the months and periods of a map: (customer, month, period) each."""
        return RunFlows(
            drawn_kwh=where.collect(self.drawn_kwh),
            fed_kwh=where.collect(self.fed_kwh),
            most_kwh=where.highest(self.most_kwh),
        )


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
        load, generation = self.load_kwh, self.generation_kwh
        if generation is None:
            return load, None
        if self.two:
            fed = np.maximum(generation, 0.0)
            return load + (fed - generation), fed
        net = load - generation
        drawn = np.maximum(net, 0.0)
        return drawn, drawn - net

    def over_runs(self, where: PeriodMap) -> RunFlows:
        """Sums and peaks over the runs of a map."""
        if len(self.load_kwh) >= MANY:
            return self._compiled(where.ends, np.arange(len(where.ends)), len(where.ends))
        drawn, fed = self.flows()
        total = np.add.reduceat(drawn, where.starts, axis=1)
        return RunFlows(
            drawn_kwh=total,
            fed_kwh=np.zeros_like(total) if fed is None else np.add.reduceat(fed, where.starts, axis=1),
            most_kwh=np.maximum(np.maximum.reduceat(drawn, where.starts, axis=1), 0.0),
        )

    def over_cells(self, where: PeriodMap) -> RunFlows:
        """Sums and peaks over the months and periods of a map, in place of runs: (customer, month, period) each."""
        if len(self.load_kwh) < MANY:
            return self.over_runs(where).in_cells(where)
        months, periods = where.shape
        found = self._compiled(where.ends, where.run_month * periods + where.run_period, months * periods)
        shape = (-1, months, periods)
        return RunFlows(
            drawn_kwh=found.drawn_kwh.reshape(shape),
            fed_kwh=found.fed_kwh.reshape(shape),
            most_kwh=found.most_kwh.reshape(shape),
        )

    def _compiled(self, ends: Ints, place: Ints, places: int) -> RunFlows:
        """Sums and peaks of runs, each at its place. (customer, place)"""
        load, generation = as_input(self.load_kwh), self.generation_kwh
        out = np.zeros((3, len(load), places))
        if generation is None:
            sum_load_runs(load, as_input(ends), as_input(place), out)
        else:
            sum_runs(not self.two, load, as_input(generation), as_input(ends), as_input(place), out)
        return RunFlows(drawn_kwh=out[0], fed_kwh=out[1], most_kwh=out[2])

    def earned_usd(self, usd_per_kwh: Floats, where: PeriodMap) -> Floats:
        """What feeding in earns over runs at rates (interval,). (customer, run) [USD]"""
        _, fed = self.flows()
        if fed is None:
            return np.zeros((len(self.load_kwh), len(where.starts)))
        return np.asarray(np.add.reduceat(fed * usd_per_kwh, where.starts, axis=1))
