"""The day under a fixed policy as a linear operator on (shock, level), and the joint one over common states.

The one matrix that values, laws and their derivatives share: with it the periodic day is a linear system, solved at
once where iterating it would mix slowly.
"""

import numba
import numpy as np

from agents.arrays import Floats, Ints

JOINT_LIMIT = 1_200
"""Largest joint operator (common states × shocks × levels) that is worth a dense factorisation."""


@numba.njit(cache=True, nogil=True)
def move_kernel(probability: Floats, moves: Ints) -> Floats:
    """Chance (c, h, z, e, e') that level e moves to e', from a policy (c, h, e, z, j)."""
    states, slots, levels, shocks, count = probability.shape
    kernel = np.zeros((states, slots, shocks, levels, levels))
    for c in range(states):
        for h in range(slots):
            for e in range(levels):
                for z in range(shocks):
                    for j in range(count):
                        if probability[c, h, e, z, j] > 0.0:
                            kernel[c, h, z, e, e + moves[j]] = probability[c, h, e, z, j]
    return kernel


@numba.njit(cache=True, nogil=True)
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


@numba.njit(cache=True, nogil=True)
def day_operators(kernel: Floats, shock_kernel: Floats, per_slot: float) -> Floats:
    """Transition of (z, e) over one day in each common state, discounted per slot: (c, from, to)."""
    states, slots, shocks, levels, _ = kernel.shape
    size = shocks * levels
    operators = np.empty((states, size, size))
    ahead = np.empty((shocks, levels * size))
    here = np.empty((shocks, levels, size))
    for c in range(states):
        here[:] = np.eye(size).reshape((shocks, levels, size))
        for back in range(slots):
            mix_shocks(shock_kernel, here.reshape((shocks, levels * size)), per_slot, ahead)
            for z in range(shocks):
                here[z] = np.dot(kernel[c, slots - 1 - back, z], ahead[z].reshape((levels, size)))
        operators[c] = here.reshape((size, size))
    return operators


def joint_operator(common_kernel: Floats, operators: Floats) -> Floats:
    """Day operator over (c, z, e): block (c, c') is P(c'|c) times the operator of c. (c·z·e, c·z·e)."""
    states, size, _ = operators.shape
    return np.asarray(np.einsum("cd,cxy->cxdy", common_kernel, operators).reshape(states * size, states * size))
