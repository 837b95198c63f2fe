"""What a power flow by phase needs of a feeder: its zero sequence, and who is on which phase."""

import math
import re
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr

PHASES: Final = ("a", "b", "c")
"""Names of the phases, in the order of every phase axis."""

_GROUP: Final = re.compile(r"(D|Y|YN|Z|ZN)(d|y|yn|z|zn)(\d|1[01])")


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorGroup:
    """A transformer's vector group, as ``Dyn11``.

    Attributes
    ----------
    name
        As IEC 60076-1 writes it.
    high, low
        The windings at ``from_bus`` and at ``to_bus``, in capitals: D, Y, YN, Z or ZN.
    clock
        By how many times 30° the voltage at ``to_bus`` lags.
    """

    name: str
    high: str
    low: str
    clock: int

    @classmethod
    def read(cls, name: str) -> Self:
        """Read one; ``ValueError`` in one line if it is none, or one that cannot be built."""
        match = _GROUP.fullmatch(name)
        if match is None:
            raise ValueError(
                f"vector_group is {name!r}; give the windings and the clock, as Dyn11, Yzn5 or YNyn0 (IEC 60076-1)"
            )
        high, low, clock = match[1], match[2].upper(), int(match[3])
        odd = _turns(high) != _turns(low)
        if odd != bool(clock % 2):
            raise ValueError(
                f"vector_group is {name!r}; between such windings the clock is {'odd' if odd else 'even'},"
                f" as in {match[1]}{match[2]}{11 if odd else 0}"
            )
        return cls(name=name, high=high, low=low, clock=clock)

    @property
    def passes_zero_sequence(self) -> bool:
        """Whether a current that is alike in all phases goes through."""
        return self.high == self.low == "YN"

    @property
    def grounds_zero_sequence(self) -> bool:
        """Whether such a current at ``to_bus`` finds its way back within the transformer."""
        return self.low == "ZN" or (self.low == "YN" and self.high == "D")

    @property
    def has_neutral(self) -> bool:
        """Whether there is a neutral at ``to_bus``."""
        return self.low in ("YN", "ZN")


