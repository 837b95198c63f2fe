"""Subscription, the two-part real-time price: a contracted load at posted rates, deviations at the tariff's own.

The bill is that of the tariff's rates plus Σ Δ(posted − own rate)·b, b the contracted load: what a household does later
does not change the second part, so that behaviour is that of the rates alone (Barbose, Goldman, Neenan, A Survey of
Utility Experience with Real Time Pricing, LBNL-54238, 2004, describe such tariffs).
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite
from meanwatt.agents.tariff.components.component import Component


@dataclass(frozen=True, kw_only=True, eq=False)
class Subscription(Component):
    """Contracted load at posted rates.

    Parameters
    ----------
    posted_usd_per_kwh : (day type, slot)
        What the contracted load costs. [USD/kWh]
    contracted_share
        Contracted load as a share of the reference load less solar, where that is positive.
    form
        The posted rates as the tariff file writes them.
    """

    name: ClassVar[str] = "subscription"

    posted_usd_per_kwh: Floats
    contracted_share: float
    form: Any = field(default=0.0)

    def __post_init__(self) -> None:
        """Keep a checked, read-only copy."""
        object.__setattr__(self, "posted_usd_per_kwh", read_only(self.posted_usd_per_kwh))
        require_finite("subscription.usd_per_kwh", self.posted_usd_per_kwh)
        if not np.isfinite(self.contracted_share):
            raise ValueError(f"subscription.contracted_share is {self.contracted_share}; give a finite number")

    def contracted_kw(self, reference_net_load_kw: Floats) -> Floats:
        """Contracted load b at a reference load less solar (c, h). [kW]"""
        return np.asarray(self.contracted_share * np.maximum(reference_net_load_kw, 0.0))

    def by_state_usd(
        self, contracted_kw: Floats, own_rate_usd_per_kwh: Floats, today: Ints, slot_hours: float
    ) -> Floats:
        """What the contract adds to a day's bill in each common state. (c,) [USD/day]

        Parameters
        ----------
        contracted_kw : (c, h)
            Contracted load b. [kW]
        own_rate_usd_per_kwh : (c, h)
            What deviations cost the household. [USD/kWh]
        today : (c,) int
            Day type of each common state.
        """
        above = self.posted_usd_per_kwh[today] - own_rate_usd_per_kwh
        return np.asarray((above * contracted_kw).sum(axis=1) * slot_hours)

    def to_table(self) -> dict[str, Any]:
        """``[tariffs.NAME.subscription]``."""
        return {"usd_per_kwh": self.form, "contracted_share": self.contracted_share}
