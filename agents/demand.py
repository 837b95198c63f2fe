"""Flexible demand with quadratic utility, answered in closed form.

Around a reference demand q0 at reference price p0, with own-price elasticity ε > 0,

    U(q) = p0 [(q − q0) − (q − q0)² / (2 ε q0)],   U(q0) = 0,   U'(q) = p0 (1 + (1 − q/q0)/ε).
"""

import numpy as np

from agents.arrays import Floats


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
    factor = np.clip(1 + elasticity * (1 - usd_per_kwh / reference_price), 1 - flexibility, 1 + flexibility)
    return np.asarray(reference_kw * factor)


def best_use_kw(free_kw: Floats, use_if_buying_kw: Floats, use_if_selling_kw: Floats) -> Floats:
    """Best use next to ``free_kw`` = PV − battery charging, when buying costs more than selling earns.

    Three cases in one clip: buy (use above ``free_kw``), sell (below it), or exactly zero net load.
    Valid because the export rate never exceeds the import rate, hence ``use_if_buying_kw <= use_if_selling_kw``.
    """
    return np.minimum(np.maximum(free_kw, use_if_buying_kw), use_if_selling_kw)


def utility_usd_per_hour(use_kw: Floats, reference_kw: Floats, *, elasticity: float, reference_price: float) -> Floats:
    """Utility of use relative to the reference, U(q). [USD/h]

    0 everywhere when demand is inelastic or the reference is zero.
    """
    if elasticity == 0:
        return np.zeros(np.broadcast_shapes(np.shape(use_kw), np.shape(reference_kw)))
    deviation_kw = use_kw - reference_kw
    curvature = np.divide(
        deviation_kw**2,
        2 * elasticity * reference_kw,
        out=np.zeros(np.broadcast_shapes(deviation_kw.shape, np.shape(reference_kw))),
        where=np.broadcast_to(reference_kw > 0, deviation_kw.shape),
    )
    return np.asarray(reference_price * (deviation_kw - curvature))
