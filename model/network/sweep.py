"""AC power flow of a radial feeder by forward and backward sweeps, many slots at once.

On one line a sweep draws near the upper solution of the power flow and away from the lower one: its error shrinks by
|z||s|/V² a sweep, below 1 above the point of collapse and above 1 below it. Slots in which sweeps do not converge are
left to another method.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.droop_kernel import droop_slots
from meanwatt.model.network.droop_sweep import CurveRows
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.radial_tree import RadialTree, radial_tree
from meanwatt.model.network.sweep_slots import sweep_slots


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
    current_pu, loading : (slot, element)
        The larger of the two ends' currents, and that over its rating; of a plain transformer, apparent power.
    """

    __repr__ = short_repr

    found: Bools
    voltage_pu: Floats
    angle_rad: Floats
    loss_mw: Floats
    source_p_mw: Floats
    source_q_mvar: Floats
    current_pu: Floats
    loading: Floats


class Sweep:
    """A feeder made ready for sweeps.

    Attributes
    ----------
    tree : RadialTree
        The feeder as they read it.
    """

    def __init__(self, feeder: Feeder) -> None:
        self.tree = tree = radial_tree(feeder)
        self._source_pu = float(feeder.source_voltage_pu)
        columns = (tree.z_pu, tree.shunt_pu, tree.current, tree.alpha, tree.turn)
        self._columns = np.array([part for column in columns for part in (column.real, column.imag)])
        self._ends = np.array([tree.elements.child, tree.elements.parent])
        self._table = element_table(tree)
        self._place = np.argsort(tree.bus)

    def solve(self, p_mw: Floats, q_mvar: Floats) -> SweptSlots:
        """Solve every slot; (slot, bus) each, power drawn at constant power. [MW, Mvar]"""
        out = self._room(p_mw.shape)
        tree = self.tree
        sweep_slots(p_mw, q_mvar, tree.bus, tree.before, self._columns, self._ends, self._table, self._source_pu, out)
        return self._swept(out)

    def solve_curves(
        self, p_mw: Floats, q_mvar: Floats, rows: CurveRows, most_steps: int
    ) -> tuple[SweptSlots, Floats, Floats]:
        """Solve every slot together with inverters' curves.

        Parameters
        ----------
        p_mw, q_mvar : (slot, bus)
            Power drawn with all inverters at what is available. [MW, Mvar]
        rows
            The inverters.
        most_steps
            Newton steps after which a slot is given up.

        Returns
        -------
        SweptSlots, (slot, bus), (2, slot, bus)
            The state at what inverters feed in, the voltages that they went by [pu], and what is drawn then. [MW, Mvar]
        """
        out = self._room(p_mw.shape)
        gone_by, drawn = np.empty(p_mw.shape), np.empty((2, *p_mw.shape))
        at = self._place[rows.bus]
        order = np.argsort(at, kind="stable")
        columns = (rows.available_mw, rows.corner_pu)
        droop_slots(
            (p_mw, q_mvar),
            (at[order], rows.table[:, order], *(np.ascontiguousarray(column[:, order]) for column in columns)),
            (self.tree.bus, self.tree.before, self._columns, self._ends, self._table),
            self._source_pu,
            rows.curve,
            most_steps,
            rows.exactly,
            (*out, gone_by, drawn),
        )
        return self._swept(out), gone_by, drawn

    def _room(self, shape: tuple[int, ...]) -> tuple[Bools, Floats, Floats, Floats, Floats]:
        """Arrays for what the kernels write."""
        current, loading = np.empty((2, shape[0], self._ends.shape[1]))
        return np.empty(shape[0], dtype=bool), np.empty((2, *shape)), np.empty((3, shape[0])), current, loading

    def _swept(self, out: tuple[Bools, Floats, Floats, Floats, Floats]) -> SweptSlots:
        found, voltage, sums, current, loading = out
        return SweptSlots(
            found=found,
            voltage_pu=voltage[0],
            angle_rad=voltage[1],
            loss_mw=sums[0],
            source_p_mw=sums[1],
            source_q_mvar=sums[2],
            current_pu=current,
            loading=loading,
        )


def element_table(tree: RadialTree) -> Floats:
    """Numbers of the elements as the kernel reads them, (14, element).

    Current per edge's current and per voltage before it, ratio, resistance, shunts towards and away from the source,
    what a current there is multiplied with for the loading, whether by apparent power, whether it leaves the source.
    """
    of = tree.elements
    rows: list[npt.ArrayLike] = [
        tree.weight.real,
        tree.weight.imag,
        tree.stray.real,
        tree.stray.imag,
        of.ratio,
        of.z_pu.real,
    ]
    rows += [of.parent_shunt_pu.real, of.parent_shunt_pu.imag, of.child_shunt_pu.real, of.child_shunt_pu.imag]
    rows += [1.0 / of.parent_rating_pu, 1.0 / of.child_rating_pu, of.by_power, of.parent == 0]
    return np.array(rows, dtype=float)
