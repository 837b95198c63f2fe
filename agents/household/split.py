"""Households of one type that part: at a tie between two plans some follow one and some the other.

Where exports earn more than imports cost, or sun may be curtailed, the load of a household jumps in the price. At the
price of an equilibrium households may be indifferent between the plans on either side of the jump, and the market
clears only if they part in a certain way. The shares are part of the solution: they go with the moves.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from meanwatt.agents.household.plans import ALL_SUN, LIMITED_PLANS, PLANS, fill_shares
from meanwatt.agents.numerics.arrays import Bools, Floats

ROUNDING_KW = 1e-12
"""Less sun than this is none. [kW]"""
UNUSUAL = 1e-13
"""Share that begins to curtail where nobody knows better: sun is used unless it pays not to."""
UNLIMITED = np.empty((0, 0, 0))
"""No limits on the net load."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ties:
    """How ties are looked for: choices between plans are smoothed by a logit around the shares known before.

    At a fixed point, where shares answer themselves, every two plans in use are worth exactly the same, whatever the
    temperature.

    Attributes
    ----------
    where : (c, h) bool
        Slots in which plans may tie.
    before : (c, h, z, j, plan), optional
        The shares known before; without them all sun is used, buying and selling alike.
    temperature_usd
        Above 0. [USD per slot]
    """

    where: Bools
    before: Floats | None
    temperature_usd: float

    def start(self, shape: tuple[int, int, int, int], plans: int = PLANS) -> Floats:
        """Shares (c, h, z, j, plan) around which the logit is; none is 0, so that no plan is ruled out."""
        if self.before is not None and self.before.shape == (*shape, plans):
            return np.maximum(self.before, UNUSUAL)
        shares = np.full((*shape, plans), UNUSUAL)
        shares[..., :ALL_SUN] = 0.5
        return shares


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Which plans households of one type follow at each move, as ``meanwatt.agents.household.plans`` numbers them.

    Attributes
    ----------
    share, use_kw, net_load_kw, curtailed_kw : (c, h, z, j, plan)
        Share of the households, their use, net load and curtailed sun. Shares sum to one. [kW]
    lead_usd : (c, h, z, j)
        What a choice is valued at above its mean reward, while shares are not yet known; 0 once they answer themselves.
    temperature_usd
        That of the logit by which shares answer the rates. [USD per slot]
    """

    share: Floats
    use_kw: Floats
    net_load_kw: Floats
    curtailed_kw: Floats
    lead_usd: Floats
    temperature_usd: float

    @classmethod
    def undivided(cls, use_kw: Floats, net_load_kw: Floats, curtailed_kw: Floats | None) -> "Split":
        """Households who all follow one plan, with its use, net load and curtailed sun. (c, h, z, j) each [kW]"""
        spilt = np.zeros_like(net_load_kw) if curtailed_kw is None else curtailed_kw
        return cls(
            share=np.ones((*net_load_kw.shape, 1)),
            use_kw=use_kw[..., None],
            net_load_kw=net_load_kw[..., None],
            curtailed_kw=spilt[..., None],
            lead_usd=np.zeros_like(net_load_kw),
            temperature_usd=0.0,
        )

    def mean(self, of_plan: Floats) -> Floats:
        """Mean over the plans (…, plan)."""
        return np.asarray((self.share * of_plan).sum(axis=-1))

    @property
    def parts(self) -> Bools:
        """Where households part: plans in use differ in their net load. (c, h, z, j)"""
        used = self.share > 0
        high = np.where(used, self.net_load_kw, -np.inf).max(axis=-1)
        return np.asarray(high > np.where(used, self.net_load_kw, np.inf).min(axis=-1))


class SlotInputs(NamedTuple):
    """What decides a household type's best use in every slot, as compiled code takes it.

    Attributes
    ----------
    reference_kw, pv_kw : (c, h)
        Reference demand, and what the sun gives. [kW]
    shock_levels : (z,)
        Factor on the reference demand.
    battery_kw : (h, j) or (1, j)
        Grid-side power of each move. [kW]
    import_usd_per_kwh, export_usd_per_kwh : (c, h)
        Rates. [USD/kWh]
    demand
        Elasticity, flexibility and reference price.
    slot_hours
        Length of a slot. [h]
    curtailable
        Whether sun may be curtailed.
    """

    reference_kw: Floats
    pv_kw: Floats
    shock_levels: Floats
    battery_kw: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    demand: tuple[float, float, float]
    slot_hours: float
    curtailable: bool


def split_by(slots: SlotInputs, ties: Ties, limits_kw: Floats = UNLIMITED) -> Split:
    """How households part at given rates, within limits (2, c, h) on import and export if there are any."""
    shape = (*slots.reference_kw.shape, slots.shock_levels.size, slots.battery_kw.shape[1])
    plans = LIMITED_PLANS if limits_kw.size else PLANS
    share, use, net = np.empty((3, *shape, plans))
    lead = np.empty(shape)
    before, temperature = ties.start(shape, plans), float(ties.temperature_usd)
    fill_shares(*slots, limits_kw, ties.where, before, temperature, share, use, net, lead)
    return Split(
        share=share,
        use_kw=use,
        net_load_kw=net,
        curtailed_kw=curtailed_kw(slots.pv_kw, slots.battery_kw[:, None, :, None], use, net),
        lead_usd=lead,
        temperature_usd=ties.temperature_usd,
    )


def curtailed_kw(pv_kw: Floats, battery_kw: Floats, use_kw: Floats, net_load_kw: Floats) -> Floats:
    """Sun not used, pv − (q + b − n); rounding counts as none. [kW]

    Parameters
    ----------
    pv_kw : (c, h)
        What the sun gives. [kW]
    battery_kw : (h, 1, j) or (h, 1, j, 1)
        Grid-side power of each move, with as many axes as follow c in the last two. [kW]
    use_kw, net_load_kw : (c, h, z, j) or (c, h, z, j, plan)
    """
    sun_kw = pv_kw.reshape(*pv_kw.shape, *(1,) * (use_kw.ndim - 2))
    spilt = sun_kw - (use_kw + battery_kw - net_load_kw)
    return np.where(spilt > ROUNDING_KW, spilt, 0.0)
