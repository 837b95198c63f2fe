"""A scenario from a survey: what meters tell, and what they cannot, which keeps the values of another scenario."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.billing.meter_format import FormatTable, MeterFileError
from meanwatt.model.households.shapes import Shapes, Skies
from meanwatt.model.households.survey import Survey
from meanwatt.model.scenario.calendar_file import with_calendar
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, build_economy
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.reading import read_table

SOUTH: Final = ("Australia/", "Pacific/Auckland", "Africa/Johannesburg", "America/Argentina", "America/Sao_Paulo",
                "America/Santiago", "America/Montevideo")  # fmt: skip
"""Beginnings of time zones whose summer is in January."""
SUMMER: Final = (3, 4, 5, 6, 7, 8)
"""April to September, from 0 on."""
MEASURED: Final = ("load", "shock", "pv", "ev", "income_groups", "calendar")
"""Tables that come from the readings, as far as they tell."""
LEFT_OUT: Final = ("day_types", "day_type_kernel", "calendar", "income_groups", "load", "pv", "shock", "one_day",
                   "rate_classes", "adoption", "name", "title")  # fmt: skip
VEHICLE_KWH_PER_YEAR: Final = 200.0
LEAST_FACTOR: Final = 1e-3


@dataclass(slots=True)
class MadeScenario:
    """A scenario's table, where its tables come from, and what is to be said of it.

    Attributes
    ----------
    table
        As a file holds it.
    measured
        Dotted keys and tables that come from the readings, and what of them.
    messages
        A sentence each.
    """

    table: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


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
    southern = _is_southern(survey.form)
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
    made.table |= {"slots_per_day": 24, "memory": 0}
    overall = _required(shapes.mean_kw())
    kw = _installed(survey)
    skies = shapes.skies(kw, 2) if not net_only and survey.days.solar.any() else None
    made.table["calendar"] = _calendar(shapes, overall, names, skies, southern, made)
    made.table["shock"] = _shock(survey, given, made)
    groups = _groups(survey, shapes, given, net_only, made)
    use = sum(group["share"] * group["use_factor"] for group in groups.values())
    for group in groups.values():
        group["use_factor"] = _rounded(group["use_factor"] / use)
    made.table["load"] = {
        "use_kwh_per_day": _rounded(use),
        "shape": _list(overall / overall.mean()),
        "adopter_multiplier": _adopters(survey, shapes, net_only, made),
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


def _required(shape: Floats | None) -> Floats:
    if shape is None:
        raise MeterFileError("no month has a reading in every hour of the day; give more days")
    return shape


def _is_southern(form: FormatTable) -> bool:
    if form.latitude is not None:
        return form.latitude < 0
    return form.zone.startswith(SOUTH)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _list(values: Floats) -> list[float]:
    """Numbers as a file holds them; what is all but 0 is 0."""
    return [0.0 if abs(one) < LEAST_FACTOR else float(f"{one:.4g}") for one in np.maximum(values, 0.0).tolist()]


def _ratio(part: Floats | None, whole: Floats) -> list[float]:
    if part is None:
        return [1.0] * len(whole)
    return _list(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 1.0))


def _calendar(
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
        load = {name: _ratio(shapes.mean_kw(season=number), overall) for number, name in enumerate(every)}
    else:
        made.messages.append(f"All readings are of {names[0]}: the scenario's year has no seasons.")
    days = {name: shapes.mean_kw(weekend=weekend) for name, weekend in (("weekday", False), ("weekend", True))}
    if all(mean is not None for mean in days.values()):
        calendar["days"] = {name: {"load_factor": _ratio(mean, overall)} for name, mean in days.items()}
    else:
        calendar["weekend"] = []
        made.messages.append("The readings have no weekend, or nothing else: the scenario's days are all alike.")
    if skies is None:
        calendar["weather"] = {"every_day": {"pv_factor": 1.0, "load_factor": load}}
        made.messages.append("Too few days with generation tell of the weather: there is one kind of it.")
        return calendar
    calendar["weather"] = {
        sky: {
            "pv_factor": dict(zip(every, (_rounded(one) for one in skies.factor[place]), strict=True))
            if len(names) == 2
            else _rounded(skies.factor[place, 0 if names[0] == "summer" else 1]),
            "load_factor": load,
        }
        for place, sky in enumerate(skies.names)
    }
    if len(skies.names) > 1:
        calendar["weather_kernel"] = [[float(f"{one:.9g}") for one in row] for row in skies.kernel.tolist()]
    return calendar


def _shock(survey: Survey, given: dict[str, Any], made: MadeScenario) -> dict[str, Any]:
    chain = survey.chance.chain()
    if chain is None:
        made.messages.append("Too few hours tell how a home's use varies from day to day: shock is the base's.")
        return dict(given["shock"])
    levels, kernel = chain
    made.measured["shock"] = "an hour's use over the home's mean of that month and hour: little, middling, much"
    return {"levels": levels.tolist(), "kernel": kernel.tolist()}


def _solar_homes(survey: Survey) -> Bools:
    return np.asarray(survey.homes.solar & ~survey.homes.vacant)


def _installed(survey: Survey) -> float:
    """Mean size of a solar system. [kW]"""
    solar = _solar_homes(survey)
    if not solar.any():
        return 1.0
    return float(_sizes(survey)[solar].mean())


def _sizes(survey: Survey) -> Floats:
    """Size of each home's solar: what is installed, or the largest mean power of an interval. [kW]"""
    homes = survey.homes
    known = np.isfinite(homes.installed_kw) & (homes.installed_kw > 0)
    most = homes.peak_generation_kw if survey.form.roles != {"net"} else -homes.least_kw
    return np.where(known, homes.installed_kw, np.maximum(most, 0.0))


