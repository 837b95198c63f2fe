"""The array types everybody shares."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def read_only(values: npt.ArrayLike) -> Floats:
    """Copy numbers into a C-ordered float64 array that refuses to be written to."""
    array = np.array(values, dtype=np.float64, order="C")
    array.setflags(write=False)
    return array


def require_finite(name: str, array: npt.NDArray[Any]) -> None:
    """Raise ``ValueError`` naming the first entry that is not a finite number."""
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        place = tuple(int(i) for i in bad[0])
        raise ValueError(f"{name} is {array[place]} at index {list(place)}; give finite numbers")


def require_shape(name: str, array: npt.NDArray[Any], shape: Sequence[int], axes: str) -> None:
    """Raise ``ValueError`` unless ``array`` has ``shape``; ``axes`` names the axes for the reader."""
    if array.shape != tuple(shape):
        raise ValueError(f"{name} has shape {array.shape}; give {tuple(shape)}, axes {axes}")
