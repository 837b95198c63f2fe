"""The linearised day as dense matrices for directions that come in many calls.

What follows from a midnight is linear in it. So the day's rewards and observables are expected from every midnight
once, and a call sweeps once each way, where `DaySystem` sweeps a second time from the midnight that it has solved for.
"""

import numpy as np

from meanwatt.agents.household.day_operator import mix_shocks
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.derivatives.day_system import DaySystem


class RepeatedSystem(DaySystem):
    """`DaySystem`, prepared for many calls; its answers differ from those by rounding."""

    def _law_operators(self) -> Floats:
        day = self.day
        rows = day.seen if self._plans_otherwise else np.concatenate([day.plan_reward, day.seen])
        operators, means = midnight_means(self.kernel, day.horizon.shock_kernel, 1.0, rows)
        self._seen = means[:, len(rows) - len(day.seen) :]
        self._rewarded = means[:, : len(rows) - len(day.seen)]
        return operators

    def _value_operators(self) -> Floats:
        day = self.day
        operators, self._rewarded = midnight_means(
            self.plan_kernel, day.horizon.shock_kernel, day.per_slot, day.plan_reward
        )
        return operators

    def _values_at_midnight(self, value: Floats, directions: Floats) -> Floats:
        states, slots, _, _, count = value.shape
        per_rate = self._rewarded.reshape(states, 2 * slots, self.size).transpose(0, 2, 1)
        return np.asarray(per_rate @ directions.transpose(1, 0, 2, 3).reshape(states, 2 * slots, count))

    def _shown_by_law(self, start: Floats, observables: int) -> Floats | None:
        seen = self._seen[:, :observables]
        states, count, slots, size = seen.shape
        shown = seen.reshape(states, count * slots, size) @ start
        return np.asarray(shown.reshape(states, count, slots, -1).transpose(1, 0, 2, 3))


def midnight_means(kernel: Floats, shock_kernel: Floats, per_slot: float, seen: Floats) -> tuple[Floats, Floats]:
    """A day under a fixed policy, as it is expected from each of its midnights x = (shock, level).

    Parameters
    ----------
    kernel : (c, h, z, e, e')
        Chance that level e moves to e'.
    shock_kernel : (z, z')
        Chance of the next slot's shock.
    per_slot
        Discount from slot to slot.
    seen : (o, c, h, z, e)
        What is seen before the move.

    Returns
    -------
    (c, x, x')
        Day operators, as of `meanwatt.agents.household.day_operator.day_operators`.
    (c, o, h, x)
        What is seen in each slot, expected at midnight.
    """
    states, slots, shocks, levels, _ = kernel.shape
    size = shocks * levels
    operators, means = np.empty((states, size, size)), np.empty((states, len(seen), slots, size))
    by_level = np.ascontiguousarray(seen.transpose(1, 2, 3, 4, 0))
    _expect_from_midnight(kernel, shock_kernel, per_slot, by_level, operators, means)
    return operators, means


@compiled
def _expect_from_midnight(  # noqa: C901  # complexipy: ignore
    kernel: Floats, shock_kernel: Floats, per_slot: float, seen: Floats, operators: Floats, means: Floats
) -> None:
    """Fill operators[c, x, x'] and means[c, o, h, x] of seen[c, h, z, e, o], forward from every midnight."""
    states, slots, shocks, levels, _ = kernel.shape
    size, count = shocks * levels, seen.shape[4]
    reached, moved = np.empty((shocks, size * levels)), np.empty((shocks, size, levels))
    shown, total = np.empty((size, count)), np.empty((size, count))
    forward_kernel = np.empty((shocks, shocks))
    for z in range(shocks):
        for y in range(shocks):
            forward_kernel[y, z] = shock_kernel[z, y]
    for c in range(states):
        for z in range(shocks):
            for x in range(size):
                for e in range(levels):
                    reached[z, x * levels + e] = 1.0 if x == z * levels + e else 0.0
        for h in range(slots):
            for x in range(size):
                for o in range(count):
                    total[x, o] = 0.0
            for z in range(shocks):
                here = reached[z].reshape((size, levels))
                np.dot(here, seen[c, h, z], shown)
                for x in range(size):
                    for o in range(count):
                        total[x, o] += shown[x, o]
                np.dot(here, kernel[c, h, z], moved[z])
            for o in range(count):
                for x in range(size):
                    means[c, o, h, x] = total[x, o]
            mix_shocks(forward_kernel, moved.reshape((shocks, size * levels)), per_slot, reached)
        for x in range(size):
            for z in range(shocks):
                for e in range(levels):
                    operators[c, x, z * levels + e] = reached[z, x * levels + e]
