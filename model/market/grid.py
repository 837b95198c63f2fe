"""The feeder under the finite market's load."""

import numpy as np

from agents.arrays import Floats
from model.feeder import Feeder
from model.market.history import GridDay
from model.power_flow import PowerFlow, PowerFlowResult, VoltageLimits, bus_power, hours_outside


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
        slots = len(p_kw)
        loading = found.transformer_loading
        return GridDay(
            net_load_kw=p_kw,
            voltage_pu=found.voltage_pu,
            loss_kw=found.loss_kw,
            line_loading=found.line_loading.max(axis=1, initial=0.0),
            transformer_loading=np.full(slots, np.nan) if loading is None else loading,
            hours_outside_limits=float(hours_outside(found.voltage_pu, self._limits, self._slot_hours).sum()),
        )
