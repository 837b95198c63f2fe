"""The key numbers of two tariffs side by side: A, B, their difference as printed, and whether it is for the better."""

import numpy as np

from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.shared.compared import Compared, Figure, compared, compared_gaps
from meanwatt.analysis.dashboard.shared.figures import FIGURES
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


def _curtailed_kwh(solution: Solution) -> float:
    return DAYS_PER_MONTH * solution.equilibrium.curtailed_kwh_per_household_day


NUMBERS: tuple[Figure[Solution], ...] = (
    Figure(
        key="gap",
        label=FIGURES["gap"][0],
        unit=FIGURES["gap"][1],
        digits=2,
        aim="less",
        value=lambda solution: 100 * solution.metrics.burden_gap,
    ),
    Figure(
        key="suits",
        label="Suits index",
        unit="−1 to 1",
        digits=3,
        aim="more",
        value=lambda solution: solution.metrics.suits,
        better="less regressive",
        worse="more regressive",
    ),
    Figure(
        key="imv",
        label=FIGURES["imv"][0],
        unit=FIGURES["imv"][1],
        digits=4,
        aim="less",
        value=lambda solution: solution.metrics.imv,
    ),
    Figure(
        key="peak",
        label=FIGURES["peak"][0],
        unit=FIGURES["peak"][1],
        digits=2,
        aim="less",
        value=lambda solution: solution.metrics.peak_to_average,
    ),
    Figure(
        key="volts",
        label=FIGURES["volts"][0],
        unit=FIGURES["volts"][1],
        digits=3,
        aim="more",
        value=lambda solution: float(np.nanmin(solution.voltage_pu)),
    ),
    Figure(
        key="surplus",
        label=FIGURES["surplus"][0],
        unit="$ a month",
        digits=2,
        aim="zero",
        value=lambda solution: books(solution).surplus / 100,
        better="nearer 0",
        worse="further from 0",
    ),
    Figure(
        key="curtailed",
        label=FIGURES["curtailed"][0],
        unit="kWh a month",
        digits=1,
        aim="less",
        value=_curtailed_kwh,
    ),
)
"""The key numbers that a solution holds, in the order of the page; the efficiency gap goes before them."""

EFFICIENCY: Figure[Solution] = Figure(
    key="efficiency",
    label=FIGURES["efficiency"][0],
    unit="$ a month",
    digits=2,
    aim="less",
    value=lambda solution: -DAYS_PER_MONTH * solution.metrics.welfare_usd_per_household_day,
)
"""The efficiency gap, but for the welfare of the first best."""


def key_numbers(a: Solution, b: Solution, benchmark: Benchmark | None) -> tuple[Compared[Solution], ...]:
    """Set the key numbers side by side.

    Parameters
    ----------
    benchmark
        The first best of the town; None while it is not known.
    """
    best = None if benchmark is None else benchmark.welfare_usd_per_household_day
    return (compared_gaps(EFFICIENCY, a, b, best), *(compared(figure, a, b) for figure in NUMBERS))
