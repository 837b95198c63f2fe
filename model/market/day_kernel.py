"""One day of all households in compiled code, block by block and slot by slot.

A block of households of one class (a type and a way of deciding) walks through the slots together. Every slot is a
sequence of short loops, each over few arrays: those that mix bits or count become vector code, those that look up
tables stay as lean as they can be. A branch on a random number would be mispredicted half the time, so draws go through
alias tables.

Sums over households are sums of whole numbers: exact, hence the same for any number of threads and any order.
"""

import itertools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.randomness import Words, child64, mix64, weyl64
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.peak_kernel import run_peak_blocks
from meanwatt.model.market.population import Population

QUANTUM_KWH: Final = 2.0**-34
"""Unit of the sums of meter readings: a float32 reading of 1 Wh or more is a whole number of it. [kWh]"""

TASKS_PER_THREAD: Final = 2
ONE_THREAD_BELOW: Final = 10_000
"""Households below which a second thread costs more than it brings."""

_SCALE, _THIRTY_TWO, _LOW = 1.0 / QUANTUM_KWH, np.uint64(32), np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DaySums:
    """What a day comes to, by household class, bus and slot. Exact sums over the households there.

    Attributes
    ----------
    energy_quanta : (class, bus, slot) int
        Net energy in whole quanta of ``QUANTUM_KWH``.
    charged, discharged : (class, bus, slot) int
        Levels that batteries went up, and down, both counted positive.
    curtailed_quanta : (class, bus, slot) int
        Curtailed sun in whole quanta of ``QUANTUM_KWH``.
    """

    energy_quanta: Ints
    charged: Ints
    discharged: Ints
    curtailed_quanta: Ints

    @property
    def energy_kwh(self) -> Floats:
        """Net energy, (class, bus, slot). [kWh]"""
        return np.asarray(self.energy_quanta * QUANTUM_KWH)

    @property
    def curtailed_kwh(self) -> Floats:
        """Curtailed sun, (class, bus, slot). [kWh]"""
        return np.asarray(self.curtailed_quanta * QUANTUM_KWH)

    def by_type(self, types: int) -> "DaySums":
        """Sum over the cohorts of each of so many types; axes (type, bus, slot)."""
        if types == len(self.energy_quanta):
            return self
        energy, charged, discharged, curtailed = (
            array.reshape(types, -1, *array.shape[1:]).sum(axis=1)
            for array in (self.energy_quanta, self.charged, self.discharged, self.curtailed_quanta)
        )
        return DaySums(energy_quanta=energy, charged=charged, discharged=discharged, curtailed_quanta=curtailed)


def run_day(
    population: Population,
    tables: DayTables,
    day: int,
    *,
    threads: int = 1,
    executor: Executor | None = None,
    finished: Callable[[slice], None] | None = None,
) -> DaySums:
    """Let every household live one day: fill the meters, move levels and shocks on.

    Parameters
    ----------
    population
        Its ``level``, ``shock`` and ``energy_kwh`` are overwritten.
    tables
        Policies of the classes in the day's common state.
    day
        Number of the day; part of every draw.
    threads, executor
        How many threads of the executor to use; results do not depend on it.
    finished
        Told of the ids whose meters are full, in order of id, while other threads work on.
    """
    visits = population.visits
    if executor is None or threads == 1 or population.households < ONE_THREAD_BELOW:
        total = run_blocks(population, tables, day, 0, len(visits.block_class))
        if finished:
            finished(slice(0, population.households))
    else:
        tasks = min(threads * TASKS_PER_THREAD, len(visits.chunk_block) - 1)
        edges = np.unique(np.searchsorted(visits.chunk_start, np.linspace(0, population.households, tasks + 1)))
        parts = [
            executor.submit(run_blocks, population, tables, day, *visits.chunk_block[[a, b]].tolist())
            for a, b in itertools.pairwise(edges)
        ]
        total = np.zeros((4, len(population.class_type), population.buses, tables.slots), dtype=np.int64)
        for part, (a, b) in zip(parts, itertools.pairwise(edges), strict=True):
            total += part.result()
            if finished:
                finished(slice(*visits.chunk_start[[a, b]].tolist()))
    return DaySums(energy_quanta=total[0], charged=total[1], discharged=total[1] - total[2], curtailed_quanta=total[3])


