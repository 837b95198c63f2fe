"""The tariffs of the gallery as plain values: what a list, a page or a program wants to know of each."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.tariff.ratebook.ratebook import Ratebook
from meanwatt.model.billing.local_calendar import MONTH_NAMES
from meanwatt.model.billing.ratebook_source import RatebookFile, load_ratebook
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.schedules import as_spans
from meanwatt.model.billing.tariff_gallery import gallery, gallery_file

Spans = dict[str, dict[str, list[str]]]
"""Months → period → hours."""


@cache  # pages list all tariffs at every message
def gallery_tariff(name: str) -> RatebookFile:
    """A tariff of the gallery; ``GalleryError`` with the nearest name if there is none."""
    return load_ratebook(gallery_file(name))


def gallery_rows() -> list[dict[str, Any]]:
    """A row for each tariff, for a list."""
    return [row_of(name, gallery_tariff(name).table) for name in gallery()]


def row_of(name: str, table: RatebookTable) -> dict[str, Any]:
    """What a list says of a tariff."""
    return {
        "name": name,
        "title": table.title,
        "as_of": table.as_of,
        "source": table.source,
        "status": table.status,
        "currency": table.currency,
        "periods": list(table.energy.periods),
        "demand": list(table.demand),
        "fixed": list(table.fixed),
        "follows_wholesale": table.wholesale is not None,
        "territories": [] if table.baseline is None else list(table.baseline.kwh_per_day),
        "discounts": list(table.discounts),
        "exports": list(table.exports),
        "export": table.export,
    }


def whole_tariff(name: str, read: RatebookFile) -> dict[str, Any]:
    """All that a tariff says: the row of the list, its charges, and its rates by month and hour."""
    table, energy = read.table, read.book.energy
    first = energy.rate_usd_per_kwh[:, 0]
    return {
        **row_of(name, table),
        "uncertain": dict(table.uncertain),
        "energy": {key: _plain(period)["tiers"] for key, period in table.energy.periods.items()},
        "weekday_period": _names(read.book, energy.schedule.weekday),
        "weekend_period": _names(read.book, energy.schedule.weekend),
        "weekday_usd_per_kwh": first[energy.schedule.weekday].tolist(),
        "weekend_usd_per_kwh": first[energy.schedule.weekend].tolist(),
        "wholesale": None if table.wholesale is None else _plain(table.wholesale),
        "demand": {key: _plain(entry) for key, entry in table.demand.items()},
        "fixed": {key: _plain(entry) for key, entry in table.fixed.items()},
        "minimum": {key: _plain(entry) for key, entry in table.minimum.items()},
        "baseline": None if table.baseline is None else _plain(table.baseline),
        "taxes": {key: _plain(entry) for key, entry in table.taxes.items()},
        "discounts": {key: _plain(entry) for key, entry in table.discounts.items()},
        "exports": {key: _plain(entry) for key, entry in table.exports.items()},
    }


def _plain(table: Any) -> dict[str, Any]:
    found: dict[str, Any] = table.model_dump(exclude_unset=True, exclude_none=True)
    return found


def _names(book: Ratebook, schedule: Ints) -> list[list[str]]:
    return [[book.energy.names[period] for period in row] for row in schedule.tolist()]


def when(names: list[list[str]]) -> Spans:
    """When periods are in force: months → period → hours."""
    return as_spans(tuple(tuple(row) for row in names))


def hours_of(period: str, spans: Spans) -> str:
    """When a period is in force, in words: ``Jun–Sep 16–21 h``; empty if never."""
    parts = [
        f"{_months(months)} {', '.join(_hours(text) for text in _around(inside[period]))}".strip()
        for months, inside in spans.items()
        if period in inside
    ]
    return "; ".join(parts)


def _months(text: str) -> str:
    """Names of months from their numbers; empty for the whole year."""
    if text == "1-12":
        return ""
    return re.sub(r"\d+", lambda number: MONTH_NAMES[int(number[0]) - 1][:3], text).replace("-", "–")


def _around(spans: list[str]) -> list[str]:
    """Join a span up to midnight with one from midnight."""
    if len(spans) > 1 and spans[0].startswith("0-") and spans[-1].endswith("-24"):
        return [*spans[1:-1], f"{spans[-1].partition('-')[0]}-{spans[0].partition('-')[2]}"]
    return spans


def _hours(text: str) -> str:
    return "all hours" if text == "0-24" else f"{text.replace('-', '–')} h"


def in_force(period: str, tariff: Mapping[str, Any], *, weekday: str, weekend: str) -> str:
    """When a period is in force, on weekends as well where they differ; the keys are those of the names by hour."""
    on_weekday = hours_of(period, when(tariff[weekday]))
    on_weekend = hours_of(period, when(tariff[weekend]))
    if on_weekday == on_weekend:
        return on_weekday
    parts = (("weekdays", on_weekday), ("weekends", on_weekend))
    return "; ".join(f"{day} {hours}" for day, hours in parts if hours)


def charges_in_words(tariff: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Charges beside energy, discounts and terms of feeding in: what, and how much. Takes a `whole_tariff`."""
    money = tariff["currency"]
    follows, rows = tariff["wholesale"], []
    if follows is not None:
        cap = follows.get("cap_usd_per_kwh")
        most = "" if cap is None else f", at most {cap:g}"
        rows.append(("price", f"{follows['multiplier']:g} × wholesale + the rate above{most} {money}/kWh"))
    return [
        *rows,
        *(
            (f"fixed charge {name}", f"{charge['usd']:g} {money} a {charge['per']}")
            for name, charge in tariff["fixed"].items()
        ),
        *(
            (f"minimum charge {name}", f"{least['usd']:g} {money} a {least['per']}")
            for name, least in tariff["minimum"].items()
        ),
        *_demand(tariff),
        *_baseline(tariff),
        *((f"discount {name}", _discount(entry, money)) for name, entry in tariff["discounts"].items()),
        *(
            (f"feeding in, {name}", _export(entry, money, name == tariff["export"]))
            for name, entry in tariff["exports"].items()
        ),
    ]


