"""The compiled radial power flow: slots in groups of lanes, which a processor computes side by side.

Currents are added up from the ends of the tree to the source, voltages fall from the source to the ends
(D. Shirmohammadi, H. W. Hong, A. Semlyen, G. X. Luo, "A compensation-based power flow method for weakly meshed
distribution and transmission networks", IEEE Transactions on Power Systems 3(2), 1988, doi 10.1109/59.192932). A slot's
lane is left alone once it has converged, so its bits do not depend on the slots beside it.
"""

import math
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.compiled import compiled

LANES: Final = 16
"""Slots computed side by side."""
MOST_SWEEPS: Final = 80
"""Sweeps after which a slot is left to another method."""
CHANGE_PU: Final = 1e-12
"""Largest change of a voltage in the last sweep of a slot that converged, [pu]"""
NEXT_CHANGE_PU: Final = 1e-14
"""and in the sweep that would come next, by how fast changes shrink. [pu]"""
_RUNAWAY_PU: Final = 1e3


@compiled(error_model="numpy")
def load_currents(before: Any, tree: Any, p: Any, q: Any, u: Any, j: Any, loaded: Any) -> None:
    """Currents of all edges at given voltages; arguments as of `sweep_lanes`, and which places draw power in a lane."""
    count = len(p)
    ur, ui, jr, ji = u[0], u[1], j[0], j[1]
    for k in range(count):
        if not loaded[k]:
            for m in range(LANES):
                jr[k, m], ji[k, m] = 0.0, 0.0
        for m in range(LANES if loaded[k] else 0):
            x, y = ur[k, m], ui[k, m]
            g = 1.0 / (x * x + y * y)
            jr[k, m] = (p[k, m] * x + q[k, m] * y) * g
            ji[k, m] = (p[k, m] * y - q[k, m] * x) * g
        if tree[2, k] != 0.0 or tree[3, k] != 0.0:
            a, b = tree[2, k], tree[3, k]
            for m in range(LANES):
                jr[k, m] += a * ur[k, m] - b * ui[k, m]
                ji[k, m] += a * ui[k, m] + b * ur[k, m]
        if tree[4, k] != 0.0 or tree[5, k] != 0.0:
            a, b = tree[4, k], tree[5, k]
            for m in range(LANES):
                x, y = ur[k, m], ui[k, m]
                g = 1.0 / math.sqrt(x * x + y * y)
                jr[k, m] += (a * x - b * y) * g
                ji[k, m] += (a * y + b * x) * g
    for k in range(count - 1, 0, -1):
        towards = before[k]
        for m in range(LANES):
            jr[towards, m] += jr[k, m]
            ji[towards, m] += ji[k, m]


@compiled(error_model="numpy")
def lower_voltages(before: Any, tree: Any, u: Any, j: Any, done: Any, change: Any) -> None:
    """Voltages from the source to the ends at given currents, and the largest change of each open lane."""
    ur, ui, jr, ji = u[0], u[1], j[0], j[1]
    for m in range(LANES):
        change[m] = 0.0
    for k in range(1, len(before)):
        towards = before[k]
        a, b = tree[0, k], tree[1, k]
        for m in range(LANES):
            x = ur[towards, m] - (a * jr[k, m] - b * ji[k, m])
            y = ui[towards, m] - (a * ji[k, m] + b * jr[k, m])
            moved = abs(x - ur[k, m]) + abs(y - ui[k, m])
            change[m] = moved if moved > change[m] else change[m]
            keep = done[m] > 0.0
            ur[k, m] = ur[k, m] if keep else x
            ui[k, m] = ui[k, m] if keep else y


@compiled(error_model="numpy")
def sweep_lanes(before: Any, tree: Any, p: Any, q: Any, u: Any, j: Any, work: Any, sweeps: int) -> None:
    """Sweep one group of slots until every lane has converged or is given up.

    Parameters
    ----------
    before : (place,) int
        Place of the bus before.
    tree : (6, place)
        Impedance, shunt and load at constant current, each real and imaginary. [pu]
    p, q : (place, lane)
        Power drawn. [pu]
    u, j : (2, place, lane)
        Voltages, where to begin and what came of it, and currents of the edges that arrive at each place. [pu]
    work : (3, lane)
        Whether a lane has converged: 1, 0, or -1 where it runs away; then the last change and room.
    sweeps
        Most sweeps; negative for ``MOST_SWEEPS``.
    """
    done, last, change = work[0], work[1], work[2]
    for m in range(LANES):
        done[m], last[m] = 0.0, 1.0
    open_lanes = LANES
    loaded = np.empty(len(p), dtype=np.bool_)
    for k in range(len(p)):
        loaded[k] = np.any(p[k] != 0.0) or np.any(q[k] != 0.0)
    for _ in range(MOST_SWEEPS if sweeps < 0 else sweeps):
        load_currents(before, tree, p, q, u, j, loaded)
        lower_voltages(before, tree, u, j, done, change)
        for m in range(LANES):
            if done[m] == 0.0:
                now = change[m]
                if now <= CHANGE_PU and now * now <= NEXT_CHANGE_PU * last[m]:
                    done[m] = 1.0
                    open_lanes -= 1
                elif not now < _RUNAWAY_PU:
                    done[m] = -1.0
                    open_lanes -= 1
                last[m] = now
        if open_lanes == 0:
            break
    load_currents(before, tree, p, q, u, j, loaded)  # those of the voltages found
