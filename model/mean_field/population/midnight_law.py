"""Laws at midnight by linear systems, where iterating the day comes to rest slowly or not at all.

`stationary_midnight` solves the equations of a stationary law. A greedy plan may keep households apart for ever: those
who begin in one closed class of states never meet those of another, and these equations have many solutions. The mean
law over all days to come is one of them, and the one that a start leads to (`long_run_midnight`): each closed class has
its own stationary law, as large as the share of households who end there (Kemeny, Snell, *Finite Markov chains*, 1960,
chapters 3 and 5).

Common states with equal rows P(c'|c) have the same morning ahead, so what their days hand on is one law: with y[k] the
mass that the days of row k end with, y[k] = Σ_{c∈k} Σ_k' P(c|k') y[k'] B[c] for the states' day operators B, a system
over rows in place of states (`law_by_rows`). Its operators cost little where plans are cold, for these take few moves.
"""

import numpy as np

from meanwatt.agents.household.day_operator import closed_groups, day_operators, move_kernel
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.linear_systems import solved
from meanwatt.model.scenario.weather import stationary_law

UNLIKELY = 1e-30
"""Chances below this open no way."""
SAME_ROW = 12
"""Decimals in which rows agree that are one."""
WELL_POSED = 1e-11
"""Reciprocal condition below which groups of households all but never meet, and a linear system cannot tell how many
there are of each."""


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


def law_by_rows(
    probability: Floats, taken: Ints, moves: Ints, shock_kernel: Floats, backward: Floats, largest: int
) -> Floats | None:
    """Stationary law at midnight (c, e, z) where everybody meets everybody, from the system over rows; else None.

    Parameters
    ----------
    probability : (c, h, e, z, j)
        Chance of every move.
    taken : (c, h, e, z, 2)
        First move that is ever taken and the first beyond the last one.
    moves : (j,)
        Changes of the level.
    shock_kernel : (z, z')
        Chance of the next slot's shock.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    largest
        Size of a system (rows × shocks × levels) above which it is not formed.
    """
    from scipy.linalg import get_lapack_funcs  # slow to import, seldom needed

    states, slots, levels, shocks, _ = probability.shape
    try:
        chance = stationary_law(backward)
    except ValueError:  # common states fall apart
        return None
    if chance.min() <= 0.0:
        return None
    forward = backward.T * chance / chance[:, None]  # P(c'|c), (c, c')
    _, first, row = np.unique(np.round(forward, SAME_ROW), axis=0, return_index=True, return_inverse=True)
    rows, row, size = forward[first], row.reshape(-1), shocks * levels
    total = len(rows) * size
    if total > largest or closed_groups(forward, shock_kernel, slots).max() > 0:
        return None
    operators = day_transitions(probability, taken, moves, shock_kernel)
    day = np.zeros((len(rows), size, len(rows), size))
    for state, own in enumerate(row):
        day[:, :, own] += rows[:, state, None, None] * operators[state]
    # columns sum to zero, so that the constant added to all entries fixes the sum of the law to one
    system = np.eye(total) - day.reshape(total, total).T + 1.0 / total
    factor, estimate, solve = get_lapack_funcs(("getrf", "gecon", "getrs"), (system,))
    norm = float(np.abs(system).sum(axis=0).max())
    lower_upper, pivots, failed = factor(system, overwrite_a=True)
    if failed or estimate(lower_upper, norm)[0] < WELL_POSED:
        return None
    ended, _ = solve(lower_upper, pivots, np.full(total, 1.0 / total))
    if not np.isfinite(ended).all() or ended.min() < -1e-9:
        return None
    law = np.maximum(rows.T @ np.maximum(ended, 0.0).reshape(len(rows), size), 0.0)
    law /= law.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(law.reshape(states, shocks, levels).transpose(0, 2, 1))


def day_transitions(probability: Floats, taken: Ints, moves: Ints, shock_kernel: Floats) -> Floats:
    """Transition of (z, e) over one day in each common state, (c, from, to), looking at moves that are taken only."""
    states, _, levels, shocks, _ = probability.shape
    operators = np.empty((states, shocks * levels, shocks * levels))
    _follow_moves(probability, taken, moves, shock_kernel, operators)
    return operators.transpose(0, 2, 1)


@compiled
def _follow_moves(  # noqa: C901  # complexipy: ignore
    probability: Floats, taken: Ints, moves: Ints, shock_kernel: Floats, operators: Floats
) -> None:
    """Fill operators[c, to, from] forward from every midnight at once, in rows by where households are."""
    states, slots, levels, shocks, _ = probability.shape
    size = shocks * levels
    moved, met, reached = np.empty((size, size)), np.empty(size, np.bool_), np.empty(size, np.bool_)
    for c in range(states):
        here = operators[c]
        for x in range(size):
            met[x] = True
            for k in range(size):
                here[x, k] = 1.0 if x == k else 0.0
        for h in range(slots):
            for x in range(size):
                reached[x] = False
                for k in range(size):
                    moved[x, k] = 0.0
            for z in range(shocks):
                for e in range(levels):
                    x = z * levels + e
                    if not met[x]:
                        continue
                    for j in range(taken[c, h, e, z, 0], taken[c, h, e, z, 1]):
                        p = probability[c, h, e, z, j]
                        to = e + moves[j]
                        if p > 0.0 and 0 <= to < levels:
                            y = z * levels + to
                            reached[y] = True
                            for k in range(size):
                                moved[y, k] += p * here[x, k]
            for e in range(levels):
                for z in range(shocks):
                    x = z * levels + e
                    met[x] = False
                    for k in range(size):
                        here[x, k] = 0.0
                for z in range(shocks):
                    x = z * levels + e
                    if not reached[x]:
                        continue
                    for y in range(shocks):
                        p = shock_kernel[z, y]
                        if p > 0.0:
                            met[y * levels + e] = True
                            for k in range(size):
                                here[y * levels + e, k] += p * moved[x, k]
