"""The day under a fixed policy as a linear operator on (shock, level), and the joint one over common states.

The one matrix that values, laws and their derivatives share: with it the periodic day is a linear system, solved at
once where iterating it would mix slowly.
"""

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, as_input
from meanwatt.agents.numerics.compiled import compiled

JOINT_LIMIT = 1_200
"""Largest joint operator (common states × shocks × levels) that is worth a dense factorisation."""
FEW = 64
"""Common states × shocks of which powers of the chain are looked at before a graph is."""


def move_kernel(probability: Floats, moves: Ints) -> Floats:
    """Chance (c, h, z, e, e') that level e moves to e', from a policy (c, h, e, z, j)."""
    states, slots, levels, shocks, _ = probability.shape
    kernel = np.zeros((states, slots, shocks, levels, levels))
    _fill_move_kernel(as_input(probability), as_input(moves), kernel)
    return kernel


@compiled
def _fill_move_kernel(probability: Floats, moves: Ints, kernel: Floats) -> None:
    """Write the chances that are not zero."""
    states, slots, levels, shocks, count = probability.shape
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    for j in range(count):
                        if probability[c, h, e, z, j] > 0.0:
                            kernel[c, h, z, e, e + moves[j]] = probability[c, h, e, z, j]


@compiled
def mix_shocks(shock_kernel: Floats, after: Floats, scale: float, out: Floats) -> None:
    """out[z, k] = scale · Σ_y P[z, y] after[y, k]."""
    shocks, width = after.shape
    for z in range(shocks):
        for k in range(width):
            out[z, k] = 0.0
        for y in range(shocks):
            chance = scale * shock_kernel[z, y]
            for k in range(width):
                out[z, k] += chance * after[y, k]


@compiled
def day_operators(kernel: Floats, shock_kernel: Floats, per_slot: float) -> Floats:
    """Transition of (z, e) over one day in each common state, discounted per slot: (c, from, to)."""
    states, slots, shocks, levels, _ = kernel.shape
    size = shocks * levels
    operators = np.empty((states, size, size))
    ahead = np.empty((shocks, levels * size))
    for c in range(states):
        here = operators[c].reshape((shocks, levels, size))
        for z in range(shocks):
            for e in range(levels):
                for k in range(size):
                    here[z, e, k] = 1.0 if k == z * levels + e else 0.0
        for back in range(slots):
            mix_shocks(shock_kernel, here.reshape((shocks, levels * size)), per_slot, ahead)
            for z in range(shocks):
                np.dot(kernel[c, slots - 1 - back, z], ahead[z].reshape((levels, size)), here[z])
    return operators


def joint_operator(common_kernel: Floats, operators: Floats) -> Floats:
    """Day operator over (c, z, e): block (c, c') is P(c'|c) times the operator of c. (c·z·e, c·z·e)."""
    states, size, _ = operators.shape
    return np.asarray(np.einsum("cd,cxy->cxdy", common_kernel, operators).reshape(states * size, states * size))


def closed_groups(common_kernel: Floats, shock_kernel: Floats, slots: int) -> Ints:
    """Groups of (common state, shock) at midnight that never mix, however many days go by.

    A shock that returns in whole days only (a cycle whose period divides the slots of a day, or shares a divisor with
    them) is the same chain of midnights for ever: households that begin in different groups never meet. Every group
    has a gain and a law of its own.

    Parameters
    ----------
    common_kernel : (c, c')
        Chance of tomorrow's common state; only where it is positive matters.
    shock_kernel : (z, z')
        Chance of the next slot's shock.
    slots
        Slots T of a day.

    Returns
    -------
    (c, z) int
        Number of the group, from 0; −1 for shocks that households leave for ever.
    """
    day = _powered(shock_kernel > 0.0, slots)
    joint = np.kron(common_kernel > 0.0, day)
    if len(joint) <= FEW and _powered(joint, len(joint)).all():  # the usual case: everybody meets everybody
        return np.zeros((len(common_kernel), len(shock_kernel)), dtype=np.int64)
    from scipy.sparse.csgraph import connected_components  # slow to import, seldom needed

    count, label = connected_components(joint, directed=True, connection="strong")
    leaves = np.zeros(count, dtype=bool)
    source, target = np.nonzero(joint)
    leaves[label[source[label[source] != label[target]]]] = True
    number = np.where(leaves, -1, np.cumsum(~leaves) - 1)
    return np.asarray(number[label].reshape(len(common_kernel), len(shock_kernel)), dtype=np.int64)


def _powered(edge: Bools, steps: int) -> Bools:
    """Which states a path of exactly so many steps leads to. (from, to)"""
    reached = np.eye(len(edge), dtype=bool)
    while steps:
        if steps % 2:
            reached = reached @ edge
        edge, steps = edge @ edge, steps // 2
    return reached


def group_weights(groups: Ints, levels: int, weight: Floats) -> Floats:
    """Matrix that fixes one number in each closed group: row x holds the weights of its group, summing to one.

    Added to I − P, P being a day's joint operator, it makes the system regular: on a group P leaves the constants
    alone (values), and one law (its transpose).

    Parameters
    ----------
    groups : (c, z) int
        As of `closed_groups`.
    levels
        Levels of charge.
    weight : (c·z·e,)
        Not negative, positive somewhere in every group.

    Returns
    -------
    (c·z·e, c·z·e) float
    """
    label = np.repeat(groups.ravel(), levels)
    if groups.max() == 0:  # states that are left for ever may as well hold the constant
        return np.asarray(np.broadcast_to(weight / weight.sum(), (label.size, label.size)))
    total = np.bincount(label[label >= 0], weights=weight[label >= 0])
    together = (label[:, None] == label) & (label >= 0)
    return np.asarray(np.where(together, weight / np.where(label >= 0, total[label], 1.0), 0.0))
