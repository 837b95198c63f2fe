"""``meanwatt scenarios``: the built-in scenarios, one line each."""

from meanwatt.analysis.cli.options import Json


def scenarios(*, json: Json = False) -> None:
    """List the built-in scenarios, one line each."""
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
                "feeder": scenario.feeder.name,
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
            f"{scenario.name:{width}}  {scenario.title}; {days} day type{'s' if days > 1 else ''};"
            f" tariffs {tariffs} (default {scenario.default_tariff})"
        )
