"""What solar inverters do by their own voltage: volt-watt and volt-var curves of IEEE 1547-2018.

Volt-watt (clause 5.4.2, table 31) limits the active power: all of the reference power up to the voltage v1, falling in
a straight line to a part p2 of it at v2, and p2 beyond. Volt-var (clause 5.3.3, table 8) feeds reactive power in below
v2, draws it above v3, up to q1 and q4 of the rated apparent power at v1 and v4.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints

LEAST_OUTPUT: Final = 0.05
"""Part of its rated active power below which an inverter need not exchange reactive power (clause 5.2)."""
FULL_VAR_OUTPUT: Final = 0.2
"""Part of its rated active power from which on it can exchange all of it; in proportion below (clause 5.2)."""


class Reference(StrEnum):
    """Of which power the volt-watt curve gives a part."""

    RATED = "rated"
    """Of the installed power."""
    AVAILABLE = "available"
    """Of what the sun gives in the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltWatt:
    """A volt-watt curve through (v1, p1) and (v2, p2), flat on either side.

    Parameters
    ----------
    v1_pu, v2_pu
        Voltages, v1 < v2. [pu]
    p1, p2
        Parts of the reference power, p1 ≥ p2.
    p2_storage
        In place of p2 where the unit can also charge.
    reference
        The reference power.
    """

    v1_pu: float = 1.06
    v2_pu: float = 1.10
    p1: float = 1.0
    p2: float = 0.2
    p2_storage: float = 0.0
    reference: Reference = Reference.RATED


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltVar:
    """A volt-var curve: +q1 up to v1, 0 from v2 to v3, −q4 from v4 on; the default is that of category B.

    Parameters
    ----------
    v1_pu, v2_pu, v3_pu, v4_pu
        Voltages, v1 < v2 ≤ v3 < v4. [pu]
    q1, q4
        Largest reactive power fed in and drawn, parts of the rated apparent power.
    kva_per_kw
        Rated apparent power over the installed active power; so large that the inverter never has to give up active
        power for reactive power: kva_per_kw² · (1 − q²) ≥ 1.
    """

    v1_pu: float = 0.92
    v2_pu: float = 0.98
    v3_pu: float = 1.02
    v4_pu: float = 1.08
    q1: float = 0.44
    q4: float = 0.44
    kva_per_kw: float = 1.12


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterControl:
    """Which of the curves are in force; None for none."""

    volt_watt: VoltWatt | None = None
    volt_var: VoltVar | None = None

    @property
    def neutral_pu(self) -> tuple[float, float]:
        """Voltages between which neither curve asks for anything. [pu]"""
        low = self.volt_var.v2_pu if self.volt_var else -np.inf
        high = self.volt_var.v3_pu if self.volt_var else np.inf
        if self.volt_watt and self.volt_watt.p1 >= 1:
            high = min(high, self.volt_watt.v1_pu)
        elif self.volt_watt:
            high = -np.inf
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inverters:
    """Rows of alike inverters, each row at one bus.

    Parameters
    ----------
    bus : (row,) int
        Position of the bus.
    rated_kw : (row,)
        Installed power of all inverters of the row. [kW]
    available_kw : (slot, row)
        What they would feed in without volt-watt. [kW]
    can_charge : (row,) bool
        Whether the unit can also charge.
    """

    bus: Ints
    rated_kw: Floats
    available_kw: Floats
    can_charge: Bools

    def rows(self, slots: Ints) -> "Inverters":
        """The same in some of the slots."""
        return Inverters(
            bus=self.bus,
            rated_kw=self.rated_kw,
            available_kw=self.available_kw[slots],
            can_charge=self.can_charge,
        )


def limited_kw(curve: VoltWatt, units: Inverters, voltage_pu: Floats, side: Floats) -> tuple[Floats, Floats]:
    """Active power under a volt-watt curve, and how fast it falls.

    Parameters
    ----------
    voltage_pu : (slot, row)
        Voltage of each row, −∞ for what holds below every curve. [pu]
    side : (slot, row)
        At a corner the slope beyond it is given where this is positive, else the one before it.

    Returns
    -------
    output_kw, kw_per_pu : (slot, row)
        The power [kW], and its decrease per voltage, ≥ 0 [kW/pu].
    """
    reference = units.rated_kw if curve.reference is Reference.RATED else units.available_kw
    floor = np.where(units.can_charge, curve.p2_storage, curve.p2)
    fall = (curve.p1 - floor) / (curve.v2_pu - curve.v1_pu)
    limit = reference * np.clip(curve.p1 - fall * np.maximum(voltage_pu - curve.v1_pu, 0.0), floor, curve.p1)
    up = side > 0
    inside = np.where(up, voltage_pu >= curve.v1_pu, voltage_pu > curve.v1_pu)
    inside &= np.where(up, voltage_pu < curve.v2_pu, voltage_pu <= curve.v2_pu)
    binding = np.where(up, limit <= units.available_kw, limit < units.available_kw)
    return np.minimum(units.available_kw, limit), np.where(inside & binding, reference * fall, 0.0)


def fed_in_kvar(curve: VoltVar, units: Inverters, voltage_pu: Floats, side: Floats) -> tuple[Floats, Floats]:
    """Reactive power fed in under a volt-var curve [kvar], and its decrease per voltage, ≥ 0 [kvar/pu].

    Arguments and shapes as of `limited_kw`. Less is exchanged while the sun gives less than a fifth of rated power.
    """
    part = np.divide(
        units.available_kw, units.rated_kw, out=np.zeros_like(units.available_kw), where=units.rated_kw > 0
    )
    able = np.where(part < LEAST_OUTPUT, 0.0, np.minimum(part / FULL_VAR_OUTPUT, 1.0))
    kva = units.rated_kw * curve.kva_per_kw * able
    points = np.array([curve.v1_pu, curve.v2_pu, curve.v3_pu, curve.v4_pu])
    share = np.interp(voltage_pu, points, np.array([curve.q1, 0.0, 0.0, -curve.q4]))
    piece = np.where(
        side > 0, np.searchsorted(points, voltage_pu, side="right"), np.searchsorted(points, voltage_pu, side="left")
    )
    fall = np.array([0.0, curve.q1 / (points[1] - points[0]), 0.0, curve.q4 / (points[3] - points[2]), 0.0])
    return kva * share, kva * fall[piece]


def corner_pu(curve: VoltWatt, units: Inverters) -> Floats:
    """Voltage above which a volt-watt curve holds a row back, (slot, row); infinite where it never does. [pu]"""
    reference = np.broadcast_to(
        units.rated_kw if curve.reference is Reference.RATED else units.available_kw, units.available_kw.shape
    )
    floor = np.where(units.can_charge, curve.p2_storage, curve.p2)
    part = np.divide(units.available_kw, reference, out=np.zeros(reference.shape), where=reference > 0)
    width = np.maximum(curve.p1 - floor, 1e-300)
    voltage = curve.v1_pu + (curve.p1 - part) / width * (curve.v2_pu - curve.v1_pu)
    return np.where(part > floor, np.maximum(voltage, curve.v1_pu), np.inf)
