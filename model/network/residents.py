"""Who lives where on a feeder: the share of each household type that lives at each bus."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, children, key_from, stream
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.scenario.branches import branch_names
from meanwatt.model.scenario.loading import ScenarioError
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.residents_file import ResidentsError, ResidentsRow, read_residents, residents_digest
from meanwatt.model.scenario.residents_table import MIXED, ResidentsTable
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares

SUNNY_LAST = tuple(sorted(TECHNOLOGIES, key=lambda one: (one.solar, one.storage is not None)))
"""Technologies by solar, then by storage: the order in which they live towards the sunny end."""
NEGLIGIBLE = 1e-12
"""A part of a household type this small is rounding."""
Place = tuple[str, str]
"""Names of a branch and of an envelope; empty where there are none."""
NOWHERE: Place = ("", "")
"""Where all live as long as a scenario tells no places apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residents:
    """Where the household types live.

    Attributes
    ----------
    share : (type, bus)
        Of each type at each bus; rows sum to one.
    mixed
        Whether everybody lives anywhere alike.
    messages
        What is not as a file says, a sentence each.
    """

    __repr__ = short_repr

    share: Floats
    mixed: bool
    messages: Messages = ()

    def loads(self, feeder: Feeder, type_share: Floats, by_type: Floats) -> Floats:
        """What all customers of each bus draw when each draws the mean of its type.

        Parameters
        ----------
        type_share : (type,)
            Population shares.
        by_type : (type, c, h)
            Mean of each type. [kW]

        Returns
        -------
        (c, h, bus) float
            [kW]
        """
        homes = self.share * (type_share * float(feeder.customers.sum()))[:, None]
        return np.asarray(np.einsum("tch,tb->chb", by_type, homes))

    def customers(self, feeder: Feeder) -> Floats | Ints:
        """Weights that a population is put on the buses by: (bus,) where everybody lives anywhere, else (type, bus)."""
        return feeder.customers if self.mixed else self.share


def place_residents(scenario: Scenario, types: Sequence[HouseholdType], feeder: Feeder) -> Residents:
    """Say where the household types of a scenario live on a feeder.

    Raises
    ------
    ValueError
        In one line, if a file of residents cannot be used, or names a bus or an income group that is not there.
    """
    found = _anywhere_placed(scenario, types, feeder)
    if not any(any(household.place) for household in types):
        return found
    places, of_bus = places_of_buses(scenario, feeder)
    if len(places) == 1:  # under one envelope everybody lives where the pattern says
        return found
    here = np.array([of_bus == places.index(household.place) for household in types])
    share = np.where(here, found.share, 0.0)
    lost = share.sum(axis=1) <= 0  # of a type that is nowhere on its branch by the pattern: anywhere there
    share[lost] = np.where(here[lost], feeder.customers, 0.0)
    return replace(found, share=share / share.sum(axis=1, keepdims=True), mixed=False)


def places_of_buses(scenario: Scenario, feeder: Feeder) -> tuple[tuple[Place, ...], Ints]:
    """Where household types live apart: the pairs of branch and envelope that there are, and each bus's, (bus,).

    Raises
    ------
    ScenarioError
        In one line, if an envelope names a bus that is not there or that another one holds, or has no customers.
    """
    branches, of_branch = branch_names(scenario) or ("",), branch_of_bus(scenario, feeder)
    envelopes = ("", *scenario.feeder.envelopes)
    of_envelope = np.full(len(feeder.buses), -1)
    for number, (name, table) in enumerate(scenario.feeder.envelopes.items(), start=1):
        here = [feeder.index(bus) for bus in table.buses or ()]
        if table.branch is not None:
            here = np.flatnonzero(of_branch == branches.index(table.branch)).tolist()
        for bus in here:
            if of_envelope[bus] >= 0:
                raise ScenarioError(
                    f"scenario {scenario.name}: feeder.envelopes.{name} and"
                    f" feeder.envelopes.{envelopes[of_envelope[bus]]} both hold bus {feeder.buses[bus]}; give buses,"
                    " each once"
                )
        of_envelope[here] = number
    everybody_else = [not (table.buses or table.branch) for table in scenario.feeder.envelopes.values()]
    of_envelope[of_envelope < 0] = everybody_else.index(True) + 1 if True in everybody_else else 0
    homes = np.bincount(of_envelope, weights=feeder.customers, minlength=len(envelopes))
    for name, there in zip(envelopes[1:], homes[1:], strict=True):
        if not there:
            raise ScenarioError(
                f"scenario {scenario.name}: feeder.envelopes.{name} has no customers on {feeder.name}; give other"
                " buses, or leave it out"
            )
    cells, of_bus = np.unique(of_branch * len(envelopes) + of_envelope, return_inverse=True)
    pairs = [divmod(cell, len(envelopes)) for cell in cells.tolist()]
    return tuple((branches[branch], envelopes[envelope]) for branch, envelope in pairs), np.asarray(of_bus)


