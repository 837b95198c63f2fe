"""The terms that go with a posted tariff: adder, fixed charges and equilibrium policies, worked out once for each."""

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy


class Terms:
    """Offers by tariff, each held at the values of that tariff's equilibrium.

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

    def of(self, tariff: Tariff) -> Offer:
        """The offer of a tariff, the same object each time.

        Raises
        ------
        ValueError
            In one line, if the tariff has no equilibrium and one is needed.
        """
        if tariff not in self._offers:
            if self._policies or tariff.recovery is not Recovery.POSTED:
                self.add(solve_equilibrium(self._economy, tariff, start=self._start, certify=False))
            else:
                self._offers[tariff] = make_offer(tariff, None)
        return self._offers[tariff]


def make_offer(tariff: Tariff, equilibrium: Equilibrium | None) -> Offer:
    """What is held with a tariff at its equilibrium; what it posts itself where nobody solved that."""
    if equilibrium is None:
        return Offer(
            tariff=tariff,
            adder_usd_per_kwh=0.0,
            fixed_charge_usd_per_day=tariff.fixed_charge_usd_per_day,
            policies=None,
        )
    return Offer(
        tariff=tariff,
        adder_usd_per_kwh=equilibrium.adder_usd_per_kwh,
        fixed_charge_usd_per_day=equilibrium.fixed_charge_usd_per_day,
        policies=equilibrium.policies,
    )
