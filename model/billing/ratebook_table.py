"""A tariff as it is filed, as people write it in a TOML file: ``kind = "ratebook"``."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.ratebook import (
    HOURS,
    MONTHS,
    Baseline,
    DemandCharge,
    EnergyCharge,
    Metering,
    Per,
    PeriodicCharge,
    Ratchet,
    Ratebook,
    Schedule,
    Tax,
    TaxBase,
    TierPeriod,
    TierScope,
    TierUnit,
    open_ladder,
)
from meanwatt.model.billing.schedules import Rows, as_indices, read_schedule
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.tariff_file import Table, finite, show, tuples, whole

KIND = "ratebook"
"""What ``kind`` says at the top of such a file."""
SCHEDULE = Form(
    'a table of months, such as "1-5, 10-12" = { off = ["0-16", "21-24"], peak = ["16-21"] }, or 12 rows of 24 names'
)
MONTHLY = Form("{}, or a list of 12, one a month")


def _unit(value: object) -> object:
    """Take a unit in any capitals and spacing."""
    if not isinstance(value, str):
        raise ValueError(f"is {show(value)}; give one of {', '.join(unit.value for unit in TierUnit)}")
    return read_unit(value).value


def read_unit(text: str) -> TierUnit:
    """Unit of a tier's limit; ``ValueError`` in one line with the nearest one."""
    plain = " ".join(text.lower().replace("/", " / ").split()).replace(" / ", "/")
    for unit in TierUnit:
        if unit.value.lower() == plain:
            return unit
    raise ValueError(unknown("unit", text, [unit.value for unit in TierUnit]))


def _monthly(value: object) -> object:
    """Check a number, or 12 of them."""
    if isinstance(value, list | tuple):
        if len(value) != MONTHS:
            raise ValueError(f"has {len(value)} entries; give 12, one a month, or one number")
        return tuple(finite(entry, f"entry {place}") for place, entry in enumerate(value))
    return finite(value)


def _allowances(value: object) -> object:
    """Check a table territory → number or 12 of them."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"is {show(value)}; give a table: territory → kWh a day")
    found = {}
    for name, entry in value.items():
        try:
            found[str(name)] = _monthly(entry)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return found


def _texts(value: object) -> object:
    if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    raise ValueError(f"is {show(value)}; give a list of texts in quotes")


Monthly = Annotated[float | tuple[float, ...], BeforeValidator(_monthly), MONTHLY]
Unit = Annotated[Literal["kWh", "kWh daily", "kWh/kW", "kWh/kW daily"], BeforeValidator(_unit)]


class TierTable(Table):
    """``[energy.periods.NAME.tiers]``: a tier of the period; the key holds a list of such tables, lowest tier first."""

    usd_per_kwh: Annotated[float, ranges.PRICE]
    """Price of a kWh drawn. [USD/kWh]"""
    adjustment_usd_per_kwh: Annotated[float | None, ranges.PRICE] = None
    """Added to it. [USD/kWh]"""
    sell_usd_per_kwh: Annotated[float | None, ranges.PRICE] = None
    """What a kWh fed in earns; nothing where it is left out. [USD/kWh]"""
    limit: Annotated[float | None, ranges.TIER_LIMIT] = None
    """Where the tier ends, counted from the foot of the ladder, in `unit`; the last tier has no end."""


class EnergyPeriodTable(Table):
    """``[energy.periods.NAME]``: the rates of a period."""

    tiers: Annotated[tuple[TierTable, ...], BeforeValidator(tuples)]
    """Tiers, lowest first."""


class EnergyTable(Table):
    """``[energy]``: what energy costs by period and tier."""

    unit: Annotated[Unit, Form("kWh, kWh daily, kWh/kW or kWh/kW daily, in any capitals")] = "kWh"
    """What limits of tiers count: a month's kWh, kWh for each of its days, or either for each kW of its peak."""
    tier_scope: Literal["month", "period"] = "month"
    """Whether the kWh of all periods climb one ladder of tiers, or those of each period their own."""
    tier_period: Literal["month", "day"] = "month"
    """When the ladders begin anew."""
    weekday: Annotated[Any, SCHEDULE]
    """Which period is in force on weekdays."""
    weekend: Annotated[Any, SCHEDULE] = None
    """The same on weekends and holidays; as on weekdays where it is left out."""
    periods: dict[str, EnergyPeriodTable]
    """Period → its tiers."""


