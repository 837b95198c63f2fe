"""Who owns what: the logit of shares in net present value, and the stock that follows it year by year.

Axes are (group, technology); a row sums to one. Technologies with the same number in ``pools`` are alternatives to one
another: a household with an electric vehicle decides on solar and keeps the vehicle.

References
----------
.. [1] D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", in: P. Zarembka (ed.), Frontiers in
   Econometrics, 105–142, 1974.
"""

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints

USD_PER_UNIT = 1000.0
"""A sensitivity is per this much of net present value. [USD]"""


def fitted_shares(today: Floats, offered: Bools, floor_share: float, pools: Ints) -> Floats:
    """Shares that the logit's constants are fitted to: today's, or the floor for what nobody owns. (group, technology)

    Parameters
    ----------
    today : (group, technology)
        Shares of each income group.
    offered : (group, technology) bool
        Whether a group can own a technology at all.
    floor_share
        What stands for a share of 0, of the households of the pool; 0 leaves it at 0, and nobody ever adopts it.
    """
    mass = pool_mass(today, pools)
    raised = np.where((today <= 0) & offered, floor_share * mass, today)
    return np.asarray(_scaled(raised, mass, pools))


def logit_shares(fitted: Floats, gain_usd: Floats, sensitivity_per_kusd: float, pools: Ints) -> Floats:
    """Shares s_k ∝ f_k·exp(σ·gain_k/1000) within every pool: the logit that gives f where nothing gained [1]_.

    Its constants are log f_k less σ times today's net present value, so only what that gains since today counts.

    Parameters
    ----------
    fitted : (group, technology)
        Shares f at which nothing gained; a share of 0 stays 0.
    gain_usd : (group, technology)
        What the net present value is above today's; ignored where f is 0. [USD]
    """
    utility = np.where(fitted > 0, sensitivity_per_kusd * np.nan_to_num(gain_usd) / USD_PER_UNIT, -np.inf)
    lifted = np.zeros_like(fitted)
    for pool in np.unique(pools):
        own = utility[:, pools == pool]
        top = own.max(axis=1, keepdims=True)
        lifted[:, pools == pool] = np.exp(own - np.where(np.isfinite(top), top, 0.0))
    return _scaled(fitted * lifted, pool_mass(fitted, pools), pools)


def deciding_rate(life_years: Floats, deciding_share: float) -> Floats:
    """Part of the owners of each technology that decides in a year: 1/life retire, and a share of the rest decides.

    Parameters
    ----------
    life_years : (group, technology)
        0 where there is nothing to retire.
    """
    retiring = np.divide(1.0, life_years, out=np.zeros_like(life_years), where=life_years > 0)
    return np.asarray(np.minimum(retiring, 1.0) * (1 - deciding_share) + deciding_share)


def next_stock(share: Floats, aim: Floats, rate: Floats, pools: Ints) -> Floats:
    """The stock of a year later: who decides chooses k with a chance ∝ aim_k·rate_k. (group, technology)

    That chance is the same logit in net present value, its constants fitted to the yearly flow of deciders and not to
    the stock, log(f_k·rate_k). So the stock is at rest exactly at the logit's shares: where share = aim, as many
    choose a technology as its owners decide anew.

    Parameters
    ----------
    share, aim : (group, technology)
        The stock, and the logit's shares.
    rate : (group, technology)
        Part of the owners that decides in the year, in (0, 1].
    """
    deciding = share * rate
    chosen = _scaled(aim * rate, pool_mass(deciding, pools), pools)
    return np.asarray(share - deciding + chosen)


def pool_mass(share: Floats, pools: Ints) -> Floats:
    """Share of each group in the pool that a technology belongs to. (group, technology)"""
    mass = np.zeros_like(share)
    for pool in np.unique(pools):
        mass[:, pools == pool] = share[:, pools == pool].sum(axis=1, keepdims=True)
    return mass


def _scaled(weight: Floats, mass: Floats, pools: Ints) -> Floats:
    """Weights scaled so that those of a pool sum to its mass; 0 where there is none."""
    total = pool_mass(weight, pools)
    return np.asarray(np.divide(weight * mass, total, out=np.zeros_like(weight), where=total > 0))
