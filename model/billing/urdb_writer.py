"""Writes a tariff as filed as a record of OpenEI's Utility Rate Database; what it cannot hold is in ``extensions``."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from meanwatt.agents.tariff.ratebook.ratebook import MONTHS
from meanwatt.model.billing import urdb_fields as urdb
from meanwatt.model.billing.ratebook_table import DemandTable, EnergyTable, RatebookTable
from meanwatt.model.billing.schedules import Rows, read_schedule
from meanwatt.model.billing.urdb_reader import table_of_record
from meanwatt.model.scenario.tariff_file import Table

ENERGY_WORDS = {"usd_per_kwh": "rate", "adjustment_usd_per_kwh": "adj", "sell_usd_per_kwh": "sell", "limit": "max"}
BESIDE = (
    *("as_of", "source", "status", "uncertain", "currency", "discount", "export"),
    *("true_up_month", "year_end_usd_per_kwh", "holidays"),
)
"""Keys at the top of our file for which the database has no word."""
DEMAND_WORDS = {"usd_per_kw": "rate", "adjustment_usd_per_kw": "adj", "limit": "max"}


def record_of_table(table: RatebookTable) -> dict[str, Any]:
    """The record that says the same; read again it gives the same table.

    What a record said in other words that mean the same is written as it was, as long as it still means that.
    """
    filed = dict(table.urdb.get(urdb.AS_FILED, {}))
    record = _record(table)
    meaning = table_of_record(record)[0]
    for field, text in filed.items():
        other = (
            {**record, field: json.loads(text)} if text else {name: record[name] for name in record if name != field}
        )
        if table_of_record(other)[0] == meaning:
            record = other
    return record


def as_filed(record: Mapping[str, Any], table: RatebookTable) -> dict[str, str]:
    """Fields of a record that would be written in other words: field → its JSON; empty where it was left out."""
    written = _record(table)
    differ = {name: json.dumps(value) for name, value in record.items() if written.get(name, ...) != value}
    return differ | {name: "" for name in written if name not in record}


def _record(table: RatebookTable) -> dict[str, Any]:
    record: dict[str, Any] = {
        name: value for name, value in table.urdb.items() if name not in (urdb.AS_FILED, urdb.JSON_TEXT)
    }
    record |= {name: json.loads(text) for name, text in table.urdb.get(urdb.JSON_TEXT, {}).items()}
    ours: dict[str, Any] = {}
    if table.title:
        record["name"] = table.title
    if table.metering in urdb.RATES:
        record["dgrules"] = urdb.RATES[table.metering]
    elif table.metering is not None:
        ours["metering"] = table.metering
    _energy(table.energy, record, ours)
    _demand(table.demand, record, ours)
    _periodic(table, record, ours)
    if table.fuel_usd_per_kwh is not None:
        fuel = table.fuel_usd_per_kwh
        record["fueladjustmentsmonthly"] = [fuel] * MONTHS if isinstance(fuel, int | float) else list(fuel)
    plain = RatebookTable.model_fields
    for name in BESIDE:
        value = getattr(table, name)
        if value != plain[name].get_default(call_default_factory=True):
            ours[name] = plain_json(value)
    if table.baseline is not None:
        ours["baseline"] = _given(table.baseline)
    if table.taxes:
        ours["taxes"] = {name: _given(tax) for name, tax in table.taxes.items()}
    for name, tables in (("discounts", table.discounts), ("exports", table.exports)):
        if tables:
            ours[name] = {key: _given(entry) for key, entry in tables.items()}
    if table.wholesale is not None:
        ours["wholesale"] = _given(table.wholesale)
    if ours:
        record["extensions"] = {**record.get("extensions", {}), urdb.OURS: ours}
    return record


def _given(table: Table) -> Any:
    """What a table says, without what it leaves out."""
    return plain_json(table.model_dump(exclude_unset=True, exclude_none=True))


def plain_json(value: Any) -> Any:
    """Tuples as lists."""
    if isinstance(value, Mapping):
        return {str(name): plain_json(entry) for name, entry in value.items()}
    return [plain_json(entry) for entry in value] if isinstance(value, list | tuple) else value


def _tiers(tiers: Sequence[Any], words: Mapping[str, str], unit: str) -> list[dict[str, Any]]:
    return [
        {theirs: getattr(tier, ours) for ours, theirs in words.items() if getattr(tier, ours) is not None}
        | {"unit": getattr(tier, "unit", None) or unit}
        for tier in tiers
    ]


def _numbers(rows: Rows, names: Sequence[str]) -> list[list[int]]:
    return [[names.index(name) for name in row] for row in rows]


def _canonical(names: Sequence[str]) -> bool:
    return list(names) == [urdb.period_name(number) for number in range(len(names))]


def _energy(energy: EnergyTable, record: dict[str, Any], ours: dict[str, Any]) -> None:
    names = list(energy.periods)
    weekday = read_schedule(energy.weekday, "energy.weekday", names)
    weekend = weekday if energy.weekend is None else read_schedule(energy.weekend, "energy.weekend", names)
    record["energyratestructure"] = [
        _tiers(period.tiers, ENERGY_WORDS, energy.unit) for period in energy.periods.values()
    ]
    record["energyweekdayschedule"] = _numbers(weekday, names)
    record["energyweekendschedule"] = _numbers(weekend, names)
    own: dict[str, Any] = {} if _canonical(names) else {"names": names}
    own |= {name: getattr(energy, name) for name in ("tier_scope", "tier_period") if getattr(energy, name) != "month"}
    if own:
        ours["energy"] = own


def _demand(demand: Mapping[str, DemandTable], record: dict[str, Any], ours: dict[str, Any]) -> None:
    """Demand charges in the database's words; if it has none for them, in ours."""
    if not demand:
        return
    flat, by_time = demand.get(urdb.FLAT_DEMAND), demand.get(urdb.TIME_OF_USE)
    same = {(table.window_minutes, json.dumps(_given(table).get("ratchet"))) for table in demand.values()}
    fits = (
        set(demand) <= {urdb.FLAT_DEMAND, urdb.TIME_OF_USE}
        and len(same) == 1
        and all(_canonical(list(table.periods)) for table in demand.values())
        and (flat is None or flat.months is not None)
        and (by_time is None or by_time.weekday is not None)
    )
    if not fits:
        ours["demand"] = {name: _given(table) for name, table in demand.items()}
        return
    if flat is not None:
        names = list(flat.periods)
        record["flatdemandstructure"] = [_tiers(period.tiers, DEMAND_WORDS, "kW") for period in flat.periods.values()]
        record["flatdemandmonths"] = [names.index(name) for name in flat.months]
    if by_time is not None:
        names = list(by_time.periods)
        weekday = read_schedule(by_time.weekday, "weekday", names)
        weekend = weekday if by_time.weekend is None else read_schedule(by_time.weekend, "weekend", names)
        record["demandratestructure"] = [
            _tiers(period.tiers, DEMAND_WORDS, "kW") for period in by_time.periods.values()
        ]
        record["demandweekdayschedule"] = _numbers(weekday, names)
        record["demandweekendschedule"] = _numbers(weekend, names)
    one = next(iter(demand.values()))
    if one.window_minutes is not None:
        record["demandwindow"] = one.window_minutes
    if one.ratchet is not None:
        _ratchet(one, record)


