"""A tariff as people write it in a TOML table: periods of the day, and rates by period, day type or season."""

import math
import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.agents.tariff.components.standing_charge import StandingCharge
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.marks import ByName, Form, Names
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.technologies import TECHNOLOGIES

MINUTES_PER_DAY = 24 * 60


class Table(BaseModel):
    """A table of a scenario file: frozen, no unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


def finite(value: object, key: str = "") -> float:
    """Return a number as float; ValueError in one line if it is none, or not finite."""
    place = f"{key} is" if key else "is"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{place} {show(value)}; give a number")
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond any float
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{place} {show(value)}; give a finite number")
    return number


def show(value: object, limit: int = 60) -> str:
    """One-line picture of a value for an error message."""
    try:
        text = repr(list(value)) if isinstance(value, tuple) else repr(value)
    except ValueError:  # Python writes no whole number of more than some thousand digits
        text = "a whole number too long to show"
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _number_or_list(value: object) -> float | tuple[float, ...]:
    """Check a number or a list of numbers."""
    if isinstance(value, list | tuple):
        return tuple(finite(entry, f"entry {place}") for place, entry in enumerate(value))
    return finite(value)


def _rate(value: object) -> Any:
    """Check a number, a list, or a table of them, any depth; the names are checked against the scenario later."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError("is an empty table; give a number, a list, or a table by period, day type or season")
        return {str(name): _inside(str(name), entry) for name, entry in value.items()}
    return _number_or_list(value)


def _inside(name: str, value: object) -> Any:
    try:
        return _rate(value)
    except ValueError as error:
        text = str(error)
        raise ValueError(f"{name} {text}" if text.startswith("is ") else f"{name}: {text}") from None


def _by_group(value: object) -> float | dict[str, float]:
    """Check a number or a table of numbers by income group."""
    if isinstance(value, Mapping):
        return {str(name): finite(entry, str(name)) for name, entry in value.items()}
    return finite(value)


def _by_technology(value: object) -> float | dict[str, float]:
    """Check a number or a table of numbers by technology."""
    found = _by_group(value)
    if isinstance(found, dict):
        known = [technology.name for technology in TECHNOLOGIES]
        for name in found:
            if name not in known:
                raise ValueError(unknown("technology", name, known))
    return found


def whole(value: object) -> object:
    """Refuse 1.0 and true where 1 is meant: they are equal to it, and a literal would let them pass."""
    if isinstance(value, bool | float):
        raise ValueError(f"is {show(value)}; give a whole number")
    return value


def tuples(value: object) -> object:
    """Make tuples of lists at every depth, so that a strict, frozen table accepts a TOML array."""
    if isinstance(value, list | tuple):
        return tuple(tuples(entry) for entry in value)
    return value


NumberOrList = Annotated[float | tuple[float, ...], BeforeValidator(_number_or_list), Form("{}, or a list of them")]
"""A number, or a list of them (one an hour or slot, or one a segment)."""
RateForm = Annotated[
    Any,
    BeforeValidator(_rate),
    Form("{}, a list of one an hour or slot, or a table by period, day type or season"),
    ByName(Names.PERIODS_OR_DAYS),
]
"""A number, a list, a table period → number, or a table day type or season → any of these."""
ByGroup = Annotated[
    float | dict[str, float],
    BeforeValidator(_by_group),
    Form("{}, or a table by income group"),
    ByName(Names.INCOME_GROUPS),
]
"""A number for everybody, or a table income group → number."""
ByTechnology = Annotated[
    float | dict[str, float],
    BeforeValidator(_by_technology),
    Form("{}, or a table by technology"),
    ByName(Names.TECHNOLOGIES),
]
"""A number for everybody, or a table technology → number, 0 for those not named."""
Row = Annotated[tuple[float, ...], BeforeValidator(tuples), Form("a list, each {}")]
"""A list of numbers."""
Matrix = Annotated[tuple[tuple[float, ...], ...], BeforeValidator(tuples), Form("a list of rows, each entry {}")]
"""A list of lists of numbers."""
Texts = Annotated[tuple[str, ...], BeforeValidator(tuples), Form("a list of texts in quotes")]
"""A list of strings."""


class ExportTable(Table):
    """``[tariffs.NAME.export]``: how exported energy is credited."""

    rule: Literal["net_metering", "net_billing", "none"] = "net_billing"
    """``net_metering`` credits the import rate; ``net_billing`` the posted rate and a share of the wholesale price."""
    pass_through: Annotated[float, ranges.SHARE] = 0.0
    """Share κ_x of the wholesale price in the export rate."""
    usd_per_kwh: Annotated[RateForm, ranges.PRICE] = 0.0
    """Posted part x of the export rate. [USD/kWh]"""
    capped_at_import: bool = False
    """Whether exports never earn more than imports cost; else the posted credit is paid."""


class ChargeTable(Table):
    """A table ``[tariffs.NAME.CHARGE]`` of a charge that does not depend on use; as it stands it charges nothing."""

    @abstractmethod
    def charge(self) -> StandingCharge:
        """The charge that it writes down."""