def mean_load_kw(energy_quanta: Ints, households: int, slot_hours: float) -> Floats:
    """Mean net load of N households, (slot,), from their net energy in quanta, (slot,). [kW]"""
    return energy_quanta.astype(np.float64) * QUANTUM_KWH / (households * slot_hours)


def quanta(energy_kwh: npt.NDArray[np.float32]) -> Ints:
    """Meter readings in whole quanta, cut off as the kernel does it."""
    return np.asarray((energy_kwh.astype(np.float64) / QUANTUM_KWH).astype(np.int64))


def run_blocks(population: Population, tables: DayTables, day: int, first: int, last: int) -> Ints:
    """Run blocks ``first`` to ``last − 1``; return (4, class, bus, slot) sums.

    They are: energy quanta, levels up, net levels, curtailed quanta.
    """
    visits, class_type = population.visits, population.class_type
    sums = np.zeros((4, len(class_type), population.buses, tables.slots), dtype=np.int64)
    peaks = tables.peaks
    run: Any = _run_blocks if peaks is None else run_peak_blocks
    beside = () if peaks is None else (peaks.arrays,)
    run(
        np.array([first, last, tables.slots, tables.shocks], dtype=np.int64),
        np.uint64(day),
        population.day_streams,
        (population.first[:-1] - population.first_rank)[class_type],
        (visits.order, visits.block_start, visits.block_class, visits.block_run, visits.run_start, visits.run_bus),
        (population.level, population.shock, population.energy_kwh),
        (tables.moves, tables.first_move, tables.plans, tables.alias, tables.alias_start),
        (tables.energy_kwh, tables.energy_start, tables.curtailed_kwh, tables.curtailed_start, tables.shock_alias),
        *beside,
        sums,
    )
    return sums


@compiled
def _draw(state: Words, slot: int, high: Any, low: Any) -> None:
    """Both halves of output ``slot`` of every household's stream."""
    for i in range(state.size):
        word = mix64(weyl64(state[i], np.uint64(slot)))
        high[i] = np.uint32(word >> _THIRTY_TWO)
        low[i] = np.uint32(word)


@compiled
def _pick(row: Any, width: int, bits: Any, table: Words, place: Any, entry: Words, picked: Any) -> None:
    """Draw a column for each household from its row of an alias table; ``place`` and ``entry`` are scratch.

    ``picked`` may be ``row``, but not ``place``: a loop that reads and writes one array is not made vector code.
    """
    columns, stride = np.uint64(width), np.uint32(width)
    for i in range(row.size):
        place[i] = np.uint32(row[i] * stride + np.uint32((np.uint64(bits[i]) * columns) >> _THIRTY_TWO))
    for i in range(row.size):
        entry[i] = table[np.uint64(place[i])]
    for i in range(row.size):
        product = np.uint64(bits[i]) * columns
        keep = (product & _LOW) < (entry[i] >> _THIRTY_TWO)
        picked[i] = np.uint32(product >> _THIRTY_TWO) if keep else np.uint32(entry[i])


@compiled
def _move(level: Any, move: Any, first_move: int) -> None:
    """Shift every level by its move."""
    lowest = np.int32(first_move)
    for i in range(level.size):
        level[i] = np.uint32(np.int32(level[i]) + np.int32(move[i]) + lowest)