def branch_of_bus(scenario: Scenario, feeder: Feeder) -> Ints:
    """Number of the branch of every bus among `meanwatt.model.scenario.branches.branch_names`, (bus,).

    It is that of the last bus on the way from the source at which a branch begins.
    """
    of_bus = np.full(len(feeder.buses), -1)
    for number, heads in enumerate(scenario.feeder.branches.values(), start=1):
        of_bus[[feeder.index(bus) for bus in heads]] = number
    for bus in range(len(feeder.buses)):
        way = [bus]
        while of_bus[way[-1]] < 0 and feeder.parent[way[-1]] >= 0:
            way.append(int(feeder.parent[way[-1]]))
        of_bus[way] = max(int(of_bus[way[-1]]), 0)
    return of_bus


def _anywhere_placed(scenario: Scenario, types: Sequence[HouseholdType], feeder: Feeder) -> Residents:
    """Where household types live whatever their branch."""
    table = scenario.feeder.residents
    anywhere = feeder.customers / feeder.customers.sum()
    if table.is_mixed:
        return Residents(share=np.tile(anywhere, (len(types), 1)), mixed=True)
    if table.file is not None:
        return _of_file(table, scenario, types, feeder)
    groups = group_places(scenario, feeder)
    placed = np.zeros((len(groups), len(TECHNOLOGIES), len(anywhere)))
    for group, (own, mass) in enumerate(zip(scenario.income_groups.values(), groups, strict=True)):
        part = technology_shares(scenario, own)
        order = np.argsort(place_along(feeder, table, table.adoption), kind="stable")
        rows = spread(mass, order, np.array([part[one.name] for one in SUNNY_LAST]), mixed=table.adoption == MIXED)
        for technology, row in zip(SUNNY_LAST, rows, strict=True):
            placed[group, TECHNOLOGIES.index(technology)] = row
    names = [technology.name for technology in TECHNOLOGIES]
    return Residents(share=np.array([placed[one.group, names.index(one.technology)] for one in types]), mixed=False)


def group_places(scenario: Scenario, feeder: Feeder) -> Floats:
    """Share of each income group at each bus, by the pattern of incomes, (group, bus); rows sum to one."""
    table = scenario.feeder.residents
    income = np.array([group.income_usd_per_year for group in scenario.income_groups.values()])
    share = np.array([group.share for group in scenario.income_groups.values()])
    poorest_first = np.argsort(income, kind="stable")
    order = np.argsort(place_along(feeder, table, table.incomes), kind="stable")
    placed = np.empty((len(income), len(feeder.buses)))
    placed[poorest_first] = spread(
        feeder.customers / feeder.customers.sum(), order, share[poorest_first], mixed=table.incomes == MIXED
    )
    return placed


def place_along(feeder: Feeder, table: ResidentsTable, pattern: str) -> Floats:
    """Give every bus its place by a pattern: the richer, or sunnier, the larger. (bus,)"""
    if pattern == "clustered":
        return _walk(feeder, table.seed)
    away = tidy_tree(feeder, along="impedance")[:, 0]
    return -away if pattern == "near" else away


def spread(mass: Floats, order: Ints, share: Floats, *, mixed: bool = False) -> Floats:
    """Lay out groups one after the other along the customers of a feeder.

    Parameters
    ----------
    mass : (bus,)
        Customers of each bus, in any unit.
    order : (bus,)
        Buses in the order of the line.
    share : (group,)
        Of the groups, the first of which lives where the line begins.
    mixed
        Whether they live anywhere alike instead.

    Returns
    -------
    (group, bus) float
        Share of each group that lives at each bus; rows sum to one, and ``share`` times them gives the mass over its
        sum. A group of no share lives as the mass does.
    """
    anywhere = mass / mass.sum()
    if mixed:
        return np.tile(anywhere, (len(share), 1))
    ends, line = np.cumsum(share / share.sum()), np.cumsum(anywhere[order])
    lower, upper = np.maximum.outer(ends - share / share.sum(), line - anywhere[order]), np.minimum.outer(ends, line)
    placed = np.zeros((len(share), len(mass)))
    placed[:, order] = np.where(upper - lower > NEGLIGIBLE, upper - lower, 0.0)
    total = placed.sum(axis=1, keepdims=True)
    return np.where(total > 0, placed / np.where(total > 0, total, 1.0), anywhere)


def rounding_of_residents(residents: Residents, customers_at: Ints, names: Sequence[str], buses: Sequence[str]) -> str:
    """Say how far whole households of a market are from where they would live.

    Parameters
    ----------
    customers_at : (type, bus)
        Simulated households.
    names, buses
        Of household types and buses.
    """
    wanted = residents.share * customers_at.sum(axis=1, keepdims=True)
    kind, bus = divmod(int(np.abs(customers_at - wanted).argmax()), len(buses))
    return (
        f"feeder.residents: {int(customers_at.sum())} households rounded to whole ones at each bus, the number of each"
        f" type kept; the largest difference is {names[kind]} at bus {buses[bus]},"
        f" {int(customers_at[kind, bus])} for {wanted[kind, bus]:.3g}."
    )


