"""Inverter rows and curves in the form that the compiled search of `meanwatt.model.network.droop_kernel` reads."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.network.inverter_curves import (
    FULL_VAR_OUTPUT,
    LEAST_OUTPUT,
    InverterControl,
    Inverters,
    Reference,
    VoltVar,
    corner_pu,
)

_BEFORE_PU: Final = 1e-6
"""How far before the end of the curves the search from there begins: at the end itself they have no slope. [pu]"""
_NEVER: Final = 1e6
"""Voltage, or part of the available power, that is never reached: where there is no volt-watt curve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveRows:
    """Rows of inverters in the order of their buses' places, and their curves.

    Attributes
    ----------
    bus : (row,) int
        Position of the bus.
    table : (2, row)
        Rated power [MW], and the part of the reference power that the volt-watt curve ends at.
    available_mw : (slot, row)
        What they can feed in. [MW]
    corner_pu : (slot, row)
        Voltage from which the search begins where the voltage is higher. [pu]
    exactly
        Whether it begins there in any case.
    curve : (13,)
        See `curve_numbers`.
    """

    bus: Ints
    table: Floats
    available_mw: Floats
    corner_pu: Floats
    exactly: bool
    curve: Floats


def curve_rows(units: Inverters, control: InverterControl, floor_pu: float | None) -> CurveRows:
    """Write rows and curves; the search begins where a curve begins to act, or at the voltage ``floor_pu``."""
    watt, var = control.volt_watt, control.volt_var
    corner = np.full(units.available_kw.shape, np.inf if var is None else var.v3_pu)
    lowest = np.full(len(units.bus), _NEVER)
    if watt is not None:
        corner = np.minimum(corner, corner_pu(watt, units))
        lowest = np.where(units.can_charge, watt.p2_storage, watt.p2)
    if floor_pu is not None:
        corner = np.full(corner.shape, floor_pu - _BEFORE_PU)
    return CurveRows(
        bus=np.asarray(units.bus, dtype=np.int64),
        table=np.array([units.rated_kw / 1e3, lowest]),
        available_mw=np.ascontiguousarray(units.available_kw / 1e3),
        corner_pu=corner,
        exactly=floor_pu is not None,
        curve=curve_numbers(control),
    )


def curve_numbers(control: InverterControl) -> Floats:
    """Numbers of the curves, (13,).

    Of volt-watt v1, v2 [pu], p1, and whether the reference is the rated power; of volt-var v1 to v4 [pu], q1, q4 and
    kVA per kW; the parts of rated power from which on reactive power is exchanged, and all of it.
    """
    watt, var = control.volt_watt, control.volt_var or VoltVar(q1=0.0, q4=0.0)
    numbers = [_NEVER, 2 * _NEVER, _NEVER, 0.0]
    if watt is not None:
        numbers = [watt.v1_pu, watt.v2_pu, watt.p1, float(watt.reference is Reference.RATED)]
    numbers += [var.v1_pu, var.v2_pu, var.v3_pu, var.v4_pu, var.q1, var.q4, var.kva_per_kw]
    return np.array([*numbers, LEAST_OUTPUT, FULL_VAR_OUTPUT])