def energy_in_words(tariff: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Period, when, and rate of each tier. Takes a `whole_tariff`."""
    rows = []
    for name, tiers in tariff["energy"].items():
        place = in_force(name, tariff, weekday="weekday_period", weekend="weekend_period")
        for number, tier in enumerate(tiers):
            rate = tier["usd_per_kwh"] + tier.get("adjustment_usd_per_kwh", 0.0)
            rows.append((name if number == 0 else f"tier {number + 1}", place if number == 0 else "", f"{rate:g}"))
    return rows


def _demand(tariff: Mapping[str, Any]) -> list[tuple[str, str]]:
    money = tariff["currency"]
    rows = []
    for charge, entry in tariff["demand"].items():
        for period, rates in entry["periods"].items():
            usd = rates["tiers"][0]["usd_per_kw"]
            if usd:
                rows.append((f"demand charge {charge}, {period}", f"{usd:g} {money} a kW of the month's peak in it"))
    return rows


def _baseline(tariff: Mapping[str, Any]) -> list[tuple[str, str]]:
    base = tariff["baseline"]
    if base is None:
        return []
    allowed = "; ".join(f"{territory} {kwh} kWh a day" for territory, kwh in base["kwh_per_day"].items())
    return [
        (
            "baseline credit",
            f"{base['credit_usd_per_kwh']:g} {tariff['currency']}/kWh within the territory's: {allowed}",
        )
    ]


def _discount(entry: Mapping[str, Any], money: str) -> str:
    off = "energy charges" if entry.get("on", "energy") == "energy" else "all charges"
    exempt = [*entry.get("exempt_usd_per_kwh", {}), *entry.get("exempt_unpriced", ())]
    parts = [f"{100 * entry['share']:g} % off {off}", *(f"not off {name}" for name in exempt)]
    parts += [f"{name} {usd:g} {money} instead" for name, usd in entry.get("fixed", {}).items()]
    return "; ".join(parts)


def _export(entry: Mapping[str, Any], money: str, taken: bool) -> str:
    rates, below = entry.get("usd_per_kwh"), entry.get("below_retail_usd_per_kwh")
    if below is not None:
        earns = f"what a kWh costs less {below:g} {money}/kWh"
    elif isinstance(rates, float):
        earns = f"{rates:g} {money}/kWh"
    elif rates is None:
        earns = "the tariff's sell rates"
    else:
        flat = [rate for row in rates for rate in row] if isinstance(rates[0], tuple) else list(rates)
        earns = f"{min(flat):g} to {max(flat):g} {money}/kWh by the hour"
    ends = "; credits expire at the true-up" if entry.get("credit_expires") else ""
    return f"{entry['metering']}: {earns}{ends}{'; where --export is left out' if taken else ''}"
