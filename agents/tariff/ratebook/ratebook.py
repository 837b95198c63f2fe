"""A tariff as a utility files it: schedules of periods, tiers, demand charges, and what is charged by month or day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.offers import Discount, HourlyExport, WholesalePrice

MONTHS = 12
HOURS = 24


class Metering(StrEnum):
    """How what is fed in is set against what is drawn."""

    NET_BILLING = "net_billing"
    """Interval by interval; what is fed in earns the sell rate in the same month, whose bill may be below 0."""
    NET_BILLING_CARRYOVER = "net_billing_carryover"
    """The same, but a month's credits pay energy charges from the next month on."""
    NET_METERING = "net_metering"
    """kWh are netted within each period of the month; a surplus goes to the next month's kWh."""
    NET_METERING_DOLLARS = "net_metering_dollars"
    """kWh are netted within each period of the month; a surplus earns the sell rate, which pays energy charges."""
    BUY_ALL_SELL_ALL = "buy_all_sell_all"
    """Two meters: all use is bought, all generation sold."""

    @property
    def nets_by_month(self) -> bool:
        """Whether kWh are netted over the month."""
        return self in (Metering.NET_METERING, Metering.NET_METERING_DOLLARS)

    @property
    def carries_usd(self) -> bool:
        """Whether credits wait in dollars for later months."""
        return self in (Metering.NET_BILLING_CARRYOVER, Metering.NET_METERING_DOLLARS)


class TierUnit(StrEnum):
    """What the limit of a tier counts."""

    KWH = "kWh"
    KWH_DAILY = "kWh daily"
    KWH_PER_KW = "kWh/kW"
    KWH_PER_KW_DAILY = "kWh/kW daily"

    @property
    def per_kw(self) -> bool:
        """Whether the limit is multiplied by the month's peak."""
        return self in (TierUnit.KWH_PER_KW, TierUnit.KWH_PER_KW_DAILY)

    @property
    def daily(self) -> bool:
        """Whether the limit is multiplied by the days of the month."""
        return self in (TierUnit.KWH_DAILY, TierUnit.KWH_PER_KW_DAILY)


class TierScope(StrEnum):
    """Which kWh climb one ladder of tiers."""

    MONTH = "month"
    """Those of all periods together."""
    PERIOD = "period"
    """Those of each period by themselves."""


class TierPeriod(StrEnum):
    """When a ladder of tiers begins anew."""

    MONTH = "month"
    DAY = "day"


