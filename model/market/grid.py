"""The feeder under the finite market's load."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.market.grid_day import GridDay, InverterDay
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.market_inverters import Roofs
from meanwatt.model.network.droop import DroopResult, solve_droop, starts_differ_pu
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.inverter_curves import InverterControl
from meanwatt.model.network.power_flow import PowerFlow, PowerFlowResult, VoltageLimits, bus_power, hours_outside
from meanwatt.model.scenario.messages import Messages

SLOTS_NAMED: Final = 6
"""Slots without a state that a message names; the others it counts."""

SAME_PU: Final = 1e-6
"""Voltages found from two starts that differ by no more are the same."""
ROUNDING: Final = 1e-5
"""Of what was held back, by which meters, of single precision, may differ from it."""


def unsolved_messages(records: Iterable[DayRecord], slot_hours: float) -> Messages:
    """Say in which hours of a market's days the power flow found no state, and that sums leave them out."""
    grids = [(record.day, record.grid) for record in records if record.grid is not None]
    places = [f"day {day} slot {slot}" for day, grid in grids for slot in np.flatnonzero(~grid.solved).tolist()]
    if not places:
        return ()
    total = sum(len(grid.solved) for _, grid in grids)
    rest = (total - len(places)) * slot_hours
    known = f"those of the other {rest:g} hours" if rest else "unknown"
    return (
        f"Power flow: no state found in {len(places) * slot_hours:g} of {total * slot_hours:g} hours"
        f" ({named_slots(places)}): the feeder cannot carry such load or export (voltage collapse);"
        f" voltages, loadings and losses are {known}.",
    )


def inverter_messages(records: Iterable[DayRecord], slot_hours: float) -> Iterator[str]:
    """Say where inverters' curves and voltages were not brought to agree, or agree in more than one way."""
    days = [(record.day, record.grid.inverters) for record in records if record.grid and record.grid.inverters]

    def places(chosen: Callable[[InverterDay], Bools]) -> list[str]:
        return [f"day {day} slot {slot}" for day, found in days for slot in np.flatnonzero(chosen(found)).tolist()]

    if apart := places(lambda found: ~found.fixed_point & ~np.isnan(found.residual_pu)):
        yield (
            f"feeder.volt_watt, volt_var: curves and voltages do not agree in {len(apart) * slot_hours:g} hours"
            f" ({named_slots(apart)}); nobody is held back in them, and voltages, loadings and losses leave them out."
        )
    if several := places(lambda found: ~(found.starts_differ_pu <= SAME_PU) & found.fixed_point):
        yield (
            f"feeder.volt_watt, volt_var: in {len(several) * slot_hours:g} hours ({named_slots(several)}) another start"
            " ends elsewhere, so there the answer may not be the only one; the one found from full output is taken."
        )
    if mixed := places(lambda found: found.averaged):
        yield (
            f"feeder.volt_watt: in {len(mixed) * slot_hours:g} hours ({named_slots(mixed)}) inverters also hold back"
            " sun for its price; volt-watt then takes the mean home of a type at a bus."
        )


def named_slots(places: list[str]) -> str:
    """Name the first few places, and count the others."""
    more = f" and {len(places) - SLOTS_NAMED} more" if len(places) > SLOTS_NAMED else ""
    return ", ".join(places[:SLOTS_NAMED]) + more


