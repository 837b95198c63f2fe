"""Limits of what the numbers of a scenario come to together: counts, loads, prices, and the size of the game."""

from typing import TYPE_CHECKING

import numpy as np

from meanwatt.agents.household.storage import storage_day
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.day_profiles import day_profiles
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technologies_owned, technology_shares
from meanwatt.model.scenario.weather import common_states

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario

SMALLER_GAME = "fewer battery_levels, day types or slots, or a smaller memory"
POLICIES_AT_ONCE = 3
"""An answer holds its own policies, those it started from, and work on them."""


def require_counts(scenario: "Scenario") -> None:
    """Raise ValueError if a list or table has too many entries; the checks that follow take their squares."""
    supply = scenario.supply.net_load_kw
    for key, count, allowed in (
        ("day_types", len(scenario.day_types), ranges.DAY_TYPES),
        ("income_groups", len(scenario.income_groups), ranges.INCOME_GROUPS),
        ("tariffs", len(scenario.tariffs), ranges.TARIFFS),
        ("rate_classes", len(scenario.rate_classes), ranges.RATE_CLASSES),
        ("shock.levels", max(len(scenario.shock.levels), 1), ranges.SHOCK_LEVELS),
        ("supply.net_load_kw", 2 if supply is None else len(supply), ranges.NODES),
    ):
        if not allowed.holds(count):
            raise ValueError(f"{key} has {count} entries; give {allowed.wanted()}")


def require_physical(scenario: "Scenario") -> None:
    """Raise ValueError if loads, solar output or prices come to numbers that the model cannot hold."""
    use, sun, rest = _products(scenario)
    for what, largest, least, factors in (
        ("load", use.max(), _least(use), "load.use_kwh_per_day, shape, multipliers, use_factor and shock levels"),
        ("solar output", sun.max(), _least(sun), "pv_kw, pv_scale, shape and pv_factor"),
    ):
        for value in (largest, least):
            if not ranges.LOAD.holds(value):
                raise ValueError(
                    f"{factors} come to a {what} of {value:.3g} kW a household;"
                    f" give {ranges.LOAD.wanted()} in every slot"
                )
    power = scenario.battery.power_limit_kw
    for technology in technologies_owned(scenario):
        power = max(power, technology.storage(scenario).power_limit_kw if technology.storage else 0.0)
    low = float(rest.min() - sun.max() - power)
    high = float(rest.max() + use.max() * (1 + scenario.flexibility) + power)
    for load, price in zip((low, high), scenario.supply.curve().prices_at((low, high)), strict=True):
        if not ranges.DERIVED_PRICE.holds(price):
            raise ValueError(
                f"supply comes to {price:.3g} USD/kWh at {load:.4g} kW a household, which loads and rest_load_kw may"
                f" reach; give a curve with {ranges.DERIVED_PRICE.wanted()}, or smaller loads"
            )


def require_size(scenario: "Scenario") -> None:
    """Raise ValueError if the game is larger than any machine solves."""
    cells = policy_bytes(scenario) / (8 * POLICIES_AT_ONCE)
    if not ranges.POLICY_CELLS.holds(cells):
        raise ValueError(
            f"battery_levels is {scenario.battery_levels}: over types, common states, slots, shocks and moves the"
            f" policies have {cells:.3g} probabilities, more than {ranges.POLICY_CELLS.high:.3g}; give {SMALLER_GAME}"
        )


def policy_bytes(scenario: "Scenario") -> float:
    """Memory that the policies of all household types take while they are computed. [bytes]"""
    states = common_states(tuple(scenario.day_types), scenario.day_type_kernel_array(), scenario.memory).count
    shares = [technology_shares(scenario, group) for group in scenario.income_groups.values() if group.share > 0]
    wide = 0
    for technology in TECHNOLOGIES:
        owners = sum(share[technology.name] > 0 for share in shares)
        if technology.storage and owners:
            day = storage_day(technology.storage(scenario), scenario.slots_per_day, scenario.slot_hours)
            wide += owners * (day.levels * day.moves.size - 1)
    rows = float(states) * scenario.slots_per_day * len(scenario.shock.levels)
    return 8 * POLICIES_AT_ONCE * rows * (wide + 4 * len(scenario.income_groups))


def _products(scenario: "Scenario") -> tuple[Floats, Floats, Floats]:
    """Load and solar output of each group's largest household, and the load of the rest; any order. [kW]"""
    profiles, groups = day_profiles(scenario), scenario.income_groups.values()
    use_kw = np.multiply.outer(
        np.multiply.outer([1.0, scenario.load.adopter_multiplier], scenario.shock.levels),
        np.array([group.use_factor for group in groups])[:, None, None] * profiles.group_load_kw,
    )
    installed_kw = scenario.pv_scale * np.array([group.pv_kw for group in groups])
    sun_kw = np.multiply.outer(installed_kw, profiles.clear_day * profiles.pv_factor)
    return use_kw, sun_kw, profiles.rest_load_kw


def _least(values: Floats) -> float:
    """Smallest positive one, or 0."""
    return float(values.min(where=values > 0, initial=np.inf)) if (values > 0).any() else 0.0
