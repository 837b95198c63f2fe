"""Softmax choice over the last axis, with a bound on its distance to the exact choice."""

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats


def softmax(values: npt.ArrayLike, temperature: float) -> Floats:
    """Probability of each action, exp(value/temperature) normalised.

    Parameters
    ----------
    values : (..., action)
        What each action is worth; −inf marks one that is not available.
    temperature
        In the unit of ``values``; 0 gives the exact choice, uniform over the best actions.

    Returns
    -------
    (..., action) float
        Rows sum to one.

    Raises
    ------
    ValueError
        If a row has no finite value, a value is nan or +inf, or the temperature is negative or not finite.
    """
    shortfall = _shortfall(values, temperature)
    if temperature == 0.0:
        weight = np.where(shortfall == 0.0, 1.0, 0.0)
    else:
        with np.errstate(over="ignore"):  # a shortfall over a tiny temperature is as good as infinite
            weight = np.exp(-(shortfall / temperature))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def softmax_distance_bound(values: npt.ArrayLike, temperature: float) -> Floats:
    """Bound 2·((n − n*)/n*)·exp(−gap/temperature) on ‖softmax − uniform over the best actions‖₁.

    With n actions available of which n* are best, the gap being what the best is worth more than the next. The n − n*
    others hold Σ exp(−shortfall/η)/Z ≤ (n − n*)·exp(−gap/η)/n* of the probability, and the best lack as much. The
    distance is never above 2 either; the bound may be, at high temperature.

    Parameters
    ----------
    values, temperature
        As in ``softmax``.

    Returns
    -------
    (...) float
        One bound per row; 0 where all actions are best, and at temperature 0.
    """
    shortfall = _shortfall(values, temperature)
    best = shortfall == 0.0
    others = np.isfinite(shortfall) & ~best
    gap = np.min(np.where(others, shortfall, np.inf), axis=-1)
    if temperature == 0.0:
        return np.zeros(gap.shape)
    with np.errstate(over="ignore"):
        tail = np.exp(-(gap / temperature))
    return np.asarray(2.0 * others.sum(axis=-1) / best.sum(axis=-1) * tail)


def _shortfall(values: npt.ArrayLike, temperature: float) -> Floats:
    """Return by how much each action falls short of the best of its row, ≥ 0; check the arguments."""
    worth = np.asarray(values, dtype=np.float64)
    if not 0.0 <= temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; give a finite number >= 0, in the unit of the values")
    if worth.ndim == 0 or worth.shape[-1] == 0:
        raise ValueError(f"values has shape {worth.shape}; give (..., action) with at least one action")
    if not (worth < np.inf).all():  # nor is nan
        place = tuple(int(i) for i in np.argwhere(~(worth < np.inf))[0])
        raise ValueError(f"values is {worth[place]} at index {list(place)}; give finite numbers, or -inf to forbid")
    best = worth.max(axis=-1, keepdims=True)
    if (best == -np.inf).any():
        place = tuple(int(i) for i in np.argwhere(best == -np.inf)[0][:-1])
        raise ValueError(f"values is -inf for every action at index {list(place)}; leave at least one action available")
    return np.asarray(best - worth)
