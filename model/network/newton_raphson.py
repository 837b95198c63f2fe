"""AC power flow by the Newton-Raphson method of power-grid-model: the referee of our sweeps, and their successor."""

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

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.power_flow_result import PowerFlowResult
from meanwatt.model.network.two_ports import BRANCH_OUTPUT, TwoPorts
from meanwatt.model.network.upper_branch import UpperBranch

ERROR_TOLERANCE_PU = 1e-10
"""Newton-Raphson stops once no voltage moved by more. Its last step squares the error: what is left is rounding."""

MAX_ITERATIONS = 30
"""Newton-Raphson needs three to six iterations in service; more than twenty only on the brink of voltage collapse."""

SOURCE_SHORT_CIRCUIT_VA = 1e18
"""So stiff that 5 MVA move the source's voltage by 5e-12 pu; the solver cannot hold a voltage exactly."""


class NewtonRaphson:
    """A feeder in the solver's tables.

    It keeps the arrays of one batch, which the next call overwrites.
    """

    def __init__(self, feeder: Feeder) -> None:
        self.feeder = feeder
        self._source = feeder.index(feeder.source)
        ends = {
            ComponentType.line: feeder.line_from,
            ComponentType.transformer: np.array([unit.from_bus for unit in feeder.transformers], dtype=np.int64),
        }
        self._leaves_source = {kind: start == self._source for kind, start in ends.items() if len(start)}
        self._output = {kind: _OUTPUT[kind] for kind in (ComponentType.node, *self._leaves_source)}
        grid = grid_tables(feeder)
        self._two_ports = TwoPorts(feeder) if feeder.branches or feeder.fixed else None
        if self._two_ports is not None:
            last = int(grid[ComponentType.sym_load]["id"][-1])
            grid |= self._two_ports.tables(first_id=last + 1)
            if feeder.branches:
                self._output[ComponentType.generic_branch] = BRANCH_OUTPUT
        self._upper_branch = UpperBranch(feeder)
        self._model = PowerGridModel(grid, system_frequency=FREQUENCY_HZ)
        self._make_room(1)

    def _make_room(self, slots: int) -> None:
        self._p_w = np.empty((slots, len(self.feeder.buses)))
        self._q_var = np.empty_like(self._p_w)
        self._update = {ComponentType.sym_load: {"p_specified": self._p_w, "q_specified": self._q_var}}

    def solve(self, p_kw: Floats, q_kvar: Floats) -> PowerFlowResult:
        """Find the state in every slot; checked arguments as of ``PowerFlow.solve``."""
        slots = len(p_kw)
        if slots != len(self._p_w):
            self._make_room(slots)
        np.multiply(p_kw, 1e3, out=self._p_w)
        np.multiply(q_kvar, 1e3, out=self._q_var)
        if self.feeder.fixed is not None:
            self._p_w += self.feeder.fixed.p_kw * 1e3
            self._q_var += self.feeder.fixed.q_kvar * 1e3
        out, converged = newton_batch(self._model, self._update, self._output, slots)
        converged &= self._upper_branch.holds(out[ComponentType.node]["u_pu"], self._p_w / 1e6, self._q_var / 1e6)
        blank_unsolved(out, converged)
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


def newton_batch(
    model: PowerGridModel, update: Any, output: Any, slots: int, *, symmetric: bool = True
) -> tuple[Any, Bools]:
    """Solve all slots of a batch; return the solver's tables, and in which slots (slot,) it ended.

    Voltages of the others are nan; what else stands in their rows is arbitrary until `blank_unsolved`.
    """
    out: Any = model.calculate_power_flow(
        symmetric=symmetric,
        update_data=update,
        calculation_method=CalculationMethod.newton_raphson,
        error_tolerance=ERROR_TOLERANCE_PU,
        max_iterations=MAX_ITERATIONS,
        output_component_types=output,
        continue_on_batch_error=True,
    )
    converged = np.ones(slots, dtype=bool)
    if model.batch_error is not None:
        converged[model.batch_error.failed_scenarios] = False
        out[ComponentType.node]["u_pu"][~converged] = np.nan
    return out, converged


def blank_unsolved(out: Any, converged: Bools) -> None:
    """Put nan into all rows of slots without a state: the solver leaves arbitrary memory where it failed."""
    if not converged.all():
        for columns in out.values():
            for values in columns.values():
                values[~converged] = np.nan


def grid_tables(feeder: Feeder) -> dict[ComponentType, Any]:
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
    line["c1"] = feeder.line_b_us * 1e-6 / (2 * np.pi * FREQUENCY_HZ)
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


FREQUENCY_HZ = 50.0
"""Turns susceptance into the solver's capacitance and back; it cancels out."""

_OUTPUT: dict[ComponentType, Any] = {
    ComponentType.node: ["u_pu", "u_angle"],
    ComponentType.line: ["p_from", "p_to", "q_from", "i_from", "i_to"],
    ComponentType.transformer: ["p_from", "p_to", "q_from", "loading"],
}
