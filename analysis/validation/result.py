"""What a validation study finds, as frozen records."""

from dataclasses import dataclass, field
from typing import Any

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.validation.by_class import ClassLoad
from meanwatt.analysis.validation.exploitability import Exploitability
from meanwatt.analysis.validation.leader import LeaderLoss
from meanwatt.analysis.validation.learners import LearnersCheck
from meanwatt.analysis.validation.scaling import Falling, Interval, Scaling
from meanwatt.analysis.validation.verdict import Finding, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCheck:
    """RMS errors of the feeder's state: voltage [pu], highest loading [-] and losses [kW].

    ``unsolved`` is the share of slots in which the market's or the mean field's feeder has no state.
    """

    voltage: Scaling
    loading: Scaling
    loss: Scaling
    unsolved: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseCheck:
    """RMS errors of the feeder by phase, where homes are on one phase each: phase voltages [pu] and unbalance [%].

    ``unsolved`` is the share of slots in which the market's or the mean field's feeder has no state by phase.
    """

    voltage: Scaling
    unbalance: Scaling
    unsolved: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFloor:
    """The scatter of the net load about a continuum that remembers ``memory`` day types besides today's.

    Attributes
    ----------
    memory, common_states
        The closure, and how many common states it makes.
    scatter : Scaling
        RMS [kW], slope and floor.
    expected_kw
        RMS by number of households, were the households independent given the common state.
    ratio : Interval
        Measured over expected RMS in the largest market; above 1 where forgotten days still move everybody together.
    closure_error_kw
        What one more remembered day would tell by the law: a lower bound of the floor, from no market.
    """

    memory: int
    common_states: int
    scatter: Scaling
    expected_kw: tuple[float, ...]
    ratio: Interval
    closure_error_kw: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """The checks for several numbers of households; tuples are by number of households.

    Attributes
    ----------
    households, replications, days
        Numbers N, ascending; markets of each size and their length.
    day_types, mean_load_kw
        Number of day types, and the mean of |L| over common states and slots. [kW]
    load : Scaling
        RMS of the net load error [kW], its slope and floor.
    scatter : Scaling
        The same without the error of rounding the types; its law is fitted over `expected.effective_households`.
    expected_scatter_kw, load_ratio
        RMS of independent households, and measured over expected RMS, pooled over sizes.
    wasserstein_soc_kwh
        Mean over replications; None without batteries.
    wasserstein : Falling or None
        The same with intervals, over the sizes at which every market has a battery. Its slope is over 1/w², with w the
        expected distance: the same as over N, but for the rounding of the types.
    wasserstein_households, expected_wasserstein_kwh, wasserstein_ratio
        Those sizes, the expected distance of independent households there, and measured over expected.
    composition_error_kw
        RMS error of the mean-field load with the shares rounded to whole households.
    grid, exploit, learners, leader
        The other checks; None if not asked for.
    memory
        Floors by memory; empty if not asked for.
    classes
        The net load of each rate class; empty where one tariff holds for all.
    findings
        The judged criteria.
    by_replication
        Columns of all markets simulated, for the tables.
    """

    __repr__ = short_repr

    households: tuple[int, ...]
    replications: int
    days: int
    day_types: int
    mean_load_kw: float
    load: Scaling
    scatter: Scaling
    expected_scatter_kw: tuple[float, ...]
    load_ratio: Interval
    wasserstein_soc_kwh: tuple[float | None, ...]
    wasserstein: Falling | None
    wasserstein_households: tuple[int, ...]
    expected_wasserstein_kwh: tuple[float | None, ...]
    wasserstein_ratio: Interval
    composition_error_kw: tuple[float, ...]
    grid: GridCheck | None = None
    phases: PhaseCheck | None = None
    exploit: Exploitability | None = None
    learners: LearnersCheck | None = None
    leader: LeaderLoss | None = None
    memory: tuple[MemoryFloor, ...] = ()
    classes: tuple[ClassLoad, ...] = ()
    findings: tuple[Finding, ...] = ()
    by_replication: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """All criteria in one sentence."""
        return verdict(self.findings)[1]

    @property
    def exploitability_usd_per_household_day(self) -> tuple[float | None, ...]:
        """Exact ε_N; None where not asked for."""
        return (None,) * len(self.households) if self.exploit is None else self.exploit.values

    @property
    def exploitability_slope(self) -> float | None:
        """Of |ε_N − ε_∞| over large N under the tariff in force; None where its rates ignore the wholesale price."""
        return self.exploit.slope if self.exploit is not None and self.exploit.coupled else None
