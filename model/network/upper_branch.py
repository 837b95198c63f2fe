"""Which of its solutions a power flow ended on: the upper one, the state in service, or a lower one.

The voltage at the end of one line that draws p + jq from a source of voltage V_0 has two solutions,
V² = h ± √(h² − |z|²|s|²) with 2 h = V_0² − 2 (r p + x q), which is V² by the linear branch flow equations. So V² < h
tells the lower one. On a feeder each bus is held against half of its own linear V²: exact on one line, and far from
either solution elsewhere unless the feeder is on the brink of collapse.
"""

from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.sensitivity import path_impedances

UPPER_BRANCH: Final = 0.5
"""Part of V² by the linear branch flow equations below which a power flow is on the lower branch of solutions."""

_WITH_ROOM: Final = 1.1


@compiled(error_model="numpy")
def _linear_squares(order: Any, parent: Any, z: Any, p: Any, q: Any, square: Any) -> None:
    """Add up power (slot, bus) towards the source, in place, and lower the square of the voltage on the way back."""
    for s in range(len(p)):
        for k in range(len(order) - 1, 0, -1):
            bus, before = order[k], parent[order[k]]
            p[s, before] += p[s, bus]
            q[s, before] += q[s, bus]
        for k in range(1, len(order)):
            bus, before = order[k], parent[order[k]]
            square[s, bus] = square[s, before] - 2 * (z[0, bus] * p[s, bus] + z[1, bus] * q[s, bus])


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

    def doubtful(self, lowest_square: Floats, linear_square: Floats) -> Bools:
        """Whether a slot may be on the lower branch, (slot,): where this is false, ``holds`` is true.

        Parameters
        ----------
        lowest_square, linear_square : (slot,)
            Lowest square of a voltage, and the highest one by the linear branch flow equations, both referred to the
            source. Behind parallel transformers of unlike ratios they may be a little off. [pu²]
        """
        lifted = linear_square > self._source_square
        return np.asarray(lifted & ~(lowest_square >= _WITH_ROOM * UPPER_BRANCH * linear_square))

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
        square = np.full(p_mw.shape, self._source_square)
        z = self._paths.z_pu
        impedance = np.array([z.real, z.imag])
        _linear_squares(self._paths.order, self._paths.parent, impedance, p_mw.copy(), q_mvar.copy(), square)
        return square

    def _edges(self) -> list[tuple[int, int]]:
        """Buses and those before them, from the source outwards."""
        order = self._paths.order.tolist()
        return [(bus, int(self._paths.parent[bus])) for bus in order[1:]]