def _turns(winding: str) -> bool:
    """Whether a winding turns its voltages by an odd multiple of 30° (delta and zigzag)."""
    return winding in ("D", "Z", "ZN")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroPort:
    """An edge in the zero sequence.

    Parameters
    ----------
    group
        Vector group of a transformer; None for what is a piece of wire.
    r_ohm, x_ohm
        Series impedance seen from ``to_bus``; of a transformer that grounds the zero sequence (Dyn, Yzn), the impedance
        from ``to_bus`` to ground. nan where it is not known. [ohm]
    g_from_us, b_from_us, g_to_us, b_to_us
        Admittances to ground beside it. [µS]
    """

    group: VectorGroup | None = None
    r_ohm: float = math.nan
    x_ohm: float = math.nan
    g_from_us: float = 0.0
    b_from_us: float = 0.0
    g_to_us: float = 0.0
    b_to_us: float = 0.0

    def __post_init__(self) -> None:
        """Check every number once."""
        for name in ("g_from_us", "b_from_us", "g_to_us", "b_to_us"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"zero-sequence {name} is {getattr(self, name)}; give a number")
        if math.isnan(self.r_ohm) != math.isnan(self.x_ohm):
            raise ValueError(f"zero-sequence r_ohm is {self.r_ohm} and x_ohm {self.x_ohm}; give both or neither")
        if math.isinf(self.r_ohm) or math.isinf(self.x_ohm) or self.r_ohm == self.x_ohm == 0:
            raise ValueError(f"zero-sequence r_ohm is {self.r_ohm} and x_ohm {self.x_ohm}; give numbers, not both 0")

    @property
    def known(self) -> bool:
        """Whether the impedance is known."""
        return not math.isnan(self.r_ohm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseData:
    """What is known of a feeder's phases; whatever is not, is assumed by keys of the scenario or drawn.

    Parameters
    ----------
    line_r0_ohm, line_x0_ohm, line_b0_us
        (line,) Zero-sequence impedance [ohm] and charging [µS]; nan where not known.
    transformers, branches
        Zero sequence of every transformer and branch; None where nothing is known.
    customers
        (bus, phase) Customers known to be on one phase.
    three_phase
        (bus,) Customers known to be on all three. The others of ``Feeder.customers`` are of unknown phase.
    fixed_kw, fixed_kvar
        (bus, phase) Constant load known by phase; it is part of ``Feeder.fixed``. [kW, kvar]
    """

    __repr__ = short_repr

    line_r0_ohm: Floats
    line_x0_ohm: Floats
    line_b0_us: Floats
    transformers: tuple[ZeroPort | None, ...]
    branches: tuple[ZeroPort | None, ...]
    customers: Ints
    three_phase: Ints
    fixed_kw: Floats
    fixed_kvar: Floats

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in ("line_r0_ohm", "line_x0_ohm", "line_b0_us"):
            values = np.asarray(getattr(self, name), dtype=float)
            require_shape(name, values, np.shape(self.line_r0_ohm), "(line,)")
            object.__setattr__(self, name, read_only(values))
        for name in ("customers", "three_phase"):
            counts = np.array(getattr(self, name), dtype=np.int64)
            counts.setflags(write=False)
            object.__setattr__(self, name, counts)
        for name in ("customers", "fixed_kw", "fixed_kvar"):
            require_shape(f"phase {name}", getattr(self, name), (len(self.three_phase), 3), "(bus, phase)")
        for name in ("fixed_kw", "fixed_kvar"):
            values = np.asarray(getattr(self, name), dtype=float)
            require_finite(f"phase {name}", values)
            object.__setattr__(self, name, read_only(values))
        if (self.customers < 0).any() or (self.three_phase < 0).any():
            raise ValueError("customers by phase are below 0; give numbers >= 0")

    @property
    def says_something(self) -> bool:
        """Whether anything is known at all."""
        numbers = (self.line_r0_ohm, self.line_b0_us)
        counts = (self.customers, self.three_phase, self.fixed_kw, self.fixed_kvar)
        return (
            any(not np.isnan(array).all() for array in numbers)
            or any(array.any() for array in counts)
            or any(port is not None for port in (*self.transformers, *self.branches))
        )

    @classmethod
    def none(cls, *, buses: int, lines: int, transformers: int = 0, branches: int = 0) -> Self:
        """Nothing known of a feeder of this size."""
        return cls(
            line_r0_ohm=np.full(lines, np.nan),
            line_x0_ohm=np.full(lines, np.nan),
            line_b0_us=np.full(lines, np.nan),
            transformers=(None,) * transformers,
            branches=(None,) * branches,
            customers=np.zeros((buses, 3), dtype=np.int64),
            three_phase=np.zeros(buses, dtype=np.int64),
            fixed_kw=np.zeros((buses, 3)),
            fixed_kvar=np.zeros((buses, 3)),
        )

    def require_fits(
        self, buses: tuple[str, ...], *, customers: Ints, lines: int, transformers: int, branches: int
    ) -> None:
        """Raise ``ValueError`` unless it describes a feeder of these buses and customers (bus,) and so many edges."""
        require_shape("line_r0_ohm", self.line_r0_ohm, (lines,), "(line,)")
        require_shape("customers by phase", self.customers, (len(customers), 3), "(bus, phase)")
        for name, given, there in (
            ("transformers", len(self.transformers), transformers),
            ("branches", len(self.branches), branches),
        ):
            if given != there:
                raise ValueError(f"phase data of {name} is given {given} times; give it {there} times, one each")
        if ((self.customers.sum(axis=1) + self.three_phase) > customers).any():
            bus = int(np.argmax(self.customers.sum(axis=1) + self.three_phase > customers))
            raise ValueError(
                f"bus '{buses[bus]}' has {customers[bus]} customers but more of them by phase;"
                " give at most as many by phase, or more customers"
            )
