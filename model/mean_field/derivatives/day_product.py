"""The linearised day of one household type by sweeps, without a matrix: one direction, in any number of observables.

One backward and one forward sweep carry a change of the rates to values, laws and observables (the formulas are in
`sensitivity`), in as many operations as the policy has entries. Midnight values and laws are fixed points of the same
sweeps. They are iterated, for most batteries forget a day quickly, and where days mix slowly solved by GMRES (Saad,
Schultz, SIAM J. Sci. Stat. Comput. 7(3), 1986), again by sweeps alone. Nothing larger than a policy is stored.
"""

from collections.abc import Callable

import numpy as np

from meanwatt.agents.household.day_operator import mix_shocks, move_kernel
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.derivatives.day_system import backward_days, forward_days
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay

ACCURACY = 1e-12
"""Error of midnight values and laws, as a share of their largest, unless told."""
PLAIN_DAYS = 8
"""Days iterated before GMRES takes over."""
KRYLOV_DAYS = 40
"""Days between restarts of GMRES,"""
RESTARTS = 10
"""and how many of them are worth it."""
BLOCK_STATES = 8
"""Common states whose blocks are made at once; bounds the memory."""


class DayProduct:
    """The derivative of one type's day as a linear map of its rates.

    Parameters
    ----------
    day
        The day to differentiate.
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    check
        Called before every sweep; may raise to stop.
    """

    def __init__(self, day: LinearDay, backward: Floats, check: Callable[[], None]) -> None:
        self.day, self.backward, self.check = day, backward, check

    def __call__(self, directions: Floats, accuracy: float = ACCURACY) -> Floats:
        """Change of the observables (o, c, h) with a change of import and export rates (2, c, h)."""
        day, horizon = self.day, self.day.horizon
        states, slots, shocks, levels = day.law.shape
        value, found = np.empty(day.law.shape), np.empty((len(day.seen), states, slots))
        nothing, end = np.zeros((states, shocks, levels)), np.empty((states, shocks, levels))
        lowest = int(day.policy.moves[0])
        numbers = (horizon.shock_kernel, day.per_slot)

        def back(tomorrow: Floats) -> None:
            self.check()
            backward_product(day.plan, lowest, day.plan_reward, *numbers, directions, tomorrow, value)

        def forth(start: Floats) -> None:
            self.check()
            forward_product(
                day.policy.probability,
                lowest,
                day.reward,
                day.choosing,
                day.landing,
                day.landed_reward,
                day.seen,
                day.landed_seen,
                day.own,
                *numbers,
                horizon.temperature_usd,
                day.soft,
                directions,
                tomorrow,
                value,
                start,
                end,
                found,
            )

        def value_of_day(midnight: Floats) -> Floats:
            back(np.tensordot(horizon.common_kernel, midnight, axes=1))
            return value[:, 0] - value[:, 0, :, :1]  # what is common to all levels moves nobody

        def law_after_day(midnight: Floats) -> Floats:
            forth(midnight)
            return np.tensordot(self.backward, end, axes=1)

        tomorrow = start = nothing
        if horizon.one_day is None:
            tomorrow = np.tensordot(horizon.common_kernel, fixed_point(value_of_day, nothing, accuracy), axes=1)
        back(tomorrow)
        if horizon.one_day is None:
            start = fixed_point(law_after_day, nothing, accuracy)
        forth(start)
        return found

    def blocks(self, slopes: Floats) -> Floats:
        """Derivative (c, h, h') of the first observable within each common state, its midnights held.

        ``slopes`` (2, c, h) are those of import and export rate in the variable of slot h'.
        """
        day, horizon = self.day, self.day.horizon
        states, slots, shocks, levels = day.law.shape
        found = np.empty((1, states, slots, slots))
        numbers = (horizon.shock_kernel, day.per_slot)
        for first in range(0, states, BLOCK_STATES):
            self.check()
            part = slice(first, min(first + BLOCK_STATES, states))
            kernel = move_kernel(day.policy.probability[part], day.policy.moves)
            plan = kernel if day.soft else move_kernel(day.plan[part], day.policy.moves)
            directions = np.ascontiguousarray(slopes[:, part, :, None] * np.eye(slots))
            value = np.empty((len(kernel), slots, shocks, levels, slots))
            nothing, end = np.zeros((2, len(kernel), shocks, levels, slots))
            of_part = np.empty((1, len(kernel), slots, slots))
            plan_reward, sums = day.of_states(part)
            backward_days(plan, plan_reward, *numbers, directions, nothing, value)
            forward_days(
                *(kernel, *sums, *numbers, horizon.temperature_usd, day.soft),
                *(directions, nothing, value, nothing, end, of_part),
            )
            found[:, part] = of_part
        return np.asarray(found[0])


