"""AC power flow of a feeder, all slots of a day in one call."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from power_grid_model import (
    CalculationMethod,
    ComponentType,
    LoadGenType,
    PowerGridModel,
    WindingType,
    initialize_array,
)

from meanwatt.agents.numerics.arrays import Bools, Floats, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.two_ports import BRANCH_OUTPUT, TwoPorts
from meanwatt.model.network.upper_branch import UpperBranch

ERROR_TOLERANCE_PU = 1e-10
"""Newton-Raphson stops once no voltage moved by more. Its last step squares the error: what is left is rounding."""

MAX_ITERATIONS = 30
"""Newton-Raphson needs three to six iterations in service; more than twenty only on the brink of voltage collapse."""

SOURCE_SHORT_CIRCUIT_VA = 1e18
"""So stiff that 5 MVA move the source's voltage by 5e-12 pu; the solver cannot hold a voltage exactly."""


class VoltageLimits(StrEnum):
    """The band a bus voltage should stay in."""

    ANSI_C84_1 = "ansi_c84_1"
    """ANSI C84.1, range A at the service entrance: ±5 %."""
    EN_50160 = "en_50160"
    """EN 50160, ±10 % (the standard asks it of 95 % of the ten-minute means of a week)."""

    @property
    def low_pu(self) -> float:
        """Lowest voltage allowed. [pu]"""
        return 0.95 if self is VoltageLimits.ANSI_C84_1 else 0.90

    @property
    def high_pu(self) -> float:
        """Highest voltage allowed. [pu]"""
        return 1.05 if self is VoltageLimits.ANSI_C84_1 else 1.10


class PowerFlowOutcome(StrEnum):
    """How a power flow ended."""

    CONVERGED = "converged"
    SOME_SLOTS_FAILED = "some_slots_failed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerFlowResult:
    """State of a feeder, slot by slot. A slot that did not converge is nan in every array and false in ``converged``.

    Parameters
    ----------
    voltage_pu, voltage_angle_rad
        (slot, bus) Voltage, relative to nominal, and its angle to the source's. [pu, rad]
    loss_kw
        (slot,) Active losses of all lines, transformers and branches. [kW]
    source_p_kw, source_q_kvar
        (slot,) Power that the source feeds in, negative when the feeder exports. [kW, kvar]
    line_current_a
        (slot, line) The larger of the currents at the two ends, of lines that are no branches. [A]
    line_loading
        (slot, line) Current over rating in the order of ``Feeder.line_names``, which ends with the lines that are
        branches: the larger of the two ends'; 0 where no rating is known.
    transformer_loading
        (slot,) Apparent power over rating of the most loaded transformer (current over rated current where it is a
        branch); None without transformers.
    converged
        (slot,) Whether the solver found a state, and not one of the lower branch of solutions, on which more power fed
        in means less voltage: see `meanwatt.model.network.upper_branch`.
    """

    __repr__ = short_repr

    voltage_pu: Floats
    voltage_angle_rad: Floats
    loss_kw: Floats
    source_p_kw: Floats
    source_q_kvar: Floats
    line_current_a: Floats
    line_loading: Floats
    transformer_loading: Floats | None
    converged: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            values = getattr(self, name)
            if isinstance(values, np.ndarray):
                values.setflags(write=False)

    @property
    def outcome(self) -> PowerFlowOutcome:
        """Whether every slot converged."""
        return PowerFlowOutcome.CONVERGED if self.converged.all() else PowerFlowOutcome.SOME_SLOTS_FAILED

    @property
    def message(self) -> str:
        """The outcome in words."""
        failed = np.flatnonzero(~self.converged).tolist()
        if not failed:
            return f"all {len(self.converged)} slots converged"
        more = f" and {len(failed) - 8} more" if len(failed) > 8 else ""
        return (
            f"no state found in slots {', '.join(map(str, failed[:8]))}{more} of {len(self.converged)}:"
            " the feeder cannot carry such load or export (voltage collapse)"
        )


