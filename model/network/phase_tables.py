"""A feeder in the solver's tables for an asymmetric power flow.

The zero sequence of the solver's transformer follows from its windings and its positive sequence; ours may be any. So
windings are written that carry no zero sequence (or YNyn with a neutral impedance of a third of the difference), and
what goes to ground is a shunt whose positive-sequence admittance is zero. Two-ports are lines or transformers
there, for the solver has no asymmetric ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from power_grid_model import ComponentType, LoadGenType, WindingType, initialize_array

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.network.library.branch import Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.phase_data import ZeroPort
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.newton_raphson import FREQUENCY_HZ, grid_tables
from meanwatt.model.network.zero_sequence import ZeroSequence

GROUNDED_SIEMENS: float = 1.0
"""Ties the zero sequence of a region that nothing else ties to ground; no current flows there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgeEnds:
    """The edges of one of the solver's tables, as far as its answer is read with them.

    Attributes
    ----------
    bus : (end, edge) int
        Buses at the two ends.
    siemens_1, siemens_0 : (end, edge) complex
        Admittances to ground at the ends that are the edge's, in positive and zero sequence. [S]
    rated_a : (end, edge)
        Currents that the ends may carry; infinite if unknown. [A]
    rated_va : (edge,)
        Rated power of a transformer by its nameplate; infinite where currents are rated. [VA]
    """

    bus: Ints
    siemens_1: npt.NDArray[np.complex128]
    siemens_0: npt.NDArray[np.complex128]
    rated_a: Floats
    rated_va: Floats


