"""The terms that go with a posted tariff: adder, fixed charges and equilibrium policies, worked out once for each."""

from dataclasses import replace

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.tariff.rate_classes import with_each_class
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy


class Terms:
    """Offers by tariff, each held at the values of that tariff's equilibrium, or at the leader's own.

    Parameters
    ----------
    economy
        Where.
    in_force
        The offer before the first day.
    start
        An equilibrium of some tariff, from which others are solved.
    policies
        Whether somebody plays equilibrium policies; without, a tariff that posts everything needs no equilibrium.
    """

    def __init__(self, economy: Economy, in_force: Offer, start: Equilibrium | None, *, policies: bool) -> None:
        self._economy = economy
        self._start = start
        self._policies = policies
        self._offers: dict[Tariff, Offer] = {in_force.tariff: in_force}
        self._levelled: dict[Tariff, tuple[Offer, Offer]] = {}

    def add(self, equilibrium: Equilibrium) -> None:
        """Take over an equilibrium that somebody has solved already.

        Raises
        ------
        ValueError
            In one line, if it did not converge.
        """
        tariff = equilibrium.tariff
        if not equilibrium.converged:
            raise ValueError(f"tariff {tariff.name} cannot be posted: {equilibrium.message}")
        self._offers[tariff] = make_offer(tariff, equilibrium)

    def of(self, posted: Tariff | Offer) -> Offer:
        """The offer of a tariff, the same object each time; one that says its own level keeps it.

        Households who play equilibrium policies play those of the level posted, as if it were to last. Of a tariff
        that comes with one level after the other only the last offer is kept.

        Raises
        ------
        ValueError
            In one line, if the tariff has no equilibrium and one is needed.
        """
        if isinstance(posted, Offer):
            return self._at_level(posted)
        tariff = posted
        if tariff not in self._offers:
            if self._policies or tariff.recovery is not Recovery.POSTED:
                self.add(solve_equilibrium(self._economy, tariff, start=self._start, certify=False))
            else:
                self._offers[tariff] = make_offer(tariff, None)
        return self._offers[tariff]

    def _at_level(self, posted: Offer) -> Offer:
        """An offer with its own level, and the policies that go with it where somebody plays them."""
        tariff = posted.tariff
        if tariff not in self._levelled or self._levelled[tariff][0] is not posted:
            made = replace(posted, policies=self._policies_at(posted)) if self._policies else posted
            self._levelled[tariff] = posted, made
        return self._levelled[tariff][1]

    def _policies_at(self, posted: Offer) -> tuple[PolicyTable, ...] | None:
        """Equilibrium policies at an offer's own level; fixed charges move nobody, an adder does."""
        if posted.tariff.recovery is not Recovery.VOLUMETRIC:
            return self.of(posted.tariff).policies
        before = self._levelled.get(posted.tariff)
        if before is not None and before[1].adder_usd_per_kwh == posted.adder_usd_per_kwh:
            return before[1].policies
        found = solve_equilibrium(self._economy, with_adder(posted), start=self._start, certify=False)
        if not found.converged:
            raise ValueError(f"tariff {posted.tariff.name} cannot be posted: {found.message}")
        return found.policies


def with_adder(offer: Offer) -> Tariff:
    """The tariff whose energy charge holds an offer's adder, so that nothing of its rates is left to be found.

    Rate classes that keep posted rates keep them.
    """

    def raised(place: int, own: Tariff) -> Tariff:
        adder = offer.adder_usd_per_kwh if offer.tariff.bears_adder(place) else 0.0
        return replace(own, energy_usd_per_kwh=own.energy_usd_per_kwh + adder, recovery=Recovery.POSTED)

    return with_each_class(offer.tariff, raised)


def make_offer(tariff: Tariff, equilibrium: Equilibrium | None) -> Offer:
    """What is held with a tariff at its equilibrium; what it posts itself where nobody solved that."""
    if equilibrium is None:
        return Offer(
            tariff=tariff,
            adder_usd_per_kwh=0.0,
            fixed_charge_usd_per_day=tariff.payer_charge_usd_per_day,
            policies=None,
        )
    return Offer(
        tariff=tariff,
        adder_usd_per_kwh=equilibrium.adder_usd_per_kwh,
        fixed_charge_usd_per_day=equilibrium.fixed_charge_usd_per_day,
        policies=equilibrium.policies,
    )
