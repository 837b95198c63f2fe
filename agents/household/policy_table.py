"""The policy table: the one currency between solvers, learners and simulated households."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.day_peak import PeakSteps
from meanwatt.agents.household.split import Split
from meanwatt.agents.household.storage import Choice, every_move
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr

ROW_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyTable:
    """What one household type does in every state.

    Parameters
    ----------
    moves : (j,) int
        Level changes, ascending.
    probability : (c, h, e, z, j)
        Probability of each move; rows sum to one, infeasible moves have exactly 0.
    net_load_kw : (c, h, z, j)
        Net load that goes with each move, n = q − p + b, at the rates the household planned with. [kW]
    use_kw : (c, h, z, j)
        Electricity use q behind that net load. [kW]
    curtailed_kw : (c, h, z, j), optional
        Sun that is not used, pv − p; None where all is. [kW]
    split : Split, optional
        How households part between plans of use and curtailment; the three above are then their means.
    choice : Choice, optional
        Which moves are chosen among in each slot; without it all in every slot.
    peak : PeakSteps, optional
        How the day's largest import rises where it is a part of the state; a shock is then one with a largest import,
        and net load, use and curtailed sun are (c, h, row, j), as there.
    """

    __repr__ = short_repr

    moves: Ints
    probability: Floats
    net_load_kw: Floats
    use_kw: Floats
    curtailed_kw: Floats | None = None
    split: Split | None = None
    choice: Choice | None = None
    peak: PeakSteps | None = None

    @property
    def open_moves(self) -> Bools:
        """Moves that may be made: on the grid, and open in the slot or drawn by nature there. (h, e, j)"""
        slots, levels, count = (self.probability.shape[axis] for axis in (1, 2, 4))
        return (self.choice or every_move(slots, count)).open_moves(levels, self.moves)

    @property
    def plans(self) -> Split:
        """Every plan with its share; what is not proportional to net load is a mean over these."""
        return self.split or Split.undivided(self.use_kw, self.net_load_kw, self.curtailed_kw)

    def by_shock(self, law: Floats) -> Floats:
        """A law (…, e, shock) that goes with the table, whatever the largest import of the day is. (…, e, z)"""
        return law if self.peak is None else self.peak.by_shock(law)

    def frequency(self, law: Floats) -> Floats:
        """Joint frequency of shock, or row, and move under a law (c, h, e, shock). (c, h, z or row, j)"""
        if self.peak is None:
            return np.asarray(np.einsum("chez,chezj->chzj", law, self.probability))
        states, slots, _, _, count = self.probability.shape
        return np.asarray((law[..., None] * self.probability).reshape(states, slots, -1, count))

    def check(self) -> None:
        """Raise ``ValueError`` unless this is a policy: no NaN, rows sum to one, no move off the grid."""
        if not np.isfinite(self.probability).all() or (self.probability < 0).any():
            raise ValueError("policy holds a probability that is negative or not finite; solve again")
        off = np.abs(self.probability.sum(axis=-1) - 1).max()
        if off > ROW_SUM_TOLERANCE:
            raise ValueError(f"policy rows sum to one only within {off:.1e}; normalise them")
        if (self.probability * ~self.open_moves[:, :, None] > 0).any():
            raise ValueError("policy moves off the grid of levels; set infeasible moves to probability 0")
