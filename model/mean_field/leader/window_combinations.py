"""Where the windows of a time-of-use rate may lie: all combinations of their beginnings and widths."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.model.scenario.family_file import WindowRange
from meanwatt.model.scenario.ranges import WINDOW_COMBINATIONS
from meanwatt.model.scenario.rate_tables import MINUTES_PER_DAY, clock_text

NO_WINDOW: Final = -1


@dataclass(frozen=True, slots=True)
class Window:
    """A window of the day that begins with one slot and is so many slots wide; it may wrap over midnight."""

    start: int
    width: int


Combination = dict[str, Window]
"""A place for every window, by name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowCombinations:
    """All places that the windows may have together.

    Attributes
    ----------
    allowed
        In the order of the file, the last window moving fastest.
    skipped
        Combinations left out: two windows overlap, or no slot is left to the rest of the day.
    """

    allowed: tuple[Combination, ...]
    skipped: int


def window_combinations(ranges: Mapping[str, WindowRange], slots: int) -> WindowCombinations:
    """List the combinations of beginnings and widths in steps of one slot, both ends of every range included.

    Raises
    ------
    ValueError
        In one line, if a bound does not lie between two slots, there are too many combinations, or none is allowed.
    """
    places = [
        [
            Window(start, width)
            for start in _steps(f"windows.{name}.start", one.start, slots)
            for width in _steps(f"windows.{name}.width", one.width, slots)
        ]
        for name, one in ranges.items()
    ]
    count = 1
    for place in places:
        count *= len(place)
    if not WINDOW_COMBINATIONS.holds(count):
        raise ValueError(
            f"windows come to {count:,} combinations of beginnings and widths; give {WINDOW_COMBINATIONS.counts()}:"
            " narrower ranges, or fewer windows"
        )
    every = [dict(zip(ranges, chosen, strict=True)) for chosen in product(*places)]
    allowed = tuple(one for one in every if _fit(one, slots))
    if not allowed:
        raise ValueError(
            "windows overlap in every combination, or leave nothing of the day; give them other beginnings or widths"
        )
    return WindowCombinations(allowed=allowed, skipped=len(every) - len(allowed))


def window_of_slot(combination: Combination, slots: int) -> Ints:
    """Number of the window that each slot lies in; ``NO_WINDOW`` in the rest of the day. (slot,)"""
    owner = np.full(slots, NO_WINDOW)
    for number, one in enumerate(combination.values()):
        owner[(one.start + np.arange(one.width)) % slots] = number
    return owner


def window_periods(combination: Combination, rest: str, slots: int) -> dict[str, tuple[str, ...]]:
    """The windows and the rest of the day as periods of a tariff: name → ``"from-to"`` spans."""
    names, owner = list(combination), window_of_slot(combination, slots)
    spans: dict[str, list[str]] = {rest: [], **{name: [] for name in names}}
    changes = np.flatnonzero(owner != np.roll(owner, 1))
    minutes = MINUTES_PER_DAY // slots
    if not changes.size:
        return {(rest if owner[0] == NO_WINDOW else names[owner[0]]): ("0-24",)}
    for first, after in zip(changes, np.roll(changes, -1), strict=True):
        name = rest if owner[first] == NO_WINDOW else names[owner[first]]
        spans[name].append(f"{clock_text(int(first) * minutes)}-{clock_text(int(after) * minutes)}")
    return {name: tuple(found) for name, found in spans.items() if found}


def _fit(combination: Combination, slots: int) -> bool:
    """Whether no two windows overlap and some of the day is left."""
    total = sum(one.width for one in combination.values())
    covered = int((window_of_slot(combination, slots) != NO_WINDOW).sum())
    return total == covered and covered < slots


def _steps(key: str, bounds: tuple[float, float], slots: int) -> range:
    """Slots from the lower to the upper bound, both included."""
    first, last = (round(hours * slots / 24) for hours in bounds)
    for hours, slot in zip(bounds, (first, last), strict=True):
        if slot * 24 / slots != hours:
            raise ValueError(f"{key} is {hours:g} h, inside a slot of {24 * 60 // slots} minutes; give whole slots")
    return range(first, last + 1)
