"""What a household can do with its sun and its load at a given move of its battery: at most five plans.

With battery power b, solar output pv and use q, the net load is n = q + b − p, where p ≤ pv is the sun that is used;
the rest is curtailed. A payment r⁺ n⁺ − r⁻ n⁻ is linear on either side of n = 0, so the best answer to any pair of
rates, whatever their signs and order, is one of

    BUY          p = pv, n ≥ 0:   q = max(q⁺, pv − b)
    SELL         p = pv, n ≤ 0:   q = min(q⁻, pv − b)
    BALANCE      0 ≤ p ≤ pv, n = 0:   q = clip(q⁰, −b, pv − b)
    BUY_DARK     p = 0, n ≥ 0:    q = max(q⁺, −b)
    SELL_DARK    p = 0, n ≤ 0:    q = min(q⁻, −b)

with q⁺, q⁻, q⁰ the use wanted at r⁺, r⁻ and 0 (``docs/reference/theory.md``, households). Where r⁻ ≤ r⁺ and nothing is
gained by curtailment, `best_use` of ``meanwatt.agents.household.demand`` says the same in one line.
"""

import numpy as np

from meanwatt.agents.household.demand import best_use, utility_of_use, wanted_use
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.tariff.rates import slot_payment

BUY, SELL, BALANCE, BUY_DARK, SELL_DARK = range(5)
PLANS = 5
AT_EXPORT_LIMIT, AT_IMPORT_LIMIT = PLANS, PLANS + 1
LIMITED_PLANS = PLANS + 2
"""Within limits on the net load those at a limit, part of the sun used, come after the others."""
ALL_SUN = 2
"""Plans before this one use all sun; without curtailment there are no others."""
NEGLIGIBLE = 1e-13
"""A share of households below this counts as nobody."""


@compiled
def reach_of_use(reference: float, elasticity: float, flexibility: float) -> tuple[float, float]:
    """Least and largest use. [kW]"""
    width = flexibility if elasticity > 0.0 else 0.0
    return reference * (1.0 - width), reference * (1.0 + width)


@compiled
def plan_of(
    plan: int, pv: float, battery: float, buying: float, selling: float, free: float, least: float, most: float
) -> tuple[float, float, bool]:
    """Use and net load of a plan [kW], and whether it is possible at all.

    ``buying``, ``selling`` and ``free`` is the use wanted at r⁺, at r⁻ and at no cost, all between ``least`` and
    ``most``.
    """
    sunny = pv - battery
    if plan == BALANCE:
        low, high = max(least, -battery), min(most, sunny)
        return min(max(free, low), high), 0.0, low <= high
    edge = sunny if plan < ALL_SUN else -battery
    if plan in (BUY, BUY_DARK):
        use = max(buying, edge)
        return use, use - edge, edge <= most
    use = min(selling, edge)
    return use, use - edge, edge >= least


@compiled
def limited_plan_of(  # noqa: PLR0913
    plan: int,
    pv: float,
    battery: float,
    buying: float,
    selling: float,
    free: float,
    least: float,
    most: float,
    imports: float,
    exports: float,
) -> tuple[float, float, bool]:
    """Use and net load of a plan within limits [kW], and whether it is possible at all; arguments as above."""
    sunny, dark = pv - battery, -battery
    edge = sunny if plan < ALL_SUN else dark
    if plan in (BUY, BUY_DARK):
        wanted, low, high = buying, edge, edge + imports
    elif plan in (SELL, SELL_DARK):
        wanted, low, high = selling, edge - exports, edge
    elif plan == BALANCE:
        wanted, low, high = free, dark, sunny
    elif plan == AT_EXPORT_LIMIT:
        wanted, low, high = free, dark - exports, sunny - exports
    else:
        wanted, low, high = free, dark + imports, sunny + imports
    use = min(max(wanted, low, least), high, most)
    possible = max(low, least) <= min(high, most)
    if plan == BALANCE:
        return use, 0.0, possible
    if plan == AT_EXPORT_LIMIT:
        return use, -exports, possible and exports < np.inf
    if plan == AT_IMPORT_LIMIT:
        return use, imports, possible and imports < np.inf
    net = use - edge
    if plan in (BUY, BUY_DARK) and use == high:
        net = imports
    elif plan in (SELL, SELL_DARK) and use == low:
        net = -exports
    return use, net, possible


@compiled
def nearest_use(
    sunny: float, dark: float, least: float, most: float, imports: float, exports: float
) -> tuple[float, float]:
    """Use and net load [kW] as near to the limits as can be, where no plan keeps them; ``dark`` = ``sunny`` bars."""
    if least - sunny > imports:
        return least, least - sunny
    if most - dark < -exports:
        return most, most - dark
    use = min(max(sunny, least), most)  # between two plans, by rounding
    return use, min(max(use - sunny, -exports), imports)


@compiled
def is_simple(pv: float, bought: float, sold: float, curtailable: bool) -> bool:
    """Whether all sun is used and one line says the best use: buying costs no less than selling earns."""
    return sold <= bought and (sold >= 0.0 or pv <= 0.0 or not curtailable)


