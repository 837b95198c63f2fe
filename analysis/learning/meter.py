"""The leader's objective as far as the meters of its tariffs can tell it.

What each objective makes of the meters it says itself (`meanwatt.analysis.leader.objectives`): the utility's margin is
all money; the commission's welfare is not, and its change since the tariff in force is estimated by the rule of a half
(`meanwatt.analysis.leader.metered_change`).
"""

from dataclasses import dataclass

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.metered_change import MeteredChange
from meanwatt.model.scenario.economy import Economy

PENALTY_PER_SALES = 1.25
"""Price of a rate above the cap, in metered imports: at 1 raising all rates would earn what it costs, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The leader's objective of a tariff, from meters alone, in the objective's unit.

    Attributes
    ----------
    value
        The utility: its margin. The commission: the welfare gained over the tariff in force, less penalties.
    half_width
        Half the bracket of what is estimated; 0 where all is metered, as the utility's margin is.
    violation_usd_per_kwh
        Highest import rate charged less the cap, ≤ 0 where it is met; 0 without a cap. [USD/kWh]
    score
        What a learner is told: the value, less ``PENALTY_PER_SALES`` times the metered imports times the violation.
    feasible
        Whether the objective is defined at the tariff.
    """

    value: float
    half_width: float
    violation_usd_per_kwh: float
    score: float
    feasible: bool = True


class MeteredObjective:
    """The objective of a leader who has metered the tariff in force, and meters another.

    Parameters
    ----------
    economy
        Read for what is public alone, see `MeteredChange`.
    aims
        What the leader wants.
    in_force
        The reading of the tariff in force.

    Attributes
    ----------
    aims : LeaderSpec
        The same.

    Raises
    ------
    ValueError
        In one line, if no meter shows the objective.
    """

    def __init__(self, economy: Economy, aims: LeaderSpec, in_force: MeterReading) -> None:
        aims.require_metered()
        self.aims = aims
        self._economy, self._in_force = economy, in_force

    @property
    def climate(self) -> Floats:
        """Long-run share of each kind of day. (c,)"""
        return self._economy.common.probability

    def estimate(self, reading: MeterReading) -> Estimate:
        """Estimate the objective of the tariff that a reading was taken under."""
        cap = self.aims.price_cap_usd_per_kwh
        seen = self.aims.metered(MeteredChange(self._economy, self._in_force, reading))
        violation = 0.0 if cap is None else float(reading.import_usd_per_kwh.max()) - cap
        sales = reading.slot_hours * float(reading.weight @ reading.imported_kw.sum(axis=(1, 2)))
        return Estimate(
            value=seen.value,
            half_width=seen.half_width,
            violation_usd_per_kwh=violation,
            score=seen.value - PENALTY_PER_SALES * sales * max(violation, 0.0),
            feasible=seen.feasible,
        )
