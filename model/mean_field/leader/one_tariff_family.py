"""Tariffs that a user lets the leader choose among: a tariff in force, some of its keys free, some given.

Where windows have their place the periods of the tariff in force give way to them and to the rest of the day, and every
one of them has a rate of its own.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.leader.rate_groups import ALL_DAY, RateGroups, numbered
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.window_combinations import (
    Combination,
    window_periods,
)
from meanwatt.model.scenario.economy import Economy, tariff_of_table
from meanwatt.model.scenario.family_file import ENERGY, PERIODS, FamilyFile
from meanwatt.model.scenario.files import TomlTable
from meanwatt.model.scenario.loading import ScenarioError, checked_tariff, tariff_with
from meanwatt.model.scenario.rate_classes import DEFAULT
from meanwatt.model.scenario.rate_tables import rate_table
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.tariff_file import TariffTable, charge_names
from meanwatt.model.scenario.values import show

NAME: Final = "designed"
EXPORT: Final = "export.usd_per_kwh"
BY_PERIOD: Final = (ENERGY, EXPORT)
"""Keys whose values may be by period: where windows replace the periods, such values come anew."""
FLAT_START: Final = 0.8
"""Energy charge over the reference price where a search may begin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnFamily(UserFamily):
    """Tariffs as one in force, but for keys that are free and keys that are given; the windows have their place.

    Attributes
    ----------
    free
        Dotted keys of a tariff that the leader chooses, between ``low`` and ``high``.
    scenario
        Whose day types, slots and income groups the tariffs have.
    base
        Name of the tariff in force.
    table
        That tariff with what is given, and the free keys at their lower bounds.
    """

    scenario: Scenario
    base: str
    table: TomlTable

    def tariff(self, parameters: Floats) -> Tariff:
        """The member with the given free parameters; values are clipped to the bounds."""
        return tariff_of_table(self.scenario, NAME, self.table_of(parameters))

    def table_of(self, parameters: Floats) -> TariffTable:
        """The same member as a tariff file writes it."""
        table = deepcopy(self.table)
        for key, value in self.describe(parameters).items():
            _inner(table, key)[key.rpartition(".")[2]] = value
        return checked_tariff(table)

    def tables_of(self, parameters: Floats) -> dict[str, TariffTable]:
        """The same, as the tariff of the default class."""
        return {DEFAULT: self.table_of(parameters)}

    @property
    def has_tangent(self) -> bool:
        """Not where a discount or a charge that does not depend on use is free."""
        return not {key.split(".")[0] for key in self.free} & {"discount", *charge_names()}

    @property
    def each_class(self) -> "dict[str, OwnFamily]":
        """The family itself: everybody has the tariff."""
        return {DEFAULT: self}

    def of(self, household: HouseholdType) -> "OwnFamily":
        """The family itself: everybody has the tariff."""
        return self

    @property
    def recovery(self) -> Recovery:
        """What balances revenue and cost in every member."""
        return Recovery(self.table["recovery"])

    @property
    def passes_wholesale_through(self) -> bool:
        """Whether the wholesale price is, or may be, a part of import rates."""
        return "pass_through" in self.free or self.table["pass_through"] > 0

    def rate_groups(self) -> RateGroups:
        """Which slots have one and the same energy charge in every member."""
        form, leaves = numbered(self.table[ENERGY], ENERGY)
        scenario = self.scenario
        numbers = rate_table(
            form,
            key=ENERGY,
            periods=self.table[PERIODS],
            day_types=tuple(scenario.day_types),
            seasons=scenario.seasons,
            classes=scenario.day_classes,
            slots=scenario.slots_per_day,
        ).astype(int)
        keys = list(leaves)
        used = [k for k in range(len(keys)) if (numbers == k).any()]
        bounds = {key: (low, high) for key, low, high in zip(self.free, self.low, self.high, strict=True)}
        pairs = np.array([bounds.get(keys[k], (leaves[keys[k]],) * 2) for k in used])
        return RateGroups(
            names=tuple(keys[k].removeprefix(ENERGY).removeprefix(".") or ALL_DAY for k in used),
            of_slot=np.searchsorted(used, numbers),
            low=pairs[:, 0],
            high=pairs[:, 1],
        )

    def starts(self, economy: Economy) -> list[Floats]:
        """Where a search may begin: the tariff in force's other keys with a flat rate, or with each at marginal cost.

        Marginal cost is that of the reference loads, carbon included, weighted by them, less what is passed through.
        """
        reference = economy.scenario.reference_price_usd_per_kwh
        load = economy.mean_reference_kw
        supply, system = economy.supply, load + economy.rest_load_kw
        cost = supply.price(system) + economy.carbon_usd_per_t * supply.marginal_emissions_t_per_kwh(system)
        flat = [FLAT_START * reference if _is_energy(key) else self._default(key) for key in self.free]
        return [np.clip(flat, self.low, self.high), self.at_marginal_cost(economy, load, np.asarray(cost))]

    def at_marginal_cost(self, economy: Economy, load_kw: Floats, cost_usd_per_kwh: Floats) -> Floats:
        """Parameters whose energy charges are the load-weighted marginal costs of their slots. (free,)

        Parameters
        ----------
        load_kw, cost_usd_per_kwh : (c, h)
            Use of the average household, and the social marginal cost.
        """
        groups = self.rate_groups()
        weight = economy.common.probability[:, None] * np.maximum(load_kw, 0.0)
        number = groups.of_slot[economy.common.today]
        kept = 1.0 - (0.0 if "pass_through" in self.free else float(self.table["pass_through"]))
        chosen = dict.fromkeys(self.free, 0.0)
        for key in self.free:
            chosen[key] = self._default(key)
        for k, name in enumerate(groups.names):
            key = _energy_key(name)
            inside = weight * (number == k)
            if key in chosen and inside.any():
                chosen[key] = kept * float((inside * cost_usd_per_kwh).sum() / inside.sum())
        return np.clip([chosen[key] for key in self.free], self.low, self.high)

    def energy_usd_per_kwh(self, parameters: Mapping[str, float]) -> Floats:
        """Energy charge of every one of `rate_groups` in a member, whose free parameters are given by name."""
        groups = self.rate_groups()
        return np.array(
            [parameters.get(_energy_key(name), low) for name, low in zip(groups.names, groups.low, strict=True)]
        )

    @property
    def in_force(self) -> Floats:
        """Free parameters as in the tariff in force, their lower bounds where that has none. (free,)"""
        return np.clip([self._default(key) for key in self.free], self.low, self.high)

    def _default(self, key: str) -> float:
        """Value of a free key in the tariff in force; its lower bound where that has none."""
        value = self.described_in_force.get(key)
        return float(self.low[self.free.index(key)]) if value is None else value

    @property
    def described_in_force(self) -> dict[str, float]:
        """Values of the free keys in the tariff in force, where it has one number there."""
        found = {}
        for key in self.free:
            inner: Any = self.scenario.tariffs[self.base].model_dump()
            for part in key.split("."):
                inner = inner.get(part) if isinstance(inner, Mapping) else inner
            if isinstance(inner, int | float):
                found[key] = float(inner)
        return found


