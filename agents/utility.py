"""The utility: posts the tariff, bills by the meter, keeps the account."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.learning_leader import Leader
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.standing_charge import Customer
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff, rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Money per day or in total, of all simulated households together. [USD]

    Attributes
    ----------
    revenue_usd
        Bills, standing charges included.
    energy_cost_usd
        Energy bought at the wholesale price; negative if more was sold.
    network_cost_usd
        The fixed cost of the network.
    loss_cost_usd
        Losses of the feeder bought at the wholesale price, where the utility buys them.
    """

    revenue_usd: float = 0.0
    energy_cost_usd: float = 0.0
    network_cost_usd: float = 0.0
    loss_cost_usd: float = 0.0

    @property
    def surplus_usd(self) -> float:
        """Revenue less cost. [USD]"""
        return self.revenue_usd - self.energy_cost_usd - self.network_cost_usd - self.loss_cost_usd

    def __add__(self, other: "Account") -> "Account":
        return Account(
            revenue_usd=self.revenue_usd + other.revenue_usd,
            energy_cost_usd=self.energy_cost_usd + other.energy_cost_usd,
            network_cost_usd=self.network_cost_usd + other.network_cost_usd,
            loss_cost_usd=self.loss_cost_usd + other.loss_cost_usd,
        )


class Utility(mesa.Agent):  # type: ignore[misc]
    """The leader as an agent of the market: it keeps its tariff, or a `Leader` tells it what to post.

    Parameters
    ----------
    model
        The market.
    tariff
        What it posts; with a leader, what was in force before the first day.
    adder_usd_per_kwh
        Volumetric adder α. [USD/kWh]
    fixed_charge_usd_per_day : (group,)
        Fixed charge of each income group. [USD/day]
    leader
        Who decides, if anybody does.
    offer_of
        The terms of what the leader posts: the adder and the fixed charges that are held meanwhile.

    Attributes
    ----------
    account : Account
        Running total since the beginning.
    """

    def __init__(
        self,
        model: Any,
        *,
        tariff: Tariff,
        adder_usd_per_kwh: float,
        fixed_charge_usd_per_day: Floats,
        leader: Leader | None = None,
        offer_of: Callable[[Tariff | Offer], Offer] | None = None,
    ) -> None:
        super().__init__(model)
        self.leader = leader
        self._offer_of = offer_of
        self.tariff = tariff
        self.adder_usd_per_kwh = adder_usd_per_kwh
        self.fixed_charge_usd_per_day = fixed_charge_usd_per_day
        self.account = Account()
        self._standing: tuple[Tariff, Floats, Sequence[Customer], Floats] | None = None
        self._rates: tuple[Tariff, int, bytes, float, Rates] | None = None

    def rates(self, day_type: int, wholesale_usd_per_kwh: Floats) -> Rates:
        """Import and export rate (1, slot) of a day at its realised wholesale price (slot,), before discounts."""
        asked = self.tariff, day_type, wholesale_usd_per_kwh.tobytes(), self.adder_usd_per_kwh
        if self._rates is None or self._rates[0] is not asked[0] or self._rates[1:4] != asked[1:]:  # twice a day
            found = rates(self.tariff, np.array([day_type]), wholesale_usd_per_kwh[None], self.adder_usd_per_kwh)
            self._rates = *asked, found
        return self._rates[4]

    def standing_usd_per_day(self, customers: Sequence[Customer]) -> Floats:
        """What each customer pays whatever it uses: the fixed charge and the others. (customer,) [USD/day]"""
        known, charge = self._standing, self.fixed_charge_usd_per_day
        same = known is not None and known[0] is self.tariff and known[2] is customers
        if known is None or not same or not np.array_equal(known[1], charge):
            paid = self.tariff.standing_usd_per_day(charge, customers)
            self._standing = known = self.tariff, charge.copy(), customers, paid
        return known[3].copy()

    def post(self, day: int, common_state: int) -> Offer | None:
        """Post the tariff of a day that begins; None where it stays for good."""
        if self.leader is None or self._offer_of is None:
            return None
        offer = self._offer_of(self.leader.post(day, common_state))
        self.tariff = offer.tariff
        self.adder_usd_per_kwh = offer.adder_usd_per_kwh
        self.fixed_charge_usd_per_day = offer.fixed_charge_usd_per_day
        return offer

    def learn(self, read: Callable[[], MeterReading]) -> None:
        """Read the meters in the evening, if there is somebody who learns from them."""
        if self.leader is not None:
            self.leader.learn(read())

    def book(self, day: Account) -> None:
        """Add a day to the account."""
        self.account += day
