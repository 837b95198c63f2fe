"""Power flow by phase with inverters that answer to the voltage of their own phase by a volt-var curve.

Sought is a voltage V that the power flow by phase reproduces when inverters feed in the reactive power that their curve
asks for at V, by the search of `meanwatt.model.network.fixed_point`. An inverter on one phase goes by the voltage
between it and the neutral, one on three by the mean of the three. A power flow without the curve comes first; slots in
which it asks for nothing are solved.

With linear branch flows the answer is unique: a kvar on one phase answers on itself and on the others by a matrix whose
symmetric part has the eigenvalues x1 and (x1 + x0)/2 on every edge, so it is positive definite, while the curve falls.
In the AC feeder it is checked from another start.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.fixed_point import TOLERANCE_PU, FixedPointSearch, Start, inverse_norm
from meanwatt.model.network.inverter_curves import Inverters, VoltVar, fed_in_kvar
from meanwatt.model.network.phase_flow import PhaseFlow, PhaseFlowResult

MOST_FLOWS: Final = 100
"""Power flows after which the search is given up."""
THREE_PHASES: Final = 3
"""Connection of an inverter on all three phases; 0, 1 and 2 are those on one."""
_WEIGHT: Final = np.vstack([np.eye(3), np.full((1, 3), 1 / 3)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseDroopResult:
    """State of a feeder by phase with its inverters' volt-var curve, slot by slot.

    Attributes
    ----------
    state
        The power flow at the reactive power that inverters feed in.
    fed_in_kvar : (slot, row)
        Reactive power that each row of inverters feeds in, negative when drawn. [kvar]
    residual_pu : (slot,)
        Largest difference between a voltage by which inverters went and the one that came of it; nan where no power
        flow was found. [pu]
    solved : (slot,) bool
        Whether a power flow was found and the residual is at most ``TOLERANCE_PU``.
    flows
        Power flows that it took, in batches.
    """

    __repr__ = short_repr

    state: PhaseFlowResult
    fed_in_kvar: Floats
    residual_pu: Floats
    solved: Bools
    flows: int

    def only_solved(self) -> PhaseFlowResult:
        """The state without the slots in which curve and voltages do not agree: nan there, and not converged."""
        kept: dict[str, Any] = {}
        for entry in fields(PhaseFlowResult):
            values = getattr(self.state, entry.name)
            if values is not None and values.dtype != bool:
                values = np.where(self.solved.reshape(-1, *[1] * (values.ndim - 1)), values, np.nan)
            kept[entry.name] = self.solved if entry.name == "converged" else values
        return PhaseFlowResult(**kept)


def solve_phase_droop(
    flow: PhaseFlow,
    p_kw: Floats,
    q_kvar: Floats,
    units: Inverters,
    connection: Ints,
    curve: VoltVar,
    *,
    start: Start = Start.FULL,
) -> PhaseDroopResult:
    """Solve the power flow by phase and the curve together, all slots in batches.

    Parameters
    ----------
    flow
        The feeder.
    p_kw, q_kvar : (slot, bus, phase)
        Power drawn with what the inverters feed in, and no reactive power of theirs. [kW, kvar]
    units
        The inverters; ``available_kw`` is what they feed in.
    connection : (row,) int
        Phase of each row, 0, 1 or 2, or ``THREE_PHASES``.
    curve
        Their curve.
    start
        Where to begin; the answer should not depend on it.

    Raises
    ------
    ValueError
        If a shape is wrong or a number is not finite. A slot without a solution raises nothing: see ``solved``.
    """
    p_kw, q_kvar = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
    require_shape("available_kw", units.available_kw, (len(p_kw), len(units.bus)), "(slot, row)")
    require_shape("connection", connection, (len(units.bus),), "(row,)")
    loop = _CurveByPhase(flow, p_kw, q_kvar, units, connection, curve)
    search = FixedPointSearch(loop, slots=len(p_kw), most_flows=MOST_FLOWS)
    search.run(start)
    state = PhaseFlowResult(**search.state)  # type: ignore[arg-type]
    residual = search.residual_pu(state.converged)
    return PhaseDroopResult(
        state=state,
        fed_in_kvar=loop.inject(np.arange(len(p_kw)), search.voltage, search.residual)[0],
        residual_pu=residual,
        solved=state.converged & (residual <= TOLERANCE_PU),
        flows=search.flows,
    )


def phase_starts_differ_pu(
    flow: PhaseFlow,
    p_kw: Floats,
    q_kvar: Floats,
    units: Inverters,
    connection: Ints,
    curve: VoltVar,
    first: PhaseDroopResult,
) -> Floats:
    """Solve anew from the other start where the curve acts; largest difference of a voltage, (slot,). [pu]

    Zero where it does not act, nan where one of the two searches did not end.
    """
    differ = np.where(first.solved, 0.0, np.nan)
    slots = np.flatnonzero((first.fed_in_kvar != 0).any(axis=1) & first.solved)
    if slots.size:
        given = p_kw[slots], q_kvar[slots], units.rows(slots), connection, curve
        other = solve_phase_droop(flow, *given, start=Start.FLOOR)
        gap = np.abs(other.state.voltage_pu - first.state.voltage_pu[slots]).max(axis=(1, 2))
        differ[slots] = np.where(other.solved, gap, np.nan)
    return differ


class _CurveByPhase:
    """Curve and power flow by phase of one batch. A place is a bus and a connection that inverters have there."""

    def __init__(
        self, flow: PhaseFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, connection: Ints, curve: VoltVar
    ) -> None:
        self._flow, self._p_kw, self._q_kvar, self._units, self._curve = flow, p_kw, q_kvar, units, curve
        kinds = len(_WEIGHT)
        found, self._place = np.unique(units.bus * kinds + connection, return_inverse=True)
        self._bus, self._weight = found // kinds, _WEIGHT[found % kinds]  # (place,), (place, phase)
        self._at_place = (self._place[:, None] == np.arange(len(found))).astype(float)
        self.neutral_pu, self.floor_pu = (curve.v2_pu, curve.v3_pu), curve.v4_pu
        self._shared, self._turns = flow.shared_kvar_pu(self._bus, self._weight)
        self.norm = inverse_norm((self._shared + self._shared.T) / 2)

    def corner_pu(self) -> Floats:
        return np.full((len(self._p_kw), len(self._bus)), self._curve.v3_pu)

    def inject(self, slots: Ints, voltage: Floats, side: Floats) -> tuple[Floats, Floats]:
        """What the rows feed in at the places' voltages, and its decrease; (slot, row) each. [kvar, kvar/pu]"""
        return fed_in_kvar(self._curve, self._units.rows(slots), voltage[:, self._place], side[:, self._place])

    def fed(self, slots: Ints, voltage: Floats, side: Floats) -> tuple[Floats, Floats]:
        fed_in, fall = self.inject(slots, voltage, side)
        return fed_in @ self._at_place, fall @ self._at_place

    def response(self, voltage: Floats) -> Floats:
        return self._shared / (1e3 * self._turns**2 * voltage)[:, :, None]

    def solve(self, slots: Ints, voltage: Floats) -> tuple[PhaseFlowResult, Floats]:
        fed_in, _ = self.fed(slots, voltage, np.zeros(voltage.shape))
        q_kvar = self._q_kvar[slots].copy()
        spread = np.moveaxis(fed_in[:, :, None] * self._weight, 1, 0)  # (place, slot, phase)
        np.subtract.at(np.moveaxis(q_kvar, 1, 0), self._bus, spread)
        found = self._flow.solve(self._p_kw[slots], q_kvar)
        return found, np.einsum("spf,pf->sp", found.voltage_pu[:, self._bus], self._weight)
