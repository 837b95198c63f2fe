"""The utility: posts the tariff, bills by the meter, keeps the account."""

from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from agents.arrays import Floats
from agents.tariff import Rates, Tariff, rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Money per day or in total, of all simulated households together. [USD]

    Attributes
    ----------
    revenue_usd
        Bills, fixed charges included.
    energy_cost_usd
        Energy bought at the wholesale price; negative if more was sold.
    network_cost_usd
        The fixed cost of the network.
    """

    revenue_usd: float = 0.0
    energy_cost_usd: float = 0.0
    network_cost_usd: float = 0.0

    @property
    def surplus_usd(self) -> float:
        """Revenue less cost. [USD]"""
        return self.revenue_usd - self.energy_cost_usd - self.network_cost_usd

    def __add__(self, other: "Account") -> "Account":
        return Account(
            revenue_usd=self.revenue_usd + other.revenue_usd,
            energy_cost_usd=self.energy_cost_usd + other.energy_cost_usd,
            network_cost_usd=self.network_cost_usd + other.network_cost_usd,
        )


class Utility(mesa.Agent):  # type: ignore[misc]
    """The leader as an agent of the market.

    Parameters
    ----------
    model
        The market.
    tariff
        What it posts.
    adder_usd_per_kwh
        Volumetric adder α. [USD/kWh]
    fixed_charge_usd_per_day : (group,)
        Fixed charge of each income group. [USD/day]

    Attributes
    ----------
    account : Account
        Running total since the beginning.
    """

    def __init__(
        self, model: Any, *, tariff: Tariff, adder_usd_per_kwh: float, fixed_charge_usd_per_day: Floats
    ) -> None:
        super().__init__(model)
        self.tariff = tariff
        self.adder_usd_per_kwh = adder_usd_per_kwh
        self.fixed_charge_usd_per_day = fixed_charge_usd_per_day
        self.account = Account()

    def rates(self, day_type: int, wholesale_usd_per_kwh: Floats) -> Rates:
        """Import and export rate (1, slot) of a day at its realised wholesale price (slot,), before discounts."""
        return rates(self.tariff, np.array([day_type]), wholesale_usd_per_kwh[None], self.adder_usd_per_kwh)

    def book(self, day: Account) -> None:
        """Add a day to the account."""
        self.account += day
