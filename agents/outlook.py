"""What a household expects of the days ahead, and how it weighs them."""

from dataclasses import dataclass
from enum import StrEnum

from agents.arrays import Floats


class ValueRule(StrEnum):
    """How the softmax enters the value of a state."""

    ENTROPY = "entropy"
    """V = η log Σ exp(Q/η): the temperature is a taste for variety."""
    BOLTZMANN = "boltzmann"
    """V = max Q: the temperature is noise in carrying out the plan."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """Chances and preferences that all households share.

    Parameters
    ----------
    common_kernel : (c, c')
        Chance of tomorrow's common state given today's; acts at midnight.
    common_probability : (c,)
        Stationary law of the common state.
    shock_levels : (z,)
        Factor on the reference load.
    shock_kernel : (z, z')
        Chance of the next slot's shock; acts after every slot, the last included.
    shock_probability : (z,)
        Stationary law of the shock.
    slot_hours
        Length Δ of a slot. [h]
    temperature_usd
        Softmax temperature η ≥ 0; 0 means the best move, ties split equally. [USD]
    discount_per_day
        δ in (0, 1]; 1 is the average-per-day criterion.
    value_rule
        Entropy or Boltzmann values.
    """

    common_kernel: Floats
    common_probability: Floats
    shock_levels: Floats
    shock_kernel: Floats
    shock_probability: Floats
    slot_hours: float
    temperature_usd: float
    discount_per_day: float
    value_rule: ValueRule = ValueRule.ENTROPY
