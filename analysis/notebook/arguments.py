"""Arguments of the face, checked: one line says what came and what is allowed."""

import math
import operator
from collections.abc import Collection
from typing import Any

from meanwatt.model.scenario.ranges import Range


def whole(name: str, value: Any, allowed: Range) -> int:
    """A whole number within a range; ``ValueError`` in one line if it is none."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not allowed.holds(number):
        raise ValueError(f"{name} is {value!r}; give {allowed.wanted()}")
    return number


def wholes(name: str, values: Any, allowed: Range) -> tuple[int, ...]:
    """Whole numbers in ascending order; ``ValueError`` in one line if there is none, or one comes twice."""
    if isinstance(values, str) or not isinstance(values, Collection) or not len(values):
        raise ValueError(f"{name} is {values!r}; give a list of whole numbers, such as [30, 100, 300]")
    numbers = sorted(whole(name, value, allowed) for value in values)
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"{name} is {values!r}; give every number once")
    return tuple(numbers)


def weight(name: str, value: Any) -> float:
    """A finite number, 0 or more; ``ValueError`` in one line if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} is {value!r}; give a finite number, 0 or more")
    return float(value)


def one_of(name: str, value: Any, allowed: Collection[str]) -> str:
    """One of some words; ``ValueError`` in one line if it is none."""
    if not isinstance(value, str) or value not in tuple(allowed):
        raise ValueError(f"{name} is {value!r}; give one of {', '.join(allowed)}")
    return value


def some_of(name: str, values: Any, allowed: Collection[str]) -> tuple[str, ...]:
    """Some of some words, in their order; ``ValueError`` in one line if one is unknown, or there is none."""
    if isinstance(values, str) or not isinstance(values, Collection) or not len(values):
        raise ValueError(f"{name} is {values!r}; give a list of some of {', '.join(allowed)}")
    asked = {one_of(f"an entry of {name}", value, allowed) for value in values}
    return tuple(word for word in allowed if word in asked)


def figure(value: float | None, digits: int, unit: str = "") -> str:
    """A number for people; some are undefined, as a peak over a mean that is not positive."""
    return "undefined" if value is None else f"{value:.{digits}f} {unit}".rstrip()
