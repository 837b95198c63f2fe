"""Which of its solutions an asymmetric power flow ended on, phase by phase.

As in `meanwatt.model.network.upper_branch`, with the linear branch flow equations of three coupled phases: V_p² falls
on an edge by 2 Re Σ_q z*_pq s_q V_p/V_q, where voltages stand a third of a turn apart and z has (2 z_1 + z_0)/3 on its
diagonal and (z_0 − z_1)/3 beside it (L. Gan, S. H. Low, "Convex relaxations and linear approximation for optimal power
flow in multiphase radial networks", PSCC 2014, doi 10.1109/PSCC.2014.7038399).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.network.library.branch import Branch
from meanwatt.model.network.library.radial import Feeder, Transformer
from meanwatt.model.network.sensitivity import path_impedances
from meanwatt.model.network.unbalance import TURN
from meanwatt.model.network.upper_branch import UPPER_BRANCH
from meanwatt.model.network.zero_sequence import ZeroSequence

COLLAPSED: Final = 0.1
"""Part of the source's V² below which a phase has collapsed beside another that feeds in. Where a phase draws nothing,
no voltage at all solves the equations in powers as well, and Newton's method finds it."""

Phasors = npt.NDArray[np.complex128]
"""Complex numbers."""


class PhaseBranch:
    """A feeder made ready to tell the branch of every phase.

    Parameters
    ----------
    feeder, zero
        The feeder, and its zero sequence.
    """

    def __init__(self, feeder: Feeder, zero: ZeroSequence) -> None:
        self._paths = path_impedances(feeder)
        self._source_square = feeder.source_voltage_pu**2
        z1, z0 = self._paths.z_pu, _zero_pu(feeder, zero, self._paths.turns)
        beside = (z0 - z1) / 3
        phase = np.arange(3)
        ahead = TURN ** (phase[None, :] - phase[:, None])  # V_p / V_q: phase b is a third of a turn behind a
        matrix = beside[:, None, None] + np.eye(3) * z1[:, None, None]
        self._weight = 2 * np.conj(matrix) * ahead  # (bus, p, q)
        self._order = self._paths.order.tolist()[1:]
        length = np.zeros(len(z1))
        for bus in self._order:
            most = float(np.abs(self._weight[bus]).sum(axis=1).max())
            length[bus] = length[self._paths.parent[bus]] + most
        self._longest_pu = float(length.max(initial=0.0))

    def holds(self, voltage_pu: Floats, power_mva: Phasors) -> Bools:
        """Whether each slot is on the upper branch in all phases, (slot,); true where no voltage is known (nan).

        Parameters
        ----------
        voltage_pu : (slot, bus, phase)
            Voltage. [pu]
        power_mva : (slot, bus, phase) complex
            What each phase draws, as if all three did. [MW, Mvar]
        """
        square = (self._paths.turns[:, None] * voltage_pu) ** 2
        bound = self._source_square + self._longest_pu * np.abs(power_mva).sum(axis=1).max(axis=1)
        doubtful = np.flatnonzero(square.min(axis=(1, 2)) < UPPER_BRANCH * bound)
        holds = np.ones(len(voltage_pu), dtype=bool)
        if doubtful.size:
            linear = self._linear_square(power_mva[doubtful])
            low = (square[doubtful] < UPPER_BRANCH * linear) & (linear > self._source_square)
            exports = np.asarray((power_mva[doubtful].real < 0).any(axis=(1, 2)))
            collapsed = (square[doubtful] < COLLAPSED * self._source_square).any(axis=(1, 2))
            holds[doubtful] = ~(low.any(axis=(1, 2)) | (exports & collapsed))
        return holds

    def shared_kvar_pu(self, bus: Ints, weight: Floats) -> tuple[Floats, Floats]:
        """First-order answer of voltages to reactive power fed in, and the turns by which it is divided.

        Parameters
        ----------
        bus : (place,) int
            Buses.
        weight : (place, phase)
            How the voltage of a place is made of the phases', and its power spread over them; rows sum to one.

        Returns
        -------
        (place, place), (place,)
            Voltage per 1 Mvar fed in at another place, referred to the source at 1 pu [pu]; ratios' product as of
            `meanwatt.model.network.sensitivity.Sensitivity`.
        """
        source, parent = self._paths.order[0], self._paths.parent
        on_path = np.zeros((len(bus), len(parent)))
        for row, here in enumerate(bus.tolist()):
            while here != source:
                on_path[row, here], here = 1.0, int(parent[here])
        answer = 3 * np.real(0.5j * self._weight)  # a third of the base is one phase's
        pairs = np.einsum("ib,jb,bpq->ijpq", on_path, on_path, answer, optimize=True)
        return np.einsum("ijpq,ip,jq->ij", pairs, weight, weight), self._paths.turns[bus]

    def _linear_square(self, power_mva: Phasors) -> Floats:
        """V² by the linear equations, referred to the source, (slot, bus, phase)."""
        parent = self._paths.parent
        drawn = np.moveaxis(power_mva, 1, 0).copy()
        square = np.full(drawn.shape, self._source_square)
        for bus in reversed(self._order):
            drawn[parent[bus]] += drawn[bus]
        for bus in self._order:
            square[bus] = square[parent[bus]] - (drawn[bus] @ self._weight[bus].T).real
        return np.moveaxis(square, 0, 1)


def _zero_pu(feeder: Feeder, zero: ZeroSequence, turns: Floats) -> Phasors:
    """Zero-sequence impedance of the edge before every bus, referred to the source on 1 MVA; 0 above a delta. [pu]"""
    impedance = np.full(len(feeder.buses), np.nan, dtype=complex)
    admittance = np.zeros(len(feeder.buses), dtype=complex)
    stops = np.zeros(len(feeder.buses), dtype=bool)

    def add(a: int, b: int, ohm: complex, kv: float) -> None:
        admittance[b if feeder.parent[b] == a else a] += kv**2 / ohm

    for line, (a, b) in enumerate(zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True)):
        add(a, b, complex(zero.line_r0_ohm[line], zero.line_x0_ohm[line]), float(feeder.nominal_kv[b]))
    edges: list[Transformer | Branch] = [*feeder.transformers, *feeder.branches]
    for edge, port in zip(edges, (*zero.transformers, *zero.branches), strict=True):
        kv = float(feeder.nominal_kv[edge.to_bus])
        add(edge.from_bus, edge.to_bus, complex(port.r_ohm, port.x_ohm), kv)
        if port.group is not None and not port.group.passes_zero_sequence:
            child = edge.to_bus if feeder.parent[edge.to_bus] == edge.from_bus else edge.from_bus
            stops[child] = True
    known = admittance != 0
    impedance[known] = 1 / admittance[known]
    impedance = np.where(known, impedance * turns**2, 0.0)
    above = np.zeros(len(stops), dtype=bool)  # some delta lies below, behind which this edge carries no zero sequence
    for bus in reversed(_outwards(feeder)):
        above[feeder.parent[bus]] |= stops[bus] | above[bus]
    return np.where(above & ~stops, 0.0, impedance)


def _outwards(feeder: Feeder) -> list[int]:
    order = path_impedances(feeder).order.tolist()
    return [bus for bus in order if feeder.parent[bus] >= 0]
