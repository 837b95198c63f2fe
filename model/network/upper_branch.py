"""Which of its solutions a power flow ended on: the upper one, the state in service, or a lower one.

The voltage at the end of one line that draws p + jq from a source of voltage V_0 has two solutions,
V² = h ± √(h² − |z|²|s|²) with 2 h = V_0² − 2 (r p + x q), which is V² by the linear branch flow equations. So V² < h
tells the lower one. On a feeder each bus is held against half of its own linear V²: exact on one line, and far from
either solution elsewhere unless the feeder is on the brink of collapse.
"""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.sensitivity import path_impedances

UPPER_BRANCH: Final = 0.5
"""Part of V² by the linear branch flow equations below which a power flow is on the lower branch of solutions."""


class UpperBranch:
    """A feeder made ready to tell the branch.

    Parameters
    ----------
    feeder
        The feeder.
    """

    def __init__(self, feeder: Feeder) -> None:
        self._paths = path_impedances(feeder)
        self._source_square = feeder.source_voltage_pu**2
        z = self._paths.z_pu
        length = np.zeros(len(z))
        for bus, before in self._edges():
            length[bus] = length[before] + abs(z[bus].real) + abs(z[bus].imag)
        self._longest_pu = float(length.max(initial=0.0))

    def holds(self, voltage_pu: Floats, p_mw: Floats, q_mvar: Floats) -> Bools:
        """Whether each slot is on the upper branch, (slot,); true where no voltage is known (nan).

        Only buses are looked at that export lifts above the source in the linear equations: without export Newton's
        method ends on the upper branch or nowhere.

        Parameters
        ----------
        voltage_pu, p_mw, q_mvar : (slot, bus)
            Voltage, and what is drawn. [pu, MW, Mvar]
        """
        square = (self._paths.turns * voltage_pu) ** 2
        apparent = (np.abs(p_mw) + np.abs(q_mvar)).sum(axis=1)
        bound = self._source_square + 2 * self._longest_pu * apparent
        doubtful = np.flatnonzero(square.min(axis=1) < UPPER_BRANCH * bound)  # most slots are sound for any layout
        holds = np.ones(len(voltage_pu), dtype=bool)
        if doubtful.size:
            linear = self._linear_square(p_mw[doubtful], q_mvar[doubtful])
            low = (square[doubtful] < UPPER_BRANCH * linear) & (linear > self._source_square)
            holds[doubtful] = ~low.any(axis=1)
        return holds

    def _linear_square(self, p_mw: Floats, q_mvar: Floats) -> Floats:
        """V² by the linear branch flow equations, referred to the source, (slot, bus)."""
        drawn, square = (p_mw + 1j * q_mvar).T.copy(), np.full(p_mw.T.shape, self._source_square)
        edges = self._edges()
        for bus, before in reversed(edges):
            drawn[before] += drawn[bus]
        for bus, before in edges:
            square[bus] = square[before] - 2 * (self._paths.z_pu[bus] * drawn[bus].conj()).real
        return square.T

    def _edges(self) -> list[tuple[int, int]]:
        """Buses and those before them, from the source outwards."""
        order = self._paths.order.tolist()
        return [(bus, int(self._paths.parent[bus])) for bus in order[1:]]