class MarketGrid:
    """A feeder on which every simulated household stands for customers/N real ones: loading does not depend on N.

    Parameters
    ----------
    feeder
        The feeder.
    households
        Number N of simulated households.
    limits
        Voltage band.
    slots, slot_hours
        Number and length of a day's slots. [h]
    control
        Curves of solar inverters in force; None for none.
    losses_bought
        Whether the utility buys the losses.

    Attributes
    ----------
    customers_per_household
        How many customers a simulated household stands for.
    result : PowerFlowResult or None
        The last day's state.
    held_by_bus_kw : (slot, bus) or None
        What volt-watt held back at each bus of the feeder on that day; None where no curve is in force. [kW]
    curtailed_by_bus_kw : (slot, bus) or None
        Sun that homes at each bus of the feeder did not use that day, for its price or to keep within an envelope; what
        volt-watt held back left out. None before the first day. [kW]
    """

    def __init__(
        self,
        feeder: Feeder,
        *,
        households: int,
        limits: VoltageLimits,
        slots: int,
        slot_hours: float,
        control: InverterControl | None = None,
        losses_bought: bool = False,
    ) -> None:
        self.customers_per_household = float(feeder.customers.sum()) / households
        self.result: PowerFlowResult | None = None
        self.held_by_bus_kw: Floats | None = None
        self.curtailed_by_bus_kw: Floats | None = None
        self.control = control
        self._households = households
        self._limits = limits
        self._slot_hours = slot_hours
        self._losses_bought = losses_bought
        self._flow = PowerFlow(feeder, slots=slots)

    def solve(self, net_load_kw: Floats, use_kw: Floats) -> GridDay:
        """Solve all slots of a day.

        Parameters
        ----------
        net_load_kw, use_kw : (slot, bus)
            Sums over the simulated households of each bus. [kW]
        """
        p_kw, q_kvar = self._drawn(net_load_kw, use_kw)
        found = self._flow.solve(p_kw, q_kvar)
        return self._day(p_kw, found, found.converged)

    def solve_with_inverters(
        self, net_load_kw: Floats, use_kw: Floats, roofs: Roofs, available_kwh: Floats, averaged: Bools
    ) -> tuple[GridDay, Floats]:
        """Solve all slots of a day in which inverters answer to the voltage of their bus.

        Parameters
        ----------
        net_load_kw, use_kw : (slot, bus)
            As of ``solve``, before anybody is held back. [kW]
        roofs
            The inverters.
        available_kwh : (slot, row)
            What all simulated households of a row of them have to feed in. [kWh]
        averaged : (slot, row) bool
            Where some of them use less than their sun already.

        Returns
        -------
        GridDay, (type, bus, slot)
            The day, and what one household of a type at a bus holds back. [kWh]
        """
        assert self.control is not None
        p_kw, q_kvar = self._drawn(net_load_kw, use_kw)
        units = roofs.units(available_kwh, self._slot_hours, self.customers_per_household)
        found = solve_droop(self._flow, p_kw, q_kvar, units, self.control)
        differ = starts_differ_pu(self._flow, p_kw, q_kvar, units, self.control, found)
        held_kw = np.where(found.solved[:, None], units.available_kw - found.output_kw, 0.0)  # of the feeder
        self.held_by_bus_kw = np.zeros_like(p_kw)
        np.add.at(self.held_by_bus_kw.T, roofs.bus, held_kw.T)
        np.add.at(p_kw.T, roofs.bus, held_kw.T)
        hours = self._slot_hours / self.customers_per_household
        own = np.zeros((2, *roofs.shape, len(p_kw)))
        own[:, roofs.type_index, roofs.bus] = np.array([held_kw.T * hours, available_kwh.T]) / roofs.homes[:, None]
        inverters = InverterDay(
            available_kwh=own[1].sum(axis=2),
            held_kwh=own[0].sum(axis=2),
            held_kw=held_kw.sum(axis=1) / (self.customers_per_household * self._households),
            fed_in_kvar=found.fed_in_kvar.sum(axis=1),
            residual_pu=found.residual_pu,
            starts_differ_pu=differ,
            fixed_point=found.solved,
            averaged=np.asarray((averaged & (held_kw > 0)).any(axis=1)),
        )
        return self._day(p_kw, _only(found), found.solved, inverters), own[0]

    def see_curtailed(self, curtailed_kwh: Floats) -> None:
        """Keep what simulated households curtailed on a day, (class, bus, slot), held back or of their own. [kWh]"""
        found = curtailed_kwh.sum(axis=0).T * (self.customers_per_household / self._slot_hours)
        if self.held_by_bus_kw is not None:
            found = found - self.held_by_bus_kw
            found[found < ROUNDING * np.maximum(self.held_by_bus_kw, 1.0)] = 0.0
        self.curtailed_by_bus_kw = found

    def _drawn(self, net_load_kw: Floats, use_kw: Floats) -> tuple[Floats, Floats]:
        scale = self.customers_per_household
        return bus_power(self._flow.feeder, use_kw * scale, net_load_kw * scale)

    def _day(
        self, p_kw: Floats, found: PowerFlowResult, solved: Bools, inverters: InverterDay | None = None
    ) -> GridDay:
        self.result = found
        loading = found.transformer_loading
        bought_kw = np.where(solved, found.loss_kw, 0.0) * self._losses_bought / self.customers_per_household
        return GridDay(
            net_load_kw=p_kw,
            solved=solved,
            voltage_pu=found.voltage_pu,
            loss_kw=found.loss_kw,
            line_loading=np.where(solved, found.line_loading.max(axis=1, initial=0.0), np.nan),
            transformer_loading=np.full(len(p_kw), np.nan) if loading is None else loading,
            hours_unsolved=float((~solved).sum()) * self._slot_hours,
            hours_outside_limits=float(hours_outside(found.voltage_pu, self._limits, self._slot_hours).sum()),
            bought_kwh=bought_kw * self._slot_hours,
            inverters=inverters,
        )


def _only(found: DroopResult) -> PowerFlowResult:
    """The state without the slots in which curves and voltages do not agree."""
    if found.solved.all():
        return found.state
    kept: dict[str, Any] = {}
    for name in found.state.__slots__:
        values = getattr(found.state, name)
        if values is not None and values.dtype != bool:
            values = np.where(found.solved.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)
        kept[name] = found.solved if name == "converged" else values
    return PowerFlowResult(**kept)
