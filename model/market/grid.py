"""The feeder under the finite market's load."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.market.history import DayRecord, GridDay
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.power_flow import PowerFlow, PowerFlowResult, VoltageLimits, bus_power, hours_outside
from meanwatt.model.scenario.messages import Messages

SLOTS_NAMED: Final = 6
"""Slots without a state that a message names; the others it counts."""


def unsolved_messages(records: Iterable[DayRecord], slot_hours: float) -> Messages:
    """Say in which hours of a market's days the power flow found no state, and that sums leave them out."""
    grids = [(record.day, record.grid) for record in records if record.grid is not None]
    places = [f"day {day} slot {slot}" for day, grid in grids for slot in np.flatnonzero(~grid.solved).tolist()]
    if not places:
        return ()
    total = sum(len(grid.solved) for _, grid in grids)
    more = f" and {len(places) - SLOTS_NAMED} more" if len(places) > SLOTS_NAMED else ""
    rest = (total - len(places)) * slot_hours
    known = f"those of the other {rest:g} hours" if rest else "unknown"
    return (
        f"Power flow: no state found in {len(places) * slot_hours:g} of {total * slot_hours:g} hours"
        f" ({', '.join(places[:SLOTS_NAMED])}{more}): the feeder cannot carry such load or export (voltage collapse);"
        f" voltages, loadings and losses are {known}.",
    )


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

    Attributes
    ----------
    customers_per_household
        How many customers a simulated household stands for.
    result : PowerFlowResult or None
        The last day's state.
    """

    def __init__(
        self, feeder: Feeder, *, households: int, limits: VoltageLimits, slots: int, slot_hours: float
    ) -> None:
        self.customers_per_household = float(feeder.customers.sum()) / households
        self.result: PowerFlowResult | None = None
        self._limits = limits
        self._slot_hours = slot_hours
        self._flow = PowerFlow(feeder, slots=slots)

    def solve(self, net_load_kw: Floats, use_kw: Floats) -> GridDay:
        """Solve all slots of a day.

        Parameters
        ----------
        net_load_kw, use_kw : (slot, bus)
            Sums over the simulated households of each bus. [kW]
        """
        scale = self.customers_per_household
        p_kw, q_kvar = bus_power(self._flow.feeder, use_kw * scale, net_load_kw * scale)
        found = self._flow.solve(p_kw, q_kvar)
        self.result = found
        solved, loading = found.converged, found.transformer_loading
        return GridDay(
            net_load_kw=p_kw,
            solved=solved,
            voltage_pu=found.voltage_pu,
            loss_kw=found.loss_kw,
            line_loading=np.where(solved, found.line_loading.max(axis=1, initial=0.0), np.nan),
            transformer_loading=np.full(len(p_kw), np.nan) if loading is None else loading,
            hours_unsolved=float((~solved).sum()) * self._slot_hours,
            hours_outside_limits=float(hours_outside(found.voltage_pu, self._limits, self._slot_hours).sum()),
        )