class Per(StrEnum):
    """The time for which a sum is charged once."""

    MONTH = "month"
    DAY = "day"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Which period is in force: (month, hour) indices on weekdays, and on weekends and holidays."""

    __repr__ = short_repr

    weekday: Ints
    weekend: Ints

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in ("weekday", "weekend"):
            table = np.array(getattr(self, name), dtype=np.int64)
            require_shape(name, table, (MONTHS, HOURS), "(month, hour)")
            table.setflags(write=False)
            object.__setattr__(self, name, table)

    def require_below(self, periods: int, what: str) -> None:
        """Raise ``ValueError`` where a period is named that has no rates."""
        highest = max(int(self.weekday.max()), int(self.weekend.max()))
        lowest = min(int(self.weekday.min()), int(self.weekend.min()))
        if lowest < 0 or highest >= periods:
            raise ValueError(
                f"{what}: the schedule names period {lowest if lowest < 0 else highest};"
                f" there are {periods}, counted from 0"
            )


def always() -> Schedule:
    """The schedule of a charge with one period."""
    return Schedule(weekday=np.zeros((MONTHS, HOURS), np.int64), weekend=np.zeros((MONTHS, HOURS), np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergyCharge:
    """Rates by period and tier.

    Parameters
    ----------
    names : (period,)
        What the periods are called.
    rate_usd_per_kwh, sell_usd_per_kwh : (period, tier)
        What a kWh drawn costs, and what one fed in earns. [USD/kWh]
    limit : (period, tier)
        Where a tier ends, in ``unit``; rising, and infinite in the last column.
    filed_limit : (period,)
        Limit that the file gives the last tier, which has none here; infinite where it gives none.
    units : (tier,)
        Unit of each tier's limit where they differ, the first one per kW; where it is empty ``unit`` is that of all. A
        tier per kW with tiers in kWh after it is a block: these are its steps and end with it, and it has no energy of
        its own.
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    rate_usd_per_kwh: Floats
    sell_usd_per_kwh: Floats
    limit: Floats
    filed_limit: Floats
    schedule: Schedule
    unit: TierUnit = TierUnit.KWH
    tier_scope: TierScope = TierScope.MONTH
    tier_period: TierPeriod = TierPeriod.MONTH
    units: tuple[TierUnit, ...] = ()

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in ("rate_usd_per_kwh", "sell_usd_per_kwh", "limit", "filed_limit"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("rate_usd_per_kwh", "sell_usd_per_kwh"):
            require_finite(name, getattr(self, name))
        shape = (len(self.names), self.rate_usd_per_kwh.shape[1])
        for name in ("rate_usd_per_kwh", "sell_usd_per_kwh", "limit"):
            require_shape(name, getattr(self, name), shape, "(period, tier)")
        self.schedule.require_below(len(self.names), "energy")

    @property
    def tiered(self) -> bool:
        """Whether any rate depends on how much is used, or a tier is a block that has no energy of its own."""
        return bool(np.isfinite(self.limit).any()) or len(set(self.units)) > 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratchet:
    """Billing demand that remembers earlier peaks: at least a share of the highest one of some months.

    Parameters
    ----------
    share : (month,)
        Share of the remembered peak, by the month that is billed.
    counted : (month,)
        Whether a month's peak is remembered.
    months
        How many months back; at most 11.
    """

    __repr__ = short_repr

    share: Floats
    counted: tuple[bool, ...] = (True,) * MONTHS
    months: int = 11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DemandCharge:
    """A charge on the highest kW of the month, or of each of its periods.

    Parameters
    ----------
    rate_usd_per_kw, limit_kw, filed_limit_kw
        As those of `EnergyCharge`, per kW of the month's peak within the period. [USD/kW], [kW]
    window_minutes
        Over which power is averaged; None takes the meter's own interval.
    """

    __repr__ = short_repr

    name: str
    names: tuple[str, ...]
    rate_usd_per_kw: Floats
    limit_kw: Floats
    filed_limit_kw: Floats
    schedule: Schedule
    window_minutes: int | None = None
    ratchet: Ratchet | None = None

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in ("rate_usd_per_kw", "limit_kw", "filed_limit_kw"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        require_finite(f"{self.name}: rate_usd_per_kw", self.rate_usd_per_kw)
        self.schedule.require_below(len(self.names), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicCharge:
    """A sum that is charged each month, day or year, whatever is used."""

    name: str
    usd: float
    per: Per

    def of_months_usd(self, days: Floats, *, days_of_year: float, even: bool = False) -> Floats:
        """What each month pays. (month,) [USD]

        Parameters
        ----------
        days : (month,)
            Days of each month.
        days_of_year
            365, or 366.
        even
            Whether every month is a twelfth of 365 days.
        """
        if self.per is Per.MONTH:
            return np.full(days.shape, self.usd)
        if self.per is Per.DAY:
            return np.full(days.shape, self.usd * 365 / MONTHS) if even else self.usd * days
        return np.full(days.shape, self.usd / MONTHS) if even else self.usd * days / days_of_year


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """A credit on the first kWh of the month, up to an allowance by territory.

    Parameters
    ----------
    credit_usd_per_kwh
        What a kWh within the allowance costs less. [USD/kWh]
    kwh_per_day
        Territory → (month,) allowance. [kWh/day]
    territory
        The customer's; None where nobody has said it.
    """

    __repr__ = short_repr

    credit_usd_per_kwh: float
    kwh_per_day: dict[str, Floats]
    territory: str | None = None


class TaxBase(StrEnum):
    """What a tax that is a share is a share of."""

    CHARGES = "charges"
    """Energy, demand, fixed and minimum charges, before credits for what is fed in."""
    BILL = "bill"
    """The bill after credits, where it is above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A tax or surcharge: USD for each kWh billed, and a share of the charges or of the bill."""

    name: str
    usd_per_kwh: float = 0.0
    share: float = 0.0
    on: TaxBase = TaxBase.CHARGES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ratebook:
    """A tariff as it is filed.

    Parameters
    ----------
    fuel_usd_per_kwh : (month,)
        Fuel adjustment on each kWh billed. [USD/kWh]
    minimum
        Minimum charge by month or day, or by year, or one of both kinds.
    metering
        How the file says that feeding in is metered; None where it does not say.
    true_up_month
        Month, 1 to 12, at whose end credits in dollars are paid out and netted kWh begin anew.
    year_end_usd_per_kwh
        What kWh that are left then earn under net metering. [USD/kWh]
    holidays
        ``"MM-DD"`` or ``"YYYY-MM-DD"``: days with the weekend's schedule.
    discount, export
        The customer's discount, and export rates by the hour in place of sell rates; None without.
    credit_expires
        How the file says that credits end: whether dollars that are left at the true-up are lost.
    wholesale
        How the price follows the wholesale market; None where it does not.
    currency
        Of all sums.
    """

    __repr__ = short_repr

    name: str
    energy: EnergyCharge
    title: str = ""
    demand: tuple[DemandCharge, ...] = ()
    fixed: tuple[PeriodicCharge, ...] = ()
    minimum: tuple[PeriodicCharge, ...] = ()
    fuel_usd_per_kwh: Floats = field(default_factory=lambda: np.zeros(MONTHS))
    baseline: Baseline | None = None
    taxes: tuple[Tax, ...] = ()
    metering: Metering | None = None
    true_up_month: int = MONTHS
    year_end_usd_per_kwh: float = 0.0
    holidays: tuple[str, ...] = ()
    discount: Discount | None = None
    export: HourlyExport | None = None
    credit_expires: bool = False
    wholesale: WholesalePrice | None = None
    currency: str = "USD"

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        fuel = read_only(self.fuel_usd_per_kwh)
        require_shape("fuel_usd_per_kwh", fuel, (MONTHS,), "(month,)")
        require_finite("fuel_usd_per_kwh", fuel)
        object.__setattr__(self, "fuel_usd_per_kwh", fuel)
        if not 1 <= self.true_up_month <= MONTHS:
            raise ValueError(f"true_up_month is {self.true_up_month}; give a month from 1 to 12")
        for charge in (*self.fixed, *self.minimum):
            if not math.isfinite(charge.usd):
                raise ValueError(f"{charge.name} is {charge.usd}; give a finite number")


def open_ladder(rows: Sequence[Sequence[tuple[float, ...]]]) -> tuple[list[Floats], Floats, Floats]:
    """Arrays of tiers that differ in number from period to period.

    Parameters
    ----------
    rows
        For each period its tiers: (limit, number, number, …), the limit infinite where there is none.

    Returns
    -------
    numbers : list of (period, tier)
        The numbers beside the limit; short ladders repeat their last tier.
    limit : (period, tier)
        The last one infinite.
    filed : (period,)
        The last tier's limit as it came.
    """
    width = max(len(row) for row in rows)
    padded = [[*row, *[row[-1]] * (width - len(row))] for row in rows]
    table = np.array(padded, dtype=float)
    limit = table[:, :, 0].copy()
    filed = np.array([row[-1][0] for row in rows], dtype=float)
    for place, row in enumerate(rows):
        limit[place, len(row) - 1 :] = np.inf
    return [table[:, :, number] for number in range(1, table.shape[2])], limit, filed
