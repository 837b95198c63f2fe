"""Stress on the feeder: voltages, loadings, losses and curtailed energy of a power flow, as numbers.

Plain arrays in, one row a slot. ``hours`` says how much time a row stands for: the slot length for a realised series,
or the expected hours of each (common state, slot), e.g. p_c · Δ for a day.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Bools, Floats, require_finite, require_shape
from meanwatt.model.network.power_flow import VoltageLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederStress:
    """What a power flow says about a feeder.

    All but ``hours`` and ``hours_unsolved`` speak of the slots in which a state was found: with others, sums are
    partial. Extremes are None where there is no such slot, and the numbers of transformers or lines where the feeder
    has none.

    Attributes
    ----------
    hours
        All of the time. [h]
    hours_unsolved
        Time in which the power flow found no state (voltage collapse): worse than any limit. [h]
    voltage_min_pu, voltage_max_pu
        Lowest and highest voltage of any bus in any slot. [pu]
    hours_below_limit, hours_above_limit, hours_outside_limits
        Time in which at least one bus is too low, too high, or either. [h]
    bus_hours_outside_limits
        Sum over buses of the time each is outside the limits. [bus·h]
    transformer_loading_max, line_loading_max
        Highest loading; 1 is the rating. [-]
    hours_transformer_overloaded, hours_line_overloaded
        Time in which a transformer, or at least one line, is above its rating. [h]
    loss_kwh
        Energy lost in lines and transformers. [kWh]
    curtailed_kwh
        Solar output withheld by all customers. [kWh]
    """

    hours: float
    hours_unsolved: float
    voltage_min_pu: float | None
    voltage_max_pu: float | None
    hours_below_limit: float
    hours_above_limit: float
    hours_outside_limits: float
    bus_hours_outside_limits: float
    transformer_loading_max: float | None
    hours_transformer_overloaded: float | None
    line_loading_max: float | None
    hours_line_overloaded: float | None
    loss_kwh: float
    curtailed_kwh: float

    def to_json(self) -> dict[str, float | None]:
        """Every attribute under its own name."""
        return asdict(self)


def feeder_stress(
    *,
    voltage_pu: npt.ArrayLike,
    loss_kw: npt.ArrayLike,
    hours: npt.ArrayLike,
    limits: VoltageLimits = VoltageLimits.ANSI_C84_1,
    converged: npt.ArrayLike | None = None,
    transformer_loading: npt.ArrayLike | None = None,
    line_loading: npt.ArrayLike | None = None,
    curtailed_kw: npt.ArrayLike | None = None,
) -> FeederStress:
    """Summarise a power flow over slots.

    Parameters
    ----------
    voltage_pu : (slot, bus) float
        Voltage magnitude. [pu]
    loss_kw : (slot,) float
        Losses of the whole feeder. [kW]
    hours : float or (slot,) float
        Time each row stands for, ≥ 0. [h]
    limits
        Band of allowed voltages; a voltage equal to a limit is inside.
    converged : (slot,) bool, optional
        Slots in which the power flow found a state; the rows of the others are not read. None: all.
    transformer_loading : (slot,) or (slot, transformer) float, optional
        Loading as a fraction of the rating, ≥ 0. None, or no columns: a feeder without transformers.
    line_loading : (slot, line) float, optional
        Loading as a fraction of the rating, ≥ 0. None, or no columns: lines without ratings.
    curtailed_kw : (slot,) float, optional
        Solar output withheld, ≥ 0. None: no curtailment. [kW]

    Raises
    ------
    ValueError
        If shapes disagree, or a number of a converged slot is not finite or (losses apart) negative.
    """
    loss = np.asarray(loss_kw, dtype=np.float64)
    if loss.ndim != 1 or loss.size == 0:
        raise ValueError(f"loss_kw has shape {loss.shape}; give one number a slot, axes (slot,)")
    slots = len(loss)
    solved = np.full(slots, True) if converged is None else np.asarray(converged, dtype=np.bool_)
    require_shape("converged", solved, (slots,), "(slot,)")
    every_slot = np.full(slots, True)
    all_hours = _rows("hours", np.full(slots, hours) if np.ndim(hours) == 0 else hours, every_slot)[:, 0]
    weight = all_hours[solved]
    voltage = _rows("voltage_pu", voltage_pu, solved)
    below, above = voltage < limits.low_pu, voltage > limits.high_pu
    outside = below | above

    def loading(name: str, values: npt.ArrayLike | None) -> tuple[float | None, float | None]:
        """Highest loading and hours above the rating; None without equipment."""
        if values is None or 0 in np.shape(values)[1:]:
            return None, None
        rows = _rows(name, values, solved)
        return _largest(rows), float(weight @ (rows > 1).any(axis=1))

    transformer_max, transformer_hours = loading("transformer_loading", transformer_loading)
    line_max, line_hours = loading("line_loading", line_loading)
    curtailed = np.zeros(slots) if curtailed_kw is None else np.asarray(curtailed_kw, dtype=np.float64)
    require_shape("curtailed_kw", curtailed, (slots,), "(slot,)")
    return FeederStress(
        hours=float(all_hours.sum()),
        hours_unsolved=float(all_hours[~solved].sum()),
        voltage_min_pu=float(voltage.min()) if voltage.size else None,
        voltage_max_pu=_largest(voltage),
        hours_below_limit=float(weight @ below.any(axis=1)),
        hours_above_limit=float(weight @ above.any(axis=1)),
        hours_outside_limits=float(weight @ outside.any(axis=1)),
        bus_hours_outside_limits=float(weight @ outside.sum(axis=1)),
        transformer_loading_max=transformer_max,
        hours_transformer_overloaded=transformer_hours,
        line_loading_max=line_max,
        hours_line_overloaded=line_hours,
        loss_kwh=float(weight @ _rows("loss_kw", loss, solved, lowest=-math.inf)[:, 0]),
        curtailed_kwh=float(weight @ _rows("curtailed_kw", curtailed, solved)[:, 0]),
    )


def _rows(name: str, values: npt.ArrayLike, solved: Bools, *, lowest: float = 0.0) -> Floats:
    """Rows of the solved slots, (solved slot, column), a single number a slot being one column.

    Raises ValueError unless there is one row a slot, and the solved ones are finite and at least ``lowest``.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2) or len(array) != len(solved) or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; give {len(solved)} rows, one a slot of loss_kw")
    array = array.reshape(len(array), -1)
    checked = np.where(solved[:, None], array, 0.0)  # unsolved rows may hold nan; indices in errors stay true
    require_finite(name, checked)
    if (checked < lowest).any():
        slot, column = (int(i) for i in np.argwhere(checked < lowest)[0])
        raise ValueError(f"{name} is {array[slot, column]} in slot {slot}, column {column}; give numbers of 0 or more")
    return np.asarray(array[solved])


def _largest(array: Floats) -> float | None:
    """The largest entry, or None if there is none."""
    return float(array.max()) if array.size else None
