"""Phase voltages and unbalance of a feeder's power flow by phase, as numbers."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, require_shape
from meanwatt.model.network.library.phase_data import PHASES
from meanwatt.model.network.phase_flow import UNBALANCE_LIMIT_PERCENT
from meanwatt.model.network.power_flow import VoltageLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseVoltVar:
    """What inverters did by phase; numbers are None where no slot has them.

    Attributes
    ----------
    most_kvar_drawn
        Largest reactive power that all inverters together drew, 0 if they never did. [kvar]
    residual_pu, starts_differ_pu
        Largest residual of a slot, and largest difference between voltages found from two starts. [pu]
    hours_without_fixed_point
        Time in which curve and voltages were not brought to agree, or there is no state. [h]
    """

    most_kvar_drawn: float | None
    residual_pu: float | None
    starts_differ_pu: float | None
    hours_without_fixed_point: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStress:
    """What a power flow by phase says about a feeder.

    All but ``hours`` and ``hours_unsolved`` speak of the slots in which a state was found; extremes are None without
    one.

    Attributes
    ----------
    hours, hours_unsolved
        All of the time, and that in which the power flow by phase found no state. [h]
    voltage_min_pu, voltage_max_pu
        Lowest and highest voltage of any phase to neutral, at any bus in any slot. [pu]
    min_bus, max_bus, most_uneven_bus
        Where they are, and where the largest unbalance is.
    hours_outside_limits, hours_below_limit, hours_above_limit
        By phase: time in which at least one bus has that phase outside, too low or too high. [h]
    bus_hours_outside_limits
        By phase: sum over buses of the time each has that phase outside the limits. [bus·h]
    unbalance_max_percent, unbalance_95_percent
        Largest negative over positive sequence of a bus, and the one that the most uneven bus keeps to 95 % of the
        time, as EN 50160 looks at it. [%]
    unbalance_limit_percent, hours_unbalance_above_limit
        The limit of EN 50160, and the time in which at least one bus is above it. [%, h]
    transformer_loading_max
        Of the most loaded phase; None without transformers. [-]
    loss_kwh
        Energy lost in lines and transformers, the neutral's included. [kWh]
    homes_by_phase
        The feeder's homes on phase a, b, c, and on all three.
    volt_var
        What inverters did by the voltage of their phase; None where no curve is in force.
    """

    hours: float
    hours_unsolved: float
    voltage_min_pu: float | None
    voltage_max_pu: float | None
    min_bus: str | None
    max_bus: str | None
    most_uneven_bus: str | None
    hours_outside_limits: dict[str, float]
    hours_below_limit: dict[str, float]
    hours_above_limit: dict[str, float]
    bus_hours_outside_limits: dict[str, float]
    unbalance_max_percent: float | None
    unbalance_95_percent: float | None
    unbalance_limit_percent: float
    hours_unbalance_above_limit: float
    transformer_loading_max: float | None
    loss_kwh: float
    homes_by_phase: dict[str, int]
    volt_var: PhaseVoltVar | None = None

    def to_json(self) -> dict[str, Any]:
        """Every attribute under its own name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseSlots:
    """A power flow by phase, one row a slot.

    Attributes
    ----------
    voltage_pu : (slot, bus, phase)
        Voltage. [pu]
    unbalance_percent : (slot, bus)
        Negative over positive sequence. [%]
    loss_kw, transformer_loading : (slot,)
        Losses [kW], and the loading of the most loaded phase; nan without a transformer.
    solved : (slot,)
        Where there is a state.
    """

    voltage_pu: Floats
    unbalance_percent: Floats
    loss_kw: Floats
    transformer_loading: Floats
    solved: Bools


def phase_stress(
    found: PhaseSlots, *, slot_hours: float, limits: VoltageLimits, buses: tuple[str, ...], homes: Floats
) -> PhaseStress:
    """Summarise a power flow by phase over slots.

    Parameters
    ----------
    found
        The slots.
    slot_hours
        Length of one. [h]
    limits
        Band of allowed voltages; its edges are inside.
    buses
        Their names.
    homes : (4,)
        Homes on phase a, b, c, and on all three.

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    solved = found.solved
    require_shape("voltage_pu", found.voltage_pu, (len(solved), len(buses), 3), "(slot, bus, phase)")
    require_shape("unbalance_percent", found.unbalance_percent, (len(solved), len(buses)), "(slot, bus)")
    voltage, unbalance = found.voltage_pu[solved], found.unbalance_percent[solved]
    below, above = voltage < limits.low_pu, voltage > limits.high_pu
    loading = found.transformer_loading[solved]
    loading = loading[np.isfinite(loading)]
    known = bool(solved.any())
    usual = np.percentile(unbalance, 95, axis=0, method="higher") if known else np.zeros(len(buses))

    def by_phase(hours: Floats) -> dict[str, float]:
        return dict(zip(PHASES, (slot_hours * hours).tolist(), strict=True))

    def bus_of(place: np.intp) -> str:
        return buses[int(np.unravel_index(place, voltage.shape)[1])]

    return PhaseStress(
        hours=len(solved) * slot_hours,
        hours_unsolved=float((~solved).sum()) * slot_hours,
        voltage_min_pu=float(voltage.min()) if known else None,
        voltage_max_pu=float(voltage.max()) if known else None,
        min_bus=bus_of(voltage.argmin()) if known else None,
        max_bus=bus_of(voltage.argmax()) if known else None,
        most_uneven_bus=buses[int(unbalance.max(axis=0).argmax())] if known else None,
        hours_outside_limits=by_phase((below | above).any(axis=1).sum(axis=0)),
        hours_below_limit=by_phase(below.any(axis=1).sum(axis=0)),
        hours_above_limit=by_phase(above.any(axis=1).sum(axis=0)),
        bus_hours_outside_limits=by_phase((below | above).sum(axis=(0, 1))),
        unbalance_max_percent=float(unbalance.max()) if known else None,
        unbalance_95_percent=float(usual.max()) if known else None,
        unbalance_limit_percent=UNBALANCE_LIMIT_PERCENT,
        hours_unbalance_above_limit=float((unbalance > UNBALANCE_LIMIT_PERCENT).any(axis=1).sum()) * slot_hours,
        transformer_loading_max=float(loading.max()) if loading.size else None,
        loss_kwh=float(found.loss_kw[solved].sum()) * slot_hours,
        homes_by_phase=dict(zip((*PHASES, "abc"), np.asarray(homes).astype(int).tolist(), strict=True)),
    )
