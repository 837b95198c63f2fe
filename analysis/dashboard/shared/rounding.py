"""Whole numbers that add up as printed."""

import math
from collections.abc import Sequence


def largest_remainder(parts: Sequence[float], total: int) -> list[int]:
    """Round parts to whole numbers that sum to a given total (method of the largest remainder).

    Parameters
    ----------
    parts
        Exact numbers, in units of the last digit printed.
    total
        What the rounded ones sum to; within half a unit of the sum of the parts, or a little off it.

    Returns
    -------
    list of int
        Each within one unit of its part where the total lies within one unit of their sum. With every sign turned the
        result is the same with every sign turned, ties included.

    Raises
    ------
    ValueError
        If there is nothing to share a total among.
    """
    if not parts:
        raise ValueError("parts is empty; give at least one number")
    turn = -1 if next((value < 0 for value in (total, *parts) if value), False) else 1
    floors = [math.floor(turn * part) for part in parts]
    every, units = divmod(turn * total - sum(floors), len(parts))
    by_remainder = sorted(range(len(parts)), key=lambda index: floors[index] - turn * parts[index])
    chosen = set(by_remainder[:units])
    return [turn * (floor + every + (index in chosen)) for index, floor in enumerate(floors)]
