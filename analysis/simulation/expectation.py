"""What the mean field expects of tonight: mean net load and price, and how far N homes may stray from them."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.split import Split
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.equilibrium import Equilibrium

DEVIATIONS = 2.0
"""Half-width of the band in standard deviations of the mean of N homes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expectation:
    """The continuum's day, given the weather. Axes (c, h).

    Attributes
    ----------
    net_load_kw, use_kw
        Population mean of net load and of electricity use. [kW]
    spread_kw
        Standard deviation of one home's net load about the mean of its type, root mean square over the types. [kW]
    curtailed_kw
        Population mean of the solar output that inverters hold back. [kW]
    curtailed_spread_kw
        Standard deviation of one home's, as ``spread_kw``. [kW]
    price_usd_per_kwh
        Wholesale price at the mean. [USD/kWh]
    """

    net_load_kw: Floats
    use_kw: Floats
    spread_kw: Floats
    curtailed_kw: Floats
    curtailed_spread_kw: Floats
    price_usd_per_kwh: Floats

    def band_kw(self, households: int) -> tuple[Floats, Floats]:
        """Mean net load of N homes less and plus `DEVIATIONS` standard deviations. (c, h) each [kW]"""
        half = DEVIATIONS * self.spread_kw / np.sqrt(households)
        return self.net_load_kw - half, self.net_load_kw + half

    def curtailed_band_kw(self, households: int) -> tuple[Floats, Floats]:
        """The same of the curtailed solar output, which is never below 0. (c, h) each [kW]"""
        half = DEVIATIONS * self.curtailed_spread_kw / np.sqrt(households)
        return np.maximum(self.curtailed_kw - half, 0.0), self.curtailed_kw + half


def expect(equilibrium: Equilibrium) -> Expectation:
    """Mean and spread of the homes' net load under the equilibrium's laws and policies.

    Notes
    -----
    The finite market is stratified, so the types' counts do not vary and only the spread within a type counts:
    Var(mean of N) = Σ_θ w_θ Var_θ(n) / N, for homes that are independent given the weather.
    """
    economy = equilibrium.economy
    mean, use, variance, curtailed = (np.zeros_like(equilibrium.net_load_kw) for _ in range(4))
    for household, law, policy in zip(economy.types, equilibrium.laws, equilibrium.policies, strict=True):
        plans = policy.plans
        chance = policy.frequency(law)

        def spread(of_plan: Floats, chance: Floats = chance, plans: Split = plans) -> tuple[Floats, Floats]:
            """Mean and variance of one home's."""
            first = np.einsum("chzj,chzj->ch", chance, plans.mean(of_plan))
            second = np.einsum("chzj,chzj->ch", chance, plans.mean(of_plan**2))
            return first, np.maximum(second - first**2, 0.0)

        first, own = spread(plans.net_load_kw)
        mean += household.share * first
        use += household.share * np.einsum("chzj,chzj->ch", chance, policy.use_kw)
        variance += household.share * own
        if policy.curtailed_kw is not None:
            curtailed += household.share * spread(plans.curtailed_kw)[1]
    return Expectation(
        net_load_kw=mean,
        use_kw=use,
        spread_kw=np.sqrt(variance),
        curtailed_kw=equilibrium.curtailed_kw,
        curtailed_spread_kw=np.sqrt(curtailed),
        price_usd_per_kwh=equilibrium.wholesale_usd_per_kwh,
    )
