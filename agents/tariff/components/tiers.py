"""Tiers: what a kWh costs depends on how many the month has had. Bills are exact; how homes see them is a choice.

MODEL: tier j covers m_{j−1} to m_j of the month's billed kWh and adds t_j to the rate of each of them, after any
discount. A home acts on the adder of the tier in which its expected month ends (``marginal``), or on the average adder
of its month (``average``; Ito, Do consumers respond to marginal or average price?, AER 104(2), 2014).
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.component import Component

HALVINGS = 80
"""Halvings of the range of adders: more than a double has digits."""


class Perception(StrEnum):
    """Which price of a ladder of tiers a household acts on."""

    MARGINAL = "marginal"
    """That of the tier where its expected month ends."""
    AVERAGE = "average"
    """The tier bill of its expected month over the kWh of it."""


@dataclass(frozen=True, kw_only=True)
class Tiers(Component):
    """Adders by the month's billed kWh.

    Parameters
    ----------
    limits_kwh_per_month : (tier − 1,)
        Where each tier but the last ends, for a month of 365/12 days; positive and rising. [kWh/month]
    adders_usd_per_kwh : (tier,)
        What a kWh of each tier costs beside the rate; negative is a credit. [USD/kWh]
    perception
        Which price households act on.

    Raises
    ------
    ValueError
        If there is not one adder more than limits, limits do not rise, or ``marginal`` adders do not.

    Notes
    -----
    Below 0 kWh, where netted exports exceed imports, the first tier goes on.
    """

    name: ClassVar[str] = "tiers"

    limits_kwh_per_month: tuple[float, ...]
    adders_usd_per_kwh: tuple[float, ...]
    perception: Perception = Perception.MARGINAL

    def __post_init__(self) -> None:
        """Refuse what is no ladder."""
        limits, adders = self.limits_kwh_per_month, self.adders_usd_per_kwh
        if len(adders) != len(limits) + 1:
            raise ValueError(
                f"tiers.adders_usd_per_kwh has {len(adders)} entries and tiers.limits_kwh_per_month {len(limits)};"
                " give one adder more than limits, the last tier has no end"
            )
        if not np.isfinite([*limits, *adders]).all():
            raise ValueError("tiers hold a number that is not finite; give finite numbers")
        if any(not after > before for before, after in pairwise((0.0, *limits))):
            raise ValueError(f"tiers.limits_kwh_per_month is {list(limits)}; give positive numbers that rise")
        if self.perception is Perception.MARGINAL and not self.rising:
            raise ValueError(
                f"tiers.adders_usd_per_kwh is {list(adders)}: where adders fall, several months answer themselves at"
                " the margin, which is not available yet; give adders that rise, or tiers.perception = average"
            )

    @property
    def rising(self) -> bool:
        """Whether no tier is cheaper than the one before."""
        return all(after >= before for before, after in pairwise(self.adders_usd_per_kwh))

    def cost_usd(self, billed_kwh: Floats, months: float = 1.0) -> Floats:
        """The tier bill of billing periods, whatever their shape. [USD]

        Parameters
        ----------
        billed_kwh
            What each was billed for. [kWh]
        months
            Length of the periods in months of 365/12 days; limits are as long.
        """
        kwh = np.asarray(billed_kwh, dtype=float)
        edges = np.array([0.0, *self.limits_kwh_per_month]) * months
        cost = self.adders_usd_per_kwh[0] * kwh
        for edge, (before, after) in zip(edges[1:], pairwise(self.adders_usd_per_kwh), strict=True):
            cost = cost + (after - before) * np.maximum(kwh - edge, 0.0)
        return np.asarray(cost)

    def adder_at(self, month_kwh: float) -> float:
        """The adder that a household perceives whose expected month is given, the lower one at a limit. [USD/kWh]"""
        if self.perception is Perception.AVERAGE:
            return (
                float(self.cost_usd(np.array(month_kwh))) / month_kwh if month_kwh > 0 else self.adders_usd_per_kwh[0]
            )
        return self.adders_usd_per_kwh[int(np.searchsorted(self.limits_kwh_per_month, month_kwh, side="left"))]

    def answering_adder(self, month_kwh: float, adder: float, slope: float) -> float:
        """The adder that answers itself if the month moves along a straight line. [USD/kWh]

        Parameters
        ----------
        month_kwh, adder
            The expected month at an adder tried.
        slope
            How much it falls with the adder, ≥ 0. [kWh per USD/kWh]

        Notes
        -----
        With rising tiers the perceived adder falls as the adder tried rises, so that one crossing exists: in a tier, or
        between two adders with the month at the limit (bunching). It is bracketed between the least and the largest
        adder and halved.
        """
        low, high = min(self.adders_usd_per_kwh), max(self.adders_usd_per_kwh)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if self.adder_at(month_kwh - slope * (middle - adder)) > middle:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.tiers]``."""
        return {
            "limits_kwh_per_month": list(self.limits_kwh_per_month),
            "adders_usd_per_kwh": list(self.adders_usd_per_kwh),
            "perception": self.perception.value,
        }
