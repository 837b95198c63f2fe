"""Midnight of the linearised day as one linear system, no larger than what tomorrow can depend on.

Common states with equal rows P(c'|c) have the same morning ahead: with a memory of one day, all that share today's day
type. So the system is over distinct rows, not over states. With B[c] a state's day operator, S[c, k] telling its row
and R[k, c'] the rows themselves, values V after midnight and laws x at midnight solve

    V = B S W + b,  W = R V   →   (I − R B S) W = R b,
    x = x B S R + p           →   y (I − R B S) = p B S,  x = p + y R.
"""

from functools import cached_property

import numpy as np

from meanwatt.agents.household.day_operator import closed_groups, group_weights
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse


class MidnightSystem:
    """Values and laws at midnight under one day's operators. Axes (c, x, direction), x = (shock, level).

    Parameters
    ----------
    common_kernel : (c, c')
        Chance of tomorrow's common state.
    shock_kernel : (z, z')
        Chance of the next slot's shock.
    slots
        Slots of a day.
    operators : (c, x, x')
        Day operators, perhaps discounted.
    constants
        Whether the operators leave constants alone, which are fixed then: no policy can change them.
    """

    def __init__(
        self, common_kernel: Floats, shock_kernel: Floats, slots: int, operators: Floats, *, constants: bool
    ) -> None:
        rows, same = np.unique(common_kernel, axis=0, return_inverse=True)
        self.rows, self.same, self.operators = rows, same.reshape(-1), operators
        count, size = len(rows), operators.shape[1]
        day = np.zeros((count, size, count, size))
        for state, row in enumerate(self.same):
            day[:, :, row] += rows[:, state, None, None] * operators[state]
        total = count * size
        self.system = np.eye(total) - day.reshape(total, total)
        if constants:
            chosen = np.zeros((count, count))
            for state, row in enumerate(self.same):
                chosen[:, row] += rows[:, state]
            groups = closed_groups(chosen, shock_kernel, slots)
            self.system += group_weights(groups, size // len(shock_kernel), np.ones(total))

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the system; least squares where it is singular. (row·x, row·x)"""
        return inverse(self.system)

    def morning_values(self, value: Floats) -> Floats:
        """Expected values W of tomorrow's midnight, for each state: (c, x, d), from b (c, x, d)."""
        count, (_, size, directions) = len(self.rows), value.shape
        right = np.tensordot(self.rows, value, axes=1).reshape(count * size, directions)
        found: Floats = (self.inverse @ right).reshape(count, size, directions)[self.same]
        return found

    def midnight_laws(self, pushed: Floats) -> Floats:
        """Laws x (c, x, d) that reproduce themselves but for what is pushed in, p (c, x, d)."""
        count, (_, size, directions) = len(self.rows), pushed.shape
        gathered = np.zeros((count, size, directions))
        for state, row in enumerate(self.same):
            gathered[row] += self.operators[state].T @ pushed[state]
        ended = (self.inverse.T @ gathered.reshape(count * size, directions)).reshape(count, size, directions)
        return np.asarray(pushed + np.tensordot(self.rows.T, ended, axes=1))
