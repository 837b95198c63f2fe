"""A scenario as the arrays that every page computes with: its households, by branch and rate class."""

from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import Economy, require_unlimited
from meanwatt.model.scenario.loading import Scenario


def town_of(scenario: Scenario) -> Economy:
    """Turn a scenario into arrays, its household types divided by branch, and by rate class where they choose one.

    Raises
    ------
    ScenarioError
        In one line, if the scenario has operating envelopes.
    """
    require_unlimited(scenario)
    return build_located_economy(scenario, opt_in=True)
