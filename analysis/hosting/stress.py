"""The worst that a feeder sees over a set of slots: the one place where hosting solves a power flow."""

import math
from dataclasses import dataclass, fields

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits, bus_power


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """Extremes over buses, equipment and slots; nan where there is nothing to take one of.

    Attributes
    ----------
    max_voltage_pu, min_voltage_pu
        Highest and lowest voltage of any bus in any slot with a state. [pu]
    line_loading, transformer_loading
        Highest loading; 1 is the rating. nan without rated lines, and without transformers.
    unsolved_slots
        Slots in which the power flow found no state (voltage collapse): worse than any limit.
    """

    max_voltage_pu: float
    min_voltage_pu: float
    line_loading: float
    transformer_loading: float
    unsolved_slots: float


MEASURES = tuple(one.name for one in fields(Worst))
"""Names of what is measured."""
KINDS = ("overvoltage", "undervoltage", "line", "transformer", "no_state")
"""Kinds of violation."""


def worst_state(flow: PowerFlow, use_kw: Floats, net_load_kw: Floats) -> Worst:
    """Solve all slots and take the extremes.

    Parameters
    ----------
    flow
        The feeder, made ready.
    use_kw, net_load_kw : (slot, bus)
        What the homes of each bus use, and what they draw. [kW]
    """
    found = flow.solve(*bus_power(flow.feeder, use_kw, net_load_kw))
    solved = found.converged
    rated = np.isfinite(flow.feeder.line_rating_a)
    loading = found.transformer_loading
    return Worst(
        max_voltage_pu=_largest(found.voltage_pu[solved]),
        min_voltage_pu=-_largest(-found.voltage_pu[solved]),
        line_loading=_largest(found.line_loading[solved][:, rated]),
        transformer_loading=math.nan if loading is None else _largest(loading[solved]),
        unsolved_slots=float((~solved).sum()),
    )


def violated(kind: str, measured: dict[str, Floats], limits: VoltageLimits) -> Floats:
    """Whether each limit is broken, 1 or 0; nan where nothing was measured. Edges are inside.

    Parameters
    ----------
    kind
        One of ``KINDS``.
    measured
        By name of ``MEASURES``, arrays of one shape.
    """
    if kind == "undervoltage":
        value = measured["min_voltage_pu"]
        beyond = value < limits.low_pu
    else:
        name, limit = {
            "overvoltage": ("max_voltage_pu", limits.high_pu),
            "line": ("line_loading", 1.0),
            "transformer": ("transformer_loading", 1.0),
            "no_state": ("unsolved_slots", 0.0),
        }[kind]
        value = measured[name]
        beyond = value > limit
    return np.where(np.isnan(value), np.nan, beyond)


def _largest(values: Floats) -> float:
    return float(values.max()) if values.size else math.nan