def own_family(scenario: Scenario, base: str, file: FamilyFile, combination: Combination) -> OwnFamily:
    """The family of one tariff whose windows have their place.

    Raises
    ------
    ValueError
        In one line: a key that the tariff has not, a value out of its range, a window without a rate, and the like.
    """
    place = combination if file.windows else {}
    rest = rest_of_day(scenario, file) if file.windows else ""
    return OwnFamily(
        free=tuple(file.free),
        low=np.array([low for low, _ in file.free.values()]),
        high=np.array([high for _, high in file.free.values()]),
        scenario=scenario,
        base=base,
        table=_table(scenario, base, file, place, rest),
        windows=place,
    )


def require_member(family: OwnFamily, parameters: Floats) -> None:
    """Raise ``ValueError`` in one line unless a corner of the family is a tariff."""
    try:
        tariff_of_table(family.scenario, NAME, family.table_of(parameters))
    except ValueError as error:
        raise ValueError(str(error).replace(f"tariff {NAME}: ", "")) from None


def rest_of_day(scenario: Scenario, file: FamilyFile) -> str:
    """Name of the rest of the day: the one that energy charges name besides the windows."""
    days = {*scenario.day_types, *scenario.seasons, *scenario.day_classes}
    given = [key.split(".") for key in (*file.free, *file.fixed) if _is_energy(key)]
    named = list(dict.fromkeys(parts[-1] for parts in given if len(parts) > 1 and parts[-1] not in days))
    for name in file.windows:
        if name in days:
            raise ValueError(f"window {name} has the name of a day type, season or class; give it another")
        if name not in named:
            raise ValueError(f"window {name} has no rate; give {ENERGY}.{name} under [free] or [fixed]")
    rest = [name for name in named if name not in file.windows]
    if not rest:
        raise ValueError(
            f"the rest of the day beside window {', '.join(file.windows)} has no rate; give one under a name of your"
            f" own, e.g. {ENERGY}.base = [0.0, 1.0]"
        )
    if len(rest) > 1:
        raise ValueError(
            f"{ENERGY} names {' and '.join(rest)}, which are no windows, and the rest of the day is one period; give"
            " all but one of them a window"
        )
    return rest[0]


