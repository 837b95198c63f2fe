"""Slots that share an energy charge, whatever the leader chooses: the numbers in a rate as it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from meanwatt.agents.numerics.arrays import Floats, Ints

ALL_DAY: Final = "all day"
"""What the only rate group is called."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateGroups:
    """Energy charges that are one number each, whatever the leader chooses.

    Attributes
    ----------
    names
        Key of each, or of an entry of a list, less ``energy_usd_per_kwh.``; the only one is called ``ALL_DAY``.
    of_slot : (day type, slot) int
        Number of the group of each slot.
    low, high : (group,)
        Lowest and highest charge; equal where it is not free. [USD/kWh]
    """

    names: tuple[str, ...]
    of_slot: Ints
    low: Floats
    high: Floats


def numbered(form: Any, key: str) -> tuple[Any, dict[str, float]]:
    """A rate with its numbers replaced by their places, and the numbers by the keys of their places."""
    leaves: dict[str, float] = {}

    def replaced(part: Any, at: str) -> Any:
        if isinstance(part, Mapping):
            return {name: replaced(inner, f"{at}.{name}") for name, inner in part.items()}
        if isinstance(part, list | tuple):
            return [replaced(inner, f"{at}.{place}") for place, inner in enumerate(part)]
        leaves[at] = float(part)
        return float(len(leaves) - 1)

    return replaced(form, key), leaves
