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

    def solve(self, p_mw: Floats, q_mvar: Floats) -> SweptSlots:
        """Solve every slot; (slot, bus) each, power drawn at constant power. [MW, Mvar]"""
        slots, buses = p_mw.shape
        found, voltage, sums = np.empty(slots, dtype=bool), np.empty((2, slots, buses)), np.empty((3, slots))
        current, loading = np.empty((2, slots, self._ends.shape[1]))
        sweep_slots(
            p_mw,
            q_mvar,
            self.tree.bus,
            self.tree.before,
            self._columns,
            self._ends,
            self._table,
            self._source_pu,
            (found, voltage, sums, current, loading),
        )
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
