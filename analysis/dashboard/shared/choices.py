"""What a visitor chooses from in a list: scenarios and their tariffs."""

import functools

from meanwatt.analysis.dashboard.shared.settings import Settings, scenario_titles
from meanwatt.analysis.design.same_tariffs import plain_names, twins
from meanwatt.model.scenario.loading import Scenario


def scenario_options() -> list[dict[str, str]]:
    """Name and title of every scenario, for a list to choose from."""
    return [{"value": name, "label": title} for name, title in scenario_titles()]


def tariff_titles(preset: Scenario) -> dict[str, str]:
    """Name and title of every tariff of a preset, with the date of rates on file."""
    return {
        name: f"{table.title or name}{f' ({table.as_of})' if table.as_of else ''}"
        for name, table in preset.tariffs.items()
    }


def tariff_options(preset: Scenario) -> list[dict[str, str]]:
    """Name and title of every tariff of a preset; of two with the same numbers the second says so."""
    kept = plain_names(preset)
    titles = {name: title for name, title in tariff_titles(preset).items() if name in kept}
    same = _twins(preset.name, tuple(titles))
    return [
        {"value": name, "label": f"{title} (same numbers as {titles[same[name]]})" if name in same else title}
        for name, title in titles.items()
    ]


@functools.lru_cache
def _twins(scenario: str, tariffs: tuple[str, ...]) -> dict[str, str]:
    """`twins` of a scenario that has these tariffs, found once."""
    return twins(Settings(scenario=scenario, tariff=tariffs[0]).preset())
