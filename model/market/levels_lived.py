"""How full every battery was over the last day, slot by slot: the kernel's own steps, taken again from the morning on.

The day keeps levels at midnight only. On the same draws and tables the same levels come again, for all households of a
class at once; where they end is where the market's columns stand.
"""

from typing import Any, cast

import numpy as np

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.numerics.randomness import Purpose, Words, children, mix64, stream, weyl64
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.home_day import Morning
from meanwatt.model.market.market import ProsumerMarket

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def levels_lived(market: ProsumerMarket, morning: Morning, type_index: int) -> Ints:
    """Levels of one type's households at the end of each slot of the last day.

    Parameters
    ----------
    market
        Its last day is settled, and nobody decided for himself on it.
    morning
        What its columns said before that day.
    type_index
        Number of the type.

    Returns
    -------
    (slot, household) int
        In the order of ids.
    """
    people, tables = market.population, market.tables_lived
    rows = people.of_type(type_index)
    key = stream(people.key, Purpose.DAY, type_index)
    state = _mixed(children(key, rows.stop - rows.start, first=int(people.first_rank[type_index])), market.day - 1)
    found: Ints = np.zeros((tables.slots, rows.stop - rows.start), dtype=np.int64)
    for cohort in range(people.cohorts):
        ids = people.of_class(type_index, cohort)
        here = slice(ids.start - rows.start, ids.stop - rows.start)
        number = type_index * people.cohorts + cohort
        found[:, here] = _class_levels(tables, number, state[here], morning.level[ids], morning.shock[ids])
    return found


def _class_levels(tables: DayTables, number: int, state: Words, level: Any, shock: Any) -> Ints:
    """Levels at the end of each slot of one class's households. (slot, household)"""
    alias = tables.alias[tables.alias_start[number] : tables.alias_start[number + 1]]
    plans, lowest = int(tables.plans[number]), int(tables.first_move[number])
    width = int(tables.moves[number]) * plans
    rows = alias.reshape(tables.slots, -1, width)
    e, z = level.astype(np.int64), shock.astype(np.int64)
    found: Ints = np.zeros((tables.slots, len(state)), dtype=np.int64)
    for slot in range(tables.slots):
        word = _mixed(state, slot)
        column = _picked(rows[slot], e * tables.shocks + z, word >> _HALF)
        e = e + column // plans + lowest
        z = _picked(tables.shock_alias.reshape(tables.shocks, -1), z, word & _LOW)
        found[slot] = e
    return found


def _picked(table: Words, row: Ints, bits: Words) -> Ints:
    """Column that each 32-bit draw picks from its row of an alias table, as in the day kernel."""
    product = bits * np.uint64(table.shape[1])
    column = (product >> _HALF).astype(np.int64)
    entry = table[row, column]
    kept = (product & _LOW) < (entry >> _HALF)
    return np.where(kept, column, (entry & _LOW).astype(np.int64))


def _mixed(state: Words, index: int) -> Words:
    """Output number ``index`` of each stream: the compiled steps, on arrays."""
    with np.errstate(over="ignore"):
        term = cast(Any, weyl64).py_func(state, np.uint64(index))
        return np.asarray(cast(Any, mix64).py_func(term))
