"""Households that decide for themselves live their day in Python, slot by slot, on the draws the kernel uses."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.behaviour.protocol import DayLived, Situation, Strategy
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.storage import feasible
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, Words, child, stream, uniform
from meanwatt.agents.tariff.rates import Rates, payment_usd
from meanwatt.model.market.day_kernel import DaySums, quanta
from meanwatt.model.market.day_tables import DayTables
from meanwatt.model.market.own_code import told
from meanwatt.model.market.population import Population
from meanwatt.model.market.q_learners import QLearners


class StrategyReplay:
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
    expected
        Rates (1, slot) that the households of each type expect today.

    Attributes
    ----------
    paths : dict of (3, slot) int
        Level, shock and move of each slot of the day, by household.
    planned : dict of (slot,) int
        Moves that they would have made without a strategy.
    columns : dict of (2, slot) int
        Columns of the day tables, a move with a plan, that they followed, and that they would have followed.
    """

    def __init__(
        self, population: Population, strategies: Mapping[int, Strategy], expected: Sequence[Rates] = ()
    ) -> None:
        self.population = population
        self.strategies = dict(sorted(strategies.items()))
        self._expected = [(own.import_usd_per_kwh[0], own.export_usd_per_kwh[0]) for own in expected]
        self.paths: dict[int, Ints] = {}
        self.planned: dict[int, Ints] = {}
        self.columns: dict[int, Ints] = {}
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
        curtailed, slots = np.array(sums.curtailed_quanta), np.arange(tables.slots)
        for household, level, shock in zip(self._ids.tolist(), self._level.tolist(), self._shock.tolist(), strict=True):
            class_index, bus = people.class_of(household), int(people.bus[household])
            by_kernel = quanta(people.energy_kwh[household])
            learnt = [path for learner in learners if (path := learner.moves_of(household)) is not None]
            if learnt:
                planned = learnt[0]
                by_plan = planned - int(policies[class_index].moves[0])  # they part in no plans
            else:
                planned, by_plan = self._walk(
                    household, level, shock, policies[class_index], tables, day, common_state, follow=True
                )
            self.planned[household] = planned
            moves, columns = self._walk(
                household, level, shock, policies[class_index], tables, day, common_state, follow=False
            )
            self.columns[household] = np.array([columns, by_plan])
            spilt = quanta(tables.curtailed_of(class_index)[slots, self.paths[household][1], self.columns[household]])
            curtailed[class_index, bus] += spilt[0] - spilt[1]
            energy[class_index, bus] += quanta(people.energy_kwh[household]) - by_kernel
            charged[class_index, bus] += np.maximum(moves, 0) - np.maximum(planned, 0)
            discharged[class_index, bus] += np.maximum(-moves, 0) - np.maximum(-planned, 0)
        return DaySums(energy_quanta=energy, charged=charged, discharged=discharged, curtailed_quanta=curtailed)

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
    ) -> tuple[Ints, Ints]:
        """Go through the slots by plan or by strategy; write what it leaves; return moves and table columns taken."""
        people = self.population
        require_no_largest_import(policy, household)
        expected = self._expected[people.type_of(household)] if self._expected else None
        walk = Walk(people, household, policy, tables, day, common_state, at=(level, shock), expected=expected)
        path: Ints = np.zeros((3, tables.slots), dtype=np.int64)
        for slot in range(tables.slots):
            if follow:
                move = walk.planned_move
            else:
                situation = walk.situation
                with told(self.strategies[household], "move", household):
                    answered = self.strategies[household].move(situation)
                move = checked(answered, situation, household)
            path[:, slot] = walk.level, walk.shock, move
            people.energy_kwh[household, slot] = walk.take(move)
        people.level[household], people.shock[household] = walk.level, walk.shock
        self.paths[household] = path
        return np.asarray(path[2]), walk.taken

    def inform(
        self, day: int, common_state: int, billed: Sequence[Rates], standing_charge_usd: Floats, slot_hours: float
    ) -> None:
        """Tell the strategies that learn what the day was like.

        Parameters
        ----------
        billed
            Rates (1, slot) on the bills of each type.
        standing_charge_usd : (type,)
            Charges of the day that do not depend on use. [USD]
        """
        for household, strategy in self.strategies.items():
            learn = getattr(strategy, "learn", None)
            if learn is None:
                continue
            type_index, (level, shock, move) = self.population.type_of(household), self.paths[household]
            bought, sold = billed[type_index].import_usd_per_kwh[0], billed[type_index].export_usd_per_kwh[0]
            load_kw = self.population.energy_kwh[household] / np.float64(slot_hours)
            payment = payment_usd(load_kw, bought, sold, slot_hours)
            lived = DayLived(
                day=day,
                common_state=common_state,
                level=_frozen(level),
                shock=_frozen(shock),
                move=_frozen(move),
                net_load_kw=_frozen(load_kw),
                import_usd_per_kwh=_frozen(bought),
                export_usd_per_kwh=_frozen(sold),
                payment_usd=_frozen(payment),
                bill_usd=float(payment.sum() + standing_charge_usd[type_index]),
            )
            with told(strategy, "learn", household):
                learn(lived)


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
    at
        Level and shock that it stands at; by default what its columns say.
    expected
        Import and export rate of the day's slots, (slot,) each, that the household expects. [USD/kWh]

    Attributes
    ----------
    slot, level, shock : int
        Where it has come to.
    taken : (slot,) int
        Table columns taken so far: each move, with the plan that goes with it.
    rows : (slot,) int
        The rows they are in: the shock, or where the day's largest import is a part of the state that state's number.
    largest : int
        Level of the largest import so far; 0 where it is no part of the state.
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
        at: tuple[int, int] | None = None,
        expected: tuple[Floats, Floats] | None = None,
    ) -> None:
        class_index, own_type = population.class_of(household), population.type_of(household)
        rank = population.rank_of(household)
        self.slot = self.largest = 0
        self.level, self.shock = at or (int(population.level[household]), int(population.shock[household]))
        self._policy, self._day, self._common_state = policy, day, common_state
        self._draws = stream(population.key, Purpose.DAY, own_type, rank, day)
        self._own_draws = stream(population.key, Purpose.OWN, own_type, rank, day)
        self._bought, self._sold = (_frozen(rate) for rate in expected or (np.zeros(0), np.zeros(0)))
        self._levels = policy.probability.shape[2]
        slots, shocks = tables.slots, tables.shocks
        self._ranks = 1 if policy.peak is None else policy.peak.count
        self._rises = None if tables.peaks is None else tables.peaks.of_class(class_index)
        alias = tables.alias[tables.alias_start[class_index] : tables.alias_start[class_index + 1]]
        self._alias = alias.reshape(slots, self._levels, shocks * self._ranks, -1)
        readings = tables.energy_kwh[tables.energy_start[class_index] : tables.energy_start[class_index + 1]]
        rows = shocks if policy.peak is None else self._levels * shocks * self._ranks
        self._readings = readings.reshape(slots, rows, -1)
        self.columns = tables.columns[class_index]
        self.taken: Ints = np.zeros(slots, dtype=np.int64)
        self.rows: Ints = np.zeros(slots, dtype=np.int64)
        self._next_shock = tables.shock_alias.reshape(shocks, shocks)

    @property
    def open_moves(self) -> npt.NDArray[np.bool_]:
        """Which of the policy's moves are open: on the grid, and to choose from; on the road the one drawn. (j,)"""
        choice, number = self._policy.choice, np.arange(self._policy.moves.size)
        on_grid = feasible(self._levels, self._policy.moves)[self.level]
        if choice is None:
            return np.asarray(on_grid)
        if not choice.chosen[self.slot]:
            return np.asarray(number == self._planned_column // self.columns.plans)
        first, beyond = choice.bounds[self.slot]
        return np.asarray(on_grid & (number >= first) & (number < beyond))

    @property
    def planned_move(self) -> int:
        """What the policy does in this slot, with the household's own draw."""
        return int(self._policy.moves[self._planned_column // self.columns.plans])

    @property
    def _planned_column(self) -> int:
        known = self.shock * self._ranks + self.largest
        return pick(self._alias[self.slot, self.level, known], child(self._draws, self.slot) >> 32)

    @property
    def row(self) -> int:
        """Row of the tables that it stands in: its shock, or the number of its state with the largest import."""
        if self._ranks == 1:
            return self.shock
        shocks = len(self._next_shock)
        return (self.level * shocks + self.shock) * self._ranks + self.largest

    def column_of(self, move: int) -> int:
        """Column of a move in this slot: where households part, with the plan that it draws for it.

        The move that the policy makes goes with the plan that the policy follows.
        """
        j, plans = move - int(self._policy.moves[0]), self.columns.plans
        if plans == 1:
            return j
        planned = self._planned_column
        if planned // plans == j:
            return planned
        line = np.cumsum(self.columns.share[self.slot, self.row, j * plans : (j + 1) * plans])
        point = uniform(child(self._draws, len(self._readings) + self.slot)) * line[-1]
        return j * plans + int(np.searchsorted(line, point, side="right"))

    @property
    def situation(self) -> Situation:
        """What the household knows in this slot."""
        open_moves, policy = self.open_moves, self._policy
        return Situation(
            day=self._day,
            common_state=self._common_state,
            slot=self.slot,
            level=self.level,
            shock=self.shock,
            moves=_frozen(policy.moves[open_moves]),
            net_load_kw=_frozen(policy.net_load_kw[self._common_state, self.slot, self.row, open_moves]),
            planned_move=self.planned_move,
            levels=self._levels,
            draw=uniform(child(self._own_draws, self.slot)),
            import_usd_per_kwh=self._bought,
            export_usd_per_kwh=self._sold,
        )

    def take(self, move: int) -> np.float32:
        """Make a move and go on to the next slot; return the meter reading. [kWh]"""
        column, row = self.column_of(move), self.row
        reading: np.float32 = self._readings[self.slot, row, column]
        self.taken[self.slot], self.rows[self.slot] = column, row
        if self._ranks > 1 and self._rises is not None:
            lower, upper = (part.reshape(self._readings.shape)[self.slot, row, column] for part in self._rises)
            third = child(self._draws, len(self._readings) + self.slot) >> 32
            self.largest = int(lower) + int(third < int(upper))
        self.level += move
        self.shock = pick(self._next_shock[self.shock], child(self._draws, self.slot) & 0xFFFFFFFF)
        self.slot += 1
        return reading


def require_no_largest_import(policy: PolicyTable, household: int) -> None:
    """Raise ``ValueError``, in one line, for who decides for itself where the state has the day's largest import."""
    if policy.peak is not None:
        raise ValueError(
            f"household {household} carries the day's largest import in its state, which who decides for itself is not"
            " told; give demand_charge.decision = ignored"
        )


def pick(row: Words, bits: int) -> int:
    """Column that a 32-bit draw picks from a row of an alias table."""
    product = bits * len(row)
    column, entry = product >> 32, int(row[product >> 32])
    return column if product & 0xFFFFFFFF < entry >> 32 else entry & 0xFFFFFFFF


def _frozen(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy that refuses to be written to."""
    copied = np.array(values)
    copied.setflags(write=False)
    return copied


def checked(move: int, situation: Situation, household: int) -> int:
    """Return a move as a plain number; ``ValueError`` in one line if it is not open to the household."""
    if move not in situation.moves:
        raise ValueError(
            f"household {household} chose move {move!r} in slot {situation.slot} at level {situation.level};"
            f" give one of {situation.moves.tolist()}"
        )
    return int(move)