def _ratchet(table: DemandTable, record: dict[str, Any]) -> None:
    ratchet = table.ratchet
    assert ratchet is not None
    share = ratchet.share
    record |= {"lookbackpercent": share} if isinstance(share, int | float) else {"demandratchetpercentage": list(share)}
    if not all(ratchet.counted):
        record["lookbackmonths"] = list(ratchet.counted)
    if ratchet.months != 11:
        record["lookbackrange"] = ratchet.months


def _periodic(table: RatebookTable, record: dict[str, Any], ours: dict[str, Any]) -> None:
    """Fixed and minimum charges: one of each in the database's words, others in ours."""
    if list(table.fixed) == [urdb.FIXED]:
        one = table.fixed[urdb.FIXED]
        record |= {"fixedchargefirstmeter": one.usd, "fixedchargeunits": urdb.PER[one.per]}
    elif table.fixed:
        ours["fixed"] = {name: {"usd": one.usd, "per": one.per} for name, one in table.fixed.items()}
    if list(table.minimum) == [urdb.MINIMUM]:
        least = table.minimum[urdb.MINIMUM]
        record |= {"mincharge": least.usd, "minchargeunits": urdb.PER[least.per]}
    elif table.minimum:
        ours["minimum"] = {name: {"usd": least.usd, "per": least.per} for name, least in table.minimum.items()}
