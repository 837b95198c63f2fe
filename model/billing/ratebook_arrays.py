"""From the tables of a tariff as filed to arrays, checked on the way."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.ratebook import (
    HOURS,
    MONTHS,
    Baseline,
    DemandCharge,
    EnergyCharge,
    Per,
    PeriodicCharge,
    Ratchet,
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
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.values import show

if TYPE_CHECKING:
    from meanwatt.model.billing.ratebook_table import (
        BaselineTable,
        DemandTable,
        DemandTierTable,
        EnergyTable,
        PeriodicTable,
        TaxTable,
        TierTable,
    )


def by_month(value: float | Sequence[float]) -> Floats:
    """One number a month, (month,)."""
    return np.full(MONTHS, float(value)) if isinstance(value, int | float) else np.array(value, dtype=float)


def _schedule(weekday: Any, weekend: Any, key: str, names: Sequence[str]) -> Schedule:
    rows = read_schedule(weekday, f"{key}.weekday", names)
    other = rows if weekend is None else read_schedule(weekend, f"{key}.weekend", names)
    return Schedule(weekday=as_indices(rows, names), weekend=as_indices(other, names))


def _require_ladders(key: str, ladders: "Mapping[str, Sequence[TierTable | DemandTierTable]]") -> None:
    """Refuse empty ladders, and limits that do not rise."""
    _require_count(f"{key}.periods", len(ladders), ranges.TARIFF_PERIODS)
    for name, tiers in ladders.items():
        place = f"{key}.periods.{name}.tiers"
        _require_count(place, len(tiers), ranges.TIERS)
        last, mixed = 0.0, any(getattr(tier, "unit", None) for tier in tiers)
        for number, tier in enumerate(tiers):
            if tier.limit is None:
                if number + 1 < len(tiers) and not mixed:
                    raise ValueError(f"{place}: entry {number} has no limit; only the last tier has none")
            elif tier.limit <= last and not mixed:
                raise ValueError(
                    f"{place}: entry {number} ends at {tier.limit:g}, the one below at {last:g}; let limits rise"
                )
            else:
                last = tier.limit


def _require_count(place: str, count: int, allowed: Range) -> None:
    if not allowed.holds(count):
        raise ValueError(f"{place} has {counted(count, 'entry', 'entries')}; give {allowed.counts()}")


def _units(table: "EnergyTable") -> tuple[TierUnit, ...]:
    """Unit of each tier where they differ; empty where they do not."""
    ladders = [[TierUnit(tier.unit or table.unit) for tier in period.tiers] for period in table.periods.values()]
    longest = max(ladders, key=len)
    if len({unit for ladder in ladders for unit in ladder}) == 1:
        return () if longest[0].value == table.unit else tuple(longest)
    for name, ladder in zip(table.periods, ladders, strict=True):
        if ladder != longest:
            raise ValueError(f"energy.periods.{name}.tiers have other units than another period's; give the same")
    if any(unit.per_kw for unit in longest) and not longest[0].per_kw:
        raise ValueError(
            "energy: tiers per kW come after one in kWh; begin with the tier per kW that has them as steps"
        )
    return tuple(longest)


def energy_charge(table: "EnergyTable") -> EnergyCharge:
    """The energy charge."""
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
        units=_units(table),
    )


def demand_charge(name: str, table: "DemandTable") -> DemandCharge:
    """A demand charge."""
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


def periodic_charge(name: str, table: "PeriodicTable") -> PeriodicCharge:
    """A fixed or minimum charge."""
    return PeriodicCharge(name=name, usd=table.usd, per=Per(table.per))


def baseline_credit(table: "BaselineTable | None") -> Baseline | None:
    """The baseline credit, if there is one."""
    if table is None:
        return None
    allowances = {name: by_month(value) for name, value in table.kwh_per_day.items()}
    if table.territory is not None and table.territory not in allowances:
        raise ValueError(f"baseline: {unknown('territory', table.territory, allowances)}")
    return Baseline(credit_usd_per_kwh=table.credit_usd_per_kwh, kwh_per_day=allowances, territory=table.territory)


def tax(name: str, table: "TaxTable") -> Tax:
    """A tax."""
    if table.share and table.on is None:
        raise ValueError(f'taxes.{name} has a share and no on; add on = "charges" or on = "bill"')
    return Tax(name=name, usd_per_kwh=table.usd_per_kwh, share=table.share, on=TaxBase(table.on or TaxBase.CHARGES))


def holiday(text: str) -> str:
    """A holiday; ``ValueError`` if it is no day."""
    found = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)", text, flags=re.ASCII)
    try:
        if not found:
            raise ValueError
        date(int(found[1] or 2024), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f'holidays holds {show(text)}; give days as "07-04" or "2026-11-26"') from None
    return text
