"""Families of tariffs whose rate classes have keys of their own: ``rate_classes.NAME.KEY`` is KEY of that class.

A key without a class is one of the default class, as in a scenario without classes. Windows are those of the utility:
they replace the periods of every class whose energy charges name them, and of no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import RateClass, Recovery, Tariff
from meanwatt.model.mean_field.leader.one_tariff_family import OwnFamily
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.scenario.branches import classes_on_branches
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.family_file import ENERGY, FamilyError, FamilyFile
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_classes import DEFAULT, Member, members_of
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.tariff_file import TariffTable

CLASSES: Final = "rate_classes"
"""Where the keys of a rate class begin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassPart:
    """One rate class of a family.

    Attributes
    ----------
    name, members
        Of the class.
    family
        Its tariffs; without a free key the only one.
    places
        Of its free keys among those of the whole family.
    """

    name: str
    members: frozenset[Member]
    family: OwnFamily
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassFamily(UserFamily):
    """Rate classes side by side, each with a family of its own; parameters are named as in the user's file.

    Attributes
    ----------
    parts
        Every rate class in force, the default one first.
    """

    parts: tuple[ClassPart, ...]

    def tariff(self, parameters: Floats) -> Tariff:
        """The member with the given free parameters; values are clipped to the bounds."""
        tariffs = [one.family.tariff(parameters[list(one.places)]) for one in self.parts]
        classes = [
            RateClass(name=one.name, tariff=_named(own, f"{own.name}_{one.name}"), members=one.members)
            for one, own in zip(self.parts, tariffs, strict=True)
        ]
        return with_classes(classes_on_branches(classes))

    def tables_of(self, parameters: Floats) -> dict[str, TariffTable]:
        """The tariff of every rate class in a member, as tariff files write them, the default class's first."""
        return {one.name: one.family.table_of(parameters[list(one.places)]) for one in self.parts}

    @property
    def recovery(self) -> Recovery:
        """What balances revenue and cost in every member: the rule of the classes that do not keep posted rates."""
        return self.tariff(self.low).recovery

    @property
    def in_force(self) -> Floats:
        """Free parameters as in the tariffs in force, their lower bounds where these have none. (free,)"""
        return self._gathered([one.family.in_force for one in self.parts])

    @property
    def has_tangent(self) -> bool:
        """Not where a discount or a charge that does not depend on use is free in some class."""
        return all(one.family.has_tangent for one in self.parts)

    @property
    def each_class(self) -> dict[str, OwnFamily]:
        """The family of every rate class, by name, the default one first."""
        return {one.name: one.family for one in self.parts}

    def energy_usd_per_kwh(self, parameters: Mapping[str, float]) -> Floats:
        """Energy charge of every rate group, class after class, in a member whose free parameters are given by name."""
        values = list(parameters.values())
        own = [
            one.family.energy_usd_per_kwh(
                {key: values[place] for key, place in zip(one.family.free, one.places, strict=True)}
            )
            for one in self.parts
        ]
        return np.concatenate(own)

    def of(self, household: HouseholdType) -> OwnFamily:
        """The family of the one tariff that a household has."""
        customer = (household.technology, household.group)
        return next(one.family for one in self.parts if customer in one.members)

    def starts(self, economy: Economy) -> list[Floats]:
        """Where a search may begin: all classes at a flat rate, or each at marginal cost."""
        found = zip(*(one.family.starts(economy) for one in self.parts), strict=True)
        return [self._gathered(list(parts)) for parts in found]

    def at_marginal_cost(self, economy: Economy, load_kw: Floats, cost_usd_per_kwh: Floats) -> Floats:
        """Parameters whose energy charges are the load-weighted marginal costs of their slots. (free,)"""
        return self._gathered([one.family.at_marginal_cost(economy, load_kw, cost_usd_per_kwh) for one in self.parts])

    def _gathered(self, parts: list[Floats]) -> Floats:
        """Parameters of all classes in the order of the file. (free,)"""
        found = np.empty(len(self.free))
        for one, own in zip(self.parts, parts, strict=True):
            found[list(one.places)] = own
        return found


def _named(tariff: Tariff, name: str) -> Tariff:
    """A tariff under another name; one with an adder on every branch of the feeder keeps those of its branches."""
    return tariff if tariff.classes else replace(tariff, name=name)


def names_classes(file: FamilyFile) -> bool:
    """Whether a family's file has a key of a rate class."""
    return any(_split(key)[0] for key in (*file.free, *file.fixed))


def require_classes_in_force(scenario: Scenario, file: FamilyFile) -> None:
    """Raise `FamilyError`, in one line, where a file has keys of rate classes that do not hold or are not there."""
    for key in (*file.free, *file.fixed):
        name, own = _split(key)
        if not name:
            continue
        if not scenario.rate_classes:
            raise FamilyError(f"{file.label}: key {key!r} is of a rate class, and the scenario has none; give {own!r}")
        if not scenario.has_rate_classes:
            raise FamilyError(
                f"{file.label}: key {key!r} is of a rate class, and everybody is on {scenario.selected_tariff}: leave"
                f" out --tariff, or give {own!r}"
            )
        if name not in (DEFAULT, *scenario.rate_classes):
            raise FamilyError(f"{file.label}: {unknown('rate class', name, [DEFAULT, *scenario.rate_classes])}")
        if not own:
            raise FamilyError(f"{file.label}: key {key!r} names no key of the class's tariff; give e.g. {key}.{ENERGY}")


def class_files(scenario: Scenario, file: FamilyFile) -> dict[str, FamilyFile]:
    """What a family's file says of every rate class in force, its keys as those of one tariff."""
    require_classes_in_force(scenario, file)

    def of_class(given: Mapping[str, Any], name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in given.items():
            owner, own = _split(key)
            if (owner or DEFAULT) == name:
                if own in found:
                    raise FamilyError(f"{file.label}: key {own!r} of the default class comes twice; leave one out")
                found[own] = value
        return found

    files = {}
    for name in members_of(scenario):
        free, fixed = of_class(file.free, name), of_class(file.fixed, name)
        for key in free:
            if key in fixed:
                raise FamilyError(f"{file.label}: key {key!r} of class {name} is both free and fixed; leave one out")
        one = replace(file, free=free, fixed=fixed)
        files[name] = one if _names_windows(one) else replace(one, windows={})
    unused = [name for name in file.windows if not any(name in one.windows for one in files.values())]
    if unused:
        raise FamilyError(
            f"{file.label}: window {unused[0]} has no rate in any class; give {ENERGY}.{unused[0]} under [free] or"
            f" [fixed], or {CLASSES}.NAME.{ENERGY}.{unused[0]}"
        )
    return files


def typed_places(file: FamilyFile, name: str, own: FamilyFile) -> tuple[int, ...]:
    """Place of each of a class's free keys among those of the whole file."""
    owners = [(owner or DEFAULT, key) for owner, key in map(_split, file.free)]
    return tuple(owners.index((name, key)) for key in own.free)


def _split(key: str) -> tuple[str, str]:
    """Rate class and key of its tariff; no class for a key without one."""
    if not key.startswith(f"{CLASSES}."):
        return "", key
    name, _, own = key.removeprefix(f"{CLASSES}.").partition(".")
    return name, own


def _names_windows(file: FamilyFile) -> bool:
    """Whether an energy charge names one of the windows."""
    energy = (key.split(".") for key in (*file.free, *file.fixed) if key.startswith(f"{ENERGY}."))
    return any(part in file.windows for parts in energy for part in parts[1:])
