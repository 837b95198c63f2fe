"""Weighted averages that refuse bad weights and never divide by nothing."""

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, require_finite, require_shape

ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""A mean below this part of the mean magnitude is rounding noise and counts as zero."""


def numbers(name: str, values: npt.ArrayLike, axes: str) -> Floats:
    """Read a non-empty array of finite numbers with as many axes as ``axes`` names, e.g. ``"(day, slot)"``.

    Raises
    ------
    ValueError
        If the number of axes is another, if the array is empty, or if an entry is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != len([axis for axis in axes.strip("()").split(",") if axis]):
        raise ValueError(f"{name} has shape {array.shape}; give axes {axes}")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape} and holds nothing; give at least one number")
    require_finite(name, array)
    return array


def shares(weights: npt.ArrayLike | None, size: int, *, name: str = "weights") -> Floats:
    """Weights scaled to sum to one.

    Parameters
    ----------
    weights : (entry,) float, optional
        Non-negative, any positive sum: population shares, probabilities or head counts. None weighs all alike.
    size
        Number of entries expected.
    name
        What to call the weights in an error.

    Raises
    ------
    ValueError
        If the length is wrong, a weight is negative or not finite, or all are zero.
    """
    if weights is None:
        return np.full(size, 1.0 / size)
    array = np.asarray(weights, dtype=np.float64)
    require_shape(name, array, (size,), "(entry,)")
    require_finite(name, array)
    if (array < 0).any():
        place = int(np.argmax(array < 0))
        raise ValueError(f"{name} is {array[place]} at index {place}; give weights of 0 or more")
    total = float(array.sum())
    if not total > 0:
        raise ValueError(f"{name} sum to {total:g}; give at least one positive weight")
    return np.asarray(array / total)


def positive_mean(values: Floats, share: Floats) -> float | None:
    """Mean of ``values`` (entry,) under ``share`` (entry,), or None where it is not clearly positive.

    A mean that is zero up to rounding is None too: the ratio over it would be noise.
    """
    mean = float(share @ values)
    return mean if mean > ROUNDING * float(share @ np.abs(values)) else None