class AccessChargeTable(ChargeTable):
    """``[tariffs.NAME.access_charge]``: the grid-access charge, after discount and whatever is used."""

    usd_per_pv_kw_day: Annotated[float, ranges.CHARGE_PER_KW] = 0.0
    """For each kW of rooftop solar installed. [USD/kW per day]"""
    usd_per_household_day: Annotated[ByTechnology, ranges.CHARGE] = 0.0
    """For each household: a number, or a table by technology, 0 for those not named. [USD/day]"""

    def charge(self) -> AccessCharge:
        """The charge that it writes down."""
        return AccessCharge(usd_per_pv_kw_day=self.usd_per_pv_kw_day, usd_per_household_day=self.usd_per_household_day)


class TariffTable(Table):
    """``[tariffs.NAME]``, or a tariff file of its own: what a utility posts."""

    title: str = ""
    """Name for people."""
    as_of: str = ""
    """Date at which filed rates were in force; empty for a tariff made up here."""
    recovery: Literal["volumetric", "fixed", "posted"]
    """What balances revenue and cost: an adder on every kWh, the fixed charge, or nothing."""
    pass_through: Annotated[float, ranges.SHARE] = 0.0
    """Share κ of the wholesale price in the import rate."""
    periods: Annotated[dict[str, Texts], Form("a table: period → list of texts in quotes")] = Field(
        default_factory=dict
    )
    """Period → list of ``"from-to"`` hours; may wrap over midnight, must cover the day once."""
    energy_usd_per_kwh: Annotated[RateForm, ranges.PRICE]
    """Energy charge τ. [USD/kWh]"""
    export: ExportTable = Field(default_factory=ExportTable)
    """Credit for exports; without it net billing at zero."""
    fixed_charge_usd_per_day: Annotated[ByGroup, ranges.CHARGE] = 0.0
    """Posted fixed charge after discount. [USD/day]"""
    fixed_charge_shape: Annotated[ByGroup, ranges.SHAPE] = 1.0
    """Relative fixed charges with recovery ``fixed``."""
    discount: Annotated[ByGroup, ranges.DISCOUNT] = 0.0
    """Share of the import rate a group does not pay, in [0, 1)."""
    adder_cap_usd_per_kwh: Annotated[float, ranges.POSITIVE_PRICE] = 2.0
    """Where the search for a volumetric adder gives up. [USD/kWh]"""
    access_charge: AccessChargeTable = Field(default_factory=AccessChargeTable)
    """Grid-access charge; without it none."""

    def standing_charges(self) -> tuple[StandingCharge, ...]:
        """Charges that do not depend on use, of the tables that differ from those that charge nothing."""
        tables = (getattr(self, name) for name in charge_names(type(self)))
        return tuple(table.charge() for table in tables if table != type(table)())

    @model_validator(mode="after")
    def _periods_cover_the_day_once(self) -> "TariffTable":
        if self.periods:
            period_of_minute(self.periods)
        return self


def charge_names(table: type[TariffTable] = TariffTable) -> tuple[str, ...]:
    """Names of the charges that do not depend on use and have a table of their own."""
    return tuple(
        name
        for name, field in table.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, ChargeTable)
    )


def _minutes(clock: str, text: str, period: str) -> int:
    """Minutes after midnight of ``"17"`` or ``"17:30"``."""
    found = re.fullmatch(r"(\d{1,2})(?::(\d\d))?", clock.strip())
    minutes = 60 * int(found[1]) + int(found[2] or 0) if found else -1
    if not 0 <= minutes <= MINUTES_PER_DAY or (found and int(found[2] or 0) >= 60):
        raise ValueError(f'periods.{period} holds {text!r}; give hours as "17-21" or "9:30-17"')
    return minutes


def period_of_minute(periods: Mapping[str, Iterable[str]]) -> list[str]:
    """Name of the period in force at each minute of the day.

    Parameters
    ----------
    periods : mapping
        Period → ``"from-to"`` spans in hours, the end excluded; ``"21-9"`` wraps over midnight.

    Returns
    -------
    list of str
        1,440 names, from midnight on.

    Raises
    ------
    ValueError
        If a span cannot be read, two spans overlap, or a part of the day has no period.
    """
    owner: list[str] = [""] * MINUTES_PER_DAY
    for period, spans in periods.items():
        for text in spans:
            ends = text.split("-")
            if len(ends) != 2:
                raise ValueError(f'periods.{period} holds {text!r}; give hours as "17-21" or "9:30-17"')
            start, end = (_minutes(clock, text, period) for clock in ends)
            if start == end:
                raise ValueError(f'periods.{period} holds {text!r}, an empty span; give "0-24" for the whole day')
            for first, last in [(start, end)] if end > start else [(start, MINUTES_PER_DAY), (0, end)]:
                _give(owner, first, last, period)
    if "" in owner:
        raise ValueError(f"periods leave a gap at {clock_text(owner.index(''))}; cover the day from 0 to 24 hours")
    return owner


