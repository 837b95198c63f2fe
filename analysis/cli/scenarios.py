"""``meanwatt scenarios``: the built-in scenarios, one line each."""

from typing import Annotated

import typer

from meanwatt.analysis.cli.options import Json
from meanwatt.model.scenario.counted import counted


def scenarios(
    *,
    show: Annotated[
        str | None, typer.Option(metavar="NAME", help="Print one as a TOML file with comments, to begin your own with.")
    ] = None,
    keys: Annotated[
        bool,
        typer.Option(
            "--keys",
            help="Print every key of scenario, tariff, study, game, ratebook, feeder and meter format files: unit,"
            " range, default.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """List the built-in scenarios, one line each, print one, or print what the files may say."""
    if show is not None and keys:
        raise ValueError("--show and --keys are both given; give one of them")
    if show is not None:
        _show(show, json)
        return
    if keys:
        from meanwatt.analysis.cli.file_keys import print_keys

        print_keys(json)
        return
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.analysis.design.same_tariffs import twins
    from meanwatt.model.scenario.loading import load_scenario, presets

    found = [load_scenario(name) for name in presets()]
    if json:
        rows = [
            {
                "name": scenario.name,
                "title": scenario.title,
                "default_tariff": scenario.default_tariff,
                "tariffs": list(scenario.tariffs),
                "same_tariffs": twins(scenario),
                "day_types": list(scenario.day_types),
                "memory": scenario.memory,
                "slots_per_day": scenario.slots_per_day,
                "income_groups": list(scenario.income_groups),
                "feeder": scenario.feeder.name or scenario.feeder.file,
            }
            for scenario in found
        ]
        print_json({"scenarios": rows, "messages": []})
        return
    width = max(len(scenario.name) for scenario in found)
    for scenario in found:
        same = twins(scenario)
        tariffs = ", ".join(f"{name} (as {same[name]})" if name in same else name for name in scenario.tariffs)
        days = len(scenario.day_types)
        say(
            f"{scenario.name:{width}}  {scenario.title}; {counted(days, 'day type')};"
            f" tariffs {tariffs} (default {scenario.default_tariff})"
        )


def _show(name: str, json: bool) -> None:
    """Print a built-in scenario as it is written."""
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.model.scenario.loading import preset_text

    text = preset_text(name)
    if json:
        print_json({"name": name, "toml": text, "messages": []})
    else:
        say(text.rstrip("\n"))