class PhaseTables:
    """A feeder's tables, and how to read the answer.

    Attributes
    ----------
    tables
        Input of the solver; lines first, then branches that are lines, likewise transformers.
    lines, units : EdgeEnds
        The edges of its tables ``line`` and ``transformer``.
    transformer : (unit,) bool
        Which units are transformers, not wires between unlike nominal voltages.
    """

    def __init__(self, feeder: Feeder, zero: ZeroSequence) -> None:
        self._feeder, self._zero = feeder, zero
        pairs = list(zip(feeder.branches, zero.branches, strict=True))
        self._wires = [pair for pair in pairs if _is_wire(pair[0], feeder)]
        self._units = [pair for pair in pairs if not _is_wire(pair[0], feeder)]
        self.lines, self.units = self._line_ends(), self._unit_ends()
        self.transformer: Bools = np.array(
            [True] * len(feeder.transformers) + [b.kind is BranchKind.TRANSFORMER for b, _ in self._units], dtype=bool
        )
        base = grid_tables(feeder)
        self.tables: dict[ComponentType, Any] = {
            ComponentType.node: base[ComponentType.node],
            ComponentType.line: self._line_rows(base[ComponentType.line]),
            ComponentType.transformer: self._unit_rows(base.get(ComponentType.transformer)),
            ComponentType.source: base[ComponentType.source],
            ComponentType.asym_load: self._load_rows(),
            ComponentType.shunt: self._shunt_rows(),
            ComponentType.sym_gen: self._current_rows(),
        }
        self.tables = {name: rows for name, rows in self.tables.items() if len(rows)}
        number = 0
        for rows in self.tables.values():
            rows["id"] = number + np.arange(len(rows))
            number += len(rows)

    def _line_ends(self) -> EdgeEnds:
        feeder = self._feeder
        rated = np.array([[b.rating_from_a for b, _ in self._wires], [b.rating_to_a for b, _ in self._wires]])
        none = np.zeros((2, len(feeder.line_from)), dtype=complex)  # the solver's lines have their own charging
        ones, zeros = _shunts(self._wires)
        return EdgeEnds(
            bus=np.hstack([np.array([feeder.line_from, feeder.line_to]), _ends(self._wires)]),
            siemens_1=np.hstack([none, ones]),
            siemens_0=np.hstack([none, zeros]),
            rated_a=np.hstack([np.tile(feeder.line_rating_a, (2, 1)), rated.reshape(2, -1)]),
            rated_va=np.full(len(feeder.line_from) + len(self._wires), np.inf),
        )

    def _unit_ends(self) -> EdgeEnds:
        units = self._feeder.transformers
        rated = np.array([[b.rating_from_a for b, _ in self._units], [b.rating_to_a for b, _ in self._units]])
        ends = np.array([[u.from_bus for u in units], [u.to_bus for u in units]], dtype=np.int64).reshape(2, -1)
        ones, zeros = _shunts(self._units)
        none = np.zeros((2, len(units)), dtype=complex)
        plain = np.array([[0j] * len(units), [_grounding(port) for port in self._zero.transformers]])
        return EdgeEnds(
            bus=np.hstack([ends, _ends(self._units)]),
            siemens_1=np.hstack([none, ones]),
            siemens_0=np.hstack([plain.reshape(2, -1), zeros]),
            rated_a=np.hstack([np.full((2, len(units)), np.inf), rated.reshape(2, -1)]),
            rated_va=np.array([unit.kva * 1e3 for unit in units] + [np.inf] * len(self._units)),
        )

    def _line_rows(self, plain: Any) -> Any:
        zero, wires = self._zero, self._wires
        rows = initialize_array("input", ComponentType.line, len(plain) + len(wires))
        rows["from_node"], rows["to_node"] = self.lines.bus
        rows["from_status"] = rows["to_status"] = 1
        rows["tan1"] = rows["tan0"] = 0.0
        for name in ("r1", "x1", "c1"):
            rows[name][: len(plain)] = plain[name]
        rows["r0"][: len(plain)], rows["x0"][: len(plain)] = zero.line_r0_ohm, zero.line_x0_ohm
        rows["c0"][: len(plain)] = zero.line_b0_us * 1e-6 / (2 * np.pi * FREQUENCY_HZ)
        for row, (branch, port) in zip(rows[len(plain) :], wires, strict=True):
            row["r1"], row["x1"], row["c1"] = branch.r_ohm, branch.x_ohm, 0.0
            row["r0"], row["x0"], row["c0"] = port.r_ohm, port.x_ohm, 0.0
        return rows

    def _unit_rows(self, plain: Any) -> Any:
        feeder = self._feeder
        count = 0 if plain is None else len(plain)
        rows = initialize_array("input", ComponentType.transformer, count + len(self._units))
        if count:
            rows[:count] = plain
        rows["from_node"], rows["to_node"] = self.units.bus
        rows["from_status"] = rows["to_status"] = 1
        rows["tap_side"] = rows["tap_pos"] = rows["tap_min"] = rows["tap_max"] = rows["tap_size"] = 0
        impedances = [complex(branch.r_ohm, branch.x_ohm) for branch, _ in self._units]
        for row, (branch, _), z_ohm in zip(rows[count:], self._units, impedances, strict=True):
            if branch.r_ohm < 0 or branch.x_ohm < 0:
                raise ValueError(
                    f"the branch '{feeder.buses[branch.from_bus]}'-'{feeder.buses[branch.to_bus]}' has a negative"
                    " impedance, as of three windings; a power flow by phase takes none"
                )
            kv = feeder.nominal_kv[branch.to_bus]
            row["u1"] = feeder.nominal_kv[branch.from_bus] * branch.turns * 1e3
            row["u2"], row["sn"] = kv * 1e3, 1e6
            row["uk"], row["pk"] = abs(z_ohm) / kv**2, branch.r_ohm / kv**2 * 1e6
            row["i0"] = row["p0"] = 0.0
        ports = [*self._zero.transformers, *(port for _, port in self._units)]
        positive = [_series(row) for row in rows[:count]] + impedances
        for row, port, z_ohm in zip(rows, ports, positive, strict=True):
            row["clock"] = 0 if port.group is None else port.group.clock
            row["winding_from"], row["winding_to"] = WindingType.delta, WindingType.wye
            if row["clock"] % 2 == 0:
                row["winding_from"] = WindingType.wye
            if port.group is None or port.group.passes_zero_sequence:
                row["winding_from"] = row["winding_to"] = WindingType.wye_n
                neutral = (complex(port.r_ohm, port.x_ohm) - z_ohm) / 3
                row["r_grounding_to"], row["x_grounding_to"] = neutral.real, neutral.imag
        return rows

    def _load_rows(self) -> Any:
        buses = len(self._feeder.buses)
        rows = initialize_array("input", ComponentType.asym_load, buses)
        rows["node"], rows["status"], rows["type"] = np.arange(buses), 1, LoadGenType.const_power
        rows["p_specified"] = rows["q_specified"] = 0.0
        return rows

    def _shunt_rows(self) -> Any:
        feeder = self._feeder
        fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))
        own = (fixed.shunt_kw - 1j * fixed.shunt_kvar) * 1e3 / (feeder.nominal_kv * 1e3) ** 2
        ones, zeros = own.copy(), own.copy()  # loads between each phase and neutral
        for edges in (self.lines, self.units):
            np.add.at(ones, edges.bus, edges.siemens_1)
            np.add.at(zeros, edges.bus, edges.siemens_0)
        zeros[self._zero.floating] += GROUNDED_SIEMENS
        at = np.flatnonzero((ones != 0) | (zeros != 0))
        rows = initialize_array("input", ComponentType.shunt, len(at))
        rows["node"], rows["status"] = at, 1
        rows["g1"], rows["b1"] = ones[at].real, ones[at].imag
        rows["g0"], rows["b0"] = zeros[at].real, zeros[at].imag
        return rows

    def _current_rows(self) -> Any:
        fixed = self._feeder.fixed or FixedLoad.none(len(self._feeder.buses))
        at = np.flatnonzero((fixed.current_kw != 0) | (fixed.current_kvar != 0))
        rows = initialize_array("input", ComponentType.sym_gen, len(at))
        rows["node"], rows["status"], rows["type"] = at, 1, LoadGenType.const_current
        rows["p_specified"], rows["q_specified"] = -1e3 * fixed.current_kw[at], -1e3 * fixed.current_kvar[at]
        return rows


