"""Each side of the comparison by itself: its title, its terms in words, and its tariff as a file to take home."""

from typing import Any

from meanwatt.analysis.dashboard.compare.choice import KEYS, Choice, query
from meanwatt.analysis.dashboard.compare.terms import differences, summary
from meanwatt.analysis.dashboard.market.address import link_to
from meanwatt.analysis.dashboard.shared.carried import carried
from meanwatt.analysis.dashboard.shared.choices import tariff_titles
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.model.scenario.calendar_file import DERIVED
from meanwatt.model.scenario.calendar_file import NAME as CALENDAR
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import Scenario, presets
from meanwatt.model.scenario.toml_text import toml_text
from meanwatt.model.scenario.weather import CommonStates, common_states

EDITED = "edited"
LONGEST_TITLE = 80
"""Letters of a file's title that the page shows."""
SIDES = KEYS[1:]


def start_title(choice: Choice, side: str) -> str:
    """Title of the tariff that a side begins with."""
    preset = choice.sides[SIDES.index(side)].preset()
    if choice.edits_of(side).own:
        title = preset.tariffs[preset.selected_tariff].title or "Tariff of a file"
        return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
    return tariff_titles(preset)[choice.name_of(side)]


def side_title(choice: Choice, side: str) -> str:
    """Title of a side's tariff, which says whether it is edited."""
    title = start_title(choice, side)
    return f"{title}, {EDITED}" if choice.edits_of(side).changes else title


def side_titles(choice: Choice) -> tuple[str, str]:
    """Titles of both."""
    return side_title(choice, "a"), side_title(choice, "b")


def side_scenario(choice: Choice, side: str) -> Scenario:
    """The scenario with a side's tariff, selected and edited."""
    return choice.sides[SIDES.index(side)].load()


def common_of(scenario: Scenario) -> CommonStates:
    """The weather of a scenario."""
    return common_states(tuple(scenario.day_types), scenario.day_type_kernel_array(), scenario.memory)


def side_summary(choice: Choice, side: str) -> str:
    """What a side's tariff posts, in one sentence."""
    scenario = side_scenario(choice, side)
    return summary(build_tariff(scenario), common_of(scenario), tuple(scenario.income_groups))


def market_link(choice: Choice, side: str) -> str:
    """Where homes live under a side's tariff, on the page Market; empty if an address cannot hold it."""
    try:
        return link_to(carried(choice.sides[SIDES.index(side)], side_title(choice, side)))
    except ValueError:
        return ""


def side_differences(choice: Choice) -> tuple[str, ...]:
    """Every way in which the terms of both sides differ, a sentence each."""
    scenario = side_scenario(choice, "a")
    a, b = (build_tariff(side_scenario(choice, side)) for side in SIDES)
    return differences(a, b, common_of(scenario), tuple(scenario.income_groups))


def side_toml(choice: Choice, side: str) -> str:
    """A side's tariff as a file for ``meanwatt solve SCENARIO --tariff FILE``, which gives the numbers of the page."""
    scenario = side_scenario(choice, side)
    table = scenario.tariffs[scenario.selected_tariff]
    title = side_title(choice, side) if choice.edits_of(side).changes else table.title
    name = choice.scenario if choice.scenario in presets() else "SCENARIO.toml"
    head = f"# meanwatt solve {name} --tariff FILE\n# link: /compare?{query(choice)}\n"
    return head + toml_of(table.model_copy(update={"title": title}))


def scenario_toml(choice: Choice) -> str:
    """The scenario with both tariffs, ``tariff_a`` in force and ``tariff_b``, as a file for any command.

    A preset is extended; a scenario of one's own is written whole, for where its file lies is nobody's business.
    """
    scenario = Settings(scenario=choice.scenario, tariff=choice.a).preset()
    tariffs: dict[str, Any] = {}
    for side, title in zip(SIDES, side_titles(choice), strict=True):
        selected = side_scenario(choice, side)
        table = selected.tariffs[selected.selected_tariff].model_copy(update={"title": title})
        tariffs[f"tariff_{side}"] = table.model_dump(exclude_defaults=True)
    if choice.scenario in presets():
        whole: dict[str, Any] = {"extends": choice.scenario, "title": scenario.title}
    else:
        whole = scenario.model_dump(exclude_defaults=True)
        if CALENDAR in whole:
            whole = {key: value for key, value in whole.items() if key not in DERIVED}
        tariffs = {**whole["tariffs"], **tariffs}
    written = toml_text({**whole, "default_tariff": "tariff_a", "tariffs": tariffs})
    return f"# link: /compare?{query(choice)}\n{written}"


def file_name(choice: Choice, side: str) -> str:
    """Name of that file."""
    return f"meanwatt-{choice.scenario}-{choice.name_of(side)}{'-edited' if choice.edits_of(side) else ''}.toml"
