"""AC power flow of a feeder by phase, all slots of a day in one call."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from power_grid_model import ComponentType, PowerGridModel

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.library.branch import FixedLoad
from meanwatt.model.network.library.phase_data import PhaseData
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.newton_raphson import FREQUENCY_HZ, blank_unsolved, newton_batch
from meanwatt.model.network.phase_branch import PhaseBranch
from meanwatt.model.network.phase_tables import EdgeEnds, PhaseTables
from meanwatt.model.network.unbalance import TO_SEQUENCES, TURN, unbalance_percent
from meanwatt.model.network.zero_sequence import ZeroSequence, ZeroSequenceRule, complete_zero_sequence

UNBALANCE_LIMIT_PERCENT: Final = 2.0
"""What EN 50160 and IEC 61000-2-2 allow of the negative over the positive sequence. [%]"""

_TO_PHASES: Final = np.array([[1, 1, 1], [1, TURN**2, TURN], [1, TURN, TURN**2]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseFlowResult:
    """State of a feeder by phase, slot by slot; a slot without one is nan in every array and false in ``converged``.

    Voltages are those between a phase and the neutral at the bus, where the way back of the current is part of the
    zero-sequence impedance. Phases are named as at each bus: behind a transformer they are turned by its clock.

    Attributes
    ----------
    voltage_pu, voltage_angle_rad
        (slot, bus, phase) Voltage over its nominal value, and its angle to phase a of the source. [pu, rad]
    unbalance_percent
        (slot, bus) Negative over positive sequence (VUF of IEC 61000-4-30). [%]
    loss_kw
        (slot,) Active losses of all lines and transformers, the neutral's included. [kW]
    source_p_kw, source_q_kvar
        (slot, phase) Power that the source feeds in. [kW, kvar]
    line_loading
        (slot, line) Largest current of a phase over the rating; branches that are wires follow the lines.
    transformer_loading
        (slot,) Of the most loaded phase of a transformer, over a third of its rating; None without transformers.
    converged
        (slot,) Whether a state was found, and on the upper branch of solutions in all phases.
    """

    __repr__ = short_repr

    voltage_pu: Floats
    voltage_angle_rad: Floats
    unbalance_percent: Floats
    loss_kw: Floats
    source_p_kw: Floats
    source_q_kvar: Floats
    line_loading: Floats
    transformer_loading: Floats | None
    converged: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            values = getattr(self, name)
            if isinstance(values, np.ndarray):
                values.setflags(write=False)


class PhaseFlow:
    """A feeder made ready for many power flows by phase; give every thread its own.

    Parameters
    ----------
    feeder
        The feeder; its ``phases`` has what is known of the zero sequence.
    rule
        What is taken for the rest.

    Attributes
    ----------
    zero : ZeroSequence
        The zero sequence of every edge, and what of it is assumed.

    Raises
    ------
    ValueError
        In one line, if a current on one phase has no way back somewhere, or a transformer has three windings.
    """

    def __init__(self, feeder: Feeder, rule: ZeroSequenceRule | None = None) -> None:
        self.feeder = feeder
        self.rule = rule or ZeroSequenceRule()
        self.zero: ZeroSequence = complete_zero_sequence(feeder, self.rule)
        self._source = feeder.index(feeder.source)
        self._tables = PhaseTables(feeder, self.zero)
        self._branch = PhaseBranch(feeder, self.zero)
        self._model = PowerGridModel(self._tables.tables, system_frequency=FREQUENCY_HZ)
        known = feeder.phases
        fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))
        self._fixed = _by_phase(fixed.p_kw + 1j * fixed.q_kvar, known)
        edges = [(ComponentType.line, self._tables.lines), (ComponentType.transformer, self._tables.units)]
        self._edges = [(name, ends) for name, ends in edges if name in self._tables.tables]
        power = ["p_from", "q_from", "p_to", "q_to"]
        self._output: dict[ComponentType, Any] = {
            ComponentType.node: ["u_pu", "u_angle"],
            **{name: power for name, _ in self._edges},
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the feeder: the grid model of the solver cannot be pickled."""
        return PhaseFlow, (self.feeder, self.rule)

    def solve(self, p_kw: Floats, q_kvar: Floats) -> PhaseFlowResult:
        """Find the state of the feeder in every slot, in one batch.

        Parameters
        ----------
        p_kw, q_kvar
            (slot, bus, phase) Power drawn between each phase and neutral, at constant power; negative feeds in.
            [kW, kvar]

        Raises
        ------
        ValueError
            If a shape is wrong or a number is not finite.
        """
        p_kw, q_kvar = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
        slots, buses = len(p_kw) if p_kw.ndim == 3 else 0, len(self.feeder.buses)
        if slots == 0:
            raise ValueError(
                f"p_kw has shape {p_kw.shape}; give (slots, {buses}, 3), axes (slot, bus, phase), at least one slot"
            )
        for name, power in (("p_kw", p_kw), ("q_kvar", q_kvar)):
            require_shape(name, power, (slots, buses, 3), "(slot, bus, phase)")
            require_finite(name, power)
        drawn_kva = p_kw + 1j * q_kvar + self._fixed
        load = {"p_specified": drawn_kva.real * 1e3, "q_specified": drawn_kva.imag * 1e3}
        update = {ComponentType.asym_load: load}
        out, converged = newton_batch(self._model, update, self._output, slots, symmetric=False)
        converged &= self._branch.holds(out[ComponentType.node]["u_pu"], 3e-3 * drawn_kva)
        blank_unsolved(out, converged)
        return self._result(out, drawn_kva, converged)

    def shared_kvar_pu(self, bus: Ints, weight: Floats) -> tuple[Floats, Floats]:
        """As of `meanwatt.model.network.phase_branch.PhaseBranch.shared_kvar_pu`."""
        return self._branch.shared_kvar_pu(bus, weight)

    def _result(self, out: Any, drawn_kva: npt.NDArray[np.complex128], converged: Bools) -> PhaseFlowResult:
        node, slots = out[ComponentType.node], len(converged)
        voltage, angle = node["u_pu"], node["u_angle"]
        volt = voltage * np.exp(1j * angle) * (self.feeder.nominal_kv * 1e3 / np.sqrt(3))[:, None]
        loss_va, source_va = np.zeros(slots, dtype=complex), np.zeros((slots, 3), dtype=complex)
        loading = {}
        for name, ends in self._edges:
            power = self._into(out[name], ends, volt)
            loss_va += power.sum(axis=(1, 2, 3))
            source_va += (power * (ends.bus == self._source)[None, :, :, None]).sum(axis=(1, 2))
            loading[name] = _loading(power, ends, volt)
        unit = loading.get(ComponentType.transformer, np.zeros((slots, 0)))
        wires = [loading.get(ComponentType.line, np.zeros((slots, 0))), unit[:, ~self._tables.transformer]]
        units = unit[:, self._tables.transformer]
        source_kva = source_va / 1e3 + drawn_kva[:, self._source]
        return PhaseFlowResult(
            voltage_pu=voltage,
            voltage_angle_rad=angle,
            unbalance_percent=unbalance_percent(voltage, angle),
            loss_kw=loss_va.real / 1e3,
            source_p_kw=source_kva.real.copy(),
            source_q_kvar=source_kva.imag.copy(),
            line_loading=np.hstack(wires),
            transformer_loading=units.max(axis=1) if units.size else None,
            converged=converged,
        )

    def _into(self, columns: Any, ends: EdgeEnds, volt: Any) -> Any:
        """Power into both ends of every edge, its shunts included, (slot, end, edge, phase). [VA]"""
        power = np.stack([columns["p_from"] + 1j * columns["q_from"], columns["p_to"] + 1j * columns["q_to"]], axis=1)
        at = volt[:, ends.bus]
        parts = at @ TO_SEQUENCES.T
        siemens = np.stack([ends.siemens_0, ends.siemens_1, ends.siemens_1], axis=-1)
        return power + at * np.conj((parts * siemens) @ _TO_PHASES.T)


def _loading(power: Any, ends: EdgeEnds, volt: Any) -> Floats:
    """Loading of the most loaded phase and end of every edge, (slot, edge)."""
    with np.errstate(invalid="ignore"):  # slots without a state are nan
        ampere = np.abs(power / volt[:, ends.bus])
    by_current = (ampere.max(axis=3) / ends.rated_a).max(axis=1)
    by_power = 3 * np.abs(power).max(axis=(1, 3)) / ends.rated_va
    return np.asarray(np.maximum(by_current, by_power))


def _by_phase(total_kva: npt.NDArray[np.complex128], known: PhaseData | None) -> npt.NDArray[np.complex128]:
    """Constant load by phase, (bus, phase): what is known so, the rest on all three alike. [kVA]"""
    if known is None:
        return np.asarray(np.repeat(total_kva[:, None] / 3, 3, axis=1))
    uneven = known.fixed_kw + 1j * known.fixed_kvar
    return np.asarray(uneven + ((total_kva - uneven.sum(axis=1)) / 3)[:, None])
