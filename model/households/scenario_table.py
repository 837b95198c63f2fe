"""A scenario from a survey: what meters tell, and what they cannot, which keeps the values of another scenario."""

from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.billing.meter_format import MeterFileError
from meanwatt.model.households.made_scenario import MadeScenario, listed, rounded
from meanwatt.model.households.scenario_calendar import SUMMER, calendar_table, is_southern
from meanwatt.model.households.scenario_groups import adopter_multiplier, income_groups, mean_installed_kw
from meanwatt.model.households.shapes import Shapes, Skies
from meanwatt.model.households.survey import Survey
from meanwatt.model.scenario.calendar_file import with_calendar
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, build_economy
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.reading import read_table

LEFT_OUT: Final = ("day_types", "day_type_kernel", "calendar", "income_groups", "load", "pv", "shock", "one_day",
                   "rate_classes", "adoption", "name", "title")  # fmt: skip
BY_GROUP: Final = ("rate_classes", "adoption", "one_day")
PLAIN: Final = {"slots_per_day": 24, "memory": 0}
"""What holds whatever the base says: hours, and days without a past, of which the calendar makes enough."""
VEHICLE_KWH_PER_YEAR: Final = 200.0


def make_scenario(survey: Survey, *, name: str, title: str, base: str) -> MadeScenario:
    """Make a scenario of what was read.

    Parameters
    ----------
    base
        Preset or file from which everything comes that meters do not tell.

    Raises
    ------
    ValueError
        In one line: nothing can be made of the readings, or the base cannot be read.
    """
    made = MadeScenario()
    given = read_table(base, f"--base {base}")
    homes = survey.homes
    if homes.vacant.all():
        raise MeterFileError("every home is vacant; there is nothing to make a scenario of")
    southern = is_southern(survey.form)
    seasons = [int((month in SUMMER) == southern) for month in range(12)]  # 0 summer, 1 winter
    net_only = survey.form.roles == {"net"}
    rows = ~survey.days.solar if net_only else np.ones(len(survey.days.day), dtype=bool)
    if not rows.any():
        raise MeterFileError(
            "every home feeds in, and the readings are net of it: what they use cannot be told; give generation, too"
        )
    shapes = Shapes(survey.days, rows, seasons)
    months = shapes.months
    names = [one for number, one in enumerate(("summer", "winter")) if months[np.equal(seasons, number)].any()]
    made.table = {"name": name, "title": title, **{key: given[key] for key in given if key not in LEFT_OUT}}
    made.table |= PLAIN
    made.messages += _not_taken(given, base)
    overall = _required(shapes.mean_kw())
    kw = mean_installed_kw(survey)
    skies = shapes.skies(kw, 2) if not net_only and survey.days.solar.any() else None
    made.table["calendar"] = calendar_table(shapes, overall, names, skies, southern, made)
    made.table["shock"] = _shock(survey, given, made)
    groups = income_groups(survey, shapes, given, net_only, made)
    use = sum(group["share"] * group["use_factor"] for group in groups.values())
    for group in groups.values():
        group["use_factor"] = rounded(group["use_factor"] / use)
    made.table["load"] = {
        "use_kwh_per_day": rounded(use),
        "shape": listed(overall / overall.mean()),
        "adopter_multiplier": adopter_multiplier(survey, shapes, net_only, made),
    }
    made.measured["load"] = "mean use and mean day of all homes"
    made.table["pv"] = _pv(skies, given, made)
    made.table["income_groups"] = groups
    made.measured["income_groups"] = "shares, use, shape and solar of the homes of each group"
    _flexible(survey, made)
    _vehicles(survey, groups, made)
    made.table = _checked(made, base)
    made.messages += [
        f"What meters do not tell is as in {base}: elasticity, batteries' model, supply curve, feeder, network cost,"
        " tariffs.",
        "Batteries: no reading names one, so nobody owns one; income_groups.NAME.storage_share_of_pv changes that.",
        "Holidays are not told apart from other days; calendar.holidays changes that.",
    ]
    return made


def _shock(survey: Survey, given: dict[str, Any], made: MadeScenario) -> dict[str, Any]:
    chain = survey.chance.chain()
    if chain is None:
        made.messages.append("Too few hours tell how a home's use varies from day to day: shock is the base's.")
        return dict(given["shock"])
    levels, kernel = chain
    made.measured["shock"] = "an hour's use over the home's mean of that month and hour: little, middling, much"
    return {"levels": levels.tolist(), "kernel": kernel.tolist()}


def _pv(skies: Skies | None, given: dict[str, Any], made: MadeScenario) -> dict[str, Any]:
    table = {key: value for key, value in given["pv"].items() if key == "curtailable"}
    if skies is None:
        made.messages.append("The shape of solar output is the base's: no generation is read, or of too few days.")
        return {"shape_kw_per_kw": given["pv"]["shape_kw_per_kw"], **table}
    made.measured["pv"] = "mean clear day of the generation that is read"
    return {"shape_kw_per_kw": listed(skies.shape_kw_per_kw), **table}