def _table(scenario: Scenario, name: str, file: FamilyFile, combination: Combination, rest: str) -> TomlTable:
    """The tariff in force with windows, given keys, and free keys at their lower bounds."""
    values = {**file.fixed, **{key: low for key, (low, _) in file.free.items()}}
    changes: dict[str, Any] = {}
    if combination:
        changes[PERIODS] = window_periods(combination, rest, scenario.slots_per_day)
        for whole in BY_PERIOD:
            parts = {key: values.pop(key) for key in list(values) if key.startswith(f"{whole}.")}
            if parts:
                changes[whole] = _nested(parts, whole)
        _require_no_old_periods(scenario, name, {*changes, *values})
    table = tariff_with(scenario, name, {**changes, **values}, file.label)
    for key in file.free:
        old = _inner(tariff_with(scenario, name, {}, file.label), key, missing={}).get(key.rpartition(".")[2])
        if isinstance(old, str | bool):
            raise ScenarioError(f"{file.label}: free.{key} is no number but {show(old)}; give it under [fixed]")
    return table


def _require_no_old_periods(scenario: Scenario, name: str, given: set[str]) -> None:
    """Refuse an export credit by periods that the windows replace."""
    table = scenario.tariffs[name]
    credit = table.export.usd_per_kwh
    if EXPORT not in given and any(part in table.periods for part in _names(credit)):
        raise ValueError(
            f"{EXPORT} of tariff {name} is by its periods, which the windows replace; give it under [fixed] or [free],"
            " as one number or by window"
        )


def _names(form: Any) -> Iterator[str]:
    """Names in a rate's table, at every depth."""
    if isinstance(form, Mapping):
        for name, value in form.items():
            yield str(name)
            yield from _names(value)


def _nested(parts: Mapping[str, Any], whole: str) -> TomlTable:
    """Tables in one another from dotted keys inside ``whole``."""
    found: TomlTable = {}
    for key, value in parts.items():
        *outer, last = key.removeprefix(f"{whole}.").split(".")
        inner = found
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return found


def _inner(table: TomlTable, key: str, missing: Any = None) -> TomlTable:
    """The table that the last part of a dotted key lies in; ``missing`` where the way ends before."""
    inner: Any = table
    for part in key.split(".")[:-1]:
        if missing is not None and not (isinstance(inner, Mapping) and part in inner):
            return dict(missing)
        inner = inner[part]
    return inner if isinstance(inner, dict) else dict(missing or {})


def _energy_key(name: str) -> str:
    """Key of a rate group."""
    return ENERGY if name == ALL_DAY else f"{ENERGY}.{name}"


def _is_energy(key: str) -> bool:
    return key == ENERGY or key.startswith(f"{ENERGY}.")
