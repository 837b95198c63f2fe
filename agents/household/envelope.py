"""Operating envelopes: what a household may draw from the grid and feed into it, slot by slot.

A limit is a constraint on the household's own net load, −X ≤ n ≤ M. With a move of the battery given (grid-side power
b), sun p ≤ pv and use q are chosen within it, m = q + b being what use and battery take:

    m below pv − X      the rest of the sun is curtailed, one more kWh of use is free
    m from pv − X to pv      it forgoes r⁻
    m from pv to pv + M      it costs r⁺
    m above pv + M           is not allowed

so the marginal price of use is a staircase 0 ≤ r⁻ ≤ r⁺ ≤ ∞ and best use meets it once (``limited_use``). Where rates
have other signs or another order, the plans of ``meanwatt.agents.household.plans`` and the two at a limit are compared.

Load is never cut below its fixed part (1 − f) q0. A move by which no use and no sun keeps the limits is barred: it
costs ``BARRED_USD`` and ``BARRED_USD_PER_KWH`` of what is beyond the limit, in the household's eyes alone, so that none
is made, nor planned, where another plan avoids it; where none does the limit is missed by as little as can be.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.demand import best_use, utility_of_use, wanted_use
from meanwatt.agents.household.plans import ALL_SUN, LIMITED_PLANS, limited_plan_of, nearest_use, reach_of_use
from meanwatt.agents.numerics.arrays import Floats, read_only, require_shape
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import slot_payment

TOLERANCE_KW = 1e-9
"""Less than this beyond a limit is rounding. [kW]"""
BARRED_USD, BARRED_USD_PER_KWH = 1e3, 1e3
"""What a slot beyond a limit counts, and what each kWh there: more than anything else is worth. [USD], [USD/kWh]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Envelope:
    """Limits on a household's net load.

    Parameters
    ----------
    name
        Of the group of households that it holds for.
    import_limit_kw, export_limit_kw : (c, h)
        Most that is drawn from the grid, and fed into it, ≥ 0; infinite where there is no limit. [kW]
    """

    __repr__ = short_repr

    name: str
    import_limit_kw: Floats
    export_limit_kw: Floats

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for key in ("import_limit_kw", "export_limit_kw"):
            limit = read_only(getattr(self, key))
            require_shape(f"envelope {self.name}: {key}", limit, np.shape(self.import_limit_kw), "(common state, slot)")
            if not (limit >= 0).all():
                raise ValueError(f"envelope {self.name}: {key} is below 0; give 0 or more")
            object.__setattr__(self, key, limit)

    @property
    def limits_kw(self) -> Floats:
        """Import and export limit, as compiled code takes them. (2, c, h) [kW]"""
        return np.stack([self.import_limit_kw, self.export_limit_kw])

    def beyond_kw(self, net_load_kw: Floats) -> Floats:
        """How far a net load (c, h, z, j) is beyond a limit; rounding counts as none. [kW]"""
        imports, exports = (limit[:, :, None, None] for limit in (self.import_limit_kw, self.export_limit_kw))
        beyond = np.maximum(net_load_kw - imports, -exports - net_load_kw)
        return np.where(beyond > TOLERANCE_KW, beyond, 0.0)


@compiled
def limited_use(  # noqa: PLR0913
    sunny: float,
    dark: float,
    buying: float,
    selling: float,
    free: float,
    least: float,
    most: float,
    imports: float,
    exports: float,
) -> tuple[float, float]:
    """Use and net load [kW] within limits at rates 0 ≤ r⁻ ≤ r⁺; net load is beyond a limit only where it must be.

    ``sunny`` and ``dark`` is what the household has beside the grid, pv − b and −b; ``buying``, ``selling`` and
    ``free`` the use wanted at r⁺, at r⁻ and at no cost, all between ``least`` and ``most``.
    """
    top = sunny - exports
    if free <= top:  # sun is left over
        bottom = dark - exports
        if bottom > most:
            return most, most - dark
        return max(free, bottom), -exports
    if selling <= top:
        return top, -exports
    use = best_use(sunny, buying, selling)
    net = use - sunny
    if net > imports:
        use, net = sunny + imports, imports
        if use < least:
            return least, least - sunny
    return use, net


@compiled
def beyond_usd(net: float, imports: float, exports: float, slot_hours: float) -> float:
    """What a net load beyond a limit counts; 0 within. [USD]"""
    beyond = max(net - imports, -exports - net)
    return BARRED_USD + BARRED_USD_PER_KWH * beyond * slot_hours if beyond > TOLERANCE_KW else 0.0


@compiled
def best_limited_plan(  # noqa: PLR0913
    reference: float,
    pv: float,
    battery: float,
    bought: float,
    sold: float,
    elasticity: float,
    flexibility: float,
    reference_price: float,
    curtailable: bool,
    imports: float,
    exports: float,
) -> tuple[float, float]:
    """Use and net load of the best plan within limits [kW], whatever the signs and order of the rates."""
    buying = wanted_use(reference, bought, elasticity, flexibility, reference_price)
    selling = wanted_use(reference, sold, elasticity, flexibility, reference_price)
    free = wanted_use(reference, 0.0, elasticity, flexibility, reference_price)
    least, most = reach_of_use(reference, elasticity, flexibility)
    curtails = curtailable and pv > 0.0
    sunny, dark = pv - battery, -battery if curtails else pv - battery
    if 0.0 <= sold <= bought and (curtails or pv <= 0.0):
        return limited_use(sunny, dark, buying, selling, free, least, most, imports, exports)
    best, best_use_kw, best_net_kw = -np.inf, 0.0, 0.0
    for plan in range(LIMITED_PLANS if curtails else ALL_SUN):
        use, net, possible = limited_plan_of(plan, pv, battery, buying, selling, free, least, most, imports, exports)
        if possible:
            worth = utility_of_use(use, reference, elasticity, reference_price) - slot_payment(net, bought, sold, 1.0)
            if worth > best:
                best, best_use_kw, best_net_kw = worth, use, net
    if best == -np.inf:
        return nearest_use(sunny, dark, least, most, imports, exports)
    return best_use_kw, best_net_kw


@compiled
def fill_limited_outcome(  # noqa: PLR0913
    reference_kw: Floats,
    pv_kw: Floats,
    shock_levels: Floats,
    battery_kw: Floats,
    bought: Floats,
    sold: Floats,
    demand: tuple[float, float, float],
    slot_hours: float,
    curtailable: bool,
    limits: Floats,
    use_kw: Floats,
    net_load_kw: Floats,
    utility: Floats,
    payment: Floats,
    barred: Floats,
) -> None:
    """`fill_outcome` of ``meanwatt.agents.household.slot_outcome`` within limits (2, c, h); ``barred`` in USD."""
    elasticity, flexibility, reference_price = demand
    states, slots, shocks, count = use_kw.shape
    for c in range(states):
        for h in range(slots):
            imports, exports = limits[0, c, h], limits[1, c, h]
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                for j in range(count):
                    use, net = best_limited_plan(
                        reference,
                        pv_kw[c, h],
                        battery_kw[h, j],
                        bought[c, h],
                        sold[c, h],
                        elasticity,
                        flexibility,
                        reference_price,
                        curtailable,
                        imports,
                        exports,
                    )
                    use_kw[c, h, z, j], net_load_kw[c, h, z, j] = use, net
                    utility[c, h, z, j] = slot_hours * utility_of_use(use, reference, elasticity, reference_price)
                    payment[c, h, z, j] = slot_payment(net, bought[c, h], sold[c, h], slot_hours)
                    barred[c, h, z, j] = beyond_usd(net, imports, exports, slot_hours)