def _pv(skies: Skies | None, given: dict[str, Any], made: MadeScenario) -> dict[str, Any]:
    table = {key: value for key, value in given["pv"].items() if key == "curtailable"}
    if skies is None:
        made.messages.append("The shape of solar output is the base's: no generation is read, or of too few days.")
        return {"shape_kw_per_kw": given["pv"]["shape_kw_per_kw"], **table}
    made.measured["pv"] = "mean clear day of the generation that is read"
    return {"shape_kw_per_kw": _list(skies.shape_kw_per_kw), **table}


def _adopters(survey: Survey, shapes: Shapes, net_only: bool, made: MadeScenario) -> float:
    """Use of homes with solar over that of others of their group; 1 where none has both."""
    ratios, weights = [], []
    for number, group in enumerate(survey.days.groups):
        one, other = (shapes.mean_kw(group=number, solar=solar) for solar in (True, False))
        if one is not None and other is not None and other.sum() > 0:
            ratios.append(float(one.sum() / other.sum()))
            weights.append(sum(home == group for home in survey.homes.groups))
    if not ratios:
        if survey.homes.solar.any():
            made.messages.append(
                "Homes with solar are taken to use as much as others of their group (load.adopter_multiplier = 1): no"
                " group has readings of the use of both."
            )
        return 1.0
    return _rounded(max(float(np.average(ratios, weights=weights)), LEAST_FACTOR))


def _groups(
    survey: Survey, shapes: Shapes, given: dict[str, Any], net_only: bool, made: MadeScenario
) -> dict[str, dict[str, Any]]:
    """Income groups; ``use_factor`` is in kWh a day still."""
    homes, lived = survey.homes, ~survey.homes.vacant
    of_home, sizes, solar = np.array(homes.groups), _sizes(survey), _solar_homes(survey)
    adopters = _adopters(survey, shapes, net_only, MadeScenario())
    incomes = _Incomes(survey, given)
    found: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(survey.days.groups):
        mine = lived & (of_home == name)
        mean = shapes.mean_kw(group=number)
        if not mine.any():
            continue
        if mean is None or mean.sum() <= 0:
            made.messages.append(f"Group {name} is left out: no month has readings in every hour of the day.")
            continue
        owners = float(solar[mine].mean())
        group: dict[str, Any] = {
            "share": float(mine.sum()),
            "income_usd_per_year": incomes.of(name, mine),
            "use_factor": float(mean.sum()) / (1.0 if net_only else 1 - owners + owners * adopters),
            "shape": _list(mean / mean.mean()),
            "pv_share": _rounded(owners),
            "pv_kw": _rounded(float(sizes[mine & solar].mean())) if owners else 0.0,
            "storage_share_of_pv": 0.0,
        }
        found[name] = group
    if not found:
        raise MeterFileError("no group has readings in every hour of the day; give more days")
    total = sum(group["share"] for group in found.values())
    for group in found.values():
        group["share"] = group["share"] / total
    found = dict(sorted(found.items(), key=lambda one: (one[1]["income_usd_per_year"], one[0])))
    made.messages += incomes.messages()
    made.messages += _about_solar(survey, solar, net_only)
    return found


def _about_solar(survey: Survey, solar: Bools, net_only: bool) -> Iterable[str]:
    if net_only:
        yield (
            "Readings are net: homes that feed in have solar, and the largest power fed in stands for its size, which"
            " is larger; use and shapes are of the homes that do not."
        )
    elif solar.any() and not np.isfinite(survey.homes.installed_kw[solar]).all():
        yield "Sizes of solar systems are not read: the largest mean power of an interval stands for them (pv_kw)."
    if not (survey.form.roles & {"generation", "net"}):
        yield "Generation is not read: nobody has solar (pv_share = 0)."


class _Incomes:
    """Where a group's income comes from."""

    def __init__(self, survey: Survey, given: dict[str, Any]) -> None:
        self._survey = survey
        self._base = {name: float(group["income_usd_per_year"]) for name, group in given["income_groups"].items()}
        self._shares = [float(group["share"]) for group in given["income_groups"].values()]
        self._from: dict[str, list[str]] = {}

    def of(self, name: str, mine: Bools) -> float:
        """Income of a group. [USD/yr]"""
        incomes = self._survey.homes.income_usd_per_year[mine]
        known = incomes[np.isfinite(incomes) & (incomes > 0)]
        if len(known):
            self._from.setdefault("read", []).append(name)
            return _rounded(float(known.mean()))
        if name in self._survey.form.incomes:
            self._from.setdefault("format", []).append(name)
            return self._survey.form.incomes[name]
        if name in self._base:
            self._from.setdefault("base", []).append(name)
            return self._base[name]
        self._from.setdefault("mean", []).append(name)
        return _rounded(float(np.average(list(self._base.values()), weights=self._shares)))

    def messages(self) -> Iterable[str]:
        """What is assumed."""
        words = {
            "format": "are those that the format gives, not readings",
            "base": "are those of the base's group of the same name",
            "mean": "are not known: the base's mean stands for each, and what is told by income says nothing",
        }
        for key, names in self._from.items():
            if key in words:
                yield f"Incomes of {', '.join(names)} {words[key]}."


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
    made.table["flexibility"] = _rounded(min(share, 1.0))
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
        group["ev_share"] = _rounded(float(owners[mine].mean()))
    efficiency = float(made.table.get("ev", {}).get("round_trip_efficiency", 0.88))
    trip = float(homes.vehicle_kwh_per_year[owners].mean()) / 365.25 * efficiency**0.5
    made.table["ev"] = dict(made.table.get("ev", {})) | {"trip_kwh": _rounded(trip)}
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
