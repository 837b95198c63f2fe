"""What a pandapower network says of its phases: zero sequence of its rows, and who is on which phase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.model.network.library.branch import BranchKind
from meanwatt.model.network.library.phase_data import PhaseData, ZeroPort
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.pandapower_net.elements import SWITCH_R_PER_Z, SWITCH_X_PER_Z, TwoPort
from meanwatt.model.network.pandapower_net.injections import BusLoad
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.report import Report
from meanwatt.model.network.pandapower_net.transformers import TapRule, tapped_kv
from meanwatt.model.network.pandapower_net.zero import line_zero, trafo_zero
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.zero_sequence import ASSUMED_GROUP, ZeroSequenceRule
from meanwatt.model.scenario.files import FileError


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseState:
    """A feeder by phase at the loads of its file; nan where the power flow finds no state.

    Attributes
    ----------
    min_phase_voltage_pu, max_phase_voltage_pu
        Over all buses and phases, phase to neutral. [pu]
    max_unbalance_percent
        Largest negative over positive sequence of a bus. [%]
    loss_kw
        Active losses of lines and transformers. [kW]
    max_transformer_loading
        Of the most loaded phase of a transformer; None without transformers.
    """

    min_phase_voltage_pu: float
    max_phase_voltage_pu: float
    max_unbalance_percent: float
    loss_kw: float
    max_transformer_loading: float | None


def phase_state(feeder: Feeder, drawn_kva: "np.typing.NDArray[np.complex128]") -> PhaseState:
    """Solve a feeder by phase at what customers draw, (bus, phase). [kW, kvar]"""
    found = PhaseFlow(feeder).solve(drawn_kva.real[None], drawn_kva.imag[None])
    loading = found.transformer_loading
    return PhaseState(
        min_phase_voltage_pu=float(found.voltage_pu.min()),
        max_phase_voltage_pu=float(found.voltage_pu.max()),
        max_unbalance_percent=float(found.unbalance_percent.max()),
        loss_kw=float(found.loss_kw[0]),
        max_transformer_loading=None if loading is None else float(loading[0]),
    )


def phase_data(
    zeros: dict[str, ZeroPort | None], lines: Sequence[TwoPort], branches: Sequence[TwoPort], loads: Sequence[BusLoad]
) -> PhaseData:
    """Gather what is known of a feeder's phases, its edges and buses in the feeder's order."""
    ports = [zeros.get(edge.name) or ZeroPort() for edge in lines]
    return PhaseData(
        line_r0_ohm=np.array([port.r_ohm for port in ports]),
        line_x0_ohm=np.array([port.x_ohm for port in ports]),
        line_b0_us=np.array([2 * port.b_from_us for port in ports]),
        transformers=(),
        branches=tuple(zeros.get(edge.name) for edge in branches),
        customers=np.array([load.on_phase for load in loads]),
        three_phase=np.array([load.three_phase for load in loads]),
        fixed_kw=np.array([load.power_by_phase for load in loads]).real,
        fixed_kvar=np.array([load.power_by_phase for load in loads]).imag,
    )


def zero_ports(net: Net, edges: Sequence[TwoPort], rule: TapRule, report: Report) -> dict[str, ZeroPort | None]:
    """Zero sequence of every edge by its name; what the file does not say is told to the report.

    Raises
    ------
    FileError
        If a transformer has three windings.
    """
    rows = {str(row): row for table in ("line", "trafo", "switch") for row in net.rows(table)}
    given = ZeroSequenceRule()
    found: dict[str, ZeroPort | None] = {}
    for edge in edges:
        row = rows.get(edge.name)
        if row is None and edge.kind is BranchKind.TRANSFORMER:
            raise FileError(
                f"{edge.name} is part of a transformer with three windings, which a power flow by phase does not take;"
                " import it without --phases"
            )
        if row is None:
            continue
        port = found[edge.name] = _port(net, row, edge, rule)
        missing = port is None or port.group is None or not port.known
        if edge.kind is BranchKind.LINE and edge.ratio == 1 and not (port and port.known):
            report.approximate_taken(
                row,
                f"no zero-sequence impedance; r0 = {given.r0_per_r1:g} r1 and x0 = {given.x0_per_x1:g} x1 stand in its"
                " place, or what a scenario's feeder.r0_per_r1 and feeder.x0_per_x1 say",
            )
        elif edge.kind is BranchKind.TRANSFORMER and missing:
            report.approximate_taken(
                row,
                f"no vector group or no zero-sequence impedance; {ASSUMED_GROUP.name} and that of the positive sequence"
                " stand in place of what is missing",
            )
    return found


def _port(net: Net, row: Row, edge: TwoPort, rule: TapRule) -> ZeroPort | None:
    if row.table == "trafo":
        return trafo_zero(row, tapped_kv(net, row, rule)["lv"], edge.ratio)
    if row.table == "switch":
        z = row.number("z_ohm")
        return ZeroPort(r_ohm=z * SWITCH_R_PER_Z, x_ohm=z * SWITCH_X_PER_Z)
    return line_zero(row, net.f_hz, edge.y_from) if edge.ratio == 1 else None
