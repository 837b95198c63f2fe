"""Rate classes as one choice in the list of a scenario's tariffs, and which pages hold what of a tariff."""

from typing import Final

from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.model.scenario.filed_classes import FILED_CLASSES, has_filed_classes
from meanwatt.model.scenario.loading import Scenario, load_scenario

RATE_CLASSES: Final = "rate_classes"
"""What the classes of a scenario of one's own are chosen by, in the place of a tariff's name."""
ELSEWHERE: Final = "choose one tariff here, or open it on the page Market"
"""The way back from a page that takes less."""


def class_choice(scenario: Scenario) -> str:
    """The name by which a scenario's rate classes are chosen; empty if it has none, or a tariff of that name.

    Of a preset those that are filed; of a scenario of one's own those in force in its file.
    """
    name = FILED_CLASSES if has_filed_classes(scenario.name) else RATE_CLASSES if scenario.has_rate_classes else ""
    return "" if name in scenario.tariffs else name


def in_classes(scenario: Scenario) -> Scenario:
    """The scenario with the rate classes of `class_choice` in force."""
    return load_scenario(scenario, tariff=FILED_CLASSES) if has_filed_classes(scenario.name) else scenario


def class_title(held: Scenario) -> str:
    """The rate classes in force in words: who is on which tariff."""
    own = [f"{name} on {_title(held, table.tariff)}" for name, table in held.rate_classes.items()]
    return f"Rate classes: {', '.join([*own, f'others on {_title(held, held.selected_tariff)}'])}"


def class_names(held: Scenario) -> str:
    """The same in few words: who has a tariff of their own."""
    return f"Rate classes: {listed([*held.rate_classes, 'others'])}"


def _title(scenario: Scenario, tariff: str) -> str:
    return scenario.tariffs[tariff].title or tariff


def require_one_tariff(scenario: Scenario, name: str) -> None:
    """Refuse, in one line that names the way back, what a page cannot hold that knows one tariff of rates alone.

    Parameters
    ----------
    scenario
        With the tariff in force.
    name
        What it was chosen by.
    """
    if scenario.has_rate_classes:
        classes = ", ".join(scenario.rate_classes)
        raise ValueError(f"{name} has rate classes ({classes}), and this page takes one tariff for all; {ELSEWHERE}")
    parts = scenario.tariffs[scenario.selected_tariff].component_names
    if parts:
        said = listed([part.replace("_", " ") for part in parts])
        raise ValueError(f"tariff {name} has {said}, and this page takes rates and fixed charges alone; {ELSEWHERE}")
