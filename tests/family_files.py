"""Families of tariffs as users write them, that several tests share."""

import tomllib

import numpy as np
from scenarios import preset_economy

from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.leader.own_family import OwnFamilies, own_families
from meanwatt.model.mean_field.leader.window_combinations import window_of_slot
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.family_file import family_of_table

WELFARE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
"""A commission that wants welfare alone."""
_HOUR = np.arange(24)
_SHAPE = 1.0 + 0.8 * np.sin(0.26 * _HOUR) ** 2 + 0.9 * np.exp(-((_HOUR - 18.3) ** 2) / 8)
UNEVEN = f"load.shape={_SHAPE.round(4).tolist()}"
"""No two windows have the same shape of load in them."""
PEAK = """
[free]
"energy_usd_per_kwh.day" = [0.0, 1.0]
"energy_usd_per_kwh.peak" = [0.0, 1.0]
[fixed]
pass_through = 0.0
recovery = "fixed"
[windows]
peak = { start = [15, 19], width = [3, 5] }
"""
"""The family of the documents: one window, 15 places."""
TWO = """
[free]
energy_usd_per_kwh.base = [0.0, 1.0]
energy_usd_per_kwh.night = [0.0, 1.0]
energy_usd_per_kwh.peak = [0.0, 1.0]
[fixed]
recovery = "fixed"
[windows]
peak = { start = [16, 18], width = [3, 4] }
night = { start = [21, 23], width = 9 }
"""
"""Two windows, one over midnight; 18 + 4 h reaches into a night that begins at 21."""
BARE = ("battery_share_scale=0", "pv_share_scale=0", "carbon.usd_per_t=0")
"""No battery, no solar, no carbon: where the best rates are known."""


def families_of(economy: Economy, text: str) -> OwnFamilies:
    """The families that a text gives over an economy's tariff in force."""
    return own_families(economy, family_of_table(tomllib.loads(text), "family f.toml"))


def textbook_families(text: str, *overrides: str) -> OwnFamilies:
    """The same over the textbook and its default tariff."""
    return families_of(preset_economy("textbook", *overrides), text)


def best_rates(reference_kw: np.ndarray, window: np.ndarray, intercept: float, slope: float) -> np.ndarray:
    """Σ q0 s(q) / Σ q0 in each window at its own fixed point, in plain NumPy, for elasticity .1 and p0 = .185.

    The welfare-best rates where nobody has a battery or solar and s(q) = intercept + slope · q.
    """
    rates = np.full(window.max() + 1, 0.15)
    for _ in range(200):
        use = reference_kw * (1 + 0.1 * (1 - rates[window] / 0.185))
        cost = reference_kw * (intercept + slope * use)
        rates = np.array([cost[window == k].sum() / reference_kw[window == k].sum() for k in range(len(rates))])
    return rates


def welfare_at(rate: np.ndarray, reference_kw: np.ndarray, intercept: float, slope: float, fixed_usd: float) -> float:
    """Utility less the cost of supply and network at a rate by hour, in plain loops. [USD per household-day]"""
    total = -fixed_usd
    for price, reference in zip(rate, reference_kw, strict=True):
        use = reference * (1 + 0.1 * (1 - price / 0.185))
        more = use - reference
        total += 0.185 * (more - more**2 / (2 * 0.1 * reference)) - intercept * use - slope * use**2 / 2
    return total


def windows_by_hour(windows: dict, slots: int = 24) -> np.ndarray:
    """0 in the rest of the day, 1 in the first window, and so on. (slot,)"""
    return window_of_slot(windows, slots) + 1
