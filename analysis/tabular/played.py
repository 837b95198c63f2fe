"""A policy in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from meanwatt.agents.numerics.arrays import Bools, Floats

SMALLEST_SHOWN: Final = 0.005
"""Probability that is left out of a lottery's text, as it rounds to 0.00."""


def played(actions: Sequence[str], policy: "Floats", matters: "Bools") -> list[str]:
    """What a player does in each state: an action, a lottery of some, or any where it changes nothing."""
    texts = []
    for row, changes in zip(policy.tolist(), matters, strict=True):
        parts = [(name, p) for name, p in zip(actions, row, strict=True) if p >= SMALLEST_SHOWN]
        pure = len(parts) == 1
        texts.append(parts[0][0] if pure else ", ".join(f"{name} {p:.2f}".replace(" 0.", " .") for name, p in parts))
        if not changes:
            texts[-1] = "any"
    return texts