def _give(owner: list[str], first: int, last: int, period: str) -> None:
    """Give the minutes from ``first`` to before ``last`` to a period; ValueError if one has a period."""
    if any(owner[first:last]):
        minute = next(minute for minute in range(first, last) if owner[minute])
        raise ValueError(
            f"periods {owner[minute]} and {period} overlap at {clock_text(minute)}; give each hour to one period"
        )
    owner[first:last] = [period] * (last - first)


def clock_text(minute: int) -> str:
    """``"17:30"`` for 1,050 minutes after midnight."""
    hour, rest = divmod(minute % MINUTES_PER_DAY, 60)
    return f"{hour}:{rest:02d}"


def period_of_slot(periods: Mapping[str, Iterable[str]], slots: int) -> list[str]:
    """Name of the period in force in each slot, (slot,); ValueError if a boundary falls inside a slot."""
    minutes = MINUTES_PER_DAY // slots
    owner = period_of_minute(periods)
    for slot in range(slots):
        inside = owner[slot * minutes : (slot + 1) * minutes]
        if len(set(inside)) > 1:
            boundary = slot * minutes + next(k for k, name in enumerate(inside) if name != inside[0])
            raise ValueError(
                f"periods change at {clock_text(boundary)}, inside a slot of {minutes} minutes;"
                " move the boundary or raise slots_per_day"
            )
    return owner[::minutes]


def slot_values(value: float | Sequence[float], slots: int, key: str) -> Floats:
    """One number a slot, (slot,); 24 numbers hold inside their hour.

    Raises
    ------
    ValueError
        If a list has neither 24 nor ``slots`` entries.
    """
    if isinstance(value, int | float):
        return np.full(slots, float(value))
    if len(value) == slots:
        return np.array(value, dtype=float)
    if len(value) == 24:
        return np.repeat(np.array(value, dtype=float), slots // 24)
    allowed = "24" if slots == 24 else f"24 or {slots}"
    raise ValueError(f"{key} has {len(value)} entries; give {allowed}, or one number")


def rate_table(
    form: Any,
    *,
    key: str,
    periods: Mapping[str, Iterable[str]],
    day_types: Sequence[str],
    seasons: Sequence[str | None],
    slots: int,
) -> Floats:
    """Rate of every day type and slot.

    Parameters
    ----------
    form : number, list or table
        As in `RateForm`.
    key : str
        Name of the rate in error messages.
    periods : mapping
        Period → spans.
    day_types, seasons : (ω,) sequences
        Names of the day types and the season of each, or None.
    slots : int
        Slots per day.

    Returns
    -------
    (ω, slot) float
        [USD/kWh]

    Raises
    ------
    ValueError
        If a name is neither a period, a day type nor a season, or a period or day type gets no rate.
    """
    days = [*day_types, *dict.fromkeys(season for season in seasons if season)]
    if not isinstance(form, Mapping):
        return np.tile(slot_values(form, slots, key), (len(day_types), 1))
    names = [str(name) for name in form]
    by_day = [name for name in names if name in days]
    if by_day and len(by_day) == len(names):
        rows = []
        for day_type, season in zip(day_types, seasons, strict=True):
            name = day_type if day_type in form else season
            if name is None or name not in form:
                raise ValueError(f"{key} gives no rate for day type {day_type}; give one for every day type")
            row = rate_table(
                form[name], key=f"{key}.{name}", periods=periods, day_types=[day_type], seasons=[None], slots=slots
            )
            rows.append(row[0])
        return np.array(rows)
    _require_rates_by_period(form, key, periods, days, by_day)
    by_slot = np.array([float(form[period]) for period in period_of_slot(periods, slots)])
    return np.tile(by_slot, (len(day_types), 1))


def _require_rates_by_period(
    form: Mapping[str, Any], key: str, periods: Mapping[str, Iterable[str]], days: Sequence[str], by_day: Sequence[str]
) -> None:
    """Refuse a table that does not give every period, and nothing else, one number."""
    names = [str(name) for name in form]
    for name in names:
        if name not in periods and name not in days:
            raise ValueError(f"{key}: {unknown('name', name, [*periods, *days])}")
    if by_day:
        by_period = [name for name in names if name in periods]
        raise ValueError(
            f"{key} mixes the day type or season {by_day[0]} with the period {by_period[0]};"
            " give a table by day type or season, and in it one by period"
        )
    missing = [period for period in periods if period not in form]
    if missing:
        raise ValueError(f"{key} gives no rate for period {missing[0]}; give one for every period")
    for name in names:
        if isinstance(form[name], Mapping | list | tuple):
            raise ValueError(f"{key}.{name} is {show(form[name])}; give one number for a period")


def group_values(value: float | Mapping[str, float], groups: Sequence[str], key: str) -> Floats:
    """One number for each income group, (group,).

    Raises
    ------
    ValueError
        If the table names an unknown group or leaves one out.
    """
    if not isinstance(value, Mapping):
        return np.full(len(groups), float(value))
    for name in value:
        if name not in groups:
            raise ValueError(f"{key}: {unknown('income group', name, groups)}")
    missing = [group for group in groups if group not in value]
    if missing:
        raise ValueError(f"{key} gives nothing for income group {missing[0]}; give a number for every group")
    return np.array([float(value[group]) for group in groups])
