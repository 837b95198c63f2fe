"""What a visitor chooses from in a list: scenarios and their tariffs."""

import functools
from dataclasses import replace

from meanwatt.analysis.dashboard.shared.class_tariffs import class_choice, class_title
from meanwatt.analysis.dashboard.shared.own_tariff import OWN_TARIFF
from meanwatt.analysis.dashboard.shared.settings import Settings, scenario_of, scenario_titles
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
    """Name and title of every tariff of rates alone; of two with the same numbers the second says so."""
    kept = plain_names(preset)
    titles = {name: title for name, title in tariff_titles(preset).items() if name in kept}
    same = _twins(preset.name, tuple(titles)) if titles else {}
    return [
        {"value": name, "label": f"{title} (same numbers as {titles[same[name]]})" if name in same else title}
        for name, title in titles.items()
    ]


def every_option(settings: Settings) -> list[dict[str, str]]:
    """The same with tariffs that have components, and rate classes: for a page that holds them."""
    scenario = scenario_of(settings.scenario)
    plain = {option["value"]: option for option in tariff_options(scenario)}
    titles = tariff_titles(scenario)
    classes = class_choice(scenario)
    found = [plain.get(name, {"value": name, "label": title}) for name, title in titles.items()]
    if classes:
        held = replace(settings, tariff=classes, own="", changes=()).preset()
        found.append({"value": classes, "label": class_title(held)})
    if settings.own:
        found.append({"value": OWN_TARIFF, "label": tariff_titles(settings.preset())[OWN_TARIFF]})
    return found


@functools.lru_cache
def _twins(scenario: str, tariffs: tuple[str, ...]) -> dict[str, str]:
    """`twins` of a scenario that has these tariffs, found once."""
    return twins(Settings(scenario=scenario, tariff=tariffs[0]).preset())
