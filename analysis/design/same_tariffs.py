"""Tariffs of a scenario that are the same under two names."""

from dataclasses import fields
from typing import Any

import numpy as np

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario


def twins(scenario: Scenario) -> dict[str, str]:
    """Name of each tariff that gives the same numbers as an earlier one, and that one's name.

    A real-time price whose network cost is recovered as an equal fixed charge, say, is a two-part tariff.
    """
    kept: dict[str, Tariff] = {}
    same: dict[str, str] = {}
    for name in plain_names(scenario):
        tariff = build_tariff(load_scenario(scenario, tariff=name))
        for earlier, other in kept.items():
            if same_numbers(tariff, other):
                same[name] = earlier
                break
        else:
            kept[name] = tariff
    return same


def plain_names(scenario: Scenario) -> list[str]:
    """Names of a scenario's tariffs without components, which alone are compared with one another."""
    return [name for name, table in scenario.tariffs.items() if not table.monthly_names]


def same_numbers(one: Tariff, other: Tariff) -> bool:
    """Whether two tariffs are the same but for their names and for numbers that their recovery does not use."""
    if one.recovery is not other.recovery:
        return False
    unused = {"name", "fixed_charge_usd_per_day" if one.recovery is Recovery.FIXED else "fixed_charge_shape"}
    if one.recovery is not Recovery.VOLUMETRIC:
        unused.add("adder_cap_usd_per_kwh")
    names = [field.name for field in fields(Tariff) if field.name not in unused]
    return all(_equal(getattr(one, name), getattr(other, name)) for name in names)


def _equal(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other))
