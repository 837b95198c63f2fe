"""The law at midnight that a plan's households come to in the long run, where days never mix them all.

A greedy plan may keep households apart for ever: those who begin in one closed class of states never meet those of
another. Iterating the day then comes to rest slowly or not at all, and the linear system of a stationary law has many
solutions. The mean law over all days to come is one of them, and the one that a start leads to: each closed class has
its own stationary law, as large as the share of households who end there (Kemeny, Snell, *Finite Markov chains*, 1960,
chapters 3 and 5).
"""

import numpy as np

from meanwatt.agents.household.day_operator import day_operators, move_kernel
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import solved

UNLIKELY = 1e-30
"""Chances below this open no way."""


def long_run_midnight(
    policy: PolicyTable, shock_kernel: Floats, backward: Floats, start: Floats
) -> tuple[Floats, float]:
    """Mean law at midnight over all days from a start.

    Parameters
    ----------
    policy
        Probability (c, h, e, z, j) of every move.
    shock_kernel : (z, z')
        Acts after every slot.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    start : (c, e, z)
        Law at the first midnight, given the common state.

    Returns
    -------
    law : (c, e, z)
        The mean law, given the common state.
    defect
        Its largest change over a day; infinite where some common state never comes again.
    """
    from scipy.sparse.csgraph import connected_components  # slow to import, seldom needed

    chance = _stationary(backward.T)
    if not chance.min() > 0:
        return start, np.inf
    operators = day_operators(move_kernel(policy.probability, policy.moves), shock_kernel, 1.0)
    states, size, _ = operators.shape
    forward = backward.T * chance / chance[:, None]  # P(c'|c), (c, c')
    day = np.einsum("cd,cxy->dycx", forward, operators).reshape(states * size, states * size)
    _, label = connected_components(day > UNLIKELY, directed=True, connection="strong")
    to, source = np.nonzero(day > UNLIKELY)
    leaves = np.unique(label[source[label[source] != label[to]]])
    mass = (chance[:, None, None] * start).transpose(0, 2, 1).ravel()
    passing = np.isin(label, leaves)
    if passing.any():
        through = np.eye(passing.sum()) - day[np.ix_(passing, passing)]
        mass = mass + day[:, passing] @ solved(through, mass[passing])
    found = np.zeros(states * size)
    for closed in np.setdiff1d(label, leaves):
        inside = label == closed
        found[inside] = mass[inside].sum() * _stationary(day[np.ix_(inside, inside)])
    law = found.reshape(states, size) / chance[:, None]
    law /= law.sum(axis=1, keepdims=True)
    joint = (chance[:, None] * law).ravel()
    defect = float((np.abs(day @ joint - joint).reshape(states, size) / chance[:, None]).max())
    shocks = len(shock_kernel)
    return np.ascontiguousarray(law.reshape(states, shocks, -1).transpose(0, 2, 1)), defect


def _stationary(kernel: Floats) -> Floats:
    """Stationary law (s,) of a chain (to, from) whose states all reach each other."""
    size = len(kernel)
    system = kernel - np.eye(size)
    system[-1] = 1.0  # of its equations one is redundant
    right = np.zeros(size)
    right[-1] = 1.0
    law = np.maximum(solved(system, right), 0.0)
    return np.asarray(law / law.sum())
