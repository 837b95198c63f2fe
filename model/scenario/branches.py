"""Branches of the feeder by name, ``[feeder.branches]``, and tariffs with an adder on each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rate_classes import with_classes
from meanwatt.agents.tariff.tariff import ExportRule, RateClass, Tariff
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.technologies import TECHNOLOGIES

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario

DEFAULT: Final = "default"
"""The rate class of whom no other one names."""
REST: Final = "rest"
"""The branch of whom no other one names."""
MOST: Final = 20
"""Most branches: households of one type on different branches are types of their own."""
ADDER: Final = "branch_adder_usd_per_kwh"
"""Key of a tariff."""


def branch_names(scenario: "Scenario") -> tuple[str, ...]:
    """Names of a scenario's branches, the rest first; none where it has no branches."""
    return (REST, *scenario.feeder.branches) if scenario.feeder.branches else ()


def branch_messages(scenario: "Scenario", types: Sequence[HouseholdType]) -> tuple[str, ...]:
    """Say how many household types branches make."""
    if not scenario.feeder.branches:
        return ()
    plain = len({(one.income_group, one.technology, one.rate_class) for one in types})
    names = branch_names(scenario)
    located = len({(one.income_group, one.technology, one.rate_class, one.branch) for one in types})
    return (
        f"feeder.branches: {counted(plain, 'household type')} on {len(names)} branches ({', '.join(names)}) are"
        f" {located} types.",
    )


def check_branches(scenario: "Scenario") -> None:
    """Raise ``ValueError``, in one line, unless branches have a bus each and adders name branches."""
    heads: dict[str, str] = {}
    if len(scenario.feeder.branches) > MOST:
        raise ValueError(f"feeder.branches has {len(scenario.feeder.branches)} entries; give at most {MOST}")
    for name, buses in scenario.feeder.branches.items():
        key = f"feeder.branches.{name}"
        if name == REST:
            raise ValueError(f"{key}: that is whom no other branch names; give it another name")
        if not buses:
            raise ValueError(f"{key} is []; give a bus, which brings all behind it, or several")
        for bus in buses:
            if bus in heads:
                raise ValueError(f"{key} and feeder.branches.{heads[bus]} both begin at bus {bus}; leave it out of one")
            heads[bus] = name
    known = (REST, *scenario.feeder.branches)
    for tariff, table in scenario.tariffs.items():
        for name in table.branch_adder_usd_per_kwh:
            if not scenario.feeder.branches:
                raise ValueError(
                    f"tariffs.{tariff}.{ADDER}.{name}: the scenario has no branches; give it some, e.g."
                    f" --set feeder.branches.{name}=BUS"
                )
            if name not in known:
                raise ValueError(f"tariffs.{tariff}.{ADDER}: {unknown('branch', name, known)}")
        if table.branch_adder_usd_per_kwh and table.component_names:
            raise ValueError(
                f"tariffs.{tariff} has {ADDER} and {' and '.join(table.component_names)}, which are not held together;"
                " leave out one of them"
            )


def with_branch_adders(scenario: "Scenario", tariff: Tariff, adders: Mapping[str, Floats]) -> Tariff:
    """A tariff with an adder on every branch: a rate class for each, the rest of the feeder first.

    What is bought costs the adder more; under net billing what is sold earns it more, as it saves the network what use
    there costs it. Under net metering the credit is the import rate, adder included.

    Parameters
    ----------
    adders
        By branch, (day type, slot); 0 where a branch is not named. [USD/kWh]
    """
    everybody = frozenset(product((technology.name for technology in TECHNOLOGIES), range(len(scenario.income_groups))))
    sold = tariff.export_rule is ExportRule.NET_BILLING

    def of_branch(name: str) -> Tariff:
        adder = adders.get(name)
        if adder is None:
            return tariff
        return replace(
            tariff,
            name=tariff.name if name == REST else f"{tariff.name}_{name}",
            energy_usd_per_kwh=tariff.energy_usd_per_kwh + adder,
            export_usd_per_kwh=tariff.export_usd_per_kwh + (adder if sold else 0.0),
        )

    return with_classes(
        [
            RateClass(name=name, tariff=of_branch(name), members=everybody, branch=name)
            for name in branch_names(scenario)
        ]
    )


def require_no_adders(tariff: Tariff) -> None:
    """Raise ``ValueError``, in one line, for a tariff with prices by branch, for whom cannot hold them."""
    held = [one.tariff.name for one in tariff.classes if one.branch is not None]
    if held:
        raise ValueError(
            f"tariff {held[0]} has {ADDER}, which only solve, simulate without --leader, flow, emergence, validate,"
            " design, allot, export, study and hosting can hold; leave it out: branches themselves are held here"
        )


def by_rate_class(tariff: Tariff) -> dict[str, Tariff]:
    """The tariff of every rate class, the default one first, those on branches of the feeder put together again."""
    parts: dict[str, list[RateClass]] = {}
    for one in tariff.classes:
        whole = DEFAULT if one.name == one.branch else one.name.removesuffix(f" on {one.branch}")
        parts.setdefault(whole, []).append(one)
    if not parts:
        return {DEFAULT: tariff}
    return {
        name: found[0].tariff
        if found[0].branch is None
        else with_classes([replace(one, name=str(one.branch)) for one in found])
        for name, found in parts.items()
    }


def adders_by_branch(tariff: Tariff) -> dict[str, Floats]:
    """What imports cost more on each branch than on the rest, (day type, slot); none without branches. [USD/kWh]"""
    if any(one.branch is None for one in tariff.classes):
        return {}
    rest = tariff.energy_usd_per_kwh
    return {one.name: np.round(one.tariff.energy_usd_per_kwh - rest, 12) for one in tariff.classes[1:]}


def classes_on_branches(classes: list[RateClass]) -> list[RateClass]:
    """Rate classes of which some have an adder on every branch, as one list: a class on a branch is one of its own."""
    found = []
    for one in classes:
        found += [
            replace(part, name=f"{one.name} on {part.name}", members=one.members) for part in one.tariff.classes
        ] or [one]
    return found