@compiled
def best_plan(  # noqa: PLR0913
    reference: float,
    pv: float,
    battery: float,
    bought: float,
    sold: float,
    elasticity: float,
    flexibility: float,
    reference_price: float,
    curtailable: bool,
) -> tuple[float, float]:
    """Use and net load of the best plan [kW]; on a tie the first: all sun used before some curtailed, buying first."""
    buying = wanted_use(reference, bought, elasticity, flexibility, reference_price)
    selling = wanted_use(reference, sold, elasticity, flexibility, reference_price)
    if is_simple(pv, bought, sold, curtailable):
        use = best_use(pv - battery, buying, selling)
        return use, use - (pv - battery)
    free = wanted_use(reference, 0.0, elasticity, flexibility, reference_price)
    least, most = reach_of_use(reference, elasticity, flexibility)
    best, best_use_kw, best_net_kw = -np.inf, 0.0, 0.0
    for plan in range(PLANS if curtailable and pv > 0.0 else ALL_SUN):
        use, net, possible = plan_of(plan, pv, battery, buying, selling, free, least, most)
        if possible:
            worth = utility_of_use(use, reference, elasticity, reference_price) - slot_payment(net, bought, sold, 1.0)
            if worth > best:
                best, best_use_kw, best_net_kw = worth, use, net
    return best_use_kw, best_net_kw


@compiled
def fill_shares(  # noqa: C901, PLR0913  # complexipy: ignore
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
    where: Bools,
    before: Floats,
    temperature: float,
    share: Floats,
    use_kw: Floats,
    net_load_kw: Floats,
    lead: Floats,
) -> None:
    """Share, use and net load (c, h, z, j, plan) of every plan, and ``lead`` (c, h, z, j).

    In the slots (c, h) of ``where`` a plan's share is that of a logit around the shares ``before`` (c, h, z, j, plan),
    proportional to before · exp(worth / temperature); elsewhere the best plan has all. ``lead`` is the temperature
    times the logarithm of the mean of exp(worth / temperature), less the mean worth. [USD]

    ``limits`` (2, c, h) on import and export hold where it is not empty, and there are plans at a limit. [kW]
    """
    elasticity, flexibility, reference_price = demand
    states, slots, shocks, count = lead.shape
    width = share.shape[4]
    worth, weight = np.empty(width), np.empty(width)
    possible = np.empty(width, dtype=np.bool_)
    for c in range(states):
        for h in range(slots):
            pv = pv_kw[c, h]
            plans = width if curtailable and pv > 0.0 else ALL_SUN
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                buying = wanted_use(reference, bought[c, h], elasticity, flexibility, reference_price)
                selling = wanted_use(reference, sold[c, h], elasticity, flexibility, reference_price)
                free = wanted_use(reference, 0.0, elasticity, flexibility, reference_price)
                least, most = reach_of_use(reference, elasticity, flexibility)
                for j in range(count):
                    best, first = -np.inf, 0
                    for k in range(plans):
                        if limits.size:
                            use, net, possible[k] = limited_plan_of(
                                k,
                                pv,
                                battery_kw[h, j],
                                buying,
                                selling,
                                free,
                                least,
                                most,
                                limits[0, c, h],
                                limits[1, c, h],
                            )
                        else:
                            use, net, possible[k] = plan_of(k, pv, battery_kw[h, j], buying, selling, free, least, most)
                        use_kw[c, h, z, j, k], net_load_kw[c, h, z, j, k] = use, net
                        worth[k] = -np.inf
                        if possible[k]:
                            worth[k] = slot_hours * (
                                utility_of_use(use, reference, elasticity, reference_price)
                                - slot_payment(net, bought[c, h], sold[c, h], 1.0)
                            )
                            if worth[k] > best:
                                best, first = worth[k], k
                    if best == -np.inf:  # no plan keeps the limits: the nearest one, for all
                        sunny = pv - battery_kw[h, j]
                        dark = -battery_kw[h, j] if plans > ALL_SUN else sunny
                        use_kw[c, h, z, j, 0], net_load_kw[c, h, z, j, 0] = nearest_use(
                            sunny, dark, least, most, limits[0, c, h], limits[1, c, h]
                        )
                        possible[0], worth[0], best = True, 0.0, 0.0
                    for k in range(width):
                        share[c, h, z, j, k] = 0.0
                        if k >= plans or not possible[k]:  # so that no mean ever meets what cannot be
                            use_kw[c, h, z, j, k] = use_kw[c, h, z, j, first]
                            net_load_kw[c, h, z, j, k] = net_load_kw[c, h, z, j, first]
                    lead[c, h, z, j] = 0.0
                    if not where[c, h]:
                        share[c, h, z, j, first] = 1.0
                        continue
                    known, total = 0.0, 0.0
                    for k in range(plans):
                        weight[k] = 0.0
                        if possible[k]:
                            known += before[c, h, z, j, k]
                            weight[k] = before[c, h, z, j, k] * np.exp((worth[k] - best) / temperature)
                            total += weight[k]
                    if total <= 0.0:  # nobody did before what is best by far now
                        share[c, h, z, j, first] = 1.0
                        continue
                    kept = 0.0
                    for k in range(plans):
                        if weight[k] > NEGLIGIBLE * total:
                            kept += weight[k]
                    mean = 0.0
                    for k in range(plans):
                        if weight[k] > NEGLIGIBLE * total:
                            share[c, h, z, j, k] = weight[k] / kept
                            mean += share[c, h, z, j, k] * (worth[k] - best)
                    lead[c, h, z, j] = temperature * np.log(total / known) - mean
