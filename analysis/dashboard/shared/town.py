"""A scenario as the arrays that every page computes with: its households, by branch of the feeder."""

from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import Economy, require_no_choice, require_unlimited
from meanwatt.model.scenario.loading import Scenario


def town_of(scenario: Scenario) -> Economy:
    """Turn a scenario into arrays, its household types divided by branch where its feeder has some.

    Raises
    ------
    ScenarioError
        In one line, if the scenario has operating envelopes, or its households choose a rate class.
    """
    require_unlimited(scenario)
    require_no_choice(scenario)
    return build_located_economy(scenario)