def _flexible(survey: Survey, made: MadeScenario) -> None:
    """What may move, where a channel says so."""
    homes = survey.homes
    lived = ~homes.vacant
    controlled = float(homes.controlled_kwh_per_year[lived].sum())
    if "controlled" not in survey.form.roles or controlled <= 0:
        kept = made.table.get("flexibility", 0.5)
        made.messages.append(f"No channel says what use may be moved: flexibility is the base's ({kept:g}).")
        return
    share = controlled / float(homes.kwh_per_year[lived].sum())
    made.table["flexibility"] = rounded(min(share, 1.0))
    made.measured["flexibility"] = "share of the controlled channels in the use"
    made.messages.append(f"flexibility is the share of controlled channels in the use, {100 * share:.1f} %.")


def _vehicles(survey: Survey, groups: dict[str, dict[str, Any]], made: MadeScenario) -> None:
    """Electric vehicles, where a channel says so; their energy is not part of the use then."""
    homes = survey.homes
    owners = (homes.vehicle_kwh_per_year > VEHICLE_KWH_PER_YEAR) & ~homes.vacant
    if not owners.any():
        return
    of_home = np.array(homes.groups)
    for name, group in groups.items():
        mine = ~homes.vacant & (of_home == name)
        group["ev_share"] = rounded(float(owners[mine].mean()))
    efficiency = float(made.table.get("ev", {}).get("round_trip_efficiency", 0.88))
    trip = float(homes.vehicle_kwh_per_year[owners].mean()) / 365.25 * efficiency**0.5
    made.table["ev"] = dict(made.table.get("ev", {})) | {"trip_kwh": rounded(trip)}
    made.measured["ev"] = "trip_kwh from what charges vehicles; the rest is not read"
    made.messages.append(
        f"{counted(int(owners.sum()), 'home')} charge a vehicle: its energy is a daily trip of {trip:.1f} kWh"
        " (ev.trip_kwh), no longer a part of the use; its hours and battery are the defaults."
    )


def _checked(made: MadeScenario, base: str) -> dict[str, Any]:
    """The table with tariffs that fit and a reference price; ``ValueError`` in one line if there is none."""
    table, tariffs = made.table, dict(made.table["tariffs"])
    fitting: dict[str, Any] = {}
    scenario, fault = None, "it has no tariff"
    for name, tariff in tariffs.items():
        trial = {**table, "tariffs": {name: tariff}, "default_tariff": name}
        try:
            scenario = _scenario(trial)
        except ValueError as error:
            fault = one_line(error, Scenario) if isinstance(error, ValidationError) else str(error)
            made.messages.append(f"Tariff {name} of {base} is left out, for it does not fit: {fault}.")
            continue
        fitting[name] = tariff
    if scenario is None:
        raise MeterFileError(f"no scenario can be made of the readings on {base}: {fault}")
    chosen = table["default_tariff"] if table["default_tariff"] in fitting else next(iter(fitting))
    if chosen != table["default_tariff"]:
        made.messages.append(f"The tariff in force is {chosen}, for {table['default_tariff']} of {base} is left out.")
    table = {**table, "tariffs": fitting, "default_tariff": chosen}
    table["reference_price_usd_per_kwh"] = _reference_price(scenario)
    made.measured["reference_price_usd_per_kwh"] = "computed: the flat price that breaks even at this use without solar"
    return table


def _scenario(table: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(with_calendar(table, 24))


def _reference_price(scenario: Scenario) -> float:
    """Flat price that pays for the energy of the reference load, without solar, and the network. [USD/kWh]"""
    economy = build_economy(scenario)
    load = economy.mean_reference_kw
    price = economy.supply.price(load + economy.rest_load_kw)
    weight = economy.common.probability[:, None] * load
    network = scenario.fixed_cost_usd_per_month / DAYS_PER_MONTH / economy.mean_use_kwh_per_day
    return float(f"{max(float((weight * price).sum() / weight.sum()) + network, 1e-3):.4g}")


def _not_taken(given: dict[str, Any], base: str) -> list[str]:
    """Say what of the base the scenario has not."""
    said = [f"{key} of {base} is left out: it belongs to its groups and days." for key in BY_GROUP if given.get(key)]
    days = given.get("day_types", {}).values()
    if "calendar" in given or any(day.get("rest_load_kw") for day in days):
        said.append(f"Day types of {base} are not taken, nor the load of the rest of the system that they may hold.")
    other = [f"{key} = {value}" for key, value in PLAIN.items() if given.get(key, value) != value]
    return said + [f"{one}, unlike {base}." for one in other]


def _required(shape: Floats | None) -> Floats:
    if shape is None:
        raise MeterFileError("households: no month has a reading in every hour of the day; give more days")
    return shape
