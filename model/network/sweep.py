"""AC power flow of a radial feeder by forward and backward sweeps, many slots at once.

On one line a sweep draws near the upper solution of the power flow and away from the lower one: its error shrinks by
|z||s|/V² a sweep, below 1 above the point of collapse and above 1 below it. Slots in which sweeps do not converge are
left to another method.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, as_input
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.droop_kernel import droop_slots
from meanwatt.model.network.droop_sweep import CurveRows
from meanwatt.model.network.library.branch import FixedLoad
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.radial_tree import radial_tree
from meanwatt.model.network.sweep_network import Network, network_of
from meanwatt.model.network.sweep_slots import draws_elsewhere, sweep_slots

Room = tuple[Bools, Floats, Floats, Floats, Floats, Floats, Floats, Floats]
Power = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweptSlots:
    """What sweeps found. Slots that are not ``found`` hold numbers without meaning.

    Attributes
    ----------
    found : (slot,) bool
        Where they converged.
    voltage_pu, angle_rad : (slot, bus)
        Voltage and its angle. [pu, rad]
    loss_mw, source_p_mw, source_q_mvar : (slot,)
        Losses of all elements, and what they take from the source. [MW, Mvar]
    current_a : (slot, line)
        The larger of the currents at the two ends of each line. [A]
    line_loading : (slot, line)
        The larger of the two ends' currents over its rating; after the lines, the branches that stand for lines.
    transformer_loading : (slot,)
        Highest loading of a transformer: by current of a branch, by apparent power of a plain one.
    linear_square : (slot,)
        Highest square of a voltage by the linear branch flow equations, referred to the source. [pu²]
    lowest_square : (slot,)
        Lowest square of a voltage referred to the source. [pu²]
    """

    __repr__ = short_repr

    found: Bools
    voltage_pu: Floats
    angle_rad: Floats
    loss_mw: Floats
    source_p_mw: Floats
    source_q_mvar: Floats
    current_a: Floats
    line_loading: Floats
    transformer_loading: Floats
    linear_square: Floats
    lowest_square: Floats


class Sweep:
    """A feeder made ready for sweeps.

    Sweeps go through the buses that may draw power only: those with customers, a reference load or a fixed one. A slot
    that draws power elsewhere is swept through all buses.

    Attributes
    ----------
    tree : RadialTree
        The feeder as they read it.
    """

    def __init__(self, feeder: Feeder) -> None:
        self._feeder = feeder
        self.tree = radial_tree(feeder)
        self._source_pu = float(feeder.source_voltage_pu)
        fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))
        self._fixed = np.array([fixed.p_kw, fixed.q_kvar])
        self._draws = (
            (feeder.customers > 0) | (feeder.p_kw != 0) | (feeder.q_kvar != 0) | (self._fixed != 0).any(axis=0)
        )
        self._draws[feeder.index(feeder.source)] = True
        self._idle = (~self._draws).astype(float)
        self._lines = len(feeder.line_from)
        self._loadings = self._lines + len(feeder.line_branches)

    @cached_property
    def _reduced(self) -> Network:
        """The network of the buses that may draw."""
        return network_of(self._feeder, self.tree, self._draws[self.tree.bus])

    @cached_property
    def _whole(self) -> Network:
        """The network of all buses."""
        return network_of(self._feeder, self.tree, np.ones(len(self.tree.bus), dtype=bool))

    def solve(self, p_kw: Floats, q_kvar: Floats) -> SweptSlots:
        """Solve every slot; (slot, bus) each, power drawn at constant power beside what is fixed. [kW, kvar]"""
        p_kw, q_kvar = as_input(p_kw), as_input(q_kvar)
        out = self._room(p_kw.shape)
        elsewhere = np.empty(len(p_kw), dtype=bool)
        draws_elsewhere(p_kw, q_kvar, self._idle, elsewhere)
        power = (p_kw, q_kvar, self._fixed)
        some = elsewhere.any()
        at = np.flatnonzero(~elsewhere) if some else np.arange(len(p_kw))
        if at.size:
            sweep_slots(at, power, self._reduced, self._source_pu, out)
        if some:
            sweep_slots(np.flatnonzero(elsewhere), power, self._whole, self._source_pu, out)
        return _swept(out)

    def solve_curves(
        self, p_kw: Floats, q_kvar: Floats, rows: CurveRows, most_steps: int
    ) -> tuple[SweptSlots, Floats, Floats]:
        """Solve every slot together with inverters' curves.

        Parameters
        ----------
        p_kw, q_kvar : (slot, bus)
            Power drawn with all inverters at what is available, beside what is fixed. [kW, kvar]
        rows
            The inverters.
        most_steps
            Newton steps after which a slot is given up.

        Returns
        -------
        SweptSlots, (slot, bus), (2, slot, bus)
            The state at what inverters feed in, the voltages that they went by [pu], and what is drawn then. [MW, Mvar]
        """
        p_kw, q_kvar = as_input(p_kw), as_input(q_kvar)
        out = self._room(p_kw.shape)
        elsewhere = np.empty(len(p_kw), dtype=bool)
        draws_elsewhere(p_kw, q_kvar, self._idle, elsewhere)
        elsewhere |= not self._draws[rows.bus].all()
        gone_by = np.full(p_kw.shape, np.nan)
        drawn = (np.array([p_kw, q_kvar]) + self._fixed[:, None]) / 1e3
        for slots, whole in ((np.flatnonzero(~elsewhere), False), (np.flatnonzero(elsewhere), True)):
            if slots.size:
                self._curves(slots, (p_kw, q_kvar, self._fixed), rows, most_steps, whole, (out, gone_by, drawn))
        return _swept(out), gone_by, drawn

    def _curves(
        self,
        slots: Ints,
        power: Power,
        rows: CurveRows,
        most_steps: int,
        whole: bool,
        out: tuple[Room, Floats, Floats],
    ) -> None:
        """Solve some slots together with inverters' curves; ``out`` is written."""
        network = self._whole if whole else self._reduced
        node = np.zeros(len(self.tree.bus), dtype=np.int64)
        node[network[0]] = np.arange(len(network[0]))
        at = node[rows.bus]
        order = np.argsort(at, kind="stable")
        columns = (rows.table, rows.available_mw, rows.corner_pu)
        droop_slots(
            (slots, power),
            (at[order], *(np.ascontiguousarray(column[:, order]) for column in columns)),
            network,
            self._source_pu,
            rows.curve,
            most_steps,
            rows.exactly,
            out,
        )

    def _room(self, shape: tuple[int, int]) -> Room:
        """Arrays for what the kernels write."""
        slots, buses = shape
        rest = np.empty(slots * (self._lines + self._loadings + buses))  # one piece, which is seldom kept for long
        current, loading, angle = np.split(rest, np.cumsum([slots * self._lines, slots * self._loadings]))
        return (
            np.empty(slots, dtype=bool),
            np.empty(shape),
            np.empty((3, slots)),
            current.reshape(slots, -1) if self._lines else np.empty((slots, 0)),
            loading.reshape(slots, -1) if self._loadings else np.empty((slots, 0)),
            np.empty(slots),
            np.empty((2, slots)),
            angle.reshape(shape),
        )


def _swept(out: Room) -> SweptSlots:
    found, voltage, sums, current, loading, heaviest, bounds, angle = out
    return SweptSlots(
        found=found,
        voltage_pu=voltage,
        angle_rad=angle,
        loss_mw=sums[0],
        source_p_mw=sums[1],
        source_q_mvar=sums[2],
        current_a=current,
        line_loading=loading,
        transformer_loading=heaviest,
        linear_square=bounds[0],
        lowest_square=bounds[1],
    )
