"""Households that decide for themselves live their day in Python, slot by slot, on the draws the kernel uses."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from agents.behaviour import Situation, Strategy
from agents.policy import PolicyTable
from agents.randomness import Purpose, Words, child, stream
from model.market.day_kernel import DaySums, quanta
from model.market.day_tables import DayTables
from model.market.population import Population
from model.market.q_learners import QLearners


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
        self,
        policies: Sequence[PolicyTable],
        tables: DayTables,
        day: int,
        common_state: int,
        sums: DaySums,
        learners: Sequence[QLearners] = (),
    ) -> DaySums:
        """Let them live the day their own way; return the market's sums with them.

        ``learners`` have put days of their own in place of what the kernel did for their households.

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
            learnt = [path for learner in learners if (path := learner.moves_of(household)) is not None]
            if learnt:
                planned = learnt[0]
            else:
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
        walk = Walk(people, household, policy, tables, day, common_state, level=level, shock=shock)
        moves = np.zeros(tables.slots, dtype=np.int64)
        for slot in range(tables.slots):
            situation = walk.situation
            moves[slot] = situation.planned_move
            if not follow:
                moves[slot] = checked(self.strategies[household].move(situation), situation, household)
            people.energy_kwh[household, slot] = walk.take(int(moves[slot]))
        people.level[household], people.shock[household] = walk.level, walk.shock
        return moves


class Walk:
    """One household's way through a day, slot by slot, on the draws that the kernel uses. It changes no column.

    Parameters
    ----------
    population
        Where the household lives: its type, its rank and the key of its draws.
    household
        Its id.
    policy, tables
        Its policy in force, and the kernel's tables of everybody's.
    day, common_state
        Which day.
    level, shock
        Where it stands; by default what its columns say.

    Attributes
    ----------
    slot, level, shock : int
        Where it has come to.
    """

    def __init__(
        self,
        population: Population,
        household: int,
        policy: PolicyTable,
        tables: DayTables,
        day: int,
        common_state: int,
        *,
        level: int | None = None,
        shock: int | None = None,
    ) -> None:
        kind, own_type = population.class_of(household), population.type_of(household)
        rank = population.rank_of(household)
        self.slot = 0
        self.level = int(population.level[household]) if level is None else level
        self.shock = int(population.shock[household]) if shock is None else shock
        self._policy, self._day, self._common_state = policy, day, common_state
        self._draws = stream(population.key, Purpose.DAY, own_type, rank, day)
        self._levels = policy.probability.shape[2]
        slots, shocks = tables.slots, tables.shocks
        alias = tables.alias[tables.alias_start[kind] : tables.alias_start[kind + 1]]
        self._alias = alias.reshape(slots, self._levels, shocks, -1)
        readings = tables.energy_kwh[tables.energy_start[kind] : tables.energy_start[kind + 1]]
        self._readings = readings.reshape(slots, shocks, -1)
        self._next_shock = tables.shock_alias.reshape(shocks, shocks)

    @property
    def open_moves(self) -> npt.NDArray[np.bool_]:
        """Which of the policy's moves keep the level on the grid, (j,)."""
        target = self.level + self._policy.moves
        return np.asarray((target >= 0) & (target < self._levels))

    @property
    def situation(self) -> Situation:
        """What the household knows in this slot."""
        open_moves, policy = self.open_moves, self._policy
        planned = pick(self._alias[self.slot, self.level, self.shock], child(self._draws, self.slot) >> 32)
        return Situation(
            day=self._day,
            common_state=self._common_state,
            slot=self.slot,
            level=self.level,
            shock=self.shock,
            moves=policy.moves[open_moves],
            net_load_kw=policy.net_load_kw[self._common_state, self.slot, self.shock, open_moves],
            planned_move=int(policy.moves[planned]),
        )

    def take(self, move: int) -> np.float32:
        """Make a move and go on to the next slot; return the meter reading. [kWh]"""
        reading: np.float32 = self._readings[self.slot, self.shock, move - int(self._policy.moves[0])]
        self.level += move
        self.shock = pick(self._next_shock[self.shock], child(self._draws, self.slot) & 0xFFFFFFFF)
        self.slot += 1
        return reading


def pick(row: Words, bits: int) -> int:
    """Column that a 32-bit draw picks from a row of an alias table."""
    product = bits * len(row)
    column, entry = product >> 32, int(row[product >> 32])
    return column if product & 0xFFFFFFFF < entry >> 32 else entry & 0xFFFFFFFF


def checked(move: int, situation: Situation, household: int) -> int:
    """Return a move as a plain number; ``ValueError`` in one line if it is not open to the household."""
    if move not in situation.moves:
        raise ValueError(
            f"household {household} chose move {move!r} in slot {situation.slot} at level {situation.level};"
            f" give one of {situation.moves.tolist()}"
        )
    return int(move)
