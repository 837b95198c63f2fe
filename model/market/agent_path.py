"""Households that decide for themselves live their day in Python, slot by slot, on the draws the kernel uses."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from agents.behaviour import Situation, Strategy
from agents.policy import PolicyTable
from agents.randomness import Purpose, Words, child, stream
from model.market.day_kernel import QUANTUM_KWH, DaySums
from model.market.day_tables import DayTables
from model.market.population import Population


class OwnWay:
    """The day of the households with a strategy: remember them before the kernel, replay them after it.

    The kernel carries everybody through the day by the policies in force. These few are then taken back to where they
    stood and go through the same slots on the same draws with their own moves; the market's sums are corrected by the
    difference. Nobody sees the market's load before the day is over, so the order makes no difference.

    Parameters
    ----------
    population
        The households.
    strategies
        Strategy of each household that has one.
    """

    def __init__(self, population: Population, strategies: Mapping[int, Strategy]) -> None:
        self.population = population
        self.strategies = dict(sorted(strategies.items()))
        self._ids: npt.NDArray[np.int64] = np.array(list(self.strategies), dtype=np.int64)
        self._level = population.level[self._ids]
        self._shock = population.shock[self._ids]

    def replay(
        self, policies: Sequence[PolicyTable], tables: DayTables, day: int, common_state: int, sums: DaySums
    ) -> DaySums:
        """Let them live the day their own way; return the market's sums with them.

        Raises
        ------
        ValueError
            If a strategy answers with a move that leaves the grid or the power limit.
        """
        people = self.population
        energy, charged, discharged = np.array(sums.energy_quanta), np.array(sums.charged), np.array(sums.discharged)
        for household, level, shock in zip(self._ids.tolist(), self._level.tolist(), self._shock.tolist(), strict=True):
            kind, bus = people.class_of(household), int(people.bus[household])
            by_kernel = quanta(people.energy_kwh[household])
            planned = self._walk(household, level, shock, policies[kind], tables, day, common_state, follow=True)
            moves = self._walk(household, level, shock, policies[kind], tables, day, common_state, follow=False)
            energy[kind, bus] += quanta(people.energy_kwh[household]) - by_kernel
            charged[kind, bus] += np.maximum(moves, 0) - np.maximum(planned, 0)
            discharged[kind, bus] += np.maximum(-moves, 0) - np.maximum(-planned, 0)
        return DaySums(energy_quanta=energy, charged=charged, discharged=discharged)

    def _walk(
        self,
        household: int,
        level: int,
        shock: int,
        policy: PolicyTable,
        tables: DayTables,
        day: int,
        common_state: int,
        *,
        follow: bool,
    ) -> npt.NDArray[np.int64]:
        """Go through the slots by plan or by strategy; write the household's columns; return its moves."""
        people = self.population
        kind = people.class_of(household)
        draws = stream(people.key, Purpose.DAY, people.type_of(household), people.rank_of(household), day)
        width, levels = len(policy.moves), policy.probability.shape[2]
        slots, shocks = tables.slots, tables.shocks
        alias = tables.alias[tables.alias_start[kind] : tables.alias_start[kind + 1]].reshape(slots, levels, shocks, -1)
        readings = tables.energy_kwh[tables.energy_start[kind] : tables.energy_start[kind + 1]]
        readings = readings.reshape(slots, shocks, width)
        next_shock = tables.shock_alias.reshape(shocks, shocks)
        moves = np.zeros(slots, dtype=np.int64)
        for slot in range(slots):
            word = child(draws, slot)
            move = int(policy.moves[pick(alias[slot, level, shock], word >> 32)])
            if not follow:
                open_to_it = (level + policy.moves >= 0) & (level + policy.moves < levels)
                situation = Situation(
                    day=day,
                    common_state=common_state,
                    slot=slot,
                    level=level,
                    shock=shock,
                    moves=policy.moves[open_to_it],
                    net_load_kw=policy.net_load_kw[common_state, slot, shock, open_to_it],
                    planned_move=move,
                )
                move = _checked(self.strategies[household].move(situation), situation, household)
            people.energy_kwh[household, slot] = readings[slot, shock, move - int(policy.moves[0])]
            moves[slot] = move
            level += move
            shock = pick(next_shock[shock], word & 0xFFFFFFFF)
        people.level[household], people.shock[household] = level, shock
        return moves


def quanta(energy_kwh: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Meter readings in whole quanta, cut off as the kernel does it."""
    return (energy_kwh.astype(np.float64) / QUANTUM_KWH).astype(np.int64)


def pick(row: Words, bits: int) -> int:
    """Column that a 32-bit draw picks from a row of an alias table."""
    product = bits * len(row)
    column, entry = product >> 32, int(row[product >> 32])
    return column if product & 0xFFFFFFFF < entry >> 32 else entry & 0xFFFFFFFF


def _checked(move: int, situation: Situation, household: int) -> int:
    if move not in situation.moves:
        raise ValueError(
            f"household {household} chose move {move!r} in slot {situation.slot} at level {situation.level};"
            f" give one of {situation.moves.tolist()}"
        )
    return int(move)
