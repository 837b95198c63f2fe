"""The path of adoption: what share of each income group owns the technology when a share of all households does."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import called, with_classes_of
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.scenario.economy import build_rate_classes, require_no_choice
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.rate_classes import members_of
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import ownership, technology_shares

SMALLEST: Final = 1e-9
"""Smallest share of an income group that a scenario may hold."""


class Swept(StrEnum):
    """The technology whose adoption is swept."""

    SOLAR = "solar"
    """Rooftop panels: a share of all homes; batteries come with them as the scenario says."""
    CARS = "cars"
    """Electric vehicles: a share of the homes without a home battery, as ``ev_share`` is."""

    @property
    def share_key(self) -> str:
        """Key of an income group that holds its share."""
        return "pv_share" if self is Swept.SOLAR else "ev_share"

    @property
    def scale_key(self) -> str:
        """Key of the scenario that multiplies it."""
        return f"{self.share_key}_scale"


def adoption_levels(step: float) -> tuple[float, ...]:
    """Levels from 0 to 1, both included, ``step`` apart but for the last one."""
    count = int(np.floor(1 / step + 1e-9))
    levels = [round(place * step, 12) for place in range(count + 1)]
    return tuple(levels if levels[-1] == 1 else [*levels, 1.0])


def owner_shares(adoption: float, group_share: Floats, present: Floats) -> Floats:
    """Share of each income group that owns the technology at a level of adoption.

    Present shares are multiplied by one number, a full group staying full; once every group that has owners today is
    full, the others fill up together. So no group's share ever falls as adoption rises.

    Parameters
    ----------
    adoption
        Share of all, in [0, 1].
    group_share : (group,)
        Population shares, summing to one.
    present : (group,)
        Shares of owners today, in [0, 1].

    Returns
    -------
    (group,) float
        In [0, 1]; their mean over the population is the adoption.
    """
    owners = present > 0
    reach = float(group_share[owners].sum())
    if adoption >= 1:
        return np.ones_like(present)
    if adoption > reach:
        return np.where(owners, 1.0, (adoption - reach) / (1 - reach))
    if adoption == 0:
        return np.zeros_like(present)
    full_at = np.sort(1 / present[owners])  # the factors at which one more group is full: linear in between
    factor = np.concatenate([[0.0], full_at])
    total = np.minimum(1.0, np.multiply.outer(factor, present)) @ group_share
    return np.asarray(np.minimum(1.0, np.interp(adoption, total, factor) * present))


def present_shares(scenario: Scenario, swept: Swept) -> tuple[Floats, Floats]:
    """Population share and present share of owners of each income group, (group,) both."""
    groups = scenario.income_groups.values()
    weight = np.array([group.share for group in groups])
    owned = [ownership(scenario, group) for group in groups]
    return weight / weight.sum(), np.array([own.pv if swept is Swept.SOLAR else own.ev for own in owned])


def scenario_at(scenario: Scenario, swept: Swept, adoption: float) -> Scenario:
    """The scenario once a share of its households owns the technology; all else is as it was.

    But for its rate classes, which are set aside: at the ends of a sweep some would hold nobody. `tariff_among` gives
    the tariff that they make.
    """
    shares = owner_shares(adoption, *present_shares(scenario, swept))
    names = list(scenario.income_groups)
    changes = {
        f"income_groups.{name}.{swept.share_key}": 0.0 if share < SMALLEST else float(share)
        for name, share in zip(names, shares, strict=True)
    }
    apart = {"rate_classes_in_force": False} if scenario.has_rate_classes else {}
    return load_scenario(scenario, overrides={swept.scale_key: 1.0, **apart, **changes})


def in_force(scenario: Scenario) -> str:
    """What the tariff in force is called among others, rate classes or not."""
    return called(build_rate_classes(scenario))


def tariff_among(scenario: Scenario, households: Sequence[HouseholdType]) -> Tariff:
    """The tariff in force for these households: rate classes that none of them is in are left out."""
    return with_classes_of(build_rate_classes(scenario), households)


def empty_classes(scenario: Scenario, swept: Swept, adoption: float) -> tuple[str, ...]:
    """Names of the scenario's rate classes that nobody is in at a level of adoption; none where there are none."""
    if not scenario.has_rate_classes:
        return ()
    grown = scenario_at(scenario, swept, adoption)
    there = {
        (technology, place)
        for place, group in enumerate(grown.income_groups.values())
        for technology, part in technology_shares(grown, group).items()
        if group.share * part > 0
    }
    return tuple(name for name, members in members_of(scenario).items() if not members & there)


def require_adoptable(scenario: Scenario, swept: Swept) -> None:
    """Raise ``ValueError``, in one line, if an income group that is there could not adopt, or homes choose a class."""
    require_no_choice(scenario)
    if swept is not Swept.SOLAR:
        return
    if scenario.pv_scale == 0:
        raise ValueError(f"scenario {scenario.name}: pv_scale is 0, so panels give nothing; give a positive number")
    for name, group in scenario.income_groups.items():
        if group.share > 0 and group.pv_kw == 0:
            raise ValueError(
                f"scenario {scenario.name}: income_groups.{name}.pv_kw is 0, and a sweep of adoption reaches everybody;"
                f" give the size of its panels, e.g. --set income_groups.{name}.pv_kw=4"
            )
