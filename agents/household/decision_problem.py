"""What a household expects of the days ahead, and how it weighs them."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, as_input, read_only
from meanwatt.agents.numerics.short_repr import short_repr


class ValueRule(StrEnum):
    """How the softmax enters the value of a state."""

    ENTROPY = "entropy"
    """V = η log Σ exp(Q/η): the temperature is a taste for variety."""
    BOLTZMANN = "boltzmann"
    """V = max Q: the temperature is noise in carrying out the plan."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneDay:
    """A game of a single day in place of the stationary one.

    Parameters
    ----------
    charge_law : (level,)
        Law of the batteries' level before the first slot; shocks start from their stationary law.
    salvage_usd_per_kwh
        What energy still stored after the last slot is worth. [USD/kWh]
    """

    __repr__ = short_repr

    charge_law: Floats
    salvage_usd_per_kwh: float = 0.0

    def __post_init__(self) -> None:
        """Keep a checked, read-only copy of the law."""
        law = read_only(self.charge_law)
        if law.ndim != 1 or not (law >= 0).all() or not abs(law.sum() - 1) <= 1e-9:
            raise ValueError(f"charge_law is {law.tolist()}; give one probability a level, summing to 1")
        object.__setattr__(self, "charge_law", law)

    def start(self, levels: int, shock_probability: Floats) -> Floats:
        """Law before the first slot, the same in every common state. (e, z)"""
        charge = self.charge_law if levels > 1 else np.ones(1)
        return np.outer(charge, shock_probability)

    def midnight_usd(self, levels: int, level_kwh: float) -> Floats:
        """Worth of a level after the last slot, whatever tomorrow's common state and shock. (e,)"""
        return np.asarray(self.salvage_usd_per_kwh * level_kwh * np.arange(levels))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldDay:
    """A single day of one household type between a given evening law and given values of tomorrow.

    Parameters
    ----------
    start_law : (c, e, z)
        Law before the first slot.
    tomorrow_usd : (c', z, e)
        Value with which the next day starts, by its common state.
    """

    start_law: Floats
    tomorrow_usd: Floats

    def start(self, levels: int, shock_probability: Floats) -> Floats:
        """Law before the first slot. (c, e, z)"""
        return self.start_law

    def midnight_usd(self, levels: int, level_kwh: float) -> Floats:
        """Value after the last slot. (c', z, e)"""
        return self.tomorrow_usd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionProblem:
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
    one_day
        The single day that is all there is; None for days without end.
    """

    __repr__ = short_repr

    common_kernel: Floats
    common_probability: Floats
    shock_levels: Floats
    shock_kernel: Floats
    shock_probability: Floats
    slot_hours: float
    temperature_usd: float
    discount_per_day: float
    value_rule: ValueRule = ValueRule.ENTROPY
    one_day: OneDay | HeldDay | None = None

    def __post_init__(self) -> None:
        for name in ("common_kernel", "common_probability", "shock_levels", "shock_kernel", "shock_probability"):
            object.__setattr__(self, name, as_input(getattr(self, name)))
