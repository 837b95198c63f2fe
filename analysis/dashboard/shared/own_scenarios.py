"""Scenarios that whoever started the server named on its command line: visitors find them by a name, never by a path.

They are the same for all visitors and are given once, before the first one comes.
"""

from collections.abc import Iterable

from meanwatt.analysis.dashboard.shared.class_tariffs import class_choice
from meanwatt.model.scenario.economy import require_unlimited
from meanwatt.model.scenario.loading import Scenario, load_scenario, presets

YOURS = "yours"
"""Begins the name of a scenario that would have a preset's."""

_given: dict[str, Scenario] = {}


def own_scenarios() -> dict[str, Scenario]:
    """Name and content of every scenario given."""
    return dict(_given)


def give(scenarios: Iterable[Scenario]) -> None:
    """Let visitors choose these scenarios, by their names, and none given before."""
    _given.clear()
    _given.update({scenario.name: scenario for scenario in scenarios})


def own_scenario(source: str, tariff: str | None) -> Scenario:
    """The scenario that somebody named for the app: a preset's as it is, any other under a name that no preset has.

    Parameters
    ----------
    source, tariff
        A preset's name or a scenario's TOML file, and one of its tariffs or a tariff's file, which is selected.

    Raises
    ------
    ScenarioError
        In one line, if one of them cannot be used, or the feeder has envelopes, which no page can hold.
    """
    plain = load_scenario(source)
    scenario = plain if tariff is None else load_scenario(plain, tariff=tariff)
    require_unlimited(scenario)
    if source in presets() and (tariff is None or tariff in (*plain.tariffs, class_choice(plain))):
        return scenario
    name = f"{YOURS}_{scenario.name}" if scenario.name in presets() else scenario.name
    title = scenario.title or name
    return scenario.model_copy(update={"name": name, "title": f"{title} (yours)"})
