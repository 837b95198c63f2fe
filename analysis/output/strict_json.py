"""Strict JSON: arrays become lists, and what is undefined (nan, infinity) becomes null."""

import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Turn arrays, numpy scalars, enums, paths and nested containers into what strict JSON can hold.

    Floats that are not finite become None.

    Raises
    ------
    TypeError
        If a value has no counterpart in JSON.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no counterpart in JSON")


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Strict JSON of ``plain(value)``, in ASCII, keys in the order given."""
    return json.dumps(plain(value), allow_nan=False, indent=indent)


def brief(value: Any, limit: int = 60) -> str:
    """JSON of a value for an error message, cut to at most ``limit`` characters."""
    text = dumps(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
