"""The key numbers of two tariffs side by side: A, B, their difference as printed, and whether it is for the better."""

import numpy as np

from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.shared.compared import Compared, Figure, compared, compared_gaps
from meanwatt.analysis.dashboard.shared.figures import FIGURES
from meanwatt.analysis.dashboard.shared.metric_figures import BURDEN_GAP, EFFICIENCY, PEAK, PRICE_SWING
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


def _curtailed_kwh(solution: Solution) -> float:
    return DAYS_PER_MONTH * solution.equilibrium.curtailed_kwh_per_household_day


NUMBERS: tuple[Figure[Solution], ...] = (
    BURDEN_GAP,
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
    PRICE_SWING,
    PEAK,
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


def key_numbers(a: Solution, b: Solution, benchmark: Benchmark | None) -> tuple[Compared[Solution], ...]:
    """Set the key numbers side by side.

    Parameters
    ----------
    benchmark
        The first best of the town; None while it is not known.
    """
    best = None if benchmark is None else benchmark.welfare_usd_per_household_day
    return (compared_gaps(EFFICIENCY, a, b, best), *(compared(figure, a, b) for figure in NUMBERS))
