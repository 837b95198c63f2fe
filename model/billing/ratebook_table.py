"""A tariff as it is filed, as people write it in a TOML file: ``kind = "ratebook"``."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.tariff.ratebook.ratebook import (
    MONTHS,
    Metering,
    Ratebook,
    TierUnit,
)
from meanwatt.model.billing.ratebook_arrays import (
    baseline_credit,
    by_month,
    demand_charge,
    energy_charge,
    holiday,
    periodic_charge,
    tax,
)
from meanwatt.model.billing.tier_units import read_unit
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.tariff_file import Table, tuples, whole
from meanwatt.model.scenario.values import finite, show

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
    unit: Annotated[Unit | None, Form("kWh, kWh daily, kWh/kW or kWh/kW daily, in any capitals")] = None
    """Unit of the limit where tiers differ: a tier per kW, then its steps in kWh, which end where it ends."""


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
            energy=energy_charge(self.energy),
            demand=tuple(demand_charge(name, table) for name, table in self.demand.items()),
            fixed=tuple(periodic_charge(name, table) for name, table in self.fixed.items()),
            minimum=tuple(periodic_charge(name, table) for name, table in self.minimum.items()),
            fuel_usd_per_kwh=by_month(self.fuel_usd_per_kwh or 0.0),
            baseline=baseline_credit(self.baseline),
            taxes=tuple(tax(name, table) for name, table in self.taxes.items()),
            metering=Metering(self.metering) if self.metering else None,
            true_up_month=self.true_up_month,
            year_end_usd_per_kwh=self.year_end_usd_per_kwh,
            holidays=tuple(holiday(text) for text in self.holidays),
        )
