"""Income groups of a scenario made of readings: share, use, shape, solar, and where their incomes come from."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.model.billing.meter_format import MeterFileError
from meanwatt.model.households.made_scenario import LEAST_FACTOR, MadeScenario, listed, rounded
from meanwatt.model.households.shapes import Shapes
from meanwatt.model.households.survey import Survey


def solar_homes(survey: Survey) -> Bools:
    """Which homes have solar and are not vacant. (home,)"""
    return np.asarray(survey.homes.solar & ~survey.homes.vacant)


def mean_installed_kw(survey: Survey) -> float:
    """Mean size of a solar system. [kW]"""
    solar = solar_homes(survey)
    if not solar.any():
        return 1.0
    return float(sizes_kw(survey)[solar].mean())


def sizes_kw(survey: Survey) -> Floats:
    """Size of each home's solar: what is installed, or the largest mean power of an interval. [kW]"""
    homes = survey.homes
    known = np.isfinite(homes.installed_kw) & (homes.installed_kw > 0)
    most = homes.peak_generation_kw if survey.form.roles != {"net"} else -homes.least_kw
    return np.where(known, homes.installed_kw, np.maximum(most, 0.0))


def adopter_multiplier(survey: Survey, shapes: Shapes, net_only: bool, made: MadeScenario) -> float:
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
    return rounded(max(float(np.average(ratios, weights=weights)), LEAST_FACTOR))


def income_groups(
    survey: Survey, shapes: Shapes, given: dict[str, Any], net_only: bool, made: MadeScenario
) -> dict[str, dict[str, Any]]:
    """Income groups; ``use_factor`` is in kWh a day still."""
    homes, lived = survey.homes, ~survey.homes.vacant
    of_home, sizes, solar = np.array(homes.groups), sizes_kw(survey), solar_homes(survey)
    adopters = adopter_multiplier(survey, shapes, net_only, MadeScenario())
    incomes = GroupIncomes(survey, given)
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
            "shape": listed(mean / mean.mean()),
            "pv_share": rounded(owners),
            "pv_kw": rounded(float(sizes[mine & solar].mean())) if owners else 0.0,
            "storage_share_of_pv": 0.0,
        }
        found[name] = group
    if not found:
        raise MeterFileError("households: no group has readings in every hour of the day; give more days")
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


class GroupIncomes:
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
            return rounded(float(known.mean()))
        if name in self._survey.form.incomes:
            self._from.setdefault("format", []).append(name)
            return self._survey.form.incomes[name]
        if name in self._base:
            self._from.setdefault("base", []).append(name)
            return self._base[name]
        self._from.setdefault("mean", []).append(name)
        return rounded(float(np.average(list(self._base.values()), weights=self._shares)))

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
        seen = {name for names in self._from.values() for name in names}
        unused = [name for name in self._survey.form.incomes if name not in seen]
        if unused:
            groups = ", ".join(sorted(seen))
            yield f"No home is in a group of the format's incomes {', '.join(unused)}; groups are {groups}."