Pairs = list[tuple[Branch, ZeroPort]]
"""Branches with their zero sequence."""


def _is_wire(branch: Branch, feeder: Feeder) -> bool:
    same = feeder.nominal_kv[branch.from_bus] == feeder.nominal_kv[branch.to_bus]
    return branch.kind is not BranchKind.TRANSFORMER and bool(same) and branch.turns == 1


def _ends(pairs: Pairs) -> Ints:
    ends = [[branch.from_bus for branch, _ in pairs], [branch.to_bus for branch, _ in pairs]]
    return np.array(ends, dtype=np.int64).reshape(2, -1)


def _shunts(pairs: Pairs) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Admittances to ground at both ends (end, branch), in positive and zero sequence. [S]"""
    ones: npt.NDArray[np.complex128] = np.array(
        [[complex(b.g_from_us, b.b_from_us) for b, _ in pairs], [complex(b.g_to_us, b.b_to_us) for b, _ in pairs]],
        dtype=complex,
    )
    zeros: npt.NDArray[np.complex128] = np.array(
        [
            [complex(port.g_from_us, port.b_from_us) for _, port in pairs],
            [complex(port.g_to_us, port.b_to_us) + 1e6 * _grounding(port) for _, port in pairs],
        ],
        dtype=complex,
    )
    return 1e-6 * ones.reshape(2, -1), 1e-6 * zeros.reshape(2, -1)


def _grounding(port: ZeroPort) -> complex:
    """Admittance from ``to_bus`` to ground of a transformer that grounds the zero sequence. [S]"""
    grounds = port.group is not None and port.group.grounds_zero_sequence
    return 1 / complex(port.r_ohm, port.x_ohm) if grounds else 0j


def _series(row: Any) -> complex:
    """Series impedance of a transformer of the solver's table, seen from ``to_node``. [ohm]"""
    r, z = float(row["pk"] / row["sn"]), float(row["uk"])
    return complex(r, max(z**2 - r**2, 0.0) ** 0.5) * float(row["u2"]) ** 2 / float(row["sn"])
