"""The days simulated so far, and the file that a visitor takes home."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.address import query
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.metrics.equity import burden
from meanwatt.analysis.output.rate_classes import class_names


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """One simulated day of the finite market.

    Attributes
    ----------
    common_state
        Index c of the weather, today and before.
    net_load_kw, wholesale_usd_per_kwh : (h,) float
        Mean net load of the homes, and the price it made. [kW, USD/kWh]
    curtailed_kw : (h,) float
        Mean of the solar output that inverters held back. [kW]
    charge : (h,) float or None
        Energy in all batteries at the end of each hour, over what they hold; None where no home has one.
    tenths : (2, h) float or None
        How full the battery is that a tenth of all are emptier than, and that a tenth are fuller than.
    bill_usd : (group,) float
        Mean net bill of each group's homes for the day, fixed charge included; nan where there are none. [USD]
    voltage_pu : (h, bus) float
        Bus voltages. [pu]
    phase_voltage_pu : (h, bus, phase) float or None
        The same by phase, where homes are on one phase each. [pu]
    unbalance_percent : (h, bus) float or None
        Negative over positive sequence of the voltage likewise. [%]
    loading : (h, edge) float or None
        Loading of the map's edges, 1 being the rating; nan where none is known.
    held_kw : (h, bus) float or None
        What volt-watt held back at each bus; None where no curve is in force. [kW]
    curtailed_by_bus_kw : (h, bus) float or None
        What homes at each bus curtailed for its price. [kW]
    """

    common_state: int
    net_load_kw: Floats
    wholesale_usd_per_kwh: Floats
    curtailed_kw: Floats
    charge: Floats | None
    tenths: Floats | None
    bill_usd: Floats
    voltage_pu: Floats
    phase_voltage_pu: Floats | None = None
    unbalance_percent: Floats | None = None
    loading: Floats | None = None
    held_kw: Floats | None = None
    curtailed_by_bus_kw: Floats | None = None


class History:
    """Days in order. Voltages are kept for the last day only, but for their extremes."""

    def __init__(self) -> None:
        """No day yet."""
        self.states: list[int] = []
        self.net_load_kw: list[Floats] = []
        self.wholesale_usd_per_kwh: list[Floats] = []
        self.curtailed_kw: list[Floats] = []
        self.charge: list[Floats] = []
        """Empty where no home has a battery."""
        self.tenths: Floats | None = None
        self.bill_usd: list[Floats] = []
        self.lowest_pu: list[float] = []
        self.voltage_pu: Floats | None = None
        self.phase_voltage_pu: Floats | None = None
        self.unbalance_percent: Floats | None = None
        self.loading: Floats | None = None
        self.held_kw: Floats | None = None
        self.curtailed_by_bus_kw: Floats | None = None
        self.curtails = False
        """Whether any home has curtailed for its price on one of the days."""

    def __len__(self) -> int:
        """Days so far."""
        return len(self.states)

    def add(self, day: Day) -> None:
        """Keep one more day."""
        self.states.append(day.common_state)
        self.net_load_kw.append(day.net_load_kw)
        self.wholesale_usd_per_kwh.append(day.wholesale_usd_per_kwh)
        self.curtailed_kw.append(day.curtailed_kw)
        if day.charge is not None:
            self.charge.append(day.charge)
        self.tenths = day.tenths
        self.bill_usd.append(day.bill_usd)
        self.lowest_pu.append(float(day.voltage_pu.min()))
        self.voltage_pu = day.voltage_pu
        self.phase_voltage_pu, self.unbalance_percent = day.phase_voltage_pu, day.unbalance_percent
        self.loading, self.held_kw = day.loading, day.held_kw
        self.curtailed_by_bus_kw = day.curtailed_by_bus_kw
        self.curtails |= day.curtailed_by_bus_kw is not None and bool(day.curtailed_by_bus_kw.any())

    def mean_bill_usd(self) -> Floats:
        """Mean bill a day of each group's homes over the days so far. (group,) [USD/day]"""
        return np.asarray(np.mean(self.bill_usd, axis=0))

    def burdens(self, income_usd_per_year: Floats) -> tuple[float | None, ...]:
        """Share of income that the bills so far would take; None of a group without homes. (group,) [-]"""
        bill = self.mean_bill_usd()
        there = ~np.isnan(bill)
        own = iter(burden(bill[there], income_usd_per_year[there]).tolist())
        return tuple(next(own) if present else None for present in there)

    def earlier_like_today(self, count: int) -> list[int]:
        """Indices of the last ``count`` days before today with today's weather."""
        today = self.states[-1]
        return [index for index in range(len(self) - 1) if self.states[index] == today][-count:]


def to_csv(solution: Solution, history: History) -> str:
    """Write the days so far as CSV with one row a slot, its parameters as comments in front.

    Returns
    -------
    str
        Lines that begin with ``#`` carry ``key: value``; the link repeats the run. Loads are kW per home.
    """
    settings, equilibrium = solution.settings, solution.equilibrium
    scenario = settings.load()
    head = {
        "scenario": settings.scenario,
        "tariff": scenario.selected_tariff if settings.own else settings.tariff,
        "households": settings.households,
        "seed": settings.seed,
        **dict(settings.changes),
        "link": f"?{query(settings, whole=True)}",
        "outcome": equilibrium.outcome.value,
        "adder_usd_per_kwh": f"{equilibrium.adder_usd_per_kwh:.6f}",
        "days": len(history),
    }
    names = ("net_load_kw", "mean_field_net_load_kw", "wholesale_usd_per_kwh", "mean_field_wholesale_usd_per_kwh")
    rates = ("import_usd_per_kwh", "export_usd_per_kwh")
    curtailed = ("curtailed_kw", "mean_field_curtailed_kw")
    by_class = [f"{rate}_{name}" for name in class_names(equilibrium)[1:] for rate in rates]
    heads = ["day", "hour", "day_type", *names, *rates, *curtailed, *by_class]
    return csv_text(head, heads, _rows(solution, history))


def _rows(solution: Solution, history: History) -> Iterator[list[Any]]:
    """A row for every slot of every day."""
    equilibrium = solution.equilibrium
    economy = equilibrium.economy
    classes = equilibrium.rates.by_class[1:]
    further = [rate for own in classes for rate in (own.import_usd_per_kwh, own.export_usd_per_kwh)]
    for index, state in enumerate(history.states):
        columns = (
            history.net_load_kw[index],
            solution.expected.net_load_kw[state],
            history.wholesale_usd_per_kwh[index],
            solution.expected.price_usd_per_kwh[state],
            equilibrium.rates.import_usd_per_kwh[state],
            equilibrium.rates.export_usd_per_kwh[state],
            history.curtailed_kw[index],
            solution.expected.curtailed_kw[state],
            *(rate[state] for rate in further),
        )
        name = economy.common.day_types[economy.common.today[state]]
        for slot in range(economy.slots):
            yield [index + 1, f"{slot * economy.slot_hours:g}", name, *(f"{column[slot]:.6f}" for column in columns)]
