"""A scenario of one's own with rate classes, components and homes that chose a class, solved once for the tests."""

import functools
from pathlib import Path

from meanwatt.analysis.dashboard.shared.own_scenarios import give, own_scenario
from meanwatt.analysis.dashboard.shared.settings import Settings, opening_tariff
from meanwatt.analysis.dashboard.shared.solution import Solution, solve
from meanwatt.model.scenario.loading import Scenario

CLASSED = """extends = "textbook"
title = "Two classes"
default_tariff = "tiered"
battery_share_scale = 0.0

[rate_classes.solar]
tariff = "rtp"
technologies = ["pv"]

[tariffs.rtp]
recovery = "fixed"

[tariffs.tiered]
title = "Tiers"
recovery = "fixed"
energy_usd_per_kwh = 0.1
access_charge = { usd_per_household_day = 0.05 }
tiers = { limits_kwh_per_month = [300], adders_usd_per_kwh = [0.0, 0.05] }
demand_charge = { usd_per_kw_month = 2.0 }
minimum_bill = { usd_per_month = 60.0 }
subscription = { contracted_share = 0.5, usd_per_kwh = 0.12 }
"""


def given(folder: Path, text: str = CLASSED) -> Scenario:
    """The scenario, which visitors can choose from now on under the name ``mine``."""
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    scenario = own_scenario(str(folder / "mine.toml"), None)
    give([scenario])
    return scenario


@functools.cache
def solved() -> Solution:
    """Its solution with the rate classes in force."""
    found = solve(Settings(scenario="mine", tariff=opening_tariff("mine"), households=500))
    assert found is not None
    return found
