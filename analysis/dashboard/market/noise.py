"""How much the key numbers of the finite market's days differ between days of one weather: its day-to-day noise."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR

LEAST_FREEDOM: Final = 3
"""Degrees of freedom from which on a spread is told; of fewer days it says little."""


def pooled_deviation(values: npt.ArrayLike, groups: Sequence[int]) -> float | None:
    """Standard deviation within groups, pooled: the root of the within-group mean square of a one-way analysis.

    Parameters
    ----------
    values : (day,) float
        A number of each day.
    groups : (day,) int
        The group of each, such as its weather.

    Returns
    -------
    float or None
        ``sqrt(Σ_c Σ_i (x_ci − x̄_c)² / (days − groups))``, in the unit of the values; None with fewer than
        `LEAST_FREEDOM` degrees of freedom, or if a value is not a number.
    """
    numbers = np.asarray(values, dtype=np.float64)
    kinds, place = np.unique(np.asarray(groups), return_inverse=True)
    freedom = len(numbers) - len(kinds)
    if freedom < LEAST_FREEDOM or not np.isfinite(numbers).all():
        return None
    means = np.bincount(place, weights=numbers) / np.bincount(place)
    return float(np.sqrt(((numbers - means[place]) ** 2).sum() / freedom))


def day_to_day_noise(solution: Solution, history: History) -> dict[str, float]:
    """Noise of every key number that a market of homes shows in a day, by its key, in the unit of the page.

    The efficiency gap has none: a day of a market has no welfare to set against the planner's.
    """
    found = {key: pooled_deviation(row, history.states) for key, row in _of_days(solution, history).items()}
    return {key: spread for key, spread in found.items() if spread is not None}


def _of_days(solution: Solution, history: History) -> dict[str, Floats]:
    """Key numbers of each day by itself. (day,) each"""
    if len(history) <= LEAST_FREEDOM:
        return {}
    economy = solution.equilibrium.economy
    load, price = np.array(history.net_load_kw), np.array(history.wholesale_usd_per_kwh)
    bill = np.array(history.bill_usd)
    there = ~np.isnan(bill).any(axis=0)
    burden = 100 * DAYS_PER_YEAR * bill[:, there] / economy.group_income_usd_per_year[there]
    mean = load.mean(axis=1)
    paid = (bill * economy.group_share)[:, there].sum(axis=1)
    return {
        "gap": np.ptp(burden, axis=1),
        "imv": np.abs(np.diff(price, axis=1)).mean(axis=1),
        "peak": np.divide(load.max(axis=1), mean, out=np.full(len(mean), np.nan), where=mean > 0),
        "surplus": paid - economy.slot_hours * (price * load).sum(axis=1),
        "volts": np.array(history.lowest_pu),
        "curtailed": economy.slot_hours * np.array(history.curtailed_kw).sum(axis=1),
    }
