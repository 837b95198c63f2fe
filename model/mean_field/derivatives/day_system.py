"""The linearised day of one household type as dense matrices, for many directions at once.

A slot costs one small matrix product per shock each way, and midnight values and laws solve linear systems over
(distinct rows of the common kernel, shock, level). Where these are large, `day_product` does without.
"""

import numpy as np

from meanwatt.agents.household.day_operator import day_operators, mix_shocks, move_kernel
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
from meanwatt.model.mean_field.derivatives.midnight_system import MidnightSystem


class DaySystem:
    """The linearised day of one type with its midnight as dense systems. Axes (c, h, z, e, …)."""

    def __init__(self, day: LinearDay, backward: Floats) -> None:
        self.day, self.backward = day, backward
        horizon = day.horizon
        self.kernel = move_kernel(day.policy.probability, day.policy.moves)
        self.plan_kernel = self.kernel if day.soft else move_kernel(day.plan, day.policy.moves)
        _, slots, shocks, levels = day.law.shape
        self.size = shocks * levels
        if horizon.one_day is not None:
            return  # a single day starts and ends where it is told to
        following = self._law_operators()
        self.laws = MidnightSystem(horizon.common_kernel, horizon.shock_kernel, slots, following, constants=True)
        self.values = self.laws
        if self._plans_otherwise:
            planned = self._value_operators()
            self.values = MidnightSystem(
                horizon.common_kernel, horizon.shock_kernel, slots, planned, constants=day.per_slot == 1.0
            )

    @property
    def _plans_otherwise(self) -> bool:
        """Whether values follow other day operators than laws."""
        return not self.day.soft or self.day.per_slot < 1

    def _law_operators(self) -> Floats:
        """Day operators (c, x, x') of laws."""
        return day_operators(self.kernel, self.day.horizon.shock_kernel, 1.0)

    def _value_operators(self) -> Floats:
        """Day operators (c, x, x') of values, discounted."""
        return day_operators(self.plan_kernel, self.day.horizon.shock_kernel, self.day.per_slot)

    def _values_at_midnight(self, value: Floats, directions: Floats) -> Floats:
        """Derivatives (c, x, d) of the day's rewards; ``value`` (c, h, z, e, d) is swept for it."""
        day = self.day
        states, _, shocks, levels, count = value.shape
        nothing = np.zeros((states, shocks, levels, count))
        backward_days(
            self.plan_kernel, day.plan_reward, day.horizon.shock_kernel, day.per_slot, directions, nothing, value
        )
        return value[:, 0].reshape(states, self.size, count)

    def _shown_by_law(self, start: Floats, observables: int) -> Floats | None:
        """What laws moved by ``start`` (c, x, d) at midnight add to observables (o, c, h, d); None: sweep again."""
        return None

    def solve(self, directions: Floats, observables: int | None = None) -> Floats:
        """Derivatives (o, c, h, d) of the first ``observables``, or of all, for directions (2, c, h, d)."""
        day = self.day
        seen, landed_seen = day.seen[:observables], day.landed_seen[:observables]
        states, slots, shocks, levels = day.law.shape
        count, eta = directions.shape[-1], day.horizon.temperature_usd
        shape = (states, shocks, levels, count)
        value = np.empty((states, slots, shocks, levels, count))
        tomorrow: Floats = np.zeros(shape)
        if day.horizon.one_day is None:
            tomorrow = self.values.morning_values(self._values_at_midnight(value, directions)).reshape(shape)
        backward_days(
            self.plan_kernel, day.plan_reward, day.horizon.shock_kernel, day.per_slot, directions, tomorrow, value
        )
        found = np.empty((len(seen), states, slots, count))
        end = np.empty(shape)
        forward = (
            self.kernel,
            day.reward,
            day.choosing,
            day.landing,
            day.landed_reward,
            seen,
            landed_seen,
            day.own,
            day.horizon.shock_kernel,
            day.per_slot,
            eta,
            day.soft,
            directions,
            tomorrow,
            value,
        )
        forward_days(*forward, np.zeros(shape), end, found)
        if day.horizon.one_day is not None:
            return found
        chance = day.horizon.common_probability[:, None, None]
        pushed = chance * np.tensordot(self.backward, end, axes=1).reshape(states, self.size, count)
        start = self.laws.midnight_laws(pushed) / chance
        moved = self._shown_by_law(start, len(seen))
        if moved is None:
            forward_days(*forward, start.reshape(shape), end, found)
            return found
        return found + moved


