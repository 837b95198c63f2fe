"""Flexible demand with quadratic utility, answered in closed form.

Around a reference demand q0 at reference price p0, with own-price elasticity ε > 0,

    U(q) = p0 [(q − q0) − (q − q0)² / (2 ε q0)],   U(q0) = 0,   U'(q) = p0 (1 + (1 − q/q0)/ε).

Each formula stands once, as a compiled function of numbers for the kernels, and as a function of arrays around it.
"""

from meanwatt.agents.numerics.arrays import Floats, at_each
from meanwatt.agents.numerics.compiled import compiled


@compiled
def wanted_use(reference: float, rate: float, elasticity: float, flexibility: float, reference_price: float) -> float:
    """`wanted_use_kw` of numbers."""
    factor = 1.0 + elasticity * (1.0 - rate / reference_price)
    return reference * min(max(factor, 1.0 - flexibility), 1.0 + flexibility)


@compiled
def wanted_slope(reference: float, rate: float, elasticity: float, flexibility: float, reference_price: float) -> float:
    """`wanted_slope_kw` of numbers."""
    relative = elasticity / reference_price
    return -relative * reference if abs(elasticity - relative * rate) < flexibility else 0.0


@compiled
def best_use(free: float, if_buying: float, if_selling: float) -> float:
    """`best_use_kw` of numbers."""
    return min(max(free, if_buying), if_selling)


@compiled
def utility_of_use(use: float, reference: float, elasticity: float, reference_price: float) -> float:
    """`utility_usd_per_hour` of numbers."""
    if elasticity == 0.0:
        return 0.0
    deviation = use - reference
    curvature = deviation * deviation / (2.0 * elasticity * reference) if reference > 0.0 else 0.0
    return reference_price * (deviation - curvature)


@compiled
def _wanted(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = wanted_use(given[0, k], given[1, k], given[2, k], given[3, k], given[4, k])


@compiled
def _slope(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = wanted_slope(given[0, k], given[1, k], given[2, k], given[3, k], given[4, k])


@compiled
def _best(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = best_use(given[0, k], given[1, k], given[2, k])


@compiled
def _utility(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = utility_of_use(given[0, k], given[1, k], given[2, k], given[3, k])


def wanted_use_kw(
    reference_kw: Floats, usd_per_kwh: Floats, *, elasticity: float, flexibility: float, reference_price: float
) -> Floats:
    """Use at which marginal utility equals the price, within ± ``flexibility`` of the reference.

    Parameters
    ----------
    reference_kw
        Reference demand q0 ≥ 0; broadcasts with ``usd_per_kwh``. [kW]
    usd_per_kwh
        What one more kWh costs (import) or forgoes (export). [USD/kWh]
    elasticity
        Own-price elasticity as a positive number; 0 means inelastic.
    flexibility
        Largest relative deviation from the reference, in [0, 1].
    reference_price
        Price p0 > 0 at which the reference is wanted. [USD/kWh]

    Returns
    -------
    array
        q0 · clip(1 + ε(1 − r/p0), 1 − f, 1 + f). [kW]
    """
    return at_each(_wanted, reference_kw, usd_per_kwh, elasticity, flexibility, reference_price)


def wanted_slope_kw(
    reference_kw: Floats, usd_per_kwh: Floats, *, elasticity: float, flexibility: float, reference_price: float
) -> Floats:
    """Derivative of `wanted_use_kw` in the price, ≤ 0; 0 beyond the flexibility. [kW per USD/kWh]"""
    return at_each(_slope, reference_kw, usd_per_kwh, elasticity, flexibility, reference_price)


def best_use_kw(free_kw: Floats, use_if_buying_kw: Floats, use_if_selling_kw: Floats) -> Floats:
    """Best use next to ``free_kw`` = PV − battery charging, when buying costs more than selling earns.

    Three cases in one clip: buy (use above ``free_kw``), sell (below it), or exactly zero net load.
    Valid because the export rate never exceeds the import rate, hence ``use_if_buying_kw <= use_if_selling_kw``.
    """
    return at_each(_best, free_kw, use_if_buying_kw, use_if_selling_kw)


def utility_usd_per_hour(use_kw: Floats, reference_kw: Floats, *, elasticity: float, reference_price: float) -> Floats:
    """Utility of use relative to the reference, U(q). [USD/h]

    0 everywhere when demand is inelastic or the reference is zero.
    """
    return at_each(_utility, use_kw, reference_kw, elasticity, reference_price)
