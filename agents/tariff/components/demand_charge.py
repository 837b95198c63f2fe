"""A demand charge: USD for each kW of the month's largest import. Bills are exact; what homes decide by is a choice."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.tariff.components.component import Component


class DemandView(StrEnum):
    """How a demand charge enters what households decide."""

    IGNORED = "ignored"
    """Not at all."""
    EX_ANTE = "ex_ante"
    """As an adder on imports by slot, weather and own shock, by the chance that they hold the month's maximum."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DemandCharge(Component):
    """USD for each kW of the month's largest import in a window.

    Parameters
    ----------
    usd_per_kw_month
        For a month of 365/12 days; ≥ 0. [USD/kW per month]
    counted : (slot,)
        Whether a slot lies in the window.
    decision
        How households decide by it.
    window
        The window as the tariff file writes it.
    """

    name: ClassVar[str] = "demand_charge"

    usd_per_kw_month: float
    counted: Bools
    decision: DemandView = DemandView.IGNORED
    window: tuple[str, ...] = ("0-24",)

    def __post_init__(self) -> None:
        """Refuse a number that no bill can hold."""
        if not (np.isfinite(self.usd_per_kw_month) and self.usd_per_kw_month >= 0):
            raise ValueError(f"demand_charge.usd_per_kw_month is {self.usd_per_kw_month}; give a number >= 0")

    def day_peak_kw(self, net_energy_kwh: Floats, slot_hours: float) -> Floats:
        """Largest import of a day in the window, 0 without any. (household,) of (household, slot) [kW]"""
        inside = np.asarray(net_energy_kwh)[:, self.counted]
        return np.asarray(np.maximum(inside, 0.0).max(axis=1, initial=0.0), dtype=float) / slot_hours

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.demand_charge]``."""
        return {
            "usd_per_kw_month": self.usd_per_kw_month,
            "window": list(self.window),
            "decision": self.decision.value,
        }
