"""Key numbers that more than one page compares, read off whatever has metrics."""

from typing import Final, Protocol

from meanwatt.analysis.dashboard.shared.compared import Figure
from meanwatt.analysis.dashboard.shared.figures import FIGURES
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.model.scenario.economy import DAYS_PER_MONTH


class HasMetrics(Protocol):
    """A side of a comparison."""

    @property
    def metrics(self) -> Metrics:
        """Efficiency, equity and stability; of the continuum."""


EFFICIENCY: Final[Figure[HasMetrics]] = Figure(
    key="efficiency",
    label=FIGURES["efficiency"][0],
    unit="$ a month",
    digits=2,
    aim="less",
    value=lambda side: -DAYS_PER_MONTH * side.metrics.welfare_usd_per_household_day,
)
"""The efficiency gap, but for the welfare of the first best."""
BURDEN_GAP: Final[Figure[HasMetrics]] = Figure(
    key="gap",
    label=FIGURES["gap"][0],
    unit=FIGURES["gap"][1],
    digits=2,
    aim="less",
    value=lambda side: 100 * side.metrics.burden_gap,
)
PRICE_SWING: Final[Figure[HasMetrics]] = Figure(
    key="imv",
    label=FIGURES["imv"][0],
    unit=FIGURES["imv"][1],
    digits=4,
    aim="less",
    value=lambda side: side.metrics.imv,
)
PEAK: Final[Figure[HasMetrics]] = Figure(
    key="peak",
    label=FIGURES["peak"][0],
    unit=FIGURES["peak"][1],
    digits=2,
    aim="less",
    value=lambda side: side.metrics.peak_to_average,
)
