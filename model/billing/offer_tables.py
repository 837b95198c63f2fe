"""Parts of a tariff file that a customer chooses among: discounts, and terms of feeding in; and wholesale prices."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.offers import MONTH_HOUR, Discount, HourlyExport, WholesalePrice
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.tariff_file import Table
from meanwatt.model.scenario.values import finite, show

HOURLY: Final = Form("{}, a list of 24, one an hour, or 12 such lists, one a month")
MONTHS, HOURS = MONTH_HOUR


def _hourly(value: object) -> object:
    """Check a number, 24 of them, or 12 times 24."""
    if not isinstance(value, list | tuple):
        return finite(value)
    if len(value) == HOURS:
        return tuple(finite(entry, f"entry {hour}") for hour, entry in enumerate(value))
    if len(value) != MONTHS:
        raise ValueError(f"has {len(value)} entries; give one number, 24, one an hour, or 12 lists of 24, one a month")
    rows = []
    for month, row in enumerate(value):
        if not isinstance(row, list | tuple) or len(row) != HOURS:
            raise ValueError(f"entry {month} is {show(row)}; give 24 numbers, one an hour")
        rows.append(tuple(finite(entry, f"entry {month}: entry {hour}") for hour, entry in enumerate(row)))
    return tuple(rows)


def _by_name(value: object) -> object:
    """Check a table name → number."""
    if not isinstance(value, Mapping):
        raise ValueError(f"is {show(value)}; give a table: name → number")
    return {str(name): finite(entry, str(name)) for name, entry in value.items()}


def texts(value: object) -> object:
    """Check a list of texts."""
    if isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    raise ValueError(f"is {show(value)}; give a list of texts in quotes")


Hourly = Annotated[
    float | tuple[float, ...] | tuple[tuple[float, ...], ...], BeforeValidator(_hourly), ranges.PRICE, HOURLY
]


class DiscountTable(Table):
    """``[discounts.NAME]``: a share off energy charges, before credits for feeding in; `discount` or `--discount`."""

    share: Annotated[float, ranges.SHARE]
    """Of the charges that are discounted."""
    on: Literal["energy", "charges"] = "energy"
    """Which: energy charges after the baseline credit, or also demand and fixed charges and what minimums add."""
    exempt_usd_per_kwh: Annotated[
        dict[str, float], BeforeValidator(_by_name), ranges.PRICE, Form("a table by component: {}")
    ] = Field(default_factory=dict)
    """Components of the energy rates that have no discount. [USD/kWh]"""
    exempt_unpriced: Annotated[tuple[str, ...], BeforeValidator(texts), Form("a list of texts in quotes")] = ()
    """Names of further ones whose rates are not known: they are discounted, and the bill says so."""
    fixed: Annotated[
        dict[str, float], BeforeValidator(_by_name), ranges.SUM, Form("a table by name of a fixed charge: {}")
    ] = Field(default_factory=dict)
    """Fixed charge → what it is instead for these customers. [USD]"""


class ExportTable(Table):
    """``[exports.NAME]``: terms of feeding in, in place of sell rates; `export` or `--export` chooses one."""

    metering: Literal[
        "net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars", "buy_all_sell_all"
    ]
    """How feeding in is metered."""
    usd_per_kwh: Annotated[Hourly | None, ranges.PRICE, HOURLY] = None
    """What a kWh fed in earns, on weekdays where weekends differ. [USD/kWh]"""
    weekend_usd_per_kwh: Annotated[Hourly | None, ranges.PRICE, HOURLY] = None
    """The same on weekends and holidays; as on weekdays where it is left out. [USD/kWh]"""
    below_retail_usd_per_kwh: Annotated[float | None, ranges.PRICE] = None
    """Instead of `usd_per_kwh`: how much less it earns than a kWh of its period and tier costs. [USD/kWh]"""
    credit_expires: bool = False
    """Whether credits in dollars that are left at the true-up are lost."""


class WholesaleTable(Table):
    """``[wholesale]``: prices are min(multiplier·wholesale + the period's rate, cap); `--wholesale` gives the first."""

    multiplier: Annotated[float, ranges.WHOLESALE_MULTIPLIER] = 1.0
    """What the wholesale price is multiplied by."""
    cap_usd_per_kwh: Annotated[float | None, ranges.PRICE] = None
    """The highest price; without it none. [USD/kWh]"""


def matrix(value: float | Sequence[float] | Sequence[Sequence[float]]) -> Floats:
    """Rates by month and hour. (month, hour)"""
    return np.broadcast_to(np.array(value, dtype=float), MONTH_HOUR)


def chosen_discount(discounts: Mapping[str, DiscountTable], name: str | None, fixed: Sequence[str]) -> Discount | None:
    """The customer's discount; ``ValueError`` in one line if there is none of this name, or one names no charge."""
    for key, table in discounts.items():
        for charge in table.fixed:
            if charge not in fixed:
                raise ValueError(f"discounts.{key}.fixed: {unknown('fixed charge', charge, fixed)}")
    if name is None:
        return None
    if name not in discounts:
        raise ValueError(unknown("discount", name, discounts))
    table = discounts[name]
    return Discount(
        name=name,
        share=table.share,
        on_all=table.on == "charges",
        exempt_usd_per_kwh=sum(table.exempt_usd_per_kwh.values()),
        exempt_unpriced=table.exempt_unpriced,
    )


def require_exports(exports: Mapping[str, ExportTable], name: str | None) -> None:
    """Raise ``ValueError`` in one line where terms of feeding in contradict themselves, or there are none of a name."""
    for key, table in exports.items():
        rates, below = table.usd_per_kwh, table.below_retail_usd_per_kwh
        place = f"exports.{key}"
        if rates is not None and below is not None:
            raise ValueError(f"{place} gives usd_per_kwh and below_retail_usd_per_kwh; give one of them")
        if rates is None and table.weekend_usd_per_kwh is not None:
            raise ValueError(f"{place} gives weekend_usd_per_kwh and no usd_per_kwh; add it")
        varies = isinstance(rates, tuple) or table.weekend_usd_per_kwh is not None
        if varies and table.metering in ("net_metering", "net_metering_dollars"):
            raise ValueError(
                f"{place}: metering {table.metering} nets kWh over the month, and rates by hour have no meaning;"
                " give one number, or take net_billing, net_billing_carryover or buy_all_sell_all"
            )
    if name is not None and name not in exports:
        raise ValueError(unknown("export", name, exports))


def hourly_export(name: str, table: ExportTable) -> HourlyExport | None:
    """Rates by the hour; None where sell rates say it all."""
    if not isinstance(table.usd_per_kwh, tuple) and table.weekend_usd_per_kwh is None:
        return None
    weekday = matrix(table.usd_per_kwh or 0.0)
    weekend = weekday if table.weekend_usd_per_kwh is None else matrix(table.weekend_usd_per_kwh)
    return HourlyExport(name=name, weekday_usd_per_kwh=weekday, weekend_usd_per_kwh=weekend)


def sell_rates(rate_usd_per_kwh: Floats, filed: Floats, table: ExportTable) -> Floats:
    """What a kWh fed in earns by period and tier under chosen terms. (period, tier) [USD/kWh]"""
    if table.below_retail_usd_per_kwh is not None:
        return rate_usd_per_kwh - table.below_retail_usd_per_kwh
    if isinstance(table.usd_per_kwh, float):
        return np.full(rate_usd_per_kwh.shape, table.usd_per_kwh)
    return np.zeros_like(filed) if isinstance(table.usd_per_kwh, tuple) else filed


def wholesale_price(table: WholesaleTable | None, tiered: bool) -> WholesalePrice | None:
    """How the price follows the wholesale market, if it does."""
    if table is None:
        return None
    if tiered:
        raise ValueError("wholesale: the energy charges have tiers, which a wholesale price has not; give one tier")
    cap: Any = np.inf if table.cap_usd_per_kwh is None else table.cap_usd_per_kwh
    return WholesalePrice(multiplier=table.multiplier, cap_usd_per_kwh=float(cap))
