"""The tree without its buses that draw nothing: what sweeps go through, and how the others come back.

A bus without load or shunt that lies between two others carries one current, so the two edges are one with the sum of
their impedances; a branch on which nothing draws carries none. Both are exact (G. Kron, "Tensor Analysis of Networks",
1939): the voltage of a bus left out is that of the bus kept before it, less the current times the impedance between.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Ints
from meanwatt.model.network.radial_tree import Complexes, RadialTree


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReducedTree:
    """Which places of a tree are kept (node,), and where the others hang (place,).

    Attributes
    ----------
    kept : (node,) int
        Places of the buses kept, the source first, each after the one before it.
    before : (node,) int
        Node of the bus kept before; 0 at the source.
    z_pu : (node,) complex
        Impedance of all edges between the two, in the tree's units.
    anchor : (place,) int
        Node whose voltage a place goes by: its own where it is kept, else the last one on the way from the source.
    flow : (place,) int
        Node whose edge's current flows in the edge that arrives at a place; the number of nodes where none flows.
    beyond_pu : (place,) complex
        Impedance between the anchor and the place, as far as something flows in it. 0 where the place is kept.
    lowered : (place,) int
        Node whose edge's current flows there: on a branch where nothing flows, that of the place where it leaves.
    """

    kept: Ints
    before: Ints
    z_pu: Complexes
    anchor: Ints
    flow: Ints
    beyond_pu: Complexes
    lowered: Ints


def reduced_tree(tree: RadialTree, draws: Bools) -> ReducedTree:
    """Leave out what draws nothing.

    Parameters
    ----------
    draws : (place,) bool
        Where power may be drawn or fed in, at constant power. Places with a shunt or a load at constant current are
        kept in any case.
    """
    count = len(tree.before)
    draws = draws | (tree.shunt_pu != 0) | (tree.current != 0)
    busy = np.zeros(count, dtype=np.int64)  # edges away from the source in which something may flow
    for place in range(count - 1, 0, -1):
        busy[tree.before[place]] += bool(draws[place] or busy[place])
    keep = draws | (busy > 1)
    keep[0] = True
    kept = np.flatnonzero(keep)
    node = np.full(count, -1, dtype=np.int64)
    node[kept] = np.arange(len(kept))
    anchor, beyond = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=complex)
    before, z = np.zeros(len(kept), dtype=np.int64), np.zeros(len(kept), dtype=complex)
    for place in range(1, count):
        towards = tree.before[place]
        if keep[place]:
            anchor[place], before[node[place]] = node[place], anchor[towards]
            z[node[place]] = beyond[towards] + tree.z_pu[place]
        else:
            anchor[place] = anchor[towards]
            beyond[place] = beyond[towards] + (tree.z_pu[place] if busy[place] else 0.0)
    flow = np.where(keep, node, len(kept))
    for place in range(count - 1, 0, -1):
        if not keep[tree.before[place]] and flow[place] < len(kept):
            flow[tree.before[place]] = flow[place]
    lowered = flow.copy()
    for place in range(1, count):
        if flow[place] == len(kept):
            lowered[place] = lowered[tree.before[place]]
    return ReducedTree(kept=kept, before=before, z_pu=z, anchor=anchor, flow=flow, beyond_pu=beyond, lowered=lowered)