class PowerFlow:
    """A feeder made ready for many power flows.

    It keeps the grid model and the arrays of one batch, which the next call overwrites: give every thread its own.

    Parameters
    ----------
    feeder
        The feeder.
    slots
        Slots per call to make room for; another number only costs a new allocation.
    """

    def __init__(self, feeder: Feeder, *, slots: int = 24) -> None:
        self.feeder = feeder
        self._source = feeder.index(feeder.source)
        ends = {
            ComponentType.line: feeder.line_from,
            ComponentType.transformer: np.array([unit.from_bus for unit in feeder.transformers], dtype=np.int64),
        }
        self._leaves_source = {kind: start == self._source for kind, start in ends.items() if len(start)}
        self._output = {kind: _OUTPUT[kind] for kind in (ComponentType.node, *self._leaves_source)}
        grid = _grid(feeder)
        self._two_ports = TwoPorts(feeder) if feeder.branches or feeder.fixed else None
        if self._two_ports is not None:
            last = int(grid[ComponentType.sym_load]["id"][-1])
            grid |= self._two_ports.tables(first_id=last + 1)
            if feeder.branches:
                self._output[ComponentType.generic_branch] = BRANCH_OUTPUT
        self._upper_branch = UpperBranch(feeder)
        self._model = PowerGridModel(grid, system_frequency=_FREQUENCY_HZ)
        self._make_room(slots)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the feeder: the grid model of the solver cannot be pickled."""
        return PowerFlow, (self.feeder,)

    def _make_room(self, slots: int) -> None:
        self._p_w = np.empty((slots, len(self.feeder.buses)))
        self._q_var = np.empty_like(self._p_w)
        self._update = {ComponentType.sym_load: {"p_specified": self._p_w, "q_specified": self._q_var}}

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
        if slots != len(self._p_w):
            self._make_room(slots)
        np.multiply(p_kw, 1e3, out=self._p_w)
        np.multiply(q_kvar, 1e3, out=self._q_var)
        if self.feeder.fixed is not None:
            self._p_w += self.feeder.fixed.p_kw * 1e3
            self._q_var += self.feeder.fixed.q_kvar * 1e3
        out: Any = self._model.calculate_power_flow(
            update_data=self._update,
            calculation_method=CalculationMethod.newton_raphson,
            error_tolerance=ERROR_TOLERANCE_PU,
            max_iterations=MAX_ITERATIONS,
            output_component_types=self._output,
            continue_on_batch_error=True,
        )
        converged = np.ones(slots, dtype=bool)
        if self._model.batch_error is not None:
            converged[self._model.batch_error.failed_scenarios] = False
            out[ComponentType.node]["u_pu"][~converged] = np.nan
        converged &= self._upper_branch.holds(out[ComponentType.node]["u_pu"], self._p_w / 1e6, self._q_var / 1e6)
        if not converged.all():
            for columns in out.values():
                for values in columns.values():
                    values[~converged] = np.nan  # the solver leaves arbitrary memory where it failed
        return self._result(out, p_kw, q_kvar, converged)

    def _result(self, out: Any, p_kw: Floats, q_kvar: Floats, converged: Bools) -> PowerFlowResult:
        feeder, node = self.feeder, out[ComponentType.node]
        # Summed over branches, not taken from the solver's source: behind so stiff a source that is all cancellation.
        loss_w, source_w, source_var = np.zeros((3, len(p_kw)))
        for kind, leaves_source in self._leaves_source.items():
            branch = out[kind]
            loss_w += branch["p_from"].sum(axis=1) + branch["p_to"].sum(axis=1)
            source_w += branch["p_from"][:, leaves_source].sum(axis=1)
            source_var += branch["q_from"][:, leaves_source].sum(axis=1)
        line, unit = out.get(ComponentType.line), out.get(ComponentType.transformer)
        loading = [unit["loading"].max(axis=1)] if unit else []
        if self._two_ports is not None:
            beside = self._two_ports.state(node["u_pu"], out.get(ComponentType.generic_branch))
            loss_w += beside.loss_kw.sum(axis=1) * 1e3
            source_w, source_var = source_w + beside.source_p_kw * 1e3, source_var + beside.source_q_kvar * 1e3
            loading += [beside.loading[:, self._two_ports.transformer]] if self._two_ports.transformer.any() else []
        current_a = np.maximum(line["i_from"], line["i_to"]) if line else np.empty((len(p_kw), 0))
        line_loading = current_a / feeder.line_rating_a
        if self._two_ports is not None:
            line_loading = np.column_stack([line_loading, beside.loading[:, feeder.line_branches]])
        return PowerFlowResult(
            voltage_pu=node["u_pu"],
            voltage_angle_rad=node["u_angle"],
            loss_kw=loss_w / 1e3,
            source_p_kw=source_w / 1e3 + p_kw[:, self._source],
            source_q_kvar=source_var / 1e3 + q_kvar[:, self._source],
            line_current_a=current_a,
            line_loading=line_loading,
            transformer_loading=np.column_stack(loading).max(axis=1) if loading else None,
            converged=converged,
        )


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


def hours_outside(voltage_pu: Floats, limits: VoltageLimits, slot_hours: float) -> Floats:
    """Count the hours that each bus spends outside the limits.

    Parameters
    ----------
    voltage_pu
        (slot, bus) Voltage; nan, a slot without a solution, counts as outside. [pu]
    limits
        The band allowed, its edges included.
    slot_hours
        Length of a slot. [h]

    Returns
    -------
    (bus,) float
        Hours outside. [h]
    """
    inside = (voltage_pu >= limits.low_pu) & (voltage_pu <= limits.high_pu)
    hours: Floats = (~inside).sum(axis=0) * slot_hours
    return hours


def _grid(feeder: Feeder) -> dict[ComponentType, Any]:
    """Write the feeder in the solver's tables: SI units, numbers as names."""
    buses, lines, units = len(feeder.buses), len(feeder.line_from), feeder.transformers
    node = initialize_array("input", ComponentType.node, buses)
    node["id"] = np.arange(buses)
    node["u_rated"] = feeder.nominal_kv * 1e3
    line = initialize_array("input", ComponentType.line, lines)
    line["id"] = buses + np.arange(lines)
    line["from_node"], line["to_node"] = feeder.line_from, feeder.line_to
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"] = feeder.line_r_ohm, feeder.line_x_ohm
    line["c1"] = feeder.line_b_us * 1e-6 / (2 * np.pi * _FREQUENCY_HZ)
    line["tan1"] = 0.0
    transformer = initialize_array("input", ComponentType.transformer, len(units))
    transformer["id"] = buses + lines + np.arange(len(units))
    transformer["from_status"] = transformer["to_status"] = 1
    transformer["winding_from"] = transformer["winding_to"] = WindingType.wye_n
    transformer["clock"] = transformer["tap_side"] = transformer["tap_pos"] = 0
    transformer["tap_min"] = transformer["tap_max"] = transformer["tap_size"] = 0
    for row, unit in zip(transformer, units, strict=True):
        row["from_node"], row["to_node"] = unit.from_bus, unit.to_bus
        row["u1"] = feeder.nominal_kv[unit.from_bus] * unit.turns * 1e3
        row["u2"] = feeder.nominal_kv[unit.to_bus] * 1e3
        row["sn"], row["uk"], row["i0"] = unit.kva * 1e3, unit.uk, unit.i0
        row["pk"], row["p0"] = unit.pk_kw * 1e3, unit.p0_kw * 1e3
    source = initialize_array("input", ComponentType.source, 1)
    source["id"] = buses + lines + len(units)
    source["node"], source["status"] = feeder.index(feeder.source), 1
    source["u_ref"], source["sk"] = feeder.source_voltage_pu, SOURCE_SHORT_CIRCUIT_VA
    load = initialize_array("input", ComponentType.sym_load, buses)
    load["id"] = buses + lines + len(units) + 1 + np.arange(buses)
    load["node"], load["status"], load["type"] = np.arange(buses), 1, LoadGenType.const_power
    load["p_specified"] = load["q_specified"] = 0.0
    tables = {
        ComponentType.node: node,
        ComponentType.line: line,
        ComponentType.source: source,
        ComponentType.sym_load: load,
    }
    return tables | ({ComponentType.transformer: transformer} if units else {})


_FREQUENCY_HZ = 50.0
"""Turns susceptance into the solver's capacitance and back; it cancels out."""

_OUTPUT: dict[ComponentType, Any] = {
    ComponentType.node: ["u_pu", "u_angle"],
    ComponentType.line: ["p_from", "p_to", "q_from", "i_from", "i_to"],
    ComponentType.transformer: ["p_from", "p_to", "q_from", "loading"],
}
