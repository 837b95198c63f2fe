"""A battery whose state of charge lives on a grid of levels.

A move is an integer number of levels, so a state never leaves the grid: a simulated household and the continuum
share one state space, and no interpolation error stands between them (``docs/reference/theory.md``, households).
"""

from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.storage import StorageDay, every_move, frozen
from meanwatt.agents.numerics.arrays import Floats, Ints, read_only

POWER_TOLERANCE = 1e-9
"""Relative slack of the power limit, so that a limit hit exactly is not lost to rounding."""

POWER_LOSS = 0.02
"""Share of a battery's power that may be lost to the grid of levels without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """A storage device behind one meter.

    Parameters
    ----------
    capacity_kwh
        Usable energy in the cell. [kWh]
    power_limit_kw
        Largest grid-side power, charging or discharging. [kW]
    charge_efficiency, discharge_efficiency
        Cell energy per grid energy, and grid energy per cell energy; each in (0, 1].
    wear_usd_per_kwh
        Marginal wear per kWh moved in the cell, either way. [USD/kWh]
    levels
        Number of equally spaced states of charge, the empty and the full one included; at least 2.

    Raises
    ------
    ValueError
        If a parameter lies outside its range.
    """

    capacity_kwh: float
    power_limit_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    wear_usd_per_kwh: float
    levels: int = 21

    def __post_init__(self) -> None:
        """Check every parameter once."""
        for name in ("capacity_kwh", "power_limit_kw"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"battery {name} is {value}; give a positive number")
        for name in ("charge_efficiency", "discharge_efficiency"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"battery {name} is {value}; give a number in (0, 1]")
        if not (np.isfinite(self.wear_usd_per_kwh) and self.wear_usd_per_kwh >= 0):
            raise ValueError(f"battery wear_usd_per_kwh is {self.wear_usd_per_kwh}; give a number >= 0")
        if self.levels < 2:
            raise ValueError(f"battery levels is {self.levels}; give at least 2 (empty and full)")

    @property
    def level_kwh(self) -> float:
        """Cell energy between two neighbouring levels. [kWh]"""
        return self.capacity_kwh / (self.levels - 1)

    @property
    def charges_only(self) -> bool:
        """Whether it never gives energy back to the house or the grid."""
        return False

    def day(self, slots: int, slot_hours: float) -> StorageDay:
        """Moves over the slots of a day: the same in all of them."""
        move = moves(self, slot_hours)
        return StorageDay(
            levels=self.levels,
            level_kwh=self.level_kwh,
            moves=move,
            power_kw=read_only(np.tile(grid_power_kw(self, move, slot_hours), (slots, 1))),
            cost_usd=read_only(wear_usd(self, move)),
            choice=every_move(slots, move.size),
        )


def moves(battery: Battery | None, slot_hours: float) -> Ints:
    """List the level changes that the power limit allows within one slot.

    Returns
    -------
    (move,) int
        Ascending, from the deepest discharge to the strongest charge; 0 is always among them. Without a battery: [0].
    """
    if battery is None:
        return frozen(np.zeros(1, dtype=np.int64))
    charge, discharge = (int(reach) for reach in _reach_levels(battery, slot_hours))
    return frozen(np.arange(-discharge, charge + 1, dtype=np.int64))


def attainable_kw(battery: Battery, slot_hours: float) -> tuple[float, float]:
    """Strongest charge and discharge that power limit and capacity allow for a whole slot, grid side. [kW]"""
    cell_kw = battery.capacity_kwh / slot_hours
    return (
        min(battery.power_limit_kw, cell_kw / battery.charge_efficiency),
        min(battery.power_limit_kw, cell_kw * battery.discharge_efficiency),
    )


def reached_kw(battery: Battery, slot_hours: float) -> tuple[float, float]:
    """Strongest charge and discharge among the battery's moves, grid side; at most `attainable_kw`. [kW]"""
    move = moves(battery, slot_hours)
    power_kw = grid_power_kw(battery, move, slot_hours)
    return float(power_kw[-1]), -float(power_kw[0])


def keeps_power(battery: Battery, slot_hours: float) -> bool:
    """Whether the grid of levels loses at most `POWER_LOSS` of the attainable power, in every way that it is used."""
    ways = _reach_levels(battery, slot_hours)[: 1 if battery.charges_only else 2]
    return all(int(reach) >= (1 - POWER_LOSS) * reach for reach in ways)


def nearest_levels(battery: Battery, slot_hours: float, *, most: int) -> int | None:
    """Number of levels, up to ``most`` and nearest to the battery's own, at which it `keeps_power`; None if none."""
    own = battery.levels
    for levels in sorted(range(2, most + 1), key=lambda count: (abs(count - own), -count)):
        if keeps_power(replace(battery, levels=levels), slot_hours):
            return levels
    return None


def grid_power_kw(battery: Battery | None, move: Ints, slot_hours: float) -> Floats:
    """Power drawn from the grid side by each move: positive charges, negative discharges.

    Charging j levels takes jΔE/(η_c Δ), discharging gives jΔE·η_d/Δ. [kW]
    """
    if battery is None:
        return np.zeros(move.shape)
    cell_kw = move * battery.level_kwh / slot_hours
    return np.where(move > 0, cell_kw / battery.charge_efficiency, cell_kw * battery.discharge_efficiency)


def wear_usd(battery: Battery | None, move: Ints) -> Floats:
    """Wear cost of each move. [USD]"""
    if battery is None:
        return np.zeros(move.shape)
    return np.asarray(np.abs(move) * battery.level_kwh * battery.wear_usd_per_kwh, dtype=np.float64)


def _reach_levels(battery: Battery, slot_hours: float) -> tuple[float, float]:
    """Levels that power limit and capacity let a battery charge and discharge in one slot, fractions included."""
    reach_kwh = battery.power_limit_kw * (1 + POWER_TOLERANCE) * slot_hours
    top = float(battery.levels - 1)
    return (
        min(reach_kwh * battery.charge_efficiency / battery.level_kwh, top),
        min(reach_kwh / battery.discharge_efficiency / battery.level_kwh, top),
    )