@compiled
def _leave_plan(column: Any, plans: int) -> None:
    """Turn the column of a move with a plan into that of the move."""
    each = np.uint32(plans)
    for i in range(column.size):
        column[i] = np.uint32(column[i] // each)


@compiled
def _count_moves(move: Any, first_move: int) -> Any:
    """Levels up and net levels, summed over households."""
    lowest, up, net = np.int32(first_move), np.int32(0), np.int32(0)
    for i in range(move.size):
        change = np.int32(np.int32(move[i]) + lowest)
        net = np.int32(net + change)
        up = np.int32(up + max(change, np.int32(0)))
    return up, net


@compiled
def _read(table: Any, place: Any, reading: Any) -> None:
    """Look up every meter reading."""
    for i in range(place.size):
        reading[i] = table[np.uint64(place[i])]


@compiled
def _count_energy(reading: Any) -> Any:
    """Sum of the readings in whole quanta."""
    total = np.int64(0)
    for i in range(reading.size):
        total += np.int64(np.float64(reading[i]) * _SCALE)
    return total


@compiled(thorough=True)
def _run_blocks(  # noqa: C901, PLR0913  # complexipy: ignore
    numbers: Ints,
    day: Any,
    keys: Words,
    first_id: Ints,  # id less rank of each type's households
    visits: Any,
    columns: Any,
    choices: Any,
    outcomes: Any,
    sums: Ints,
) -> None:
    """Run blocks numbers[0] to numbers[1] − 1 through the day; add to sums (4, class, bus, slot).

    ``first_id`` is the first id of each class's type, from which its ranks count.
    """
    first, last, slots, shocks = numbers
    order, block_start, block_class, block_run, run_start, run_bus = visits
    level, shock, energy = columns
    move_count, first_move, plan_count, alias, alias_start = choices
    energy_table, energy_start, curtailed_table, curtailed_start, shock_alias = outcomes
    size = 0
    for block in range(first, last):
        size = max(size, block_start[block + 1] - block_start[block])
    state_, entry_ = np.empty(size, np.uint64), np.empty(size, np.uint64)
    half = np.empty((7, size), np.uint32)
    readings, spilt_ = np.empty((slots, size), np.float32), np.empty(size, np.float32)
    for block in range(first, last):
        begin, end = block_start[block], block_start[block + 1]
        class_index, n = block_class[block], end - begin
        ids = order[begin:end]
        state, entry = state_[:n], entry_[:n]
        high, low, cell, place = half[0, :n], half[1, :n], half[2, :n], half[3, :n]
        e, z, j = half[4, :n], half[5, :n], half[6, :n]
        for i in range(n):
            rank = np.uint64(ids[i] - first_id[class_index])
            state[i] = child64(child64(keys[class_index], rank), day)
            e[i], z[i] = level[ids[i]], shock[ids[i]]
        plans = plan_count[class_index]
        width = move_count[class_index] * plans
        curtails = curtailed_start[class_index + 1] > curtailed_start[class_index]
        spilt = spilt_[:n]
        cells = energy_start[class_index]
        rows = alias_start[class_index]
        row_count = (alias_start[class_index + 1] - rows) // slots
        for h in range(slots):
            _draw(state, h, high, low)
            table = energy_table[cells + h * shocks * width : cells + (h + 1) * shocks * width]
            row = readings[h, :n]
            if width > 1:
                for i in range(n):
                    cell[i] = np.uint32(e[i] * np.uint32(shocks) + z[i])
                _pick(cell, width, high, alias[rows + h * row_count : rows + (h + 1) * row_count], place, entry, j)
                for i in range(n):
                    place[i] = np.uint32(z[i] * np.uint32(width) + j[i])
                if plans > 1:
                    _leave_plan(j, plans)
                _move(e, j, first_move[class_index])
                _read(table, place, row)
            else:
                _read(table, z, row)
            if curtails:
                start = curtailed_start[class_index] + h * shocks * width
                where = curtailed_table[start : start + shocks * width]
                if width > 1:
                    _read(where, place, spilt)
                else:
                    _read(where, z, spilt)
            for run in range(block_run[block], block_run[block + 1]):
                a, b, bus = run_start[run] - begin, run_start[run + 1] - begin, run_bus[run]
                sums[0, class_index, bus, h] += _count_energy(row[a:b])
                if curtails:
                    sums[3, class_index, bus, h] += _count_energy(spilt[a:b])
                if width > 1:
                    up, net = _count_moves(j[a:b], first_move[class_index])
                    sums[1, class_index, bus, h] += up
                    sums[2, class_index, bus, h] += net
            if shocks > 1:
                _pick(z, shocks, low, shock_alias, place, entry, z)
        for i in range(n):
            level[ids[i]], shock[ids[i]] = e[i], z[i]
            for h in range(slots):
                energy[ids[i], h] = readings[h, i]
