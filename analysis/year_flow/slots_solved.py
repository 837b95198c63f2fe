"""A feeder solved for a series of slots, block after block: what of it is summed, and what is kept of every slot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.year_flow.loads_file import LoadBlock
from meanwatt.model.network.feeder import Feeder
from meanwatt.model.network.power_flow import PowerFlow, PowerFlowResult, VoltageLimits
from meanwatt.model.progress.watch import Watch

SLOT_COLUMNS: Final = (
    "min_voltage_pu",
    "max_voltage_pu",
    "loss_kw",
    "source_kw",
    "source_kvar",
    "load_kw",
    "max_line_loading",
    "max_transformer_loading",
)
"""What is kept of every slot; nan where no state was found."""

Written = Callable[[tuple[str, ...], PowerFlowResult], None]
"""Takes time stamps and state of a block."""


@dataclass(slots=True, eq=False)
class SolvedSlots:
    """What came of the slots so far. Sums, extremes and hours leave out slots without a state.

    Attributes
    ----------
    feeder, limits
        What was solved, and the band its voltages should stay in.
    times : list of str
        Time stamps of all slots; empty where there are none.
    solved : (slot,) bool
        Where a state was found.
    slot : dict
        Columns of `SLOT_COLUMNS`, (slot,).
    low_pu, high_pu, sum_pu : (bus,)
        Lowest and highest voltage of each bus, and the sum over slots. [pu]
    below, above : (bus,)
        Slots in which a bus is below and above the limits.
    line_loading : (line,)
        Highest loading of each line.
    line_over : (line,)
        Slots in which it is above its rating.
    """

    __repr__ = short_repr

    feeder: Feeder
    limits: VoltageLimits
    times: list[str] = field(default_factory=list)
    _solved: list[Bools] = field(default_factory=list)
    _slot: list[Floats] = field(default_factory=list)
    low_pu: Floats = field(init=False)
    high_pu: Floats = field(init=False)
    sum_pu: Floats = field(init=False)
    below: Floats = field(init=False)
    above: Floats = field(init=False)
    outside: int = 0
    line_loading: Floats = field(init=False)
    line_over: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        buses, lines = len(self.feeder.buses), len(self.feeder.line_names)
        self.low_pu, self.high_pu = np.full(buses, np.inf), np.full(buses, -np.inf)
        self.sum_pu, self.below, self.above = np.zeros((3, buses))
        self.line_loading, self.line_over = np.zeros((2, lines))

    @property
    def solved(self) -> Bools:
        """(slot,) Where a state was found."""
        return np.concatenate([np.zeros(0, dtype=bool), *self._solved])

    @property
    def slot(self) -> dict[str, Floats]:
        """Columns by slot."""
        columns = np.concatenate([np.zeros((len(SLOT_COLUMNS), 0)), *self._slot], axis=1)
        return dict(zip(SLOT_COLUMNS, columns, strict=True))

    def add(self, times: tuple[str, ...], p_kw: Floats, found: PowerFlowResult) -> None:
        """Take in a block: power drawn, (slot, bus), and the state that came of it."""
        self.times += times
        good = found.converged
        self._solved.append(good)
        voltage = found.voltage_pu[good]
        unit = found.transformer_loading
        nothing = np.full(len(good), np.nan)
        self._slot.append(
            np.array(
                [
                    found.voltage_pu.min(axis=1),
                    found.voltage_pu.max(axis=1),
                    found.loss_kw,
                    found.source_p_kw,
                    found.source_q_kvar,
                    p_kw.sum(axis=1),
                    found.line_loading.max(axis=1) if found.line_loading.shape[1] else nothing,
                    nothing if unit is None else unit,
                ]
            )
        )
        np.minimum(self.low_pu, voltage.min(axis=0, initial=np.inf), out=self.low_pu)
        np.maximum(self.high_pu, voltage.max(axis=0, initial=-np.inf), out=self.high_pu)
        self.sum_pu += voltage.sum(axis=0)
        low, high = voltage < self.limits.low_pu, voltage > self.limits.high_pu
        self.below += low.sum(axis=0)
        self.above += high.sum(axis=0)
        self.outside += int((low | high).any(axis=1).sum())
        loading = found.line_loading[good]
        np.maximum(self.line_loading, loading.max(axis=0, initial=0.0), out=self.line_loading)
        self.line_over += (loading > 1).sum(axis=0)


def solve_slots(
    feeder: Feeder,
    active: Iterable[LoadBlock],
    reactive: Iterable[LoadBlock] | None,
    *,
    limits: VoltageLimits,
    watch: Watch,
    written: Written | None = None,
) -> SolvedSlots:
    """Solve all slots in memory that does not grow with them, but for a few numbers a slot.

    Parameters
    ----------
    active
        Active power drawn, block by block. [kW]
    reactive
        Reactive power in blocks of the same slots; None takes it from what a bus draws, at power factor .95 or by its
        reference load, and none where it feeds in. [kvar]
    watch
        Told how far the reading is, and asked after every block whether to stop: what is done by then is returned.
    written
        Takes every block's state.

    Raises
    ------
    ValueError
        In one line, if the two series differ in length.
    """
    flow, done = PowerFlow(feeder), SolvedSlots(feeder=feeder, limits=limits)
    rows = None if reactive is None else _Rows(reactive)
    for block in active:
        p_kw = block.power
        q_kvar = np.maximum(p_kw, 0.0) * feeder.kvar_per_kw if rows is None else rows.take(len(p_kw))
        if len(q_kvar) < len(p_kw):
            raise ValueError(f"--reactive has {len(done.solved) + len(q_kvar)} slots, --loads more; give as many")
        found = flow.solve(p_kw, q_kvar)
        done.add(block.times, p_kw, found)
        if written is not None:
            written(block.times, found)
        watch.report("power flow", block.share)
        if watch.stopped:
            return done
    if rows is not None and len(rows.take(1)):
        raise ValueError(f"--reactive has more slots than the {len(done.solved)} of --loads; give as many")
    return done


class _Rows:
    """Rows of blocks, taken in other portions."""

    def __init__(self, blocks: Iterable[LoadBlock]) -> None:
        self._blocks: Any = iter(blocks)
        self._left: Floats | None = None

    def take(self, count: int) -> Floats:
        """The next rows; fewer at the end."""
        parts: list[Floats] = [] if self._left is None else [self._left]
        while sum(map(len, parts)) < count:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block.power)
        rows = np.concatenate(parts) if parts else np.zeros((0, 0))
        self._left = rows[count:] if len(rows) > count else None
        return rows[:count]
