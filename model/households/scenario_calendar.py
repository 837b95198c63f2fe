"""The calendar of a scenario made of readings: seasons, days of the week and weather."""

from typing import Any, Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.billing.meter_format import FormatTable
from meanwatt.model.households.made_scenario import MadeScenario, ratios, rounded
from meanwatt.model.households.shapes import Shapes, Skies

SOUTH: Final = ("Australia/", "Pacific/Auckland", "Africa/Johannesburg", "America/Argentina", "America/Sao_Paulo",
                "America/Santiago", "America/Montevideo")  # fmt: skip
"""Beginnings of time zones whose summer is in January."""
SUMMER: Final = (3, 4, 5, 6, 7, 8)
"""April to September, from 0 on."""


def is_southern(form: FormatTable) -> bool:
    """Whether summer is in January where the homes are."""
    if form.latitude is not None:
        return form.latitude < 0
    return form.zone.startswith(SOUTH)


def calendar_table(
    shapes: Shapes, overall: Floats, names: list[str], skies: Skies | None, southern: bool, made: MadeScenario
) -> dict[str, Any]:
    """The calendar: seasons and days of the week from the use, weather from the generation."""
    made.measured["calendar"] = "use by season and day of the week" + (", weather" if skies is not None else "")
    every = {"summer": ["apr-sep"], "winter": ["oct-mar"]}
    if southern:
        every = {"summer": ["oct-mar"], "winter": ["apr-sep"]}
    calendar: dict[str, Any] = {}
    load: Any = 1.0
    if len(names) == 2:
        calendar["seasons"] = every
        load = {name: ratios(shapes.mean_kw(season=number), overall) for number, name in enumerate(every)}
    else:
        made.messages.append(f"All readings are of {names[0]}: the scenario's year has no seasons.")
    days = {name: shapes.mean_kw(weekend=weekend) for name, weekend in (("weekday", False), ("weekend", True))}
    if all(mean is not None for mean in days.values()):
        calendar["days"] = {name: {"load_factor": ratios(mean, overall)} for name, mean in days.items()}
    else:
        calendar["weekend"] = []
        made.messages.append("The readings have no weekend, or nothing else: the scenario's days are all alike.")
    if skies is None:
        calendar["weather"] = {"every_day": {"pv_factor": 1.0, "load_factor": load}}
        made.messages.append("Too few days with generation tell of the weather: there is one kind of it.")
        return calendar
    calendar["weather"] = {
        sky: {
            "pv_factor": dict(zip(every, (rounded(one) for one in skies.factor[place]), strict=True))
            if len(names) == 2
            else rounded(skies.factor[place, 0 if names[0] == "summer" else 1]),
            "load_factor": load,
        }
        for place, sky in enumerate(skies.names)
    }
    if len(skies.names) > 1:
        calendar["weather_kernel"] = [[float(f"{one:.9g}") for one in row] for row in skies.kernel.tolist()]
    return calendar
