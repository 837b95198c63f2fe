"""The derivative of one type's mean net load in all prices as a matrix, common state by common state.

The price of a slot moves its own day at once, and other days through midnight alone: values W that tomorrow hands back
and laws x that yesterday hands on. So each common state is swept on its own, with a direction for every slot's price,
for every value after the day and for every place at its start; `MidnightSystem` joins the days. That is T + 2X
directions in each state, X = shocks × levels, in place of the C T directions in all states that `DaySystem` carries
there and back twice.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.day_operator import move_kernel
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives.day_system import backward_days, forward_days
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
from meanwatt.model.mean_field.derivatives.midnight_system import MidnightSystem


class _Days(NamedTuple):
    """What each common state's day makes of slot prices, of values after it and of laws at its start."""

    morning_by_price: Floats
    """(c, x, h'): values at midnight by the slots' prices, tomorrow held"""
    morning_by_value: Floats
    """(c, x, x'): the day operator of values"""
    end_by_price: Floats
    """(c, x, h'): law after the day"""
    end_by_value: Floats
    """(c, x, x')"""
    end_by_law: Floats
    """(c, x, x'): the day operator of laws, transposed"""
    load_by_price: Floats
    """(c, h, h')"""
    load_by_value: Floats
    """(c, h, x')"""
    load_by_law: Floats
    """(c, h, x'): by mass at midnight, as a share of the state's"""


def fewer_directions(states: int, slots: int, midnight: int) -> bool:
    """Whether a matrix (c·h, c·h) takes fewer state by state than at once; ``midnight`` is shocks × levels."""
    return slots + 2 * midnight < 2 * states * slots


def price_matrix(day: LinearDay, backward: Floats, slopes: Floats, check: Callable[[], None] = lambda: None) -> Floats:
    """Derivative (c·h, c·h) of the first observable of days without end in the variable of every common state and slot.

    Parameters
    ----------
    backward : (c', c)
        Chance P(c|c') that yesterday was c.
    slopes : (2, c, h)
        Slopes of import and export rate in the variable of their slot.
    check
        Called before every state's sweeps; may raise to stop.
    """
    horizon = day.horizon
    states, slots, shocks, levels = day.law.shape
    days = _swept(day, slopes, check)

    def midnight(operators: Floats, per_slot: float) -> MidnightSystem:
        return MidnightSystem(horizon.common_kernel, horizon.shock_kernel, slots, operators, constants=per_slot == 1.0)

    laws = midnight(np.ascontiguousarray(days.end_by_law.transpose(0, 2, 1)), 1.0)
    values = laws if day.soft and day.per_slot == 1.0 else midnight(days.morning_by_value, day.per_slot)
    tomorrow = _morning_values(values, days.morning_by_price)
    end = np.matmul(days.end_by_value, tomorrow).reshape(states, shocks * levels, states, slots)
    load = np.matmul(days.load_by_value, tomorrow).reshape(states, slots, states, slots)
    every = np.arange(states)
    end[every, :, every] += days.end_by_price
    load[every, :, every] += days.load_by_price
    chance = horizon.common_probability[:, None, None]
    pushed = chance * np.tensordot(backward, end.reshape(states, shocks * levels, -1), axes=1)
    start = laws.midnight_laws(pushed) / chance
    return np.asarray(
        (load.reshape(states, slots, -1) + np.matmul(days.load_by_law, start)).reshape(states * slots, -1)
    )


def _morning_values(values: MidnightSystem, morning: Floats) -> Floats:
    """Expected values (c, x, c'·h') of tomorrow's midnight, from those (c', x, h') of each state's own prices."""
    states, size, slots = morning.shape
    count = len(values.rows)
    by_row = values.inverse.reshape(count * size, count, size)
    found = np.empty((count * size, states, slots))
    for state in range(states):
        found[:, state] = np.tensordot(by_row, values.rows[:, state], axes=([1], [0])) @ morning[state]
    return np.asarray(found.reshape(count, size, states * slots)[values.same])


def _swept(day: LinearDay, slopes: Floats, check: Callable[[], None]) -> _Days:
    """Every common state by itself: prices and values after the day swept back and forth, laws at its start forth."""
    horizon = day.horizon
    states, slots, shocks, levels = day.law.shape
    kernel = move_kernel(day.policy.probability, day.policy.moves)
    plan = kernel if day.soft else move_kernel(day.plan, day.policy.moves)
    size = shocks * levels
    count = slots + size
    numbers = (horizon.shock_kernel, day.per_slot)
    directions, unmoved = np.zeros((2, 1, slots, count)), np.zeros((2, 1, slots, size))
    tomorrow, nothing = np.zeros((1, shocks, levels, count)), np.zeros((1, shocks, levels, count))
    tomorrow.reshape(size, count)[:, slots:] = np.eye(size)
    start, held = np.eye(size).reshape(1, shocks, levels, size), np.zeros((1, shocks, levels, size))
    value, still = np.empty((1, slots, shocks, levels, count)), np.zeros((1, slots, shocks, levels, size))
    end, end_by_law = np.empty((states, shocks, levels, count)), np.empty((states, shocks, levels, size))
    load, load_by_law = np.empty((1, states, slots, count)), np.empty((1, states, slots, size))
    morning = np.empty((states, size, count))
    for state in range(states):
        check()
        part = slice(state, state + 1)
        directions[:, 0, :, :slots] = slopes[:, state, :, None] * np.eye(slots)
        plan_reward, sums = day.of_states(part)
        of_state = (kernel[part], *sums, *numbers, horizon.temperature_usd, day.soft)
        backward_days(plan[part], plan_reward, *numbers, directions, tomorrow, value)
        forward_days(*of_state, directions, tomorrow, value, nothing, end[part], load[:, part])
        forward_days(*of_state, unmoved, held, still, start, end_by_law[part], load_by_law[:, part])
        morning[state] = value[0, 0].reshape(size, count)
    ends = end.reshape(states, size, count)
    return _Days(
        morning_by_price=morning[..., :slots],
        morning_by_value=morning[..., slots:],
        end_by_price=ends[..., :slots],
        end_by_value=ends[..., slots:],
        end_by_law=end_by_law.reshape(states, size, size),
        load_by_price=load[0, ..., :slots],
        load_by_value=load[0, ..., slots:],
        load_by_law=load_by_law[0],
    )
