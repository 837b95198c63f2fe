"""Values of a file as they came: a finite number, and how a value is shown in a message."""

import math


def finite(value: object, key: str = "") -> float:
    """Return a number as float; ValueError in one line if it is none, or not finite."""
    place = f"{key} is" if key else "is"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{place} {show(value)}; give a number")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond any float
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{place} {show(value)}; give a finite number")
    return number


def show(value: object, limit: int = 60) -> str:
    """One-line picture of a value for an error message."""
    try:
        text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    except ValueError:  # Python writes no whole number of more than some thousand digits
        text = "a whole number too long to show"
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