class DemandTierTable(Table):
    """``[demand.NAME.periods.NAME.tiers]``: a tier; the key holds a list of such tables, lowest tier first."""

    usd_per_kw: Annotated[float, ranges.DEMAND_PRICE]
    """Price of a kW of the month's peak in the period. [USD/kW]"""
    adjustment_usd_per_kw: Annotated[float | None, ranges.DEMAND_PRICE] = None
    """Added to it. [USD/kW]"""
    limit: Annotated[float | None, ranges.TIER_LIMIT] = None
    """Where the tier ends; the last one has no end. [kW]"""


class DemandPeriodTable(Table):
    """``[demand.NAME.periods.NAME]``: the charges of a period."""

    tiers: Annotated[tuple[DemandTierTable, ...], BeforeValidator(tuples)]
    """Tiers, lowest first."""


class RatchetTable(Table):
    """``[demand.NAME.ratchet]``: billing demand that remembers earlier peaks."""

    share: Annotated[Monthly, ranges.SHARE]
    """Share of the highest remembered peak that is billed at least, by the month that is billed."""
    counted: Annotated[tuple[bool, ...], BeforeValidator(tuples), Form("a list of 12, true or false")] = (
        True,
    ) * MONTHS
    """Whether a month's peak is remembered."""
    months: Annotated[int, BeforeValidator(whole), ranges.RATCHET_MONTHS] = 11
    """How many months back."""


class DemandTable(Table):
    """``[demand.NAME]``: a charge on the month's highest power, of the whole month or by period."""

    window_minutes: Annotated[int | None, BeforeValidator(whole), ranges.MINUTES] = None
    """Over which power is averaged; the meter's own interval where it is left out."""
    months: Annotated[Any, Form("a list of 12 names of periods")] = None
    """Period of each month, for a charge on the peak of the whole month."""
    weekday: Annotated[Any, SCHEDULE] = None
    """Which period is in force on weekdays; either this or `months`."""
    weekend: Annotated[Any, SCHEDULE] = None
    """The same on weekends and holidays; as on weekdays where it is left out."""
    periods: dict[str, DemandPeriodTable]
    """Period → its tiers."""
    ratchet: RatchetTable | None = None
    """A ratchet; without it none."""


class PeriodicTable(Table):
    """``[fixed.NAME]``: a sum that is charged each month, day or year."""

    usd: Annotated[float, ranges.SUM]
    """The sum. [USD]"""
    per: Literal["month", "day", "year"]
    """How often it is charged."""


class MinimumTable(PeriodicTable):
    """``[minimum.NAME]``: what energy, demand and fixed charges together come to at least."""


class BaselineTable(Table):
    """``[baseline]``: a credit on the first kWh of the month, up to an allowance by territory."""

    credit_usd_per_kwh: Annotated[float, ranges.PRICE]
    """What a kWh within the allowance costs less. [USD/kWh]"""
    kwh_per_day: Annotated[
        dict[str, float | tuple[float, ...]],
        BeforeValidator(_allowances),
        ranges.ALLOWANCE,
        Form("a table by territory: {}, or a list of 12, one a month"),
    ]
    """Territory → allowance. [kWh/day]"""
    territory: str | None = None
    """The customer's; `--territory` says it, too."""


class TaxTable(Table):
    """``[taxes.NAME]``: a tax or surcharge on energy billed, on the charges or on the bill."""

    usd_per_kwh: Annotated[float, ranges.PRICE] = 0.0
    """For each kWh billed. [USD/kWh]"""
    share: Annotated[float, ranges.TAX_SHARE] = 0.0
    """Of the charges or the bill."""
    on: Literal["charges", "bill"] | None = None
    """What the share is of: the charges before credits for what is fed in, or the bill after them if above 0."""


