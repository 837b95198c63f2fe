"""Two-ports and fixed loads of a feeder in the solver's tables, and their state from its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from power_grid_model import ComponentType, LoadGenType, initialize_array

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.branch import BranchKind, FixedLoad
from meanwatt.model.network.library.radial import Feeder

BRANCH_OUTPUT: Final = ["p_from", "q_from", "p_to", "q_to"]
"""What of a branch the solver writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPortState:
    """State of the two-ports, slot by slot.

    Attributes
    ----------
    loss_kw : (slot, branch)
        Active losses, those of the shunts included. [kW]
    loading : (slot, branch)
        The larger of the currents at the two ends, each over its rating; 0 where no rating is known.
    source_p_kw, source_q_kvar : (slot,)
        What branches and fixed loads draw at the source. [kW, kvar]
    """

    loss_kw: Floats
    loading: Floats
    source_p_kw: Floats
    source_q_kvar: Floats


class TwoPorts:
    """The branches and fixed loads of a feeder.

    Shunts of branches lie at the buses: the solver knows only branches with equal ones.

    Attributes
    ----------
    transformer : (branch,)
        Whether a branch is a transformer.
    """

    def __init__(self, feeder: Feeder) -> None:
        branches = feeder.branches
        self._feeder = feeder
        self._source = feeder.index(feeder.source)
        self._fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))
        ends = [(branch.from_bus, branch.to_bus) for branch in branches]
        self._ends = np.array(ends, dtype=np.int64).reshape(-1, 2).T
        kv = feeder.nominal_kv[self._ends]
        siemens = 1e-6 * np.array(
            [
                [complex(branch.g_from_us, branch.b_from_us) for branch in branches],
                [complex(branch.g_to_us, branch.b_to_us) for branch in branches],
            ]
        )
        self._shunt_siemens = siemens
        self._shunt_kva = np.conj(siemens) * (kv * 1e3) ** 2 / 1e3  # what they draw at nominal voltage
        rating = [[branch.rating_from_a for branch in branches], [branch.rating_to_a for branch in branches]]
        self._rated_kva = np.sqrt(3.0) * kv * np.array(rating)  # at nominal voltage
        self.transformer = np.array([branch.kind is BranchKind.TRANSFORMER for branch in branches], dtype=bool)

    def tables(self, *, first_id: int) -> dict[ComponentType, Any]:
        """Write the solver's tables of branches, shunts and loads at constant current; ids begin at ``first_id``."""
        feeder, fixed, volt = self._feeder, self._fixed, self._feeder.nominal_kv * 1e3
        branch = initialize_array("input", ComponentType.generic_branch, len(feeder.branches))
        branch["from_node"], branch["to_node"] = self._ends
        branch["from_status"] = branch["to_status"] = 1
        branch["r1"] = [unit.r_ohm for unit in feeder.branches]
        branch["x1"] = [unit.x_ohm for unit in feeder.branches]
        branch["k"] = [unit.turns for unit in feeder.branches]
        branch["g1"] = branch["b1"] = branch["theta"] = 0.0
        admittance = (fixed.shunt_kw - 1j * fixed.shunt_kvar) * 1e3 / volt**2
        for bus, siemens in zip(self._ends, self._shunt_siemens, strict=True):
            np.add.at(admittance, bus, siemens)
        at = np.flatnonzero(admittance)
        shunt = initialize_array("input", ComponentType.shunt, len(at))
        shunt["node"], shunt["status"] = at, 1
        shunt["g1"], shunt["b1"] = admittance[at].real, admittance[at].imag
        at = np.flatnonzero((fixed.current_kw != 0) | (fixed.current_kvar != 0))
        load = initialize_array("input", ComponentType.sym_gen, len(at))  # beside the loads, which every slot updates
        load["node"], load["status"], load["type"] = at, 1, LoadGenType.const_current
        load["p_specified"], load["q_specified"] = -1e3 * fixed.current_kw[at], -1e3 * fixed.current_kvar[at]
        tables = {
            ComponentType.generic_branch: branch,
            ComponentType.shunt: shunt,
            ComponentType.sym_gen: load,
        }
        for rows in tables.values():
            rows["id"] = first_id + np.arange(len(rows))
            first_id += len(rows)
        return {kind: rows for kind, rows in tables.items() if len(rows)}

    def state(self, voltage_pu: Floats, branch: Mapping[str, Floats] | None) -> TwoPortState:
        """Read what the solver found; ``voltage_pu`` is (slot, bus), ``branch`` its columns (slot, branch)."""
        fixed, source = self._fixed, self._source
        at_source = voltage_pu[:, source]
        drawn = (fixed.p_kw + 1j * fixed.q_kvar)[source] + (fixed.current_kw + 1j * fixed.current_kvar)[
            source
        ] * at_source
        drawn = drawn + (fixed.shunt_kw + 1j * fixed.shunt_kvar)[source] * at_source**2
        if branch is None:
            none = np.zeros((len(voltage_pu), 0))
            return TwoPortState(loss_kw=none, loading=none, source_p_kw=drawn.real, source_q_kvar=drawn.imag)
        power = (  # into either end, the shunt there included [kVA]
            (branch["p_from"] + 1j * branch["q_from"]) / 1e3,
            (branch["p_to"] + 1j * branch["q_to"]) / 1e3,
        )
        loading = np.zeros(power[0].shape)
        loss = np.zeros(power[0].shape)
        for end, bus in enumerate(self._ends):
            voltage = voltage_pu[:, bus]
            into = power[end] + self._shunt_kva[end] * voltage**2
            loss += into.real
            loading = np.maximum(loading, np.abs(into) / voltage / self._rated_kva[end])
            drawn = drawn + into[:, bus == source].sum(axis=1)
        return TwoPortState(loss_kw=loss, loading=loading, source_p_kw=drawn.real, source_q_kvar=drawn.imag)
