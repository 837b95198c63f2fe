"""AC power flow of a feeder, all slots in one call."""

from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, require_finite, require_shape
from meanwatt.model.network.droop_sweep import CurveRows
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.library.branch import FixedLoad
from meanwatt.model.network.newton_raphson import SOURCE_SHORT_CIRCUIT_VA, NewtonRaphson
from meanwatt.model.network.power_flow_result import PowerFlowOutcome, PowerFlowResult, VoltageLimits, hours_outside
from meanwatt.model.network.sweep import Sweep, SweptSlots
from meanwatt.model.network.upper_branch import UpperBranch

__all__ = [
    "SOURCE_SHORT_CIRCUIT_VA",
    "Method",
    "PowerFlow",
    "PowerFlowOutcome",
    "PowerFlowResult",
    "VoltageLimits",
    "bus_power",
    "hours_outside",
    "solve_power_flow",
]


class Method(StrEnum):
    """How a power flow is solved."""

    SWEEP = "sweep"
    """By our own sweeps (`meanwatt.model.network.sweep`); slots in which they do not converge, as below."""
    NEWTON_RAPHSON = "newton_raphson"
    """By the Newton-Raphson method of power-grid-model."""


class PowerFlow:
    """A feeder made ready for many power flows.

    The other solver's model keeps the state of its last call: give every thread its own.

    Parameters
    ----------
    feeder
        The feeder.
    slots
        Slots per call. Any number may come; nothing depends on it.
    method
        How to solve. Voltages of the two agree to 1e-10 pu.
    """

    def __init__(self, feeder: Feeder, *, slots: int = 24, method: Method = Method.SWEEP) -> None:
        self.feeder = feeder
        self.method = method
        self._source = feeder.index(feeder.source)
        if method is Method.NEWTON_RAPHSON:
            return
        self._upper_branch = UpperBranch(feeder)
        self._sweep = Sweep(feeder)
        self._fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))

    @cached_property
    def _newton(self) -> NewtonRaphson:
        """The other solver's model, made when it is first needed."""
        return NewtonRaphson(self.feeder)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the feeder: the grid model of the other solver cannot be pickled."""
        return _power_flow, (self.feeder, self.method)

    def solve(self, p_kw: Floats, q_kvar: Floats) -> PowerFlowResult:
        """Find the state of the feeder in every slot, in one batch.

        Parameters
        ----------
        p_kw, q_kvar
            (slot, bus) Power drawn at each bus at constant power; negative feeds in. [kW, kvar]

        Raises
        ------
        ValueError
            If a shape is wrong or a number is not finite. A slot without a solution raises nothing: see the result.
        """
        p_kw, q_kvar = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
        slots, buses = len(p_kw) if p_kw.ndim == 2 else 0, len(self.feeder.buses)
        if slots == 0:
            raise ValueError(f"p_kw has shape {p_kw.shape}; give (slots, {buses}), axes (slot, bus), at least one slot")
        for name, power in (("p_kw", p_kw), ("q_kvar", q_kvar)):
            require_shape(name, power, (slots, buses), "(slot, bus)")
            require_finite(name, power)  # the solver takes nan for "unchanged"
        if self.method is Method.NEWTON_RAPHSON:
            return self._newton.solve(p_kw, q_kvar)
        columns = self._swept(p_kw, q_kvar)
        found = columns["converged"]
        if not found.all():
            self._mend(columns, np.flatnonzero(~found), p_kw, q_kvar)
        return PowerFlowResult(**columns)

    def solve_swept(self, p_kw: Floats, q_kvar: Floats) -> PowerFlowResult:
        """Find the state of the feeder by sweeps alone; nan where they find none. Arguments as of ``solve_curves``."""
        return PowerFlowResult(**_blank(self._swept(p_kw, q_kvar)))

    def _swept(self, p_kw: Floats, q_kvar: Floats) -> dict[str, Any]:
        """What sweeps find on the upper branch, by the names of a result."""
        swept = self._sweep.solve(p_kw, q_kvar)
        columns = self._columns(swept, p_kw, q_kvar)
        found = columns["converged"]
        at = np.flatnonzero(found & self._upper_branch.doubtful(swept.lowest_square, swept.linear_square))
        if at.size:
            found[at] = self._upper_branch.holds(swept.voltage_pu[at], *self._drawn(p_kw[at], q_kvar[at]))
        return columns

    def solve_curves(
        self, p_kw: Floats, q_kvar: Floats, rows: CurveRows, *, most_steps: int
    ) -> tuple[PowerFlowResult, Floats]:
        """Find in every slot the state in which inverters stand on their curves, by sweeps; nan where none is found.

        Parameters
        ----------
        p_kw, q_kvar : (slot, bus)
            Power drawn with all inverters at what is available; finite numbers. [kW, kvar]
        rows
            The inverters and their curves.
        most_steps
            Newton steps after which a slot is given up.

        Returns
        -------
        PowerFlowResult, (slot, bus)
            The state at what they feed in, and the voltages that they went by. [pu]
        """
        swept, gone_by, drawn = self._sweep.solve_curves(p_kw, q_kvar, rows, most_steps)
        found = swept.found
        doubtful = np.flatnonzero(found & self._upper_branch.doubtful(swept.lowest_square, swept.linear_square))
        if doubtful.size:
            found[doubtful] = self._upper_branch.holds(swept.voltage_pu[doubtful], *drawn[:, doubtful])
        columns = self._columns(swept, p_kw, q_kvar)
        at = self._source  # where inverters at the source itself change what it gives
        p_mw, q_mvar = self._drawn(p_kw[:, at], q_kvar[:, at], at)
        columns["source_p_kw"] += 1e3 * (drawn[0, :, at] - p_mw)
        columns["source_q_kvar"] += 1e3 * (drawn[1, :, at] - q_mvar)
        return PowerFlowResult(**_blank(columns)), gone_by

    def _drawn(self, p_kw: Floats, q_kvar: Floats, bus: Any = slice(None)) -> tuple[Floats, Floats]:
        """Add what is fixed at some buses to what is drawn there. [MW, Mvar]"""
        return (p_kw + self._fixed.p_kw[bus]) / 1e3, (q_kvar + self._fixed.q_kvar[bus]) / 1e3

    def _columns(self, swept: SweptSlots, p_kw: Floats, q_kvar: Floats) -> dict[str, Any]:
        """What sweeps found, by the names of a result."""
        feeder, fixed, at = self.feeder, self._fixed, self._source
        source_pu = feeder.source_voltage_pu
        drawn_kva = complex(fixed.p_kw[at], fixed.q_kvar[at])  # by what is fixed at the source
        drawn_kva += source_pu * complex(fixed.current_kw[at], fixed.current_kvar[at])
        drawn_kva += source_pu**2 * complex(fixed.shunt_kw[at], fixed.shunt_kvar[at])
        return {
            "voltage_pu": swept.voltage_pu,
            "voltage_angle_rad": swept.angle_rad,
            "loss_kw": swept.loss_mw * 1e3,
            "source_p_kw": swept.source_p_mw * 1e3 + p_kw[:, at] + drawn_kva.real,
            "source_q_kvar": swept.source_q_mvar * 1e3 + q_kvar[:, at] + drawn_kva.imag,
            "line_current_a": swept.current_a,
            "line_loading": swept.line_loading,
            "transformer_loading": swept.transformer_loading if feeder.has_transformer else None,
            "converged": swept.found,
        }

    def _mend(self, columns: dict[str, Any], slots: Ints, p_kw: Floats, q_kvar: Floats) -> None:
        """Let the other method find the state of some slots, or say that there is none."""
        found = self._newton.solve(p_kw[slots], q_kvar[slots])
        for name, values in columns.items():
            if values is not None:
                values[slots] = getattr(found, name)


def _blank(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns of a result, nan in slots without a state."""
    found = columns["converged"]
    if not found.all():
        for name, values in columns.items():
            if values is not None and name != "converged":
                values[~found] = np.nan
    return columns


