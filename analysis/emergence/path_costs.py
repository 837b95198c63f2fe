"""What the way to the equilibrium costs: the feeder while households learn, and who pays for the learning.

A resting point may lie within all limits while the way to it does not. So both are counted day by day, of the market of
learners and of the one beside it that plays the equilibrium on the same draws. And every home is compared with itself
there: what it is billed more is what its learning, and that of all others, has cost it. Of use that learners value
otherwise no bill tells, so that a bill saved by using less counts as a gain here.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.market.history import DayRecord
from meanwatt.model.market.market import ProsumerMarket

RATED: Final = 1.0
"""Loading at the rating."""
PATH: Final = (
    "bus_hours_outside_limits",
    "overload_hours",
    "floor_bus_hours_outside_limits",
    "floor_overload_hours",
)
"""Measures of a day on the feeder: of the learners, and of the market that plays the equilibrium."""


def grid_hours(record: DayRecord, slot_hours: float) -> tuple[float, float]:
    """Bus-hours outside the voltage limits, and hours in which a line or transformer is above its rating.

    Hours without a state of the feeder count in both; nan without a feeder.
    """
    grid = record.grid
    if grid is None:
        return np.nan, np.nan
    loading = np.fmax(grid.line_loading, grid.transformer_loading)
    overloaded = (np.nan_to_num(loading, nan=0.0) > RATED) | ~grid.solved
    return grid.hours_outside_limits, float(overloaded.sum() * slot_hours)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LearningRegret:
    """What learning adds to bills, over all days of a run. Money is USD per household-day.

    Attributes
    ----------
    mean_usd_per_day
        Of all households.
    by_income, by_technology, by_bus
        Means of the households of an income group, a technology, a bus of the feeder that has households.
    losers_share
        Share of the households that are billed more than they would be at the equilibrium.
    """

    mean_usd_per_day: float
    by_income: dict[str, float]
    by_technology: dict[str, float]
    by_bus: dict[str, float]
    losers_share: float


def learning_regret(learners: ProsumerMarket, given: ProsumerMarket) -> LearningRegret:
    """Compare every home's bills in a market of learners with its own in one that plays the equilibrium.

    Parameters
    ----------
    learners, given
        Markets of the same size and key after the same number of days, at least one.

    Raises
    ------
    ValueError
        If the markets do not have the same homes.
    """
    people, others = learners.population, given.population
    if not (np.array_equal(people.bus, others.bus) and np.array_equal(people.type_index, others.type_index)):
        raise ValueError("the two markets have different homes; give them the same size and key")
    more = (people.bill_usd - others.bill_usd) / len(learners.history)
    types = learners.household_types
    names = np.array([(one.income_group, one.technology) for one in types])[people.type_index]
    bus = np.array(learners.history.buses)[people.bus]
    return LearningRegret(
        mean_usd_per_day=float(more.mean()),
        by_income=_means(names[:, 0], more),
        by_technology=_means(names[:, 1], more),
        by_bus=_means(bus, more),
        losers_share=float((more > 0).mean()),
    )


def _means(name: Ints | Floats, values: Floats) -> dict[str, float]:
    """Mean of the values of each name, in the order of their first appearance."""
    return {str(one): float(values[name == one].mean()) for one in dict.fromkeys(name.tolist())}
