"""One day backward: compiled sweeps of a household type's values and policy from midnight to midnight.

The Bellman step of a slot is `hard_values` (the best move) or `soft_slot` (entropy or Boltzmann); `iterate_days`
repeats days of it until values repeat themselves.
"""

from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.day_operator import mix_shocks
from meanwatt.agents.household.soft_slot import UNREACHABLE_USD, anchored_slot, padded, soft_slot
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled

ROUNDING_USD = 2e-14
"""A span of the change this small is rounding. [USD]"""
TIE_USD = 1e-12
"""Moves whose values differ by less are ties at η = 0. [USD]"""
KEEP = 1.0
"""The laziness that leaves the values at midnight as they are."""


@compiled
def hard_values(reward: Floats, moves: Ints, ahead: Floats, out: Floats) -> None:
    """out[e] = max_j r[j] + ahead[e + j] for one (c, h, z)."""
    for e in range(out.size):
        out[e] = -np.inf
    for j in range(moves.size):
        first = max(0, -moves[j])
        after, best = ahead[first + moves[j] :], out[first:]  # loops from 0 over slices become vector instructions
        r = reward[j]
        for i in range(min(after.size, best.size)):
            best[i] = max(best[i], r + after[i])


@compiled
def best_moves(
    reward: Floats,
    lowest: int,
    first: int,
    beyond: int,
    ahead: Floats,
    best: Floats,
    reach: Floats,
    probability: Floats,
) -> None:
    """Fill probability[e, z, j] of one (c, h): the moves within a tie of the best value best[z, e], in equal parts.

    Moves are lowest + j, numbered from ``first`` to the one before ``beyond``; ``ahead`` has padded rows; ``reach``
    (padded + moves,) is scratch.
    """
    shocks, levels = best.shape
    count = reward.shape[1]
    for k in range(reach.size):
        reach[k] = UNREACHABLE_USD
    for z in range(shocks):
        for e in range(levels):
            reach[e - lowest] = ahead[z, e]
        for e in range(levels):
            row, top, taken = reach[e + first : e + beyond], best[z, e], 0
            worth, chosen = reward[z, first:beyond], probability[e, z, first:beyond]
            for k in range(worth.size):  # from 0 over slices it becomes vector instructions
                taken += (worth[k] + row[k]) - top >= -TIE_USD
            share = 1.0 / taken
            for k in range(worth.size):
                chosen[k] = share if (worth[k] + row[k]) - top >= -TIE_USD else 0.0
            for j in range(first):
                probability[e, z, j] = 0.0
            for j in range(beyond, count):
                probability[e, z, j] = 0.0


@compiled
def given_moves(given: Floats, reward: Floats, lowest: int, ahead: Floats, value: Floats, probability: Floats) -> None:
    """value[z, e] and probability[e, z, j] of one (c, h) in which nature draws move lowest + j with given[e, j]."""
    shocks, levels = value.shape
    count = reward.shape[1]
    for z in range(shocks):
        for e in range(levels):
            total = 0.0
            for j in range(count):
                if given[e, j] > 0.0:
                    total += given[e, j] * (reward[z, j] + ahead[z, e + lowest + j])
            value[z, e] = total
            if probability.size:
                for j in range(count):
                    probability[e, z, j] = given[e, j]


class DayProblem(NamedTuple):
    """A household type's day as compiled sweeps take it.

    Attributes
    ----------
    reward : (c, h, z, j)
        Reward of a move. [USD]
    weight : (c, h, z, j)
        exp((r − max r)/η); zeros at η = 0.
    moves : (j,) int
        Changes of the level, ascending.
    common_kernel, shock_kernel : (c, c'), (z, z')
        Chances of tomorrow's common state, and of the next slot's shock.
    bounds, given : (h, 2) int, (h, e, j)
        Those of a ``Choice``.
    discount
        Per slot.
    temperature
        η. [USD]
    soft
        Whether values follow the entropy rule; else they are maxima.
    anchor : (c, h, z, j, e)
        The policy from which departures cost η times their relative entropy, under the entropy rule, as of `by_level`;
        empty without one.
    """

    reward: Floats
    weight: Floats
    moves: Ints
    common_kernel: Floats
    shock_kernel: Floats
    bounds: Ints
    given: Floats
    discount: float
    temperature: float
    soft: bool
    anchor: Floats


