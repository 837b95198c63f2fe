"""Equations with the derivative of the net load in the prices, solved by products from a derivative nearby.

Along a search over tariffs ∂L/∂λ changes little from one tariff to the next, and a leader's parameters are few. So

    (I − B diag(s')) x = g,      B = ∂L/∂λ,

is solved for all its right sides g at once by minimal residuals over what products with B have shown (Saad, *Iterative
Methods for Sparse Linear Systems*, 2003, section 6.12), each round preconditioned with the inverse that the derivative
nearby gives. Every product also corrects that derivative where it was looked at: Broyden's rule for many directions
(Schnabel, 1983), so that it follows the search.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.linear_systems import inverse

ACCURACY = 1e-8
"""Residual of each right side as a share of the largest of its entries, unless told."""
ROUNDS = 10
"""Rounds of products before the whole derivative is better formed."""
NOTHING = 1e-9
"""A right side smaller than this share of the largest is measured by that."""
SAME = 1e-6
"""Directions that differ by less than this share are one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearbySolution:
    """The solutions x (n, k) [kW], and the derivative nearby (n, n), corrected where products have shown it."""

    load_kw: Floats
    slope: Floats


def solve_load_nearby(
    product: Callable[[Floats], Floats],
    steepness: Floats,
    right_kw: Floats,
    slope: Floats,
    *,
    accuracy: float = ACCURACY,
) -> NearbySolution | None:
    """Solve (I − B diag(s')) x = g; None where it does not settle in a few rounds.

    Parameters
    ----------
    product
        B times prices (n, k). [kW]
    steepness : (n, 1)
        Slope s' of the supply curve. [USD/kWh per kW]
    right_kw : (n, k)
        Right sides g. [kW]
    slope : (n, n)
        About B.
    accuracy
        Residual of each right side that is small enough, as a share of the largest of its entries.
    """
    near = inverse(np.eye(len(slope)) - slope * steepness.T)
    allowed = accuracy * np.maximum(np.abs(right_kw).max(axis=0), NOTHING * np.abs(right_kw).max())
    load_kw, left = np.zeros_like(right_kw), right_kw
    tried, shown = np.empty((2, len(right_kw), 0))
    for _ in range(ROUNDS):
        large = np.abs(left).max(axis=0)
        open_sides = large > allowed
        if not open_sides.any():
            return NearbySolution(load_kw=load_kw, slope=corrected(slope, steepness * tried, tried - shown))
        step = near @ (left[:, open_sides] / large[open_sides])  # small residuals count as much as large ones
        step, seen = _independent(step, step - product(steepness * step), tried, shown)
        weights = seen.T @ left
        load_kw, left = load_kw + step @ weights, left - seen @ weights
        tried, shown = np.hstack([tried, step]), np.hstack([shown, seen])
    return None


def _independent(step: Floats, seen: Floats, tried: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """Steps (n, k) and what they show, turned so that this is orthonormal and so to what was shown before."""
    for _ in range(2):
        known = shown.T @ seen
        step, seen = step - tried @ known, seen - shown @ known
    turned, size, mixed = np.linalg.svd(seen, full_matrices=False)
    kept = size > SAME * size[0]
    return step @ (mixed[kept].T / size[kept]), turned[:, kept]


def corrected(slope: Floats, prices: Floats, loads: Floats) -> Floats:
    """The matrix nearest to ``slope`` (n, n) that takes prices (n, k) to loads (n, k)."""
    size = np.maximum(np.abs(prices).max(axis=0), np.finfo(float).tiny)
    return np.asarray(slope + (loads - slope @ prices) / size @ np.linalg.pinv(prices / size, rcond=SAME))
