"""Exponential and logarithm as plain arithmetic, so that a compiled loop over an array runs several lanes at once.

A call of the C library stops vectorisation. Here the argument is split as usual, 2^k times a factor near one, the
factor goes through a polynomial, and k enters or leaves through the bits of the float. Good to 2 units in the last
place; no special values, no errors: arguments must lie in the stated ranges.
"""

import numpy as np

from meanwatt.agents.numerics.compiled import compiled

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
"""ln 2 with zeros in its last bits, so that a small integer times it is exact,"""
LN2_LOW = 1.90821492927058770002e-10
"""and the rest of it."""
ROUNDER = 6755399441055744.0
"""1.5·2^52: adding it leaves the nearest integer in the lowest bits."""
LOWEST = -708.0
"""Below this the exponential would not be a normal number."""
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@compiled(error_model="numpy")
def quick_exp(x: float) -> float:
    """e^x for −1e305 ≤ x ≤ 700; exactly 0 below ``LOWEST``."""
    kept = max(x, LOWEST)
    turned = kept * LOG2_E + ROUNDER
    whole = turned - ROUNDER
    r = (kept - whole * LN2_HIGH) - whole * LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    bits = np.float64(p).view(np.int64) + (np.float64(turned).view(np.int64) << np.int64(52))
    scaled: float = np.int64(bits).view(np.float64)
    return scaled if x >= LOWEST else 0.0


@compiled(error_model="numpy")
def quick_log(x: float) -> float:
    """Natural logarithm of a positive normal number."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(SQRT_HALF_BITS)) >> np.int64(52)
    m = np.int64(bits - (exponent << np.int64(52))).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    s = f * f
    p = 1.0 / 21.0
    p = p * s + 1.0 / 19.0
    p = p * s + 1.0 / 17.0
    p = p * s + 1.0 / 15.0
    p = p * s + 1.0 / 13.0
    p = p * s + 1.0 / 11.0
    p = p * s + 1.0 / 9.0
    p = p * s + 1.0 / 7.0
    p = p * s + 1.0 / 5.0
    p = p * s + 1.0 / 3.0
    whole = np.float64(exponent)
    return whole * LN2_HIGH + (2.0 * f + (2.0 * f * s * p + whole * LN2_LOW))
