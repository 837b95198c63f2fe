"""A tariff's components in the bills of the days: as expected day by day, and as billed from the month's end on."""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.market.component_bills import ComponentBills
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.components.solving import Composed


class ComponentDays:
    """Bills the components of a market's homes, and says what that adds to each day's bills.

    Parameters
    ----------
    composed
        The equilibrium whose market this is.
    market
        Before its first day.
    """

    def __init__(self, composed: Composed, market: ProsumerMarket) -> None:
        self._bills, self._count = ComponentBills(composed, market), market.population.count
        paid = np.sum(list(composed.amounts.usd_per_day.values()), axis=0)
        self._day_usd: Floats = self._count * paid
        self._open_days = 0
        self._billed_usd = np.zeros_like(self._day_usd)

    def after_day(self) -> Floats:
        """Read the meters of the day that is settled, and give what components add to its bills. (type,) [USD]

        Until the month is billed a day bears what the mean field expects of one. The month's last day brings the sums
        of all its days to what the homes are charged.
        """
        self._bills.after_day()
        self._open_days += 1
        if self._bills.open_days:
            return self._day_usd
        charged = self._charged_usd()
        added = charged - self._billed_usd - (self._open_days - 1) * self._day_usd
        self._billed_usd, self._open_days = charged, 0
        return np.asarray(added)

    def _charged_usd(self) -> Floats:
        """What the homes of each type were charged so far. (type,) [USD]"""
        kinds = np.repeat(np.arange(len(self._count)), self._count)
        total = np.sum(list(self._bills.charged_usd.values()), axis=0)
        return np.asarray(np.bincount(kinds, total, minlength=len(self._count)), dtype=np.float64)
