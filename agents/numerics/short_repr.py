"""One line that shows a record without its arrays: for the prompt, a notebook, a log."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

import numpy as np

LONGEST_TEXT = 120
"""Characters of a text that are shown."""
FEW = 4
"""Entries up to which a row is shown whole."""


def short_repr(record: Any) -> str:
    """Name and fields of a dataclass: numbers and names as they are, arrays by shape and range, the rest by type.

    Meant as the ``__repr__`` of records that hold arrays, whose own would be pages long.
    """
    shown = ", ".join(f"{field.name}={_brief(getattr(record, field.name))}" for field in fields(record))
    return f"{type(record).__name__}({shown})"


def _brief(value: object) -> str:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 1]}…")
    if isinstance(value, bool | int | None):
        return repr(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return f"<{len(value)} entries>"
    if isinstance(value, Sequence):
        if len(value) <= FEW and all(isinstance(entry, str | float | int) for entry in value):
            return f"({', '.join(map(_brief, value))})"
        return f"<{len(value)} × {type(value[0]).__name__}>" if value else "()"
    name = getattr(value, "name", None)
    return f"{type(value).__name__}({repr(name) if isinstance(name, str) else '…'})"


def _array(array: np.ndarray[Any, Any]) -> str:
    """Few entries whole, else the shape, and least and greatest entry where entries are numbers."""
    if array.ndim <= 1 and array.size <= FEW:
        return f"[{', '.join(_brief(entry) for entry in np.atleast_1d(array).tolist())}]"
    shape = "×".join(map(str, array.shape))
    if array.size == 0 or array.dtype.kind not in "fiu":
        return f"<{shape} {array.dtype.name}>"
    known = array[np.isfinite(array)]
    return f"<{shape}, {known.min():.4g} … {known.max():.4g}>" if known.size else f"<{shape}, none finite>"
