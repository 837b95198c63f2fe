"""Reading an address part by part: what cannot be used is left out and told, and never stops a page."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

State = TypeVar("State")
OF_THE_BROWSER = ("projector",)
"""Parts of an address that every page takes and none reads: the browser does."""


def read_parts(
    text: str, start: State, change: Callable[[State, str, str], State], *, first: Sequence[str]
) -> tuple[State, tuple[str, ...]]:
    """Change a state by one part of a query after the other.

    Parameters
    ----------
    text
        Query with or without the question mark; of a key that comes twice the last one counts.
    start
        The state without a query.
    change
        Returns the state with a key set to a text; ValueError in one line if that is not allowed.
    first
        Keys that decide what others may be; they are read first, in this order.

    Returns
    -------
    state, tuple of str
        What could be read, and one sentence for every part that was left out.
    """
    state, problems = start, list[str]()
    given = dict(parse_qsl(text.lstrip("?"), keep_blank_values=True))
    for key in OF_THE_BROWSER:
        given.pop(key, None)
    for key in sorted(given, key=lambda name: first.index(name) if name in first else len(first)):
        try:
            state = change(state, key, given[key])
        except ValueError as error:
            problems.append(str(error))
    return state, tuple(problems)


def read_number(key: str, text: str, *, example: float) -> float:
    """Read the number of a part; ``ValueError`` in one line if it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{key} is {text[:40]!r}; give a number, e.g. {example:g}")
    return value