def fixed_point(affine: Callable[[Floats], Floats], start: Floats, accuracy: float) -> Floats:
    """Solve x = B x + b, given as an affine map, to an error of ``accuracy`` as a share of the largest entry."""
    here, previous = start, np.inf
    for _ in range(PLAIN_DAYS):
        there = affine(here)
        change = float(np.abs(there - here).max())
        rate = min(change / previous, 0.999) if previous < np.inf else 0.999
        here, previous = there, change
        if change * max(rate / (1 - rate), 1.0) <= accuracy * float(np.abs(there).max()):
            return here
    from scipy.sparse.linalg import LinearOperator, gmres  # slow to import, seldom needed

    constant = affine(np.zeros_like(start)).ravel()

    def left(flat: Floats) -> Floats:
        return flat + constant - affine(flat.reshape(start.shape)).ravel()

    operator = LinearOperator((constant.size, constant.size), matvec=left, dtype=np.float64)
    limits = {"rtol": accuracy, "atol": 0.0, "restart": KRYLOV_DAYS, "maxiter": RESTARTS}
    flat, _ = gmres(operator, constant, x0=here.ravel(), **limits)
    return np.asarray(flat.reshape(start.shape))


@compiled(fastmath={"reassoc", "contract"})
def backward_product(
    probability: Floats,
    lowest: int,
    reward: Floats,
    shock_kernel: Floats,
    per_slot: float,
    directions: Floats,
    tomorrow: Floats,
    value: Floats,
) -> None:
    """Fill value[c, h, z, e], the values' derivative along directions (2, c, h), backward from tomorrow[c, z, e].

    ``lowest`` is the first of the moves, which are consecutive; infeasible ones have probability exactly 0.
    """
    states, slots, shocks, levels = value.shape
    count = probability.shape[4]
    below = -lowest
    mixed = np.empty((shocks, levels))
    ahead = np.zeros(levels + count)
    for c in range(states):
        for back in range(slots):
            h = slots - 1 - back
            mix_shocks(shock_kernel, tomorrow[c] if back == 0 else value[c, h + 1], per_slot, mixed)
            bought, sold = directions[0, c, h], directions[1, c, h]
            for z in range(shocks):
                for e in range(levels):
                    ahead[below + e] = mixed[z, e]
                for e in range(levels):
                    total = reward[0, c, h, z, e] * bought + reward[1, c, h, z, e] * sold
                    for j in range(count):
                        total += probability[c, h, e, z, j] * ahead[e + j]
                    value[c, h, z, e] = total


@compiled(fastmath={"reassoc", "contract"})
def forward_product(  # noqa: C901, PLR0913  # complexipy: ignore
    probability: Floats,
    lowest: int,
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
    """Push the law's derivative start[c, z, e] through the day to ``end``; fill found[o, c, h]."""
    states, slots, shocks, levels = value.shape
    count = probability.shape[4]
    below = -lowest
    mass = np.empty((shocks, levels))
    mixed = np.empty((shocks, levels))
    landed = np.empty((shocks, levels))
    future = np.zeros(levels + count)
    reached = np.empty(levels + count)
    moved = np.empty(levels)
    for c in range(states):
        for z in range(shocks):
            for e in range(levels):
                mass[z, e] = start[c, z, e]
        for h in range(slots):
            mix_shocks(shock_kernel, tomorrow[c] if h == slots - 1 else value[c, h + 1], per_slot, mixed)
            bought, sold = directions[0, c, h], directions[1, c, h]
            for o in range(len(seen)):
                found[o, c, h] = own[0, o, c, h] * bought + own[1, o, c, h] * sold
            for z in range(shocks):
                for e in range(levels):
                    future[below + e] = mixed[z, e]
                for e in range(levels + count):
                    reached[e] = 0.0
                for e in range(levels):
                    planned = value[c, h, z, e]
                    if not soft:
                        planned = reward[0, c, h, z, e] * bought + reward[1, c, h, z, e] * sold
                        for j in range(count):
                            planned += probability[c, h, e, z, j] * future[e + j]
                    change = mass[z, e] - law[c, h, z, e] / eta * planned
                    for j in range(count):
                        reached[e + j] += probability[c, h, e, z, j] * change
                    moved[e] = change
                for o in range(len(seen)):
                    total = 0.0
                    for e in range(levels):
                        total += seen[o, c, h, z, e] * moved[e] + landed_seen[o, c, h, z, e] / eta * mixed[z, e]
                    found[o, c, h] += total
                for e in range(levels):
                    rewarded = landed_reward[0, c, h, z, e] * bought + landed_reward[1, c, h, z, e] * sold
                    landed[z, e] = reached[below + e] + (landing[c, h, z, e] * mixed[z, e] + rewarded) / eta
            for y in range(shocks):
                for e in range(levels):
                    mass[y, e] = 0.0
                for z in range(shocks):
                    chance = shock_kernel[z, y]
                    for e in range(levels):
                        mass[y, e] += chance * landed[z, e]
        for z in range(shocks):
            for e in range(levels):
                end[c, z, e] = mass[z, e]
