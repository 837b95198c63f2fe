"""A tariff as it is filed, as people write it in a TOML file: ``kind = "ratebook"``."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Metering, Ratebook
from meanwatt.model.billing.offer_tables import (
    DiscountTable,
    ExportTable,
    WholesaleTable,
    chosen_discount,
    hourly_export,
    require_exports,
    sell_rates,
    texts,
    wholesale_price,
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
from meanwatt.model.billing.ratebook_values import (
    SCHEDULE,
    Monthly,
    Unit,
    allowances,
    beginning_of_date,
    currency_code,
    texts_by_key,
)
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.tariff_file import Table, tuples, whole
from meanwatt.model.scenario.values import show

KIND = "ratebook"
"""What ``kind`` says at the top of such a file."""


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
        BeforeValidator(allowances),
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
    as_of: Annotated[str | None, BeforeValidator(beginning_of_date), Form("a day, month or year in quotes")] = None
    """When the rates were in force."""
    source: str | None = None
    """Where they were read."""
    status: Literal["seen", "uncertain"] | None = None
    """Whether every number was read in the source; if not, `uncertain` names those that were remembered or derived."""
    uncertain: Annotated[dict[str, str], BeforeValidator(texts_by_key), Form("a table: key → why, in quotes")] = Field(
        default_factory=dict
    )
    """Dotted key of this file → why its number is not certain; a bill says it."""
    currency: Annotated[str, BeforeValidator(currency_code), Form('three capitals, such as "GBP"')] = "USD"
    """Of all sums in the file and on the bill, although their names say usd."""
    metering: (
        Literal["net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars", "buy_all_sell_all"]
        | None
    ) = None
    """How feeding in is metered where neither `export` nor `--metering` says it."""
    discount: str | None = None
    """The customer's discount, one of `discounts`; `--discount` says it, too."""
    export: str | None = None
    """The customer's terms of feeding in, one of `exports`; `--export` says it, too."""
    true_up_month: Annotated[int, BeforeValidator(whole), ranges.MONTH] = MONTHS
    """Month at whose end credits are paid out and netted kWh begin anew."""
    year_end_usd_per_kwh: Annotated[float, ranges.PRICE] = 0.0
    """What kWh that are left then earn under net metering. [USD/kWh]"""
    fuel_usd_per_kwh: Annotated[Monthly | None, ranges.PRICE] = None
    """Fuel adjustment on each kWh billed, the same all year or by month. [USD/kWh]"""
    holidays: Annotated[
        tuple[str, ...], BeforeValidator(texts), Form('a list of days, such as "07-04" or "2026-11-26"')
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
    discounts: dict[str, DiscountTable] = Field(default_factory=dict)
    """Discounts that a customer may have."""
    exports: dict[str, ExportTable] = Field(default_factory=dict)
    """Terms of feeding in to choose from."""
    wholesale: WholesaleTable | None = None
    """How prices follow the wholesale market; without it they do not."""
    urdb: Annotated[dict[str, Any], Form("a table")] = Field(default_factory=dict)
    """Fields of an OpenEI record that change no bill, kept for the way back."""

    @model_validator(mode="after")
    def _can_be_billed(self) -> "RatebookTable":
        if (self.status == "uncertain") != bool(self.uncertain):
            raise ValueError(
                f"status is {show(self.status)}, and uncertain has {counted(len(self.uncertain), 'key')}; write"
                ' status = "uncertain" where it has any, and "seen" or nothing where it has none'
            )
        self.ratebook("")
        return self

    def ratebook(self, name: str) -> Ratebook:
        """The tariff as arrays.

        Raises
        ------
        ValueError
            In one line that names the key.
        """
        energy, fixed = energy_charge(self.energy), self.fixed
        discount = chosen_discount(self.discounts, self.discount, list(fixed))
        if discount is not None:
            instead = self.discounts[discount.name].fixed
            fixed = {key: table.model_copy(update={"usd": instead.get(key, table.usd)}) for key, table in fixed.items()}
        require_exports(self.exports, self.export)
        metering, hourly, expires = self.metering, None, False
        if self.export is not None:
            terms = self.exports[self.export]
            metering, expires = terms.metering, terms.credit_expires
            hourly = hourly_export(self.export, terms)
            sell = sell_rates(energy.rate_usd_per_kwh, energy.sell_usd_per_kwh, terms)
            energy = replace(energy, sell_usd_per_kwh=sell)
        return Ratebook(
            name=name,
            title=self.title or name,
            energy=energy,
            demand=tuple(demand_charge(name, table) for name, table in self.demand.items()),
            fixed=tuple(periodic_charge(name, table) for name, table in fixed.items()),
            minimum=tuple(periodic_charge(name, table) for name, table in self.minimum.items()),
            fuel_usd_per_kwh=by_month(self.fuel_usd_per_kwh or 0.0),
            baseline=baseline_credit(self.baseline),
            taxes=tuple(tax(name, table) for name, table in self.taxes.items()),
            metering=Metering(metering) if metering else None,
            true_up_month=self.true_up_month,
            year_end_usd_per_kwh=self.year_end_usd_per_kwh,
            holidays=tuple(holiday(text) for text in self.holidays),
            discount=discount,
            export=hourly,
            credit_expires=expires,
            wholesale=wholesale_price(self.wholesale, energy.tiered),
            currency=self.currency,
        )
