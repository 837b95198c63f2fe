"""What a radial feeder may hold beside lines, plain transformers and customers: two-ports, and loads of its own."""

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Self

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr


class BranchKind(StrEnum):
    """What a branch stands for."""

    LINE = "line"
    TRANSFORMER = "transformer"
    IMPEDANCE = "impedance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Any two-port between two buses: an ideal transformer, a series impedance behind it, and a shunt at either end.

    Several branches between the same two buses are parallel. A transformer's T model is such a two-port, exactly.

    Parameters
    ----------
    kind
        What it stands for.
    from_bus, to_bus
        Positions of its two buses in ``Feeder.buses``, either way round.
    r_ohm, x_ohm
        Series impedance, seen from ``to_bus``. [ohm]
    turns
        Ratio of the ideal transformer at ``from_bus``, over the ratio of the two nominal voltages.
    g_from_us, b_from_us, g_to_us, b_to_us
        Admittances to ground at the two ends, on the side of the buses; negative susceptance is inductive. [µS]
    rating_from_a, rating_to_a
        Currents that the two ends may carry for long; infinite if unknown. [A]
    """

    kind: BranchKind
    from_bus: int
    to_bus: int
    r_ohm: float
    x_ohm: float
    turns: float = 1.0
    g_from_us: float = 0.0
    b_from_us: float = 0.0
    g_to_us: float = 0.0
    b_to_us: float = 0.0
    rating_from_a: float = math.inf
    rating_to_a: float = math.inf

    def __post_init__(self) -> None:
        """Check every parameter once; the comparisons are false for nan."""
        for name in ("r_ohm", "x_ohm", "g_from_us", "b_from_us", "g_to_us", "b_to_us"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{self.kind} {name} is {getattr(self, name)}; give a number")
        if self.r_ohm == self.x_ohm == 0:
            raise ValueError(f"{self.kind} r_ohm and x_ohm are both 0; make its two buses one")
        if not 0 < self.turns < math.inf:
            raise ValueError(f"{self.kind} turns is {self.turns}; give a positive number, 1 for nominal")
        for name in ("rating_from_a", "rating_to_a"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{self.kind} {name} is {getattr(self, name)}; give a positive current")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedLoad:
    """Loads and generators of a feeder that belong to no customer; all arrays (bus,), negative where they feed in.

    Parameters
    ----------
    p_kw, q_kvar
        Constant power. [kW, kvar]
    current_kw, current_kvar
        At constant current: power at nominal voltage, in proportion to the voltage. [kW, kvar]
    shunt_kw, shunt_kvar
        At constant impedance: power at nominal voltage, in proportion to its square. [kW, kvar]
    """

    __repr__ = short_repr

    p_kw: Floats
    q_kvar: Floats
    current_kw: Floats
    current_kvar: Floats
    shunt_kw: Floats
    shunt_kvar: Floats

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in FIXED:
            values = np.asarray(getattr(self, name), dtype=float)
            require_shape(f"fixed {name}", values, np.shape(self.p_kw), "(bus,)")
            require_finite(f"fixed {name}", values)
            object.__setattr__(self, name, read_only(values))

    @classmethod
    def none(cls, buses: int) -> Self:
        """No load at any of so many buses."""
        return cls(**{name: np.zeros(buses) for name in FIXED})

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any(getattr(self, name).any() for name in FIXED)


FIXED: tuple[str, ...] = tuple(entry.name for entry in fields(FixedLoad))
"""Names of the arrays of a fixed load."""
