"""What independent households would show: the size of every error before a market is simulated.

Given the common state, the households of a market are independent draws from the mean-field law, as far as that law
depends on the remembered day types only. Sizes, and not only rates, then follow from the equilibrium alone.
"""

import numpy as np
from scipy.special import ndtr

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.analysis.validation.replication import midnight_levels, midnight_levels_by_type
from meanwatt.model.market.apportionment import largest_remainder
from meanwatt.model.mean_field.equilibrium import Equilibrium

EXACT_HOUSEHOLDS = 2_000
"""Up to this many owners the law of a count is enumerated; beyond, the normal law is good to 1/owners."""


def expected_scatter_kw2(equilibrium: Equilibrium, households: int) -> float:
    """Mean square of L^N less the load of the rounded shares: Σ_θ N_θ Var(n_θ)/N², over common states and slots.

    N_θ are the whole households of each type, Var(n_θ) the variance of one household's net load in (c, h).
    """
    economy = equilibrium.economy
    count = largest_remainder(economy.type_share, households)
    variance = np.tensordot(count / households**2, type_variance_kw2(equilibrium), axes=1)
    return float(economy.common.probability @ variance.mean(axis=1))


def effective_households(equilibrium: Equilibrium, households: int) -> float:
    """The number of households with exact shares that scatter as much as N with rounded ones.

    Rounding changes who is there, and with it a in RMS = a·N^(−1/2): by 10 % at N = 30 where few own a battery. Laws of
    the scatter are fitted over this number.
    """
    economy = equilibrium.economy
    one = np.tensordot(economy.type_share, type_variance_kw2(equilibrium), axes=1)
    alone = float(economy.common.probability @ one.mean(axis=1))
    expected = expected_scatter_kw2(equilibrium, households)
    return alone / expected if expected > 0 else float(households)


def type_variance_kw2(equilibrium: Equilibrium) -> Floats:
    """Variance of the net load of one household of each type, (θ, c, h). [kW²]"""
    found = equilibrium.answer
    second = [
        (flow.frequency * plans.mean(plans.net_load_kw**2)).sum(axis=(2, 3))
        for plans, flow in zip((response.outcome.plans for response in found.responses), found.flows, strict=True)
    ]
    return np.maximum(np.array(second) - equilibrium.type_net_load_kw**2, 0.0)


def expected_wasserstein_kwh(equilibrium: Equilibrium, households: int) -> float | None:
    """Expected Wasserstein-1 distance of the owners' states of charge to the mean-field law at midnight.

    ΔE Σ_e E|F_N(e) − F(e)|, where the number of owners at level e or below is a sum of one binomial per type. None if
    no household of the market has a battery. [kWh]
    """
    economy = equilibrium.economy
    by_type = midnight_levels_by_type(equilibrium)
    count = largest_remainder(economy.type_share, households)
    type_indices = [type_index for type_index in by_type if count[type_index] > 0]
    law = midnight_levels(equilibrium)
    if law is None or not type_indices:
        return None
    battery = economy.types[type_indices[0]].battery
    assert battery is not None
    below = np.array([np.cumsum(by_type[type_index], axis=1) for type_index in type_indices]).clip(0.0, 1.0)
    target = np.cumsum(law, axis=1)
    error = np.array(
        [
            [_mean_deviation(count[type_indices], below[:, c, e], target[c, e]) for e in range(law.shape[1])]
            for c in range(len(law))
        ]
    )
    return float(battery.level_kwh * (economy.common.probability @ error.sum(axis=1)))


def _mean_deviation(count: Ints, chance: Floats, target: float) -> float:
    """E|S/n − target| for S = Σ Bin(count_k, chance_k) and n = Σ count_k."""
    owners = int(count.sum())
    if owners <= EXACT_HOUSEHOLDS:
        from scipy.stats import binom  # slow to import, and pages and workers do without

        law = np.ones(1)
        for trials, p in zip(count.tolist(), chance.tolist(), strict=True):
            law = np.convolve(law, binom.pmf(np.arange(trials + 1), trials, p))
        return float(law @ np.abs(np.arange(owners + 1) / owners - target))
    shift = float(count @ chance) / owners - target
    spread = float(np.sqrt(count @ (chance * (1 - chance)))) / owners
    if spread == 0.0:
        return abs(shift)
    z = shift / spread
    return float(spread * np.sqrt(2 / np.pi) * np.exp(-0.5 * z**2) + shift * (2 * ndtr(z) - 1))
