"""Laws at midnight by linear systems, where iterating the day comes to rest slowly or not at all.

`stationary_midnight` solves the equations of a stationary law. A greedy plan may keep households apart for ever: those
who begin in one closed class of states never meet those of another, and these equations have many solutions. The mean
law over all days to come is one of them, and the one that a start leads to (`long_run_midnight`): each closed class has
its own stationary law, as large as the share of households who end there (Kemeny, Snell, *Finite Markov chains*, 1960,
chapters 3 and 5).
"""

import numpy as np

from meanwatt.agents.household.day_operator import closed_groups, day_operators, move_kernel
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import solved
from meanwatt.model.scenario.weather import stationary_law

UNLIKELY = 1e-30
"""Chances below this open no way."""


def stationary_midnight(
    policy: PolicyTable, shock_kernel: Floats, shock_probability: Floats, backward: Floats
) -> tuple[Floats, float] | None:
    """Stationary law at midnight (c, e, z) from its linear system, and its change over a day; None if singular.

    Groups of households that never mix are as large as the shocks' stationary law has them. That makes the law unique
    where all of a group can meet, whatever it starts from; `long_run_midnight` answers the other question, to which
    law a start leads where a plan keeps some of them apart for ever, for which this system is singular.
    """
    operators = day_operators(move_kernel(policy.probability, policy.moves), shock_kernel, 1.0)
    states, size, _ = operators.shape
    day = np.einsum("dc,cxy->dycx", backward, operators).reshape(states * size, states * size)
    system = day - np.eye(states * size)
    right = np.zeros(states * size)
    groups = closed_groups(backward.T, shock_kernel, policy.probability.shape[1])
    label = np.repeat(groups.ravel(), size // len(shock_kernel))
    size_of = np.broadcast_to(shock_probability, groups.shape)
    for group in range(groups.max() + 1):  # of the equations of a group one is redundant
        last = np.flatnonzero(label == group)[-1]
        system[last], right[last] = label == group, size_of[groups == group].sum()
    try:
        law = np.linalg.solve(system, right).reshape(states, size)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(law).all() or law.min() < -1e-9:
        return None
    law = np.maximum(law, 0.0)
    law /= law.sum(axis=1, keepdims=True)
    defect = float(np.abs(day @ law.ravel() - law.ravel()).max())
    shocks = len(shock_kernel)
    return np.ascontiguousarray(law.reshape(states, shocks, -1).transpose(0, 2, 1)), defect


def long_run_midnight(
    policy: PolicyTable, shock_kernel: Floats, backward: Floats, start: Floats
) -> tuple[Floats, float]:
    """Mean law at midnight over all days from a start.

    Not `stationary_midnight` by another method: of the many stationary laws of a plan that keeps households apart it is
    the one that keeps the mass that the start brings into each closed class.

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
        Its largest change over a day.
    """
    from scipy.sparse.csgraph import connected_components  # slow to import, seldom needed

    chance = stationary_law(backward)
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
        found[inside] = mass[inside].sum() * stationary_law(day[np.ix_(inside, inside)].T)
    law = found.reshape(states, size) / chance[:, None]
    law /= law.sum(axis=1, keepdims=True)
    joint = (chance[:, None] * law).ravel()
    defect = float((np.abs(day @ joint - joint).reshape(states, size) / chance[:, None]).max())
    shocks = len(shock_kernel)
    return np.ascontiguousarray(law.reshape(states, shocks, -1).transpose(0, 2, 1)), defect