@compiled
def backward_days(
    kernel: Floats,
    reward: Floats,
    shock_kernel: Floats,
    per_slot: float,
    directions: Floats,
    tomorrow: Floats,
    value: Floats,
) -> None:
    """Fill value[c, h, z, e, d], the values' derivatives, backward from tomorrow[c, z, e, d]."""
    states, slots, shocks, levels, count = value.shape
    ahead = np.empty((shocks, levels * count))
    for c in range(states):
        for back in range(slots):
            h = slots - 1 - back
            after = tomorrow[c] if back == 0 else value[c, h + 1]
            mix_shocks(shock_kernel, after.reshape((shocks, levels * count)), per_slot, ahead)
            for z in range(shocks):
                here = value[c, h, z]
                np.dot(kernel[c, h, z], ahead[z].reshape((levels, count)), here)
                for e in range(levels):
                    for d in range(count):
                        here[e, d] += (
                            reward[0, c, h, z, e] * directions[0, c, h, d]
                            + reward[1, c, h, z, e] * directions[1, c, h, d]
                        )


@compiled
def forward_days(  # noqa: C901, PLR0913  # complexipy: ignore
    kernel: Floats,
    reward: Floats,
    law: Floats,
    landing: Floats,
    landed_reward: Floats,
    seen: Floats,
    landed_seen: Floats,
    own: Floats,
    shock_kernel: Floats,
    per_slot: float,
    eta: float,
    soft: bool,
    directions: Floats,
    tomorrow: Floats,
    value: Floats,
    start: Floats,
    end: Floats,
    found: Floats,
) -> None:
    """Push the law's derivative start[c, z, e, d] through the day to ``end``; fill found[o, c, h, d]."""
    states, slots, shocks, levels, count = value.shape
    ahead = np.empty((shocks, levels * count))
    mass = np.empty((shocks, levels, count))
    moved, out = np.empty((levels, count)), np.empty((levels, count))
    landed = np.empty((shocks, levels * count))
    forward_kernel, arriving = np.empty((shocks, shocks)), np.empty((levels, levels))
    for z in range(shocks):
        for y in range(shocks):
            forward_kernel[y, z] = shock_kernel[z, y]
    for c in range(states):
        for z in range(shocks):
            for e in range(levels):
                for d in range(count):
                    mass[z, e, d] = start[c, z, e, d]
        for h in range(slots):
            after = tomorrow[c] if h == slots - 1 else value[c, h + 1]
            mix_shocks(shock_kernel, after.reshape((shocks, levels * count)), per_slot, ahead)
            for o in range(len(seen)):
                for d in range(count):
                    found[o, c, h, d] = own[0, o, c, h] * directions[0, c, h, d]
                    found[o, c, h, d] += own[1, o, c, h] * directions[1, c, h, d]
            for z in range(shocks):
                future = ahead[z].reshape((levels, count))
                if soft:
                    for e in range(levels):
                        for d in range(count):
                            moved[e, d] = value[c, h, z, e, d]
                else:
                    np.dot(kernel[c, h, z], future, moved)
                    for e in range(levels):
                        for d in range(count):
                            moved[e, d] += (
                                reward[0, c, h, z, e] * directions[0, c, h, d]
                                + reward[1, c, h, z, e] * directions[1, c, h, d]
                            )
                for e in range(levels):
                    tilt = law[c, h, z, e] / eta
                    for d in range(count):
                        moved[e, d] = mass[z, e, d] - tilt * moved[e, d]
                for o in range(len(seen)):
                    for e in range(levels):
                        a, b = seen[o, c, h, z, e], landed_seen[o, c, h, z, e] / eta
                        for d in range(count):
                            found[o, c, h, d] += a * moved[e, d] + b * future[e, d]
                for e in range(levels):
                    for k in range(levels):
                        arriving[k, e] = kernel[c, h, z, e, k]
                np.dot(arriving, moved, out)  # a copy, as another layout would compile another product
                for e in range(levels):
                    share = landing[c, h, z, e] / eta
                    bought = landed_reward[0, c, h, z, e] / eta
                    sold = landed_reward[1, c, h, z, e] / eta
                    for d in range(count):
                        landed[z, e * count + d] = (
                            out[e, d]
                            + share * future[e, d]
                            + bought * directions[0, c, h, d]
                            + sold * directions[1, c, h, d]
                        )
            mix_shocks(forward_kernel, landed, 1.0, mass.reshape((shocks, levels * count)))
        for z in range(shocks):
            for e in range(levels):
                for d in range(count):
                    end[c, z, e, d] = mass[z, e, d]