def sweep_day(day: DayProblem, midnight: Floats, value: Floats, probability: Floats) -> None:
    """Fill value[c, h, z, e] backward from midnight[c, z, e], the value with which the next day starts.

    Where ``probability`` (c, h, e, z, j) is not empty the policy is filled in, too.
    """
    iterate_days(*day, midnight, 0.0, 1, KEEP, np.inf, value, probability)


@compiled
def iterate_days(  # noqa: C901, PLR0913  # complexipy: ignore
    reward: Floats,
    weight: Floats,
    moves: Ints,
    common_kernel: Floats,
    shock_kernel: Floats,
    bounds: Ints,
    given: Floats,
    discount: float,
    temperature: float,
    soft: bool,
    anchor: Floats,
    midnight: Floats,
    tolerance: float,
    limit: int,
    laziness: float,
    previous: float,
    value: Floats,
    probability: Floats,
) -> tuple[int, bool, float]:
    """Repeat the day until its values change alike at all levels.

    Returns (days, whether within tolerance, span of the last change), with which, as ``previous``, the iteration goes
    on where it stopped; infinity begins one.

    ``midnight`` holds the start and, on return, the differences to level 0 that the last sweep started from. The
    stopping rule extrapolates the geometric decay of the span of the change. ``laziness`` is the share of the old
    values kept (Schweitzer's transformation): it breaks cycles of several days. The first arguments are those of a
    `DayProblem`. `sweep_day` is this for a single day: one compiled function serves both.
    """
    states, slots, shocks, count = reward.shape
    levels = midnight.shape[2]
    tomorrow = np.empty((shocks, levels))
    width = padded(levels)
    ahead = np.empty((shocks, width))
    for z in range(shocks):
        for e in range(width):
            ahead[z, e] = UNREACHABLE_USD
    future, reach = np.empty(width + count), np.empty(width + count)
    for k in range(width + count):
        future[k] = 0.0
    tilted = np.empty(count)
    total = np.empty(width)
    unasked = np.empty((shocks, levels))
    nothing = np.empty((0, 0, 0))
    days = 0
    while days < limit:
        days += 1
        for c in range(states):
            for z in range(shocks):
                for e in range(levels):
                    tomorrow[z, e] = 0.0
            for d in range(states):
                chance = common_kernel[c, d]
                if chance > 0.0:
                    for z in range(shocks):
                        for e in range(levels):
                            tomorrow[z, e] += chance * midnight[d, z, e]
            for back in range(slots):
                h = slots - 1 - back
                mix_shocks(shock_kernel, tomorrow if back == 0 else value[c, h + 1], discount, ahead)
                chances = probability[c, h] if probability.size else nothing
                first, beyond = bounds[h, 0], bounds[h, 1]
                if first == beyond:
                    given_moves(given[h], reward[c, h], moves[0], ahead, value[c, h], chances)
                    continue
                if not soft:
                    open_to = moves[first:beyond]
                    for z in range(shocks):
                        hard_values(reward[c, h, z, first:beyond], open_to, ahead[z, :levels], value[c, h, z])
                if soft and anchor.size:
                    worth = (reward[c, h], moves[0], first, beyond, ahead, temperature)
                    anchored_slot(*worth, anchor[c, h], value[c, h], chances)
                elif soft or (probability.size and temperature > 0.0):  # a policy is a softmax under either rule
                    arrays = (reward[c, h], weight[c, h], moves[0], first, beyond, ahead, temperature)
                    softened = value[c, h] if soft else unasked
                    soft_slot(*arrays, future, tilted, total, softened, chances)
                elif probability.size:
                    best_moves(reward[c, h], moves[0], first, beyond, ahead, value[c, h], reach, chances)
        widest = 0.0
        for c in range(states):
            for z in range(shocks):
                low, high = np.inf, -np.inf
                for e in range(levels):
                    change = value[c, 0, z, e] - midnight[c, z, e]
                    low, high = min(low, change), max(high, change)
                widest = max(widest, high - low)
        rate = min(widest / previous, 0.9999) if previous < np.inf else 0.9999
        previous = widest
        if widest * max(rate / (1.0 - rate), 1.0) <= tolerance or widest <= ROUNDING_USD:
            return days, True, widest
        if laziness == KEEP:
            continue
        for c in range(states):
            for z in range(shocks):
                for e in range(levels):
                    fresh = value[c, 0, z, e] - value[c, 0, z, 0]
                    midnight[c, z, e] = (1.0 - laziness) * fresh + laziness * midnight[c, z, e]
    return days, False, previous
