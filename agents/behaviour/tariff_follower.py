"""Households who follow a utility that changes its tariff."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import DaySeen
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.tariff.tariff import Tariff


@runtime_checkable
class FollowsTariff(Protocol):
    """A behaviour that answers another tariff. It may change its policies here, as inside ``learn``."""

    def observe_offer(self, offer: Offer) -> None:
        """Answer the tariff of the day that begins."""


class TariffFollower:
    """Households whose policies are a function of the tariff posted and its adder, worked out once for each tariff.

    Fixed charges move nobody. Of a tariff that comes with another adder than before only the last is kept.

    Parameters
    ----------
    policies_of
        Policies of each household type under an offer.
    first
        The offer in force before the first day.
    name
        What to call it.
    """

    def __init__(self, policies_of: Callable[[Offer], Sequence[PolicyTable]], first: Offer, *, name: str) -> None:
        self.name = name
        self._policies_of = policies_of
        self._known: dict[Tariff, tuple[float, Sequence[PolicyTable]]] = {}
        self.policies: Sequence[PolicyTable] = ()
        self.observe_offer(first)

    def learn(self, seen: DaySeen) -> None:
        """Learn nothing from a day."""

    def observe_offer(self, offer: Offer) -> None:
        """Take up the policies of the tariff."""
        adder = offer.adder_usd_per_kwh
        if offer.tariff not in self._known or self._known[offer.tariff][0] != adder:
            self._known[offer.tariff] = adder, tuple(self._policies_of(offer))
        self.policies = self._known[offer.tariff][1]
