"""Temperature 0: the pool of all plans in use, as columns, and the best mixture of them.

A *column* is what one type does under one plan: the frequency of every shock and move, and what the plan leaves behind
where the game is a single day. Columns of all types share one pool, in any order; a place no longer used is free.
"""

from typing import NamedTuple

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.model.mean_field.population.type_stack import Terms, TypeStack
from meanwatt.model.mean_field.zero_temperature.market_clearing import Cleared, clear, expected_gain
from meanwatt.model.mean_field.zero_temperature.simplex_qp import simplex_step

UNUSED_WEIGHT = 1e-12
"""Columns with less weight in the mixture are dropped."""
NEWTON_LIMIT = 20
PAIR_SHARE = 1e-3
"""The master problem is solved to this share of the present gap."""
SHORTEST_STEP = 1e-4
ROUNDING_USD = 1e-13
"""Changes of the dual value this small are rounding. [USD per household-day]"""
FREE = -1
ROOM_PER_TYPE = 6
"""Places in a new pool; it grows when they are taken."""


class Columns(NamedTuple):
    """The pool."""

    type_index: Ints
    """(k,): household type, ``FREE`` where the place is free"""
    mixture: Floats
    """(k,): weight; sums to one over each type"""
    frequency: Floats
    """(k, c, h, z, j)"""
    worth_usd: Floats
    """(k,): expected worth of what a single day leaves behind"""


def empty_columns(room: int, shape: tuple[int, ...]) -> Columns:
    """A pool with room for so many columns of shape (c, h, z, j)."""
    return Columns(np.full(room, FREE), np.zeros(room), np.zeros((room, *shape)), np.zeros(room))


def enlarged(columns: Columns) -> Columns:
    """The same pool with twice the room."""
    more = empty_columns(len(columns.type_index), columns.frequency.shape[1:])
    return Columns(*(np.concatenate(pair) for pair in zip(columns, more, strict=True)))


@compiled
def free_unused(columns: Columns) -> int:
    """Free the places of columns without weight; return how many places are free."""
    free = 0
    for k in range(columns.type_index.size):
        if columns.mixture[k] == 0.0:
            columns.type_index[k] = FREE
            free += 1
    return free


@compiled
def next_free(columns: Columns, place: int) -> int:
    """First free place from ``place`` on; there must be one."""
    while columns.type_index[place] != FREE:
        place += 1
    return place


@compiled
def add_column(columns: Columns, place: int, type_index: int, worth_usd: float, first: bool) -> None:
    """Take a place whose frequencies are filled in; a type's first column has all the weight."""
    columns.type_index[place] = type_index
    columns.worth_usd[place] = worth_usd
    columns.mixture[place] = 1.0 if first else 0.0


@compiled
def take_means(columns: Columns, here: Cleared) -> None:
    """Mean frequencies and worth of every type's mixture."""
    size = columns.frequency[0].size
    mean, each = here.frequency.reshape((-1, size)), columns.frequency.reshape((-1, size))
    for type_index in range(mean.shape[0]):
        here.worth_usd[type_index] = 0.0
        for i in range(size):
            mean[type_index, i] = 0.0
    for k in range(columns.type_index.size):
        weight, type_index = columns.mixture[k], columns.type_index[k]
        if weight > 0.0:
            here.worth_usd[type_index] += weight * columns.worth_usd[k]
            for i in range(size):
                mean[type_index, i] += weight * each[k, i]


@compiled
def clear_mixture(types: TypeStack, terms: Terms, columns: Columns, here: Cleared) -> float:
    """Clear the market for the present mixture; return the dual value. [USD/day]"""
    take_means(columns, here)
    return clear(types, terms, here)


@compiled
def free_to_choose(columns: Columns, types: int) -> tuple[Ints, Ints]:
    """Places of the columns of types with more than one, type by type, and where each type begins (s + 1,)."""
    count = np.zeros(types, dtype=np.int64)
    for type_index in columns.type_index:
        if type_index != FREE:
            count[type_index] += 1
    side = np.full(types, -1)
    first = np.zeros(types + 1, dtype=np.int64)
    sides = 0
    for type_index in range(types):
        if count[type_index] > 1:
            side[type_index] = sides
            first[sides + 1] = first[sides] + count[type_index]
            sides += 1
    place = np.empty(first[sides], dtype=np.int64)
    filled = first.copy()
    for k in range(columns.type_index.size):
        if columns.type_index[k] != FREE and side[columns.type_index[k]] >= 0:
            s = side[columns.type_index[k]]
            place[filled[s]] = k
            filled[s] += 1
    return place, first[: sides + 1]


@compiled
def mix(columns: Columns, place: Ints, first: Ints, weight: Floats) -> None:
    """Set the weights; those too small to matter become 0."""
    for s in range(first.size - 1):
        total = 0.0
        for a in range(first[s], first[s + 1]):
            kept = weight[a] if weight[a] > UNUSED_WEIGHT else 0.0
            columns.mixture[place[a]] = kept
            total += kept
        for a in range(first[s], first[s + 1]):
            columns.mixture[place[a]] /= total


@compiled
def _slopes(types: TypeStack, terms: Terms, columns: Columns, here: Cleared, place: Ints) -> tuple[Floats, Floats]:
    """Gradient (k,) and Hessian (k, k) of −D in the weights of the columns at these places."""
    states, slots = here.price.shape
    gradient = np.empty(place.size)
    load, bent = np.empty((place.size, states * slots)), np.empty((place.size, states * slots))
    for a in range(place.size):
        type_index, frequency = columns.type_index[place[a]], columns.frequency[place[a]]
        gain = expected_gain(types, here.reward_usd[type_index], frequency) + columns.worth_usd[place[a]]
        gradient[a] = -types.share[type_index] * gain / (terms.kept[type_index] * terms.pass_through[type_index])
        for c in range(states):
            for h in range(slots):
                net_kw = 0.0
                for z in range(frequency.shape[2]):
                    for j in range(frequency.shape[3]):
                        net_kw += frequency[c, h, z, j] * here.net_load_kw[type_index, c, h, z, j]
                load[a, c * slots + h] = types.share[type_index] * net_kw
                weight = types.chance[c] * types.slot_hours * here.bend[c, h]
                bent[a, c * slots + h] = weight * load[a, c * slots + h]
    return gradient, np.dot(bent, load.T)


@compiled
def reoptimise(types: TypeStack, terms: Terms, columns: Columns, here: Cleared, value: float, gap: float) -> float:
    """Best mixture of all columns, by Newton steps on the product of simplices with backtracking.

    ``here`` is cleared, with dual value ``value``, before and after; the new dual value is returned. [USD/day]
    """
    place, first = free_to_choose(columns, types.share.size)
    for attempt in range(NEWTON_LIMIT):
        gradient, hessian = _slopes(types, terms, columns, here, place)
        mixture = columns.mixture[place]
        step = simplex_step(hessian, gradient, mixture, first, PAIR_SHARE * gap)
        promised = np.dot(gradient, step)
        if promised > -ROUNDING_USD:  # too small to be seen in the value: trust the quadratic model
            if attempt == 0:
                mix(columns, place, first, mixture + step)
                value = clear_mixture(types, terms, columns, here)
            break
        length = 1.0
        while True:
            mix(columns, place, first, mixture + length * step)
            there = clear_mixture(types, terms, columns, here)
            if there >= value - 1e-4 * length * promised - ROUNDING_USD:
                break
            length *= 0.5
            if length < SHORTEST_STEP:
                mix(columns, place, first, mixture)
                return clear_mixture(types, terms, columns, here)
        value = there
    return value
