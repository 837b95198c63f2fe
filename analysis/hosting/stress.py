"""The worst that a feeder sees over a set of slots: the one place where hosting solves a power flow."""

import math
from dataclasses import dataclass, fields

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.network.droop import solve_droop
from meanwatt.model.network.inverter_curves import InverterControl, Inverters
from meanwatt.model.network.phase_flow import PhaseFlow
from meanwatt.model.network.power_flow import PowerFlow, PowerFlowResult, VoltageLimits, bus_power


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
        Slots in which the power flow found no state (voltage collapse), or with inverters' curves none that agrees with
        them: worse than any limit.
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
WITH_CURVES = "_with_curves"
"""Ending of the name of what is measured with inverters' curves in force."""
CURTAILED = "curtailed_kwh_per_household_day"
"""What they hold back, mean over the feeder's homes and an expected day."""
CURVED_MEASURES = (*(name + WITH_CURVES for name in MEASURES), CURTAILED)
"""Names of what is measured with the curves in force."""
BY_PHASE = "_by_phase"
"""Ending of the name of what is measured where homes are on one phase each."""
UNBALANCE = "unbalance_percent"
"""Largest negative over positive sequence of the voltage at any bus in any slot."""
LIMIT_CURTAILED, PRICE_CURTAILED = (f"curtailed_by_{cause}_kwh_per_household_day" for cause in ("envelope", "price"))
"""What homes curtail to keep an envelope's export limit, and for a price below zero, mean over the feeder's homes."""
ENVELOPE_MEASURES = (LIMIT_CURTAILED, PRICE_CURTAILED)
"""Names of what is measured where homes keep within operating envelopes."""
PHASED_MEASURES = (*(name + BY_PHASE for name in MEASURES), UNBALANCE)
"""Names of what is measured by phase."""


def worst_by_phase(flow: PhaseFlow, use_kw: Floats, net_load_kw: Floats, share: Floats) -> tuple[Worst, float]:
    """Solve all slots by phase; return the extremes, of phases, and the largest unbalance. [%]

    Parameters
    ----------
    flow
        The feeder, made ready.
    use_kw, net_load_kw : (slot, bus)
        What the homes of each bus use, and what they draw. [kW]
    share : (bus, phase)
        Part of a bus's homes on each phase.
    """
    p_kw, q_kvar = bus_power(flow.feeder, use_kw, net_load_kw)
    found = flow.solve(p_kw[:, :, None] * share, q_kvar[:, :, None] * share)
    solved, loading = found.converged, found.transformer_loading
    rated = np.isfinite(flow.feeder.line_rating_a)
    worst = Worst(
        max_voltage_pu=_largest(found.voltage_pu[solved]),
        min_voltage_pu=-_largest(-found.voltage_pu[solved]),
        line_loading=_largest(found.line_loading[solved][:, : len(rated)][:, rated]),
        transformer_loading=math.nan if loading is None else _largest(loading[solved]),
        unsolved_slots=float((~solved).sum()),
    )
    return worst, _largest(found.unbalance_percent[solved])


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
    return _extremes(flow, found, found.converged)


def worst_state_with_curves(
    flow: PowerFlow, use_kw: Floats, net_load_kw: Floats, units: Inverters, control: InverterControl
) -> tuple[Worst, Floats]:
    """Solve all slots together with what inverters do by their own voltage, and take the extremes.

    Parameters
    ----------
    flow
        The feeder, made ready.
    use_kw, net_load_kw : (slot, bus)
        What the homes of each bus use, and what they draw before anybody is held back. [kW]
    units
        The inverters.
    control
        Their curves.

    Returns
    -------
    Worst, (slot,)
        Extremes over slots in which curves and voltages agree; the others count as unsolved. And what all inverters
        together hold back, 0 where they do not agree. [kW]
    """
    found = solve_droop(flow, *bus_power(flow.feeder, use_kw, net_load_kw), units, control)
    held_kw = np.where(found.solved, (units.available_kw - found.output_kw).sum(axis=1), 0.0)
    return _extremes(flow, found.state, found.solved), held_kw


def _extremes(flow: PowerFlow, found: PowerFlowResult, solved: Bools) -> Worst:
    rated = flow.feeder.rated_lines
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
