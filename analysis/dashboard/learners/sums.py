"""A run of learners in a few numbers: means over its last days."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.emergence.day_by_day import MarketDay, last_days
from meanwatt.analysis.emergence.emergence import Ended, ended

CENTS_PER_USD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Means over the last quarter of the days, nan where there is none.

    Attributes
    ----------
    days
        Of how many.
    belief, error, move
        Belief error, realised-price error and price move of the learners. [cents/kWh]
    floor_error, floor_move
        Those of the market that plays the equilibrium. [cents/kWh]
    move_noise
        Standard error of the learners' mean price move: the standard deviation of the days' over the root of their
        number; nan of fewer than two. [cents/kWh]
    """

    days: int
    belief: float
    error: float
    move: float
    floor_error: float
    floor_move: float
    move_noise: float

    @property
    def ended(self) -> Ended:
        """What became of the learners."""
        return ended(self.error, self.floor_error, self.belief)


def sums_of(run: Run) -> Sums:
    """Sum a run up; it has at least one day."""
    last = last_days(run.days)
    learners, floor = [day.learners for day in last], [day.floor for day in last]
    return Sums(
        days=len(last),
        belief=CENTS_PER_USD * mean(day.belief_error_usd_per_kwh for day in last),
        error=CENTS_PER_USD * mean_of(learners, "price_error_usd_per_kwh"),
        move=CENTS_PER_USD * mean_of(learners, "price_move_usd_per_kwh"),
        floor_error=CENTS_PER_USD * mean_of(floor, "price_error_usd_per_kwh"),
        floor_move=CENTS_PER_USD * mean_of(floor, "price_move_usd_per_kwh"),
        move_noise=CENTS_PER_USD * standard_error(day.figure("price_move_usd_per_kwh") for day in learners),
    )


def mean_of(lived: Iterable[MarketDay], name: str) -> float:
    """Mean of a measure over days; see `mean`."""
    return mean(day.figure(name) for day in lived)


def mean(values: Iterable[float]) -> float:
    """Mean of the numbers that there are; nan without any."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def standard_error(values: Iterable[float]) -> float:
    """Standard error of the mean of the numbers that there are; nan of fewer than two."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.stdev(known) / math.sqrt(len(known)) if len(known) > 1 else math.nan


def least(lived: Iterable[MarketDay], name: str) -> float:
    """Smallest value of a measure over days; nan if there is none."""
    return min((value for day in lived if not math.isnan(value := day.figure(name))), default=math.nan)
