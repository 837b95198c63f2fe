"""What colours the feeder's map: voltage, a phase, the unbalance, loading, what is held back; each with its scale."""

import math
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.network.library.phase_data import PHASES
from meanwatt.model.network.phase_flow import UNBALANCE_LIMIT_PERCENT
from meanwatt.model.network.power_flow import VoltageLimits


def voltage_scale(voltage_pu: Floats, limits: VoltageLimits) -> dict[str, Any]:
    """Range of colours, ticks and limits for voltages of any shape. [pu]"""
    low = min(math.floor(np.nanmin(voltage_pu) * 100 - 0.5) / 100, 0.94)
    high = max(math.ceil(np.nanmax(voltage_pu) * 100 + 0.5) / 100, 1.0)
    step = 0.05 if high - low > 0.13 else 0.02
    ticks = [round(k * step, 3) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    marks = sorted({bound for bound in (limits.low_pu, limits.high_pu) if low <= bound <= high})
    return {
        "domain": [low, high],
        "ticks": [tick for tick in ticks if all(abs(tick - mark) > step / 3 for mark in marks)],
        "limits": [limits.low_pu, limits.high_pu],
    }


def day_of_voltage(voltage_pu: Floats, limits: VoltageLimits, source: int) -> dict[str, Any]:
    """Voltages (h, bus), and the slot furthest beyond a limit, or from the source's; no solution shows as 0."""
    known = np.nan_to_num(voltage_pu, nan=0.0)
    beyond = np.maximum(limits.low_pu - known, known - limits.high_pu)
    if not (beyond > 0).any():
        beyond = np.abs(known - known[:, [source]])
    return {"voltage_pu": np.round(known, 4).tolist(), "worst_slot": int(beyond.max(axis=1).argmax())}


def phase_layers(
    voltage_pu: Floats, unbalance_percent: Floats, limits: VoltageLimits, source: int
) -> dict[str, dict[str, Any]]:
    """Write what the map may show beside the balanced voltage, by name.

    Parameters
    ----------
    voltage_pu : (h, bus, phase)
        Voltage of each phase; nan without a state. [pu]
    unbalance_percent : (h, bus)
        Negative over positive sequence. [%]
    limits, source
        Voltage band, and the source's bus.
    """
    if np.isnan(voltage_pu).all():
        return {}
    scale = voltage_scale(voltage_pu, limits)
    layers = {}
    for place, name in enumerate(PHASES):
        day = day_of_voltage(voltage_pu[:, :, place], limits, source)
        layers[name] = {"values": day["voltage_pu"], "worst_slot": day["worst_slot"], **scale}
    known = np.nan_to_num(unbalance_percent, nan=0.0)
    top = max(2 * UNBALANCE_LIMIT_PERCENT / 3, math.ceil(known.max() * 2 + 0.2) / 2)
    layers["unbalance"] = {
        "values": np.round(known, 4).tolist(),
        "worst_slot": int(known.max(axis=1).argmax()),
        "domain": [0.0, top],
        "ticks": [tick for tick in np.arange(0.0, top, 0.5 if top <= 4 else 1.0).tolist() if tick != 2.0],
        "limits": [0.0, UNBALANCE_LIMIT_PERCENT],
    }
    return layers


def loading_layer(loading: Floats | None) -> dict[str, dict[str, Any]]:
    """Write the layer that colours wires, from the loading of the map's edges (h, edge), 1 being the rating.

    Nothing where no rating is known, or no slot has a state.
    """
    if loading is None or np.isnan(loading).all():
        return {}
    percent = 100 * loading
    top = max(100.0, 20 * math.ceil(np.nanmax(percent) / 20))
    step = 20.0 if top <= 120 else 50.0 if top <= 400 else 10 ** math.floor(math.log10(top / 2))
    return {
        "loading": {
            "on": "line",
            "values": _rounded(percent, 2),
            "worst_slot": int(np.nanargmax(percent) // percent.shape[1]),
            "domain": [0.0, top],
            "ticks": [tick for tick in np.arange(0.0, top + 1e-9, step).tolist() if tick != 100.0],
            "limits": [0.0, 100.0],
        }
    }


def held_layer(held_kw: Floats | None) -> dict[str, dict[str, Any]]:
    """Write the layer of what volt-watt holds back at each bus, (h, bus); nothing where no curve is in force. [kW]"""
    return {} if held_kw is None else _power_layer("held", held_kw)


def curtailed_layer(curtailed_kw: Floats | None, *, before: bool = False) -> dict[str, dict[str, Any]]:
    """Write the layer of what homes at each bus curtail for its price, (h, bus). [kW]

    Nothing where nobody does, unless somebody did ``before``: what a map is coloured by stays on a day of clouds.
    """
    if curtailed_kw is None or not (before or curtailed_kw.any()):
        return {}
    return _power_layer("curtailed", curtailed_kw)


def _power_layer(name: str, power_kw: Floats) -> dict[str, dict[str, Any]]:
    top = float(power_kw.max())
    digit = 10.0 ** math.floor(math.log10(top)) if top > 0 else 1.0
    top = max(digit * math.ceil(top / digit - 1e-9), 0.1)
    return {
        name: {
            "values": _rounded(power_kw, 3),
            "worst_slot": int(power_kw.sum(axis=1).argmax()),
            "domain": [0.0, top],
            "ticks": [0.0, round(top / 2, 6), top],
            "limits": [0.0, 2 * top],
        }
    }


def _rounded(values: Floats, digits: int) -> list[list[float | None]]:
    """Rows of numbers; None for nan."""
    return [[None if np.isnan(one) else round(float(one), digits) for one in row] for row in values]