class RatebookTable(Table):
    """A tariff as filed."""

    kind: Literal["ratebook"]
    """Says that this is such a file."""
    title: str = ""
    """Name for people."""
    metering: (
        Literal["net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars", "buy_all_sell_all"]
        | None
    ) = None
    """How feeding in is metered where `--metering` does not say it."""
    true_up_month: Annotated[int, BeforeValidator(whole), ranges.MONTH] = MONTHS
    """Month at whose end credits are paid out and netted kWh begin anew."""
    year_end_usd_per_kwh: Annotated[float, ranges.PRICE] = 0.0
    """What kWh that are left then earn under net metering. [USD/kWh]"""
    fuel_usd_per_kwh: Annotated[Monthly | None, ranges.PRICE] = None
    """Fuel adjustment on each kWh billed, the same all year or by month. [USD/kWh]"""
    holidays: Annotated[
        tuple[str, ...], BeforeValidator(_texts), Form('a list of days, such as "07-04" or "2026-11-26"')
    ] = ()
    """Days with the weekend's schedule."""
    energy: EnergyTable
    """Energy charges."""
    demand: dict[str, DemandTable] = Field(default_factory=dict)
    """Demand charges."""
    fixed: dict[str, PeriodicTable] = Field(default_factory=dict)
    """Fixed charges."""
    minimum: dict[str, MinimumTable] = Field(default_factory=dict)
    """Minimum charges."""
    baseline: BaselineTable | None = None
    """Baseline credit; without it none."""
    taxes: dict[str, TaxTable] = Field(default_factory=dict)
    """Taxes and surcharges."""
    urdb: Annotated[dict[str, Any], Form("a table")] = Field(default_factory=dict)
    """Fields of an OpenEI record that change no bill, kept for the way back."""

    @model_validator(mode="after")
    def _can_be_billed(self) -> "RatebookTable":
        self.ratebook("")
        return self

    def ratebook(self, name: str) -> Ratebook:
        """The tariff as arrays.

        Raises
        ------
        ValueError
            In one line that names the key.
        """
        return Ratebook(
            name=name,
            title=self.title or name,
            energy=_energy(self.energy),
            demand=tuple(_demand(name, table) for name, table in self.demand.items()),
            fixed=tuple(_periodic(name, table) for name, table in self.fixed.items()),
            minimum=tuple(_periodic(name, table) for name, table in self.minimum.items()),
            fuel_usd_per_kwh=by_month(self.fuel_usd_per_kwh or 0.0),
            baseline=_baseline(self.baseline),
            taxes=tuple(_tax(name, table) for name, table in self.taxes.items()),
            metering=Metering(self.metering) if self.metering else None,
            true_up_month=self.true_up_month,
            year_end_usd_per_kwh=self.year_end_usd_per_kwh,
            holidays=tuple(_holiday(text) for text in self.holidays),
        )


def by_month(value: float | Sequence[float]) -> Floats:
    """One number a month, (month,)."""
    return np.full(MONTHS, float(value)) if isinstance(value, int | float) else np.array(value, dtype=float)


def _schedule(weekday: Any, weekend: Any, key: str, names: Sequence[str]) -> Schedule:
    rows = read_schedule(weekday, f"{key}.weekday", names)
    other = rows if weekend is None else read_schedule(weekend, f"{key}.weekend", names)
    return Schedule(weekday=as_indices(rows, names), weekend=as_indices(other, names))


def _require_ladders(key: str, ladders: Mapping[str, Sequence[TierTable | DemandTierTable]]) -> None:
    """Refuse empty ladders, and limits that do not rise."""
    _require_count(f"{key}.periods", len(ladders), ranges.TARIFF_PERIODS)
    for name, tiers in ladders.items():
        place = f"{key}.periods.{name}.tiers"
        _require_count(place, len(tiers), ranges.TIERS)
        last = 0.0
        for number, tier in enumerate(tiers):
            if tier.limit is None:
                if number + 1 < len(tiers):
                    raise ValueError(f"{place}: entry {number} has no limit; only the last tier has none")
            elif tier.limit <= last:
                raise ValueError(
                    f"{place}: entry {number} ends at {tier.limit:g}, the one below at {last:g}; let limits rise"
                )
            else:
                last = tier.limit


