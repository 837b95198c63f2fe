"""Policy tables in the form that the day kernel reads: alias tables and meter readings of one common state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints, require_finite, require_shape
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.randomness import Words
from meanwatt.model.market.peak_tables import PeakTables, peak_tables
from meanwatt.model.market.plan_columns import PlanColumns, plan_columns

FULL: Final = 2.0**32
"""What a 32-bit draw is compared with stands for probability one."""

_THIRTY_TWO, _TOP = np.uint64(32), np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class DayTables:
    """The policies of all classes in one common state. Classes lie behind one another in two flat arrays.

    Attributes
    ----------
    moves, first_move : (class,) int64
        Number of moves, and the lowest one; moves are consecutive numbers.
    plans : (class,) int64
        Number of plans of use and curtailment between which households part; a column of the tables below is a move
        with a plan, column = move · plans + plan.
    alias : flat uint64
        Alias table of the columns, (slot, level, shock, column) per class; see ``alias_table``.
    alias_start : (class + 1,) int64
        Where each class begins in ``alias``, and where the last one ends.
    energy_kwh : flat float32
        Meter reading of a slot, (slot, shock, column) per class. [kWh]
    energy_start : (class + 1,) int64
        The same for ``energy_kwh``.
    curtailed_kwh : flat float32
        Curtailed sun of a slot, as ``energy_kwh``, of the classes that curtail at all. [kWh]
    curtailed_start : (class + 1,) int64
        The same for ``curtailed_kwh``.
    columns : tuple of PlanColumns
        What lies behind the columns of each class.
    shock_alias : flat uint64
        Alias table of the next shock, (shock, next shock).
    slots, shocks
        Lengths of those axes.
    peaks
        How the day's largest import rises, where it is a part of somebody's state: then ``alias`` is (slot, level,
        shock · largest import, column) and what is said of shocks holds of (level, shock · largest import), in those
        classes.
    """

    moves: Ints
    first_move: Ints
    plans: Ints
    alias: Words
    alias_start: Ints
    energy_kwh: npt.NDArray[np.float32]
    energy_start: Ints
    curtailed_kwh: npt.NDArray[np.float32]
    curtailed_start: Ints
    columns: tuple[PlanColumns, ...]
    shock_alias: Words
    slots: int
    shocks: int
    peaks: PeakTables | None = None

    def curtailed_of(self, class_index: int) -> npt.NDArray[np.float32]:
        """Curtailed sun of one class, (slot, shock, column). [kWh]"""
        own = self.curtailed_kwh[self.curtailed_start[class_index] : self.curtailed_start[class_index + 1]]
        shape = self.slots, self.shocks, int(self.moves[class_index] * self.plans[class_index])
        return own.reshape(shape) if own.size else np.broadcast_to(np.float32(0.0), shape)


def day_tables(
    policies: Sequence[PolicyTable],
    common_state: int,
    *,
    levels: Sequence[int],
    shock_kernel: Floats,
    slot_hours: float,
) -> DayTables:
    """Prepare the policies of all classes for days in one common state.

    Parameters
    ----------
    policies
        One per class: per type where everybody decides in one way.
    common_state
        Index c.
    levels : (class,)
        Number of states of charge in each class.
    shock_kernel : (z, z')
        Chance of the next shock.
    slot_hours
        Length of a slot. [h]

    Raises
    ------
    ValueError
        If a policy is not one, its moves are not consecutive numbers, or shapes disagree. The kernel relies on it.
    """
    slots = policies[0].probability.shape[1]
    for class_index, (policy, count) in enumerate(zip(policies, levels, strict=True)):
        shocks = len(shock_kernel) * (policy.peak.count if policy.peak else 1)
        _check(f"policy of type {class_index}", policy, common_state, (slots, count, shocks, len(policy.moves)))
    columns = tuple(plan_columns(policy, common_state) for policy in policies)
    alias = [
        alias_table(own.chances(policy.probability[common_state])).ravel()
        for own, policy in zip(columns, policies, strict=True)
    ]
    energy = [(own.net_load_kw * slot_hours).astype(np.float32).ravel() for own in columns]
    nothing = np.zeros(0, dtype=np.float32)
    curtailed = [
        (own.curtailed_kw * slot_hours).astype(np.float32).ravel() if own.curtailed_kw.any() else nothing
        for own in columns
    ]
    return DayTables(
        moves=np.array([len(policy.moves) for policy in policies], dtype=np.int64),
        first_move=np.array([policy.moves[0] for policy in policies], dtype=np.int64),
        plans=np.array([own.plans for own in columns], dtype=np.int64),
        alias=np.concatenate(alias),
        alias_start=_starts(alias),
        energy_kwh=np.concatenate(energy),
        energy_start=_starts(energy),
        curtailed_kwh=np.concatenate(curtailed),
        curtailed_start=_starts(curtailed),
        columns=columns,
        shock_alias=alias_table(shock_kernel).ravel(),
        slots=slots,
        shocks=len(shock_kernel),
        peaks=peak_tables(policies, common_state) if any(policy.peak for policy in policies) else None,
    )


class TablesKept:
    """Tables of the common states met so far, as long as the policies do not change.

    They are quick to make and may be large, so no more than ``most`` are kept. Markets on several threads may share it.
    """

    def __init__(self, *, levels: Sequence[int], shock_kernel: Floats, slot_hours: float, most: int) -> None:
        self._levels, self._shock_kernel, self._slot_hours, self._most = levels, shock_kernel, slot_hours, most
        self._held: tuple[tuple[PolicyTable, ...], dict[int, DayTables]] = ((), {})

    def __len__(self) -> int:
        return len(self._held[1])

    def of(self, policies: Sequence[PolicyTable], common_state: int) -> DayTables:
        """Tables of these policies, each recognised by identity, in one common state."""
        known, kept = self._held
        if len(known) != len(policies) or any(one is not other for one, other in zip(known, policies, strict=True)):
            kept = {}
            self._held = tuple(policies), kept
        found = kept.get(common_state)
        if found is None:
            found = day_tables(
                policies,
                common_state,
                levels=self._levels,
                shock_kernel=self._shock_kernel,
                slot_hours=self._slot_hours,
            )
            for oldest in list(kept)[: len(kept) + 1 - self._most]:
                kept.pop(oldest, None)
            kept[common_state] = found
        return found


def _check(name: str, policy: PolicyTable, common_state: int, shape: tuple[int, int, int, int]) -> None:
    """Raise ``ValueError`` unless a policy is one in this common state, with axes (slot, level, shock, move)."""
    if (np.diff(policy.moves) != 1).any():
        raise ValueError(f"{name} has moves {policy.moves.tolist()}; give consecutive numbers")
    chance, load = policy.probability[common_state], policy.net_load_kw[common_state]
    require_shape(f"{name}: probability of a common state", chance, shape, "(slot, level, shock, move)")
    rows = shape[2] if policy.peak is None else shape[1] * shape[2]
    require_shape(f"{name}: net_load_kw of a common state", load, (shape[0], rows, shape[3]), "(slot, shock, move)")
    require_finite(f"{name}: net_load_kw", load)
    PolicyTable(
        moves=policy.moves, probability=chance[None], net_load_kw=load[None], use_kw=policy.use_kw[common_state][None]
    ).check()


def alias_table(probability: Floats) -> Words:
    """Walker's alias table of every row, by Vose's algorithm.

    A 32-bit draw u picks column k = ⌊u·n / 2³²⌋ of n; the low half of u·n, below the entry's threshold, keeps k, else
    the entry's alias is taken. What has probability 0 is never drawn.

    Parameters
    ----------
    probability : (…, n)
        Rows sum to one.

    Raises
    ------
    ValueError
        If a number is negative or not finite, or a row is all zero.

    Returns
    -------
    (…, n) uint64
        The threshold in the high half, the alias in the low half.

    References
    ----------
    M. D. Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE Transactions on
    Software Engineering 17(9), 1991, doi 10.1109/32.92917.
    """
    rows = np.array(probability, dtype=np.float64, order="C").reshape(-1, probability.shape[-1])
    total = rows.sum(axis=1)
    if not (np.isfinite(total).all() and (total > 0).all() and rows.min() >= 0):
        raise ValueError("probabilities to draw from are negative, not finite or all zero; give rows that sum to 1")
    table = np.empty(rows.shape, dtype=np.uint64)
    _fill_alias(rows, table)
    return table.reshape(probability.shape)


@compiled
def _fill_alias(rows: Floats, table: Words) -> None:
    """Fill the alias table of every row; see ``alias_table``."""
    count, n = rows.shape
    weight = np.empty(n)
    todo = np.empty(n, dtype=np.int64)  # light columns from the left, heavy ones from the right
    for row in range(count):
        total = 0.0
        for j in range(n):
            total += rows[row, j]
        light, heavy = 0, n
        for j in range(n):
            weight[j] = rows[row, j] / total * n
            if weight[j] < 1.0:
                todo[light] = j
                light += 1
            else:
                heavy -= 1
                todo[heavy] = j
        while light > 0 and heavy < n:
            light -= 1
            poor, rich = todo[light], todo[heavy]
            threshold = np.uint64(min(np.rint(weight[poor] * FULL), FULL - 1.0))
            table[row, poor] = (threshold << _THIRTY_TWO) | np.uint64(rich)
            weight[rich] -= 1.0 - weight[poor]
            if weight[rich] < 1.0:
                heavy += 1
                todo[light] = rich
                light += 1
        for place in range(n):  # whole columns, one up to rounding
            if place < light or place >= heavy:
                j = todo[place]
                table[row, j] = (_TOP << _THIRTY_TWO) | np.uint64(j)


def _starts(parts: Sequence[npt.NDArray[np.generic]]) -> Ints:
    """Where the parts begin in their concatenation, and where it ends."""
    return np.cumsum([0, *(part.size for part in parts)], dtype=np.int64)