def _walk(feeder: Feeder, seed: int) -> Floats:
    """Number the buses along a walk from the source that ends one branch before it turns into the next. (bus,)

    In what order it turns into the branches of a bus, and which end of it is rich, is drawn.
    """
    draw = children(stream(key_from(seed), Purpose.RESIDENTS, 0), len(feeder.buses) + 1)
    behind: list[list[int]] = [[] for _ in feeder.buses]
    for bus, parent in enumerate(feeder.parent.tolist()):
        if parent >= 0:
            behind[parent].append(bus)
    place, waiting = np.zeros(len(feeder.buses)), [feeder.index(feeder.source)]
    for number in range(len(feeder.buses)):
        bus = waiting.pop()
        place[bus] = number
        waiting += sorted(behind[bus], key=lambda one: int(draw[one]))
    return place if draw[-1] & np.uint64(1) else -place


def _of_file(table: ResidentsTable, scenario: Scenario, types: Sequence[HouseholdType], feeder: Feeder) -> Residents:
    """Where a file puts the household types; those that it does not hold live anywhere."""
    assert table.file is not None
    if table.sha256 not in (None, residents_digest(table.file)):
        raise ResidentsError(f"residents {table.file}: has changed since the scenario was read; read it again")
    rows = read_residents(table.file)
    for row in rows:
        for what, name, known in (
            ("bus", row.bus, feeder.buses),
            ("income group", row.income_group, tuple(scenario.income_groups)),
        ):
            if name not in known:
                raise ResidentsError(f"residents {table.file}: {unknown(what, name, known)}")
    homes = _homes(rows, scenario, types, feeder)
    total = homes.sum(axis=1)
    share = np.where(
        total[:, None] > 0, homes / np.where(total > 0, total, 1.0)[:, None], feeder.customers / feeder.customers.sum()
    )
    return Residents(share=share, mixed=False, messages=tuple(_apart(rows, types, feeder, homes)))


def _homes(rows: Sequence[ResidentsRow], scenario: Scenario, types: Sequence[HouseholdType], feeder: Feeder) -> Floats:
    """Homes of each type at each bus by a file, (type, bus)."""
    at = {bus: place for place, bus in enumerate(feeder.buses)}
    place: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(types):
        place.setdefault((one.income_group, one.technology), []).append(number)
    homes = np.zeros((len(types), len(feeder.buses)))
    for row in rows:
        parts = row.by_technology
        if parts is None:
            shares = technology_shares(scenario, scenario.income_groups[row.income_group])
            parts = {name: row.homes * share for name, share in shares.items()}
        for name, owners in parts.items():
            for kind in place.get((row.income_group, name), ()):
                homes[kind, at[row.bus]] += owners
    return homes


def _apart(rows: Sequence[ResidentsRow], types: Sequence[HouseholdType], feeder: Feeder, homes: Floats) -> Messages:
    """What of a file does not hold beside the scenario and the feeder, a sentence each."""
    in_file = sum(row.homes for row in rows)
    told = []
    lost = in_file - float(homes.sum())
    if lost > NEGLIGIBLE * in_file:
        told.append(
            f"feeder.residents.file: {lost:.4g} of its {in_file:.4g} homes are of an income group and technology that"
            " nobody of the scenario has; they are left out."
        )
    missing = [one.name for one, own in zip(types, homes.sum(axis=1), strict=True) if own == 0]
    if missing:
        told.append(f"feeder.residents.file: holds no {', '.join(missing)}; they live anywhere alike.")
    by_type = homes.sum(axis=1) / max(homes.sum(), NEGLIGIBLE)
    wanted = np.array([one.share for one in types])
    kind = int(np.abs(by_type - wanted).argmax())
    if abs(by_type[kind] - wanted[kind]) > 1 / max(in_file, 1.0):
        told.append(
            "feeder.residents.file: says where each household type lives, the scenario how many there are; the largest"
            f" difference is {types[kind].name}, {by_type[kind]:.3g} of the homes in the file and {wanted[kind]:.3g} in"
            " the scenario."
        )
    share = homes.sum(axis=0) / max(homes.sum(), NEGLIGIBLE)
    customers = feeder.customers / feeder.customers.sum()
    bus = int(np.abs(share - customers).argmax())
    if abs(share[bus] - customers[bus]) * feeder.customers.sum() >= 0.5:
        told.append(
            "feeder.residents.file: homes by bus are the file's, not the feeder's customers; the largest difference is"
            f" bus {feeder.buses[bus]}, {share[bus]:.3g} of the homes in the file and {customers[bus]:.3g} of the"
            " customers."
        )
    return tuple(told)