def _require_count(place: str, count: int, allowed: Range) -> None:
    if not allowed.holds(count):
        raise ValueError(f"{place} has {counted(count, 'entry', 'entries')}; give {allowed.counts()}")


def _energy(table: EnergyTable) -> EnergyCharge:
    names = tuple(table.periods)
    _require_ladders("energy", {name: period.tiers for name, period in table.periods.items()})
    rows = [
        [
            (
                np.inf if tier.limit is None else tier.limit,
                tier.usd_per_kwh + (tier.adjustment_usd_per_kwh or 0.0),
                tier.sell_usd_per_kwh or 0.0,
            )
            for tier in period.tiers
        ]
        for period in table.periods.values()
    ]
    (rate, sell), limit, filed = open_ladder(rows)
    return EnergyCharge(
        names=names,
        rate_usd_per_kwh=rate,
        sell_usd_per_kwh=sell,
        limit=limit,
        filed_limit=filed,
        schedule=_schedule(table.weekday, table.weekend, "energy", names),
        unit=TierUnit(table.unit),
        tier_scope=TierScope(table.tier_scope),
        tier_period=TierPeriod(table.tier_period),
    )


def _demand(name: str, table: DemandTable) -> DemandCharge:
    key, names = f"demand.{name}", tuple(table.periods)
    _require_ladders(key, {period: entry.tiers for period, entry in table.periods.items()})
    if (table.months is None) == (table.weekday is None):
        raise ValueError(f"{key}: give either months or weekday")
    if table.months is not None:
        if not isinstance(table.months, list | tuple) or len(table.months) != MONTHS:
            raise ValueError(f"{key}.months is {show(table.months)}; give 12 names of periods")
        matrix: Rows = tuple((month,) * HOURS for month in table.months)
        schedule = _schedule(matrix, None, key, names)
    else:
        schedule = _schedule(table.weekday, table.weekend, key, names)
    rows = [
        [
            (np.inf if tier.limit is None else tier.limit, tier.usd_per_kw + (tier.adjustment_usd_per_kw or 0.0))
            for tier in period.tiers
        ]
        for period in table.periods.values()
    ]
    (rate,), limit, filed = open_ladder(rows)
    ratchet = None
    if table.ratchet is not None:
        if len(table.ratchet.counted) != MONTHS:
            raise ValueError(f"{key}.ratchet.counted has {len(table.ratchet.counted)} entries; give 12")
        ratchet = Ratchet(
            share=by_month(table.ratchet.share), counted=table.ratchet.counted, months=table.ratchet.months
        )
    return DemandCharge(
        name=name,
        names=names,
        rate_usd_per_kw=rate,
        limit_kw=limit,
        filed_limit_kw=filed,
        schedule=schedule,
        window_minutes=table.window_minutes,
        ratchet=ratchet,
    )


def _periodic(name: str, table: PeriodicTable) -> PeriodicCharge:
    return PeriodicCharge(name=name, usd=table.usd, per=Per(table.per))


def _baseline(table: BaselineTable | None) -> Baseline | None:
    if table is None:
        return None
    allowances = {name: by_month(value) for name, value in table.kwh_per_day.items()}
    if table.territory is not None and table.territory not in allowances:
        raise ValueError(f"baseline: {unknown('territory', table.territory, allowances)}")
    return Baseline(credit_usd_per_kwh=table.credit_usd_per_kwh, kwh_per_day=allowances, territory=table.territory)


def _tax(name: str, table: TaxTable) -> Tax:
    if table.share and table.on is None:
        raise ValueError(f'taxes.{name} has a share and no on; add on = "charges" or on = "bill"')
    return Tax(name=name, usd_per_kwh=table.usd_per_kwh, share=table.share, on=TaxBase(table.on or TaxBase.CHARGES))


def _holiday(text: str) -> str:
    found = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", text, flags=re.ASCII)
    try:
        if not found:
            raise ValueError
        date(int(found[1] or 2024), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f'holidays holds {show(text)}; give days as "07-04" or "2026-11-26"') from None
    return text
