"""Solved tariffs of the textbook town, in pairs to compare; each is solved once in a session."""

from functools import cache

from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution, solve

PAIRS = (("filed", "rtp"), ("rtp", "income_graduated"), ("filed", "flat"))
"""Posted against balanced, two with the same price, and posted against an adder."""


@cache
def solution(tariff: str, scenario: str = "textbook") -> Solution:
    """Everything that a page shows of a tariff."""
    found = solve(Settings(scenario=scenario, tariff=tariff))
    assert found is not None
    return found
