"""The nearest valid name, for the one-line error that a misspelt name deserves."""

import difflib
from collections.abc import Iterable

CLOSE = 0.5  # similarity from which a name is worth suggesting on its own
SHORT_LIST = 8  # names that still fit into one line
LONGEST = 60  # characters of a name that are shown and compared


def unknown(kind: str, name: str, valid: Iterable[str]) -> str:
    """Say that a name is unknown, and which one was probably meant.

    Examples
    --------
    >>> unknown("tariff", "flt", ["flat", "tou"])
    "unknown tariff 'flt'; did you mean 'flat'?"
    >>> unknown("tariff", "xyz", ["flat", "tou"])
    "unknown tariff 'xyz'; give one of flat, tou"
    """
    name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    names = list(valid)
    if not names:
        return f"unknown {kind} {name!r}; there is none to choose from"
    near = max(names, key=lambda candidate: _likeness(name, candidate))
    if _likeness(name, near) < CLOSE and len(names) <= SHORT_LIST:
        return f"unknown {kind} {name!r}; give one of {', '.join(names)}"
    return f"unknown {kind} {name!r}; did you mean {near!r}?"


def _likeness(name: str, candidate: str) -> float:
    """Similarity in [0, 1]; a beginning of a name counts as close to it."""
    one, other = name.lower(), candidate[:LONGEST].lower()
    alike = difflib.SequenceMatcher(None, one, other).ratio()
    return max(alike, 0.9) if one and other.startswith(one) else alike
