"""Windows of the day in which a rate is the same: those among which a tariff distinguishes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.window_combinations import Combination
from meanwatt.model.scenario.economy import Economy, build_tariff
from meanwatt.model.scenario.rate_tables import period_of_slot

USUAL = "tou"
"""The tariff whose periods are taken where the one in force has none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Windows of the day.

    Attributes
    ----------
    names
        One each: the period, after the rate class, season, class of days or day types that have rates of their own.
    of_class : tuple of (day type, slot) int
        Number of the window that each slot of every rate class lies in; one where one tariff holds for all.
    taken_from
        Name of the tariff whose periods they are, or of the family whose windows.
    given_usd_per_kwh : (window,), optional
        Rates that are not filed but given, nan where one is filed; None if all are filed. [USD/kWh]
    """

    names: tuple[str, ...]
    of_class: tuple[Ints, ...]
    taken_from: str
    given_usd_per_kwh: Floats | None = None

    @property
    def of_slot(self) -> Ints:
        """Number of the window that each slot of the default class lies in. (day type, slot)"""
        return self.of_class[0]


def windows_in_force(economy: Economy, tariff: Tariff) -> Windows:
    """Take the periods of the tariff of every rate class in force, each class with windows of its own.

    Raises
    ------
    ValueError
        In one line, as for `windows_of`.
    """
    if not tariff.classes:
        return windows_of(economy, tariff.name)
    each = [(one.name, windows_of(economy, one.tariff.name)) for one in tariff.classes]
    begin = np.cumsum([0, *(len(own.names) for _, own in each)])
    return Windows(
        names=tuple(f"{name} {window}" for name, own in each for window in own.names),
        of_class=tuple(own.of_slot + first for (_, own), first in zip(each, begin.tolist(), strict=False)),
        taken_from=", ".join(f"{own.taken_from} (class {name})" for name, own in each),
    )


def windows_of(economy: Economy, in_force: str) -> Windows:
    """Take the periods of the tariff in force, or of the scenario's ``tou`` where it has none.

    Day types for which that tariff posts other rates, as for seasons or weekends, have windows of their own.

    Raises
    ------
    ValueError
        In one line, if neither has periods.
    """
    scenario = economy.scenario
    taken = next(
        (name for name in (in_force, USUAL) if name in scenario.tariffs and scenario.tariffs[name].periods), ""
    )
    if not taken:
        raise ValueError(
            f"scenario {scenario.name}: neither tariff {in_force} nor {USUAL} has periods, so there are no windows to"
            ' file rates for; give one of them periods, e.g. periods = { peak = ["17-21"], off = ["21-17"] }'
        )
    period = period_of_slot(scenario.tariffs[taken].periods, scenario.slots_per_day)
    energy = build_tariff(scenario, taken, components=True).energy_usd_per_kwh
    rows = [row.tobytes() for row in energy]
    group = [rows.index(row) for row in rows]
    labels = _labels(group, scenario.seasons, scenario.day_classes, tuple(scenario.day_types))
    called = [[f"{labels[day]} {name}".strip() for name in period] for day in group]
    names = tuple(dict.fromkeys(name for row in called for name in row))
    return Windows(
        names=names, of_class=(np.array([[names.index(name) for name in row] for row in called]),), taken_from=taken
    )


def family_windows(families: OwnFamilies, windows: Combination) -> Windows:
    """The windows of a user's family at a place, and the rest of the day; what the family fixes is not filed.

    Raises
    ------
    ValueError
        In one line, if no energy charge of the family is free.
    """
    family = families.family(windows)
    names, low, high = family_groups(family)
    free = low < high
    if not free.any():
        raise ValueError(
            f"{families.file.label} frees no energy charge, so there are no windows to file rates for; give bounds of"
            " one under [free], e.g. energy_usd_per_kwh = [0.0, 1.0]"
        )
    groups = [one.rate_groups() for one in family.each_class.values()]
    begin = np.cumsum([0, *(len(one.names) for one in groups)])
    return Windows(
        names=names,
        of_class=tuple(one.of_slot + first for one, first in zip(groups, begin.tolist(), strict=False)),
        taken_from=families.file.label,
        given_usd_per_kwh=np.where(free, np.nan, low),
    )


def family_groups(family: UserFamily) -> tuple[tuple[str, ...], Floats, Floats]:
    """Name, lowest and highest energy charge of every rate group, class after class. (group,) [USD/kWh]"""
    each = {name: one.rate_groups() for name, one in family.each_class.items()}
    names = [f"{name} {group}" if len(each) > 1 else group for name, one in each.items() for group in one.names]
    low, high = (np.concatenate([getattr(one, end) for one in each.values()]) for end in ("low", "high"))
    return tuple(names), low, high


def _labels(
    group: Sequence[int],
    seasons: Sequence[str | None],
    classes: Sequence[str | None],
    day_types: Sequence[str],
) -> dict[int, str]:
    """What the day types of each group with rates of their own are called; nothing where there is one group."""
    groups = dict.fromkeys(group)
    if len(groups) == 1:
        return dict.fromkeys(groups, "")
    for given in (seasons, classes):
        own = {one: {name for name, of in zip(given, group, strict=True) if of == one} for one in groups}
        named = {one: next(iter(found)) for one, found in own.items() if len(found) == 1}
        if len(named) == len(groups) and None not in named.values() and len(set(named.values())) == len(groups):
            return {one: str(name) for one, name in named.items()}
    return {one: "+".join(day for day, of in zip(day_types, group, strict=True) if of == one) for one in groups}
