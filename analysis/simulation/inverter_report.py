"""What solar inverters did by their voltage over the days of a market, and what that adds to its distance."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.market.grid_day import InverterDay
from meanwatt.model.market.history import History
from meanwatt.model.market.market_inverters import inverter_control
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.tables import FeederTable


def inverter_report(
    table: FeederTable, history: History, customers_at: np.typing.NDArray[np.int64], equilibrium: Equilibrium | None
) -> dict[str, Any] | None:
    """Report the curves in force and what they did; None where no curve is in force, or no day was lived.

    Parameters
    ----------
    table
        The scenario's ``[feeder]``.
    history
        The market's days.
    customers_at : (type, bus)
        Simulated households.
    equilibrium
        The mean field that the load is compared with, if there is one.
    """
    control = inverter_control(table)
    days = _days(history)
    if control is None or not days:
        return None
    held, available = _mean(days, "held_kwh"), _mean(days, "available_kwh")
    hours = 24 / len(days[0].held_kw)
    households = int(customers_at.sum())
    total = float((held * customers_at).sum())
    return {
        "volt_watt": asdict(control.volt_watt) if control.volt_watt else None,
        "volt_var": asdict(control.volt_var) if control.volt_var else None,
        "curtailed_kwh_per_household_day": total / households,
        "curtailed_share_of_solar": _share(total, float((available * customers_at).sum())),
        "hours_curtailed": hours * float(sum((day.held_kw > 0).sum() for day in days)),
        "curtailed_kwh_by_bus": _by_bus(history, customers_at, held, available),
        "curtailed_kwh_by_type": _by_type(history, customers_at, held, available),
        "most_curtailed_household": _most(history, held, available),
        "most_kvar_drawn": max(0.0, -float(min(np.nanmin(day.fed_in_kvar) for day in days))),
        "residual_pu": _largest([day.residual_pu for day in days]),
        "starts_differ_pu": _largest([day.starts_differ_pu for day in days]),
        "hours_without_fixed_point": hours * float(sum((~day.fixed_point).sum() for day in days)),
        "net_load_distance_kw": _distance(history, days, equilibrium),
    }


def held_by_type_and_bus(history: History) -> tuple[Floats, Floats] | tuple[None, None]:
    """What volt-watt held back of a household and what it had to feed in, mean day, (type, bus); None without curves.

    [kWh per household-day]
    """
    days = _days(history)
    return (_mean(days, "held_kwh"), _mean(days, "available_kwh")) if days else (None, None)


def roof_days(history: History) -> pd.DataFrame:
    """Table by day, type (and branch, if any) and bus: what a home had to feed in, what volt-watt held back. [kWh]"""
    rows = []
    for record in history:
        if record.grid is None or record.grid.inverters is None:
            continue
        found = record.grid.inverters
        type_index, bus = np.nonzero(found.available_kwh + found.held_kwh)
        rows.append(
            pd.DataFrame(
                {
                    "day": record.day,
                    "income_group": [history.types[k][0] for k in type_index.tolist()],
                    "technology": [history.types[k][1] for k in type_index.tolist()],
                    **({"branch": [history.branches[k] for k in type_index.tolist()]} if history.branches else {}),
                    "bus": [history.buses[b] for b in bus.tolist()],
                    "available_kwh": found.available_kwh[type_index, bus],
                    "volt_watt_kwh": found.held_kwh[type_index, bus],
                }
            )
        )
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    return table.assign(key=np.full(len(table), history.key, dtype=np.uint64))


def without_volt_watt_kw(history: History) -> Floats:
    """Net load of the market if nobody had been held back, the same moves and use given, (day, slot). [kW]"""
    load = history.stacked("net_load_kw").copy()
    for number, record in enumerate(history):
        if record.grid is not None and record.grid.inverters is not None:
            load[number] -= record.grid.inverters.held_kw
    return np.asarray(load)


def _days(history: History) -> list[InverterDay]:
    return [record.grid.inverters for record in history if record.grid is not None and record.grid.inverters]


def _mean(days: list[InverterDay], name: str) -> Floats:
    """Mean over days, (type, bus). [kWh per household-day]"""
    return np.asarray(np.mean([getattr(day, name) for day in days], axis=0))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _largest(values: list[Floats]) -> float | None:
    """The largest number there is; None where all are unknown."""
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    return float(known.max()) if known.size else None


def _by_bus(
    history: History, count: np.typing.NDArray[np.int64], held: Floats, available: Floats
) -> list[dict[str, Any]]:
    """Households with solar of every bus that has any."""
    solar = count * (available > 0)
    return [
        {
            "bus": history.buses[bus],
            "households_with_solar": int(solar[:, bus].sum()),
            "kwh_per_household_day": float((held * solar)[:, bus].sum() / solar[:, bus].sum()),
            "share_of_solar": _share(float((held * solar)[:, bus].sum()), float((available * solar)[:, bus].sum())),
        }
        for bus in np.flatnonzero(solar.sum(axis=0)).tolist()
    ]


def _by_type(
    history: History, count: np.typing.NDArray[np.int64], held: Floats, available: Floats
) -> list[dict[str, Any]]:
    """Household types with solar."""
    solar = count * (available > 0)
    return [
        {
            **_named(history, type_index),
            "households": int(solar[type_index].sum()),
            "kwh_per_household_day": float((held * solar)[type_index].sum() / solar[type_index].sum()),
            "share_of_solar": _share(
                float((held * solar)[type_index].sum()), float((available * solar)[type_index].sum())
            ),
        }
        for type_index in np.flatnonzero(solar.sum(axis=1)).tolist()
    ]


def _named(history: History, type_index: int) -> dict[str, str]:
    """Say which household type it is; with its branch where there are branches."""
    income, technology = history.types[type_index]
    branch = {"branch": history.branches[type_index]} if history.branches else {}
    return {"income": income, "technology": technology} | branch


def _most(history: History, held: Floats, available: Floats) -> dict[str, Any] | None:
    """The household that loses most; None where nobody loses anything."""
    type_index, bus = np.unravel_index(int(np.argmax(held)), held.shape)
    if held[type_index, bus] == 0:
        return None
    return {
        **_named(history, int(type_index)),
        "bus": history.buses[bus],
        "kwh_per_day": float(held[type_index, bus]),
        "share_of_solar": _share(float(held[type_index, bus]), float(available[type_index, bus])),
    }


def _distance(
    history: History, days: list[InverterDay], equilibrium: Equilibrium | None
) -> dict[str, float | None] | None:
    """Root mean square distance of the net load to the mean field's, as it was and if nobody had been held back."""
    if equilibrium is None:
        return None
    states = [record.common_state for record in history]
    expected = equilibrium.net_load_kw[states]
    with_it, without = history.stacked("net_load_kw") - expected, without_volt_watt_kw(history) - expected
    return {
        "with_volt_watt": float(np.sqrt((with_it**2).mean())),
        "without_volt_watt": float(np.sqrt((without**2).mean())),
        "volt_watt_alone": float(np.sqrt(np.mean([day.held_kw**2 for day in days]))),
    }
