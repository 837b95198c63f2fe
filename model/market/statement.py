"""Monthly statements of a market's households: what each used, and what every part of its bill came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.billing_months import month_of_year

USE_PARTS: Final = ("energy", "wholesale", "adder", "export_credit")
"""Parts of a bill that depend on use: the posted energy charge, the wholesale price passed on and the adder on what is
imported, each after discount, and what exports earn (negative)."""


def periods_of(tariff: Tariff) -> tuple[str, ...]:
    """Names of the periods of all rate classes, each once; empty where no tariff has any."""
    return tuple(dict.fromkeys(name for own in tariff.class_tariffs for name in own.periods))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TypeMonth:
    """A month of the households of one type, ranks ascending.

    Attributes
    ----------
    first_rank
        Rank of the first within its type.
    imported_kwh, exported_kwh : (household, period)
        Energy of slots with net import, and with net export, counted positive. [kWh]
    peak_kw : (household,)
        Largest import of a slot. [kW]
    use_usd : (household, part)
        See `USE_PARTS`. [USD]
    standing_usd : dict
        What each household pays for the fixed charge and the other standing charges. [USD]
    component_usd : dict of (household,)
        What the components of the tariff come to. [USD]
    counters : dict of (household,)
        What components are reckoned by: billed kWh, and the largest import in the window of a demand charge.
    """

    __repr__ = short_repr

    first_rank: int
    imported_kwh: Floats
    exported_kwh: Floats
    peak_kw: Floats
    use_usd: Floats
    standing_usd: Mapping[str, float]
    component_usd: Mapping[str, Floats] = field(default_factory=dict)
    counters: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def households(self) -> int:
        """How many."""
        return len(self.peak_kw)

    @property
    def parts_usd(self) -> dict[str, Floats]:
        """Every part of the bills by name, (household,) each. [USD]"""
        use = {name: self.use_usd[:, place] for place, name in enumerate(USE_PARTS)}
        standing = {name: np.full(self.households, usd) for name, usd in self.standing_usd.items()}
        return {**use, **standing, **self.component_usd}

    @property
    def total_usd(self) -> Floats:
        """The bills. (household,) [USD]"""
        return np.asarray(sum(self.parts_usd.values(), np.zeros(self.households)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthStatement:
    """A month of all households of a market, or of a part of it.

    Attributes
    ----------
    month, first_day, days
        Its number from 1, its first day from 0, and how many days of it were billed.
    periods
        Names of the columns of energy; empty for one column of all energy.
    types : (type,)
        The households.
    """

    __repr__ = short_repr

    month: int
    first_day: int
    days: int
    periods: tuple[str, ...]
    types: tuple[TypeMonth, ...]

    @property
    def total_usd(self) -> Floats:
        """The bills in the order of ids. (household,) [USD]"""
        return np.concatenate([one.total_usd for one in self.types])


def join_parts(parts: Sequence[MonthStatement]) -> MonthStatement:
    """A month of the whole market from those of its parts, ranks in order."""
    if len(parts) == 1:
        return parts[0]
    names = ("imported_kwh", "exported_kwh", "peak_kw", "use_usd")
    types = tuple(
        replace(of_type[0], **{name: np.concatenate([getattr(one, name) for one in of_type]) for name in names})
        for of_type in zip(*(part.types for part in parts), strict=True)
    )
    return replace(parts[0], types=types)


def statement_columns(
    statement: MonthStatement, types: Sequence[HouseholdType], tariff: Tariff, names: Sequence[str], year: int | None
) -> dict[str, Floats | np.ndarray]:
    """A month as a table, one row a household in the order of ids.

    Parameters
    ----------
    tariff
        Which tells every type's rate class.
    names
        Parts of the bill that get a column, all of them in every month.
    year
        Calendar year that is lived; None without.

    Returns
    -------
    dict
        Column → (household,) values.
    """
    counts = [one.households for one in statement.types]
    households = sum(counts)
    label = month_of_year(statement.first_day, year)
    classes = [own.name for own in tariff.classes] or [tariff.name]

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(one, name) for one in statement.types])

    imported, exported = joined("imported_kwh"), joined("exported_kwh")
    table: dict[str, Floats | np.ndarray] = {
        "household": np.arange(households),
        "month": np.full(households, statement.month, dtype=np.int32),
        **({} if year is None else {"calendar_month": np.full(households, label or "", dtype=object)}),
        "days": np.full(households, statement.days, dtype=np.int32),
        "income": np.repeat(np.array([one.income_group for one in types], dtype=object), counts),
        "technology": np.repeat(np.array([one.technology for one in types], dtype=object), counts),
        "class": np.repeat(np.array([classes[tariff.class_index(one)] for one in types], dtype=object), counts),
        "imported_kwh": imported.sum(axis=1),
        "exported_kwh": exported.sum(axis=1),
    }
    for place, period in enumerate(statement.periods):
        table[f"imported_kwh_{period}"] = imported[:, place]
        table[f"exported_kwh_{period}"] = exported[:, place]
    table["peak_kw"] = joined("peak_kw")
    for name in dict.fromkeys(name for one in statement.types for name in one.counters):
        table[name] = np.concatenate(
            [one.counters.get(name, np.full(one.households, np.nan)) for one in statement.types]
        )
    for name in names:
        table[f"{name}_usd"] = np.concatenate(
            [one.parts_usd.get(name, np.zeros(one.households)) for one in statement.types]
        )
    table["total_usd"] = statement.total_usd
    return table
