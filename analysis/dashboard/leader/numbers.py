"""The key numbers of the tariff in force and of the one found, side by side."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.compared import Compared, Figure, compared, compared_gaps, compared_values
from meanwatt.analysis.dashboard.shared.figures import FIGURES
from meanwatt.analysis.dashboard.shared.metric_figures import BURDEN_GAP, EFFICIENCY, PEAK, PRICE_SWING
from meanwatt.analysis.dashboard.shared.solution import Benchmark, bill_usd_per_month
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


@dataclass(frozen=True)
class Measured:
    """An equilibrium with its metrics."""

    equilibrium: Equilibrium

    @cached_property
    def metrics(self) -> Metrics:
        """Efficiency, equity and stability; of the continuum."""
        return equilibrium_metrics(self.equilibrium)


def poorest_group(found: Equilibrium) -> int:
    """Place of the income group with the lowest income of those with homes."""
    economy = found.economy
    return int(np.where(economy.group_share > 0, economy.group_income_usd_per_year, np.inf).argmin())


def _poorest_bill(side: Measured) -> float:
    return float(bill_usd_per_month(side.equilibrium)[poorest_group(side.equilibrium)])


NUMBERS: tuple[Figure[Measured], ...] = (
    BURDEN_GAP,
    Figure(
        key="poorest",
        label="Lowest-income bill",
        unit="$ a month",
        digits=2,
        aim="less",
        value=_poorest_bill,
        better="lower",
        worse="higher",
    ),
    replace(PRICE_SWING, better="steadier", worse="less steady"),
    PEAK,
    Figure(
        key="ramp",
        label="Steepest ramp",
        unit="kW/h per home",
        digits=3,
        aim="less",
        value=lambda side: side.metrics.maximal_ramp_kw_per_hour,
        better="gentler",
        worse="steeper",
    ),
    Figure(
        key="surplus",
        label=FIGURES["surplus"][0],
        unit="$ a month",
        digits=2,
        aim="zero",
        value=lambda side: DAYS_PER_MONTH * side.metrics.surplus_usd_per_household_day,
        better="nearer 0",
        worse="further from 0",
    ),
)
"""The key numbers in the order of the page; the objective and the efficiency gap go before them."""
ANCHORS = {"objective": "objective", "poorest": "bill", "ramp": "ramp"}
"""Where the help explains those that the other pages do not have."""


def key_numbers(seen: Sighted, benchmark: Benchmark | None) -> tuple[Compared[Measured], ...]:
    """Set the tariff in force beside the best one found; beside itself while there is none.

    Parameters
    ----------
    benchmark
        The first best of the town; None while it is not known.
    """
    before = Measured(seen.in_force)
    after = before if seen.best is None else Measured(seen.best.equilibrium)
    best = None if benchmark is None else benchmark.welfare_usd_per_household_day
    reached = seen.in_force_objective if seen.best is None else seen.best.objective
    definition = seen.aims.definition
    objective: Figure[Measured] = Figure(
        key="objective",
        label="Objective",
        unit=definition.unit.replace("USD per household-day", "$/home·day"),
        digits=4 if definition.is_money else 5,
        aim="more",
        value=lambda _: None,  # of the search, not of a side
    )
    return (
        compared_values(objective, seen.in_force_objective, reached),
        compared_gaps(EFFICIENCY, before, after, best),
        *(compared(figure, before, after) for figure in NUMBERS),
    )
