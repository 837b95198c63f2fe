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

LANES: Final = 32
"""Slots computed side by side."""
MOST_SWEEPS: Final = 80
"""Sweeps after which a slot is left to another method."""
UNMEASURED_SWEEPS: Final = 2
"""Sweeps at the beginning of which nobody asks what they changed."""
CHANGE_PU: Final = 1e-12
"""Largest change of a voltage in the last sweep of a slot that converged, [pu]"""
NEXT_CHANGE_PU: Final = 1e-14
"""and in the sweep that would come next, by how fast changes shrink. [pu]"""
_RUNAWAY_PU: Final = 1e3


@compiled(error_model="numpy")
def load_currents(links: Any, tree: Any, w: Any, loaded: Any) -> None:  # complexipy: ignore
    """Currents of all edges at given voltages; arguments as of `sweep_lanes`, and which nodes draw power in a lane.

    What a node's children draw is looked up there, the one that follows it first.
    """
    before, start, more = links
    count = len(before)
    for k in range(count - 1, -1, -1):
        own = w[k]
        follows = k + 1 < count and before[k + 1] == k
        if loaded[k] and follows:
            child = w[k + 1]
            for m in range(LANES):
                x, y, p, q = own[0, m], own[1, m], own[4, m], own[5, m]
                g = 1.0 / (x * x + y * y)
                own[2, m], own[3, m] = (p * x + q * y) * g + child[2, m], (p * y - q * x) * g + child[3, m]
        elif loaded[k]:
            for m in range(LANES):
                x, y, p, q = own[0, m], own[1, m], own[4, m], own[5, m]
                g = 1.0 / (x * x + y * y)
                own[2, m], own[3, m] = (p * x + q * y) * g, (p * y - q * x) * g
        elif follows:
            child = w[k + 1]
            for m in range(LANES):
                own[2, m], own[3, m] = child[2, m], child[3, m]
        else:
            for m in range(LANES):
                own[2, m], own[3, m] = 0.0, 0.0
        if tree[2, k] != 0.0 or tree[3, k] != 0.0:
            a, b = tree[2, k], tree[3, k]
            for m in range(LANES):
                own[2, m] += a * own[0, m] - b * own[1, m]
                own[3, m] += a * own[1, m] + b * own[0, m]
        if tree[4, k] != 0.0 or tree[5, k] != 0.0:
            a, b = tree[4, k], tree[5, k]
            for m in range(LANES):
                x, y = own[0, m], own[1, m]
                g = 1.0 / math.sqrt(x * x + y * y)
                own[2, m] += (a * x - b * y) * g
                own[3, m] += (a * y + b * x) * g
        for i in range(start[k], start[k + 1]):
            child = w[more[i]]
            for m in range(LANES):
                own[2, m] += child[2, m]
                own[3, m] += child[3, m]


@compiled(error_model="numpy")
def lower_voltages(before: Any, tree: Any, w: Any) -> None:
    """Voltages from the source to the ends at given currents."""
    for k in range(1, len(before)):
        near, own, a, b = w[before[k]], w[k], tree[0, k], tree[1, k]
        for m in range(LANES):
            jr, ji = own[2, m], own[3, m]
            own[0, m], own[1, m] = near[0, m] - (a * jr - b * ji), near[1, m] - (a * ji + b * jr)


@compiled(error_model="numpy")
def lower_measured(before: Any, tree: Any, w: Any, change: Any) -> None:
    """The same, and the largest change of each lane."""
    for m in range(LANES):
        change[m] = 0.0
    for k in range(1, len(before)):
        near, own, a, b = w[before[k]], w[k], tree[0, k], tree[1, k]
        for m in range(LANES):
            jr, ji = own[2, m], own[3, m]
            x, y = near[0, m] - (a * jr - b * ji), near[1, m] - (a * ji + b * jr)
            moved = abs(x - own[0, m]) + abs(y - own[1, m])
            change[m] = change[m] if moved <= change[m] else moved
            own[0, m], own[1, m] = x, y


@compiled(error_model="numpy")
def lower_open(before: Any, tree: Any, w: Any, done: Any, change: Any) -> None:
    """The same where only some lanes are open; the others keep their voltages."""
    for m in range(LANES):
        change[m] = 0.0
    for k in range(1, len(before)):
        near, own, a, b = w[before[k]], w[k], tree[0, k], tree[1, k]
        for m in range(LANES):
            jr, ji = own[2, m], own[3, m]
            x, y = near[0, m] - (a * jr - b * ji), near[1, m] - (a * ji + b * jr)
            moved = abs(x - own[0, m]) + abs(y - own[1, m])
            change[m] = change[m] if moved <= change[m] else moved
            keep = done[m] != 0.0
            own[0, m], own[1, m] = own[0, m] if keep else x, own[1, m] if keep else y


@compiled(error_model="numpy")
def sweep_lanes(links: Any, tree: Any, w: Any, work: Any, sweeps: int) -> None:
    """Sweep one group of slots until every lane has converged or is given up.

    Parameters
    ----------
    links
        (before (node,), start (node + 1,), more): node before each, and its children but the one that follows it,
        ``more[start[k] : start[k + 1]]``.
    tree : (6, node)
        Impedance, shunt and load at constant current, each real and imaginary. [pu]
    w : (node + 1, 6, lane)
        Of each node: voltage, where to begin and what came of it, current of the edge that arrives, power drawn, each
        real and imaginary. [pu]
    work : (3, lane)
        Whether a lane has converged: 1, 0, or -1 where it runs away; then the last change and room.
    sweeps
        Most sweeps; negative for ``MOST_SWEEPS``.
    """
    before = links[0]
    done, last, change = work[0], work[1], work[2]
    for m in range(LANES):
        done[m], last[m] = 0.0, 1.0
    open_lanes = LANES
    loaded = np.empty(len(before), dtype=np.bool_)
    for k in range(len(before)):
        some = 0
        for m in range(LANES):
            some |= (w[k, 4, m] != 0.0) | (w[k, 5, m] != 0.0)
        loaded[k] = some != 0
    for number in range(MOST_SWEEPS if sweeps < 0 else sweeps):
        load_currents(links, tree, w, loaded)
        if number < UNMEASURED_SWEEPS:
            lower_voltages(before, tree, w)
            continue
        if open_lanes == LANES:
            lower_measured(before, tree, w, change)
        else:
            lower_open(before, tree, w, done, change)
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
    load_currents(links, tree, w, loaded)  # those of the voltages found
