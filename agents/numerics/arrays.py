"""The array types everybody shares."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)


def read_only(values: npt.ArrayLike) -> Floats:
    """Copy numbers into a C-ordered float64 array that refuses to be written to."""
    array = np.array(values, dtype=np.float64, order="C")
    array.setflags(write=False)
    return array


def as_input(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The same numbers as a kernel reads them: C-ordered and unwritable, copied only where they lie otherwise.

    A kernel is compiled anew for every order and writability of its arguments: one kind of array is one compilation.
    What is so already is returned as it is.
    """
    if array.ndim and array.flags.c_contiguous and not array.flags.writeable:
        return array
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


def spread(numbers: npt.NDArray[Number], shape: tuple[int, ...]) -> npt.NDArray[Number]:
    """`np.broadcast_to`, at no cost where numbers have the shape."""
    return numbers if np.shape(numbers) == shape else np.broadcast_to(numbers, shape)


def at_each(loop: Callable[[Floats, Floats], None], *numbers: npt.ArrayLike) -> Floats:
    """A formula of numbers at every place of arrays that broadcast.

    ``loop`` (given, out) is compiled: it fills out (place,) with the formula of every column of given (number, place).
    """
    shape = np.broadcast(*numbers).shape
    given, out = np.empty((len(numbers), *shape)), np.empty(shape)
    for row, number in enumerate(numbers):
        given[row] = number
    loop(given.reshape(len(numbers), -1), out.reshape(-1))
    return out


def require_finite(name: str, array: npt.NDArray[Any]) -> None:
    """Raise ``ValueError`` naming the first entry that is not a finite number."""
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(int(i) for i in np.argwhere(~finite)[0])
        where = f" at index {list(place)}; give finite numbers" if place else "; give a finite number"
        raise ValueError(f"{name} is {array[place]}{where}")


def require_shape(name: str, array: npt.NDArray[Any], shape: Sequence[int], axes: str) -> None:
    """Raise ``ValueError`` unless ``array`` has ``shape``; ``axes`` names the axes for the reader."""
    if array.shape != tuple(shape):
        raise ValueError(f"{name} has shape {array.shape}; give {tuple(shape)}, axes {axes}")
