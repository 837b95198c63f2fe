"""Which markets are drawn to compare with the mean field."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Markets of several sizes, each drawn several times.

    Attributes
    ----------
    households
        Numbers N.
    replications
        Markets of each size; replication r has the key (seed, r) whatever its size.
    days
        Days of each market.
    seed
        Key of all draws.
    """

    households: Sequence[int]
    replications: int
    days: int
    seed: int
