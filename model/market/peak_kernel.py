"""One day of all households, some of which carry the day's largest import in their state.

The steps of `meanwatt.model.market.day_kernel`, household by household, with the same draws; and a third draw of every
slot that takes the largest import to one of two levels. At midnight it begins anew at 0, so that nobody keeps it.
"""

from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.randomness import Words, child64, mix64, weyl64

QUANTA_PER_KWH = 2.0**34
"""One over ``QUANTUM_KWH`` of the day kernel."""

_THIRTY_TWO, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@compiled
def _pick_one(row: Any, width: int, bits: Any, table: Words) -> Any:
    """Column of a row of an alias table that 32 bits draw."""
    product = np.uint64(bits) * np.uint64(width)
    column = np.int64(product >> _THIRTY_TWO)
    entry = table[row * width + column]
    return column if (product & _LOW) < (entry >> _THIRTY_TWO) else np.int64(entry & _LOW)


@compiled
def run_peak_blocks(  # noqa: PLR0913  # complexipy: ignore
    numbers: Ints,
    day: Any,
    keys: Words,
    first_id: Ints,
    visits: Any,
    columns: Any,
    choices: Any,
    outcomes: Any,
    peaks: Any,
    sums: Ints,
) -> None:
    """Run blocks numbers[0] to numbers[1] − 1 through the day, as ``_run_blocks`` of the day kernel does."""
    first, last, slots, shocks = numbers
    order, _, block_class, block_run, run_start, run_bus = visits
    level, shock, energy = columns
    move_count, first_move, plan_count, alias, alias_start = choices
    energy_table, energy_start, curtailed_table, curtailed_start, shock_alias = outcomes
    ranks_of, lower, upper, peak_start = peaks
    for block in range(first, last):
        number = block_class[block]
        ranks, plans = ranks_of[number], plan_count[number]
        width = move_count[number] * plans
        rows = (alias_start[number + 1] - alias_start[number]) // slots // width
        lines = (energy_start[number + 1] - energy_start[number]) // slots // width
        actions = alias[alias_start[number] : alias_start[number + 1]]
        curtails = curtailed_start[number + 1] > curtailed_start[number]
        for run in range(block_run[block], block_run[block + 1]):
            bus = run_bus[run]
            for place in range(run_start[run], run_start[run + 1]):
                home = order[place]
                state = child64(child64(keys[number], np.uint64(home - first_id[number])), day)
                e, z, rank = np.int64(level[home]), np.int64(shock[home]), np.int64(0)
                for h in range(slots):
                    word = mix64(weyl64(state, np.uint64(h)))
                    cell = (e * shocks + z) * ranks + rank
                    j = _pick_one(h * rows + cell, width, word >> _THIRTY_TWO, actions) if width > 1 else 0
                    line = (h * lines + (cell if ranks > 1 else z)) * width + j
                    reading = energy_table[energy_start[number] + line]
                    energy[home, h] = reading
                    sums[0, number, bus, h] += np.int64(np.float64(reading) * QUANTA_PER_KWH)
                    if curtails:
                        spilt = curtailed_table[curtailed_start[number] + line]
                        sums[3, number, bus, h] += np.int64(np.float64(spilt) * QUANTA_PER_KWH)
                    if ranks > 1:
                        rank = np.int64(lower[peak_start[number] + line])
                        chance = np.uint64(upper[peak_start[number] + line])
                        if chance > np.uint64(0):
                            third = mix64(weyl64(state, np.uint64(slots + h))) >> _THIRTY_TWO
                            rank += third < chance
                    if width > 1:
                        change = j // plans + first_move[number]
                        e += change
                        sums[1, number, bus, h] += max(change, 0)
                        sums[2, number, bus, h] += change
                    if shocks > 1:
                        z = _pick_one(z, shocks, word & _LOW, shock_alias)
                level[home], shock[home] = e, z
