"""What the feeder of the finite market went through on one day, and what inverters did there."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InverterDay:
    """What solar inverters did by the voltage of their bus on one day.

    Attributes
    ----------
    available_kwh, held_kwh : (type, bus)
        What one household of a type at a bus had to feed in, and what of it volt-watt held back; 0 where there is
        none. [kWh]
    held_kw : (slot,)
        What volt-watt held back, mean over all simulated households. [kW]
    fed_in_kvar : (slot,)
        Reactive power that all inverters of the feeder fed in, negative when drawn. [kvar]
    residual_pu : (slot,)
        How far voltages and curves are from agreeing; nan without a power flow. [pu]
    starts_differ_pu : (slot,)
        Largest difference between the voltages found from two starts; nan where one of them found none. [pu]
    fixed_point : (slot,) bool
        Where voltages and curves agree. In other slots nobody is held back.
    averaged : (slot,) bool
        Where volt-watt held back homes of which some used less than their sun for its price: it takes the mean home.
    """

    __repr__ = short_repr

    available_kwh: Floats
    held_kwh: Floats
    held_kw: Floats
    fed_in_kvar: Floats
    residual_pu: Floats
    starts_differ_pu: Floats
    fixed_point: Bools
    averaged: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseInverterDay:
    """What solar inverters did on one day by the voltage of their own phase.

    Attributes
    ----------
    fed_in_kvar : (slot,)
        Reactive power that all inverters of the feeder fed in, negative when drawn; nan where none was found. [kvar]
    residual_pu : (slot,)
        How far voltages and curve are from agreeing; nan without a power flow. [pu]
    starts_differ_pu : (slot,)
        Largest difference between the voltages found from two starts; nan where one of them found none. [pu]
    fixed_point : (slot,) bool
        Where voltages and curve agree.
    """

    __repr__ = short_repr

    fed_in_kvar: Floats
    residual_pu: Floats
    starts_differ_pu: Floats
    fixed_point: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseDay:
    """The feeder of one day by phase, where homes are on one phase each; nan in slots without a state.

    Attributes
    ----------
    net_load_kw : (slot, bus, phase)
        Net load. [kW]
    solved : (slot,) bool
        Slots in which the power flow by phase found a state.
    voltage_pu : (slot, bus, phase)
        Voltage of each phase to neutral. [pu]
    unbalance_percent : (slot, bus)
        Negative over positive sequence of the voltage. [%]
    loss_kw, transformer_loading : (slot,)
        Losses [kW], and the loading of the most loaded phase of a transformer (nan without one).
    inverters : PhaseInverterDay or None
        What inverters did by the voltage of their phase; None where no volt-var curve is in force.
    """

    __repr__ = short_repr

    net_load_kw: Floats
    solved: Bools
    voltage_pu: Floats
    unbalance_percent: Floats
    loss_kw: Floats
    transformer_loading: Floats
    inverters: PhaseInverterDay | None = None

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        freeze(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridDay:
    """The feeder of one day, with every simulated household standing for its share of the real customers.

    Attributes
    ----------
    net_load_kw : (slot, bus)
        Net load at each bus. [kW]
    solved : (slot,) bool
        Slots in which the power flow found a state; in the others all below is nan.
    voltage_pu : (slot, bus)
        Voltage. [pu]
    loss_kw, line_loading, transformer_loading : (slot,)
        Losses [kW], and the highest loading of a line and of a transformer (nan without one).
    hours_unsolved
        Hours without a state. [h]
    hours_outside_limits
        Hours outside the voltage limits, summed over buses; those without a state are outside. [h]
    bought_kwh : (slot,)
        Losses that the utility buys, for all simulated households together; 0 unless it does. [kWh]
    inverters : InverterDay or None
        What inverters did by their voltage; None where no curve is in force.
    phases : PhaseDay or None
        The same feeder by phase; None where homes draw from all phases alike.
    """

    __repr__ = short_repr

    net_load_kw: Floats
    solved: Bools
    voltage_pu: Floats
    loss_kw: Floats
    line_loading: Floats
    transformer_loading: Floats
    hours_unsolved: float
    hours_outside_limits: float
    bought_kwh: Floats
    inverters: InverterDay | None = None
    phases: PhaseDay | None = None

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        freeze(self)


def freeze(record: Any) -> None:
    """Make all arrays of a record read-only."""
    for name in record.__slots__:
        values = getattr(record, name)
        if isinstance(values, np.ndarray):
            values.setflags(write=False)
