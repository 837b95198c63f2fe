"""A demand charge: USD for each kW of the largest import of the month, or of the day.

Bills are exact; what homes decide by is a choice.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH, Component

DEMAND_LEVELS: Final = 16
"""Levels of the day's largest import unless told."""


class DemandView(StrEnum):
    """How a demand charge enters what households decide."""

    IGNORED = "ignored"
    """Not at all."""
    EX_ANTE = "ex_ante"
    """As an adder on imports by slot, weather and own shock, by the chance that they hold the month's maximum."""
    STATE = "state"
    """As it is, the day's largest import so far being a part of the household's state; of a charge by the day."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DemandCharge(Component):
    """USD for each kW of the largest import in a window: of the month, or of every day.

    Parameters
    ----------
    usd_per_kw_month
        For the largest import of a month of 365/12 days; ≥ 0. [USD/kW per month]
    counted : (slot,)
        Whether a slot lies in the window.
    decision
        How households decide by it.
    window
        The window as the tariff file writes it.
    usd_per_kw_day
        For the largest import of a day; ≥ 0. Only one of the two is not 0. [USD/kW per day]
    demand_levels
        Levels of the day's largest import that households with decision `state` tell apart, at least 2.
    """

    name: ClassVar[str] = "demand_charge"

    usd_per_kw_month: float = 0.0
    counted: Bools
    decision: DemandView = DemandView.IGNORED
    window: tuple[str, ...] = ("0-24",)
    usd_per_kw_day: float = 0.0
    demand_levels: int = DEMAND_LEVELS

    def __post_init__(self) -> None:
        """Refuse a number that no bill can hold."""
        for name in ("usd_per_kw_month", "usd_per_kw_day"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"demand_charge.{name} is {getattr(self, name)}; give a number >= 0")
        require_period(self.usd_per_kw_month, self.usd_per_kw_day, self.decision)

    @property
    def by_day(self) -> bool:
        """Whether it is charged on every day's largest import, and not the month's."""
        return self.usd_per_kw_day > 0 or self.decision is DemandView.STATE

    @property
    def period_days(self) -> float:
        """Days of the period whose largest import is charged."""
        return 1.0 if self.by_day else DAYS_PER_MONTH

    @property
    def usd_per_kw(self) -> float:
        """Charge for a kW of the period's largest import. [USD/kW]"""
        return self.usd_per_kw_day if self.by_day else self.usd_per_kw_month

    def day_peak_kw(self, net_energy_kwh: Floats, slot_hours: float) -> Floats:
        """Largest import of a day in the window, 0 without any. (household,) of (household, slot) [kW]"""
        inside = np.asarray(net_energy_kwh)[:, self.counted]
        return np.asarray(np.maximum(inside, 0.0).max(axis=1, initial=0.0), dtype=float) / slot_hours

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.demand_charge]``."""
        by_day = {"usd_per_kw_day": self.usd_per_kw_day} if self.by_day else {}
        levels = {"demand_levels": self.demand_levels} if self.decision is DemandView.STATE else {}
        return {
            "usd_per_kw_month": self.usd_per_kw_month,
            "window": list(self.window),
            "decision": self.decision.value,
            **by_day,
            **levels,
        }


def require_period(usd_per_kw_month: float, usd_per_kw_day: float, decision: DemandView) -> None:
    """Raise ``ValueError``, in one line, where a decision is not for a charge by the month, or by the day."""
    if usd_per_kw_month and usd_per_kw_day:
        raise ValueError(
            f"demand_charge has usd_per_kw_month = {usd_per_kw_month:g} and usd_per_kw_day = {usd_per_kw_day:g};"
            " give one of them, the other 0"
        )
    if usd_per_kw_month and decision is DemandView.STATE:
        raise ValueError(
            "demand_charge.decision = state is for a charge on the day's largest import; give usd_per_kw_day in place"
            " of usd_per_kw_month, or decision = ignored or ex_ante"
        )
    if usd_per_kw_day and decision is DemandView.EX_ANTE:
        raise ValueError(
            "demand_charge.decision = ex_ante is for a charge on the month's largest import; give usd_per_kw_month in"
            " place of usd_per_kw_day, or decision = ignored or state"
        )
