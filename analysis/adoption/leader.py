"""A leader who posts another tariff every year: the commitment to the shares of that year."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.commitment import Commitment, commit
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy

EVALUATIONS_PER_START: Final = 100
"""Tariffs that a year's search may try from each start: those of any search in the first year, then the last one."""


@dataclass(slots=True)
class YearlyLeader:
    """A leader who does not look beyond the year: who adopts because of its tariff, it learns in the next one.

    Attributes
    ----------
    aims
        What it wants.
    in_force
        The tariff whose standing charges, beside the fixed one, it keeps.
    parameters
        Of the last tariff posted, by name; empty before the first.
    anew
        Whether every search begins at all starts, so that its tariff is a function of the shares alone; else but the
        first begins at the last tariff.
    """

    aims: LeaderSpec
    in_force: Tariff
    parameters: dict[str, float]
    anew: bool = False

    def post(self, economy: Economy, watch: Watch) -> Commitment:
        """Commit to the best tariff of the leader's family at the shares of an economy.

        Raises
        ------
        Cancelled
            If the watch's owner asked to stop.
        ValueError
            If no tariff of the family is feasible.
        """
        problem = self.aims.problem(economy, self.in_force)
        near = bool(self.parameters) and not self.anew
        last = np.array([self.parameters[name] for name in problem.family.free]) if near else None
        try:
            found = commit(
                problem,
                evaluations_per_start=EVALUATIONS_PER_START,
                starts=None if last is None else [last],
                certify=False,
                watch=watch,
            )
        except ValueError:
            if watch.stopped:
                raise Cancelled from None
            raise
        if found.outcome is Outcome.CANCELLED:
            raise Cancelled
        self.parameters = dict(found.parameters)
        return found