def _power_flow(feeder: Feeder, method: Method) -> PowerFlow:
    return PowerFlow(feeder, method=method)


def solve_power_flow(feeder: Feeder, p_kw: Floats, q_kvar: Floats) -> PowerFlowResult:
    """Solve one batch; for many, keep a ``PowerFlow``. Arguments and errors as for ``PowerFlow.solve``."""
    return PowerFlow(feeder, slots=max(len(np.atleast_2d(p_kw)), 1)).solve(p_kw, q_kvar)


def bus_power(feeder: Feeder, use_kw: Floats, net_load_kw: Floats) -> tuple[Floats, Floats]:
    """Turn what the customers of each bus use and draw into the powers of the feeder.

    Reactive power belongs to consumption: power factor .95 lagging, or the bus's own ratio where its reference load
    has one. Solar panels and batteries run at unity power factor.

    Parameters
    ----------
    feeder
        The feeder.
    use_kw
        (slot, bus) Electricity used, summed over the customers of the bus. [kW]
    net_load_kw
        (slot, bus) Use less sun plus charging, negative when the bus exports. [kW]

    Returns
    -------
    p_kw, q_kvar
        (slot, bus) As ``PowerFlow.solve`` takes them. [kW, kvar]

    Raises
    ------
    ValueError
        If a shape is wrong.
    """
    use_kw, net_load_kw = np.asarray(use_kw, dtype=float), np.asarray(net_load_kw, dtype=float)
    shape = (len(net_load_kw) if net_load_kw.ndim else 0, len(feeder.buses))
    require_shape("net_load_kw", net_load_kw, shape, "(slot, bus)")
    require_shape("use_kw", use_kw, shape, "(slot, bus)")
    return net_load_kw, use_kw * feeder.kvar_per_kw
