"""Tariffs and readings drawn by a number, for tests of bills."""

from dataclasses import replace
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.ratebook.ratebook import Per, PeriodicCharge, Ratebook
from meanwatt.model.billing.ratebook_table import RatebookTable
from meanwatt.model.billing.urdb_reader import table_of_record

PERS = ("month", "day", "year")


def drawn_schedule(rng: np.random.Generator, periods: int) -> list[list[int]]:
    """12 rows of 24 periods, two seasons; every period is in force in every month."""
    seasons = []
    for _ in range(2):
        cuts = np.sort(rng.choice(np.arange(1, 24), periods - 1, replace=False))
        order = rng.permutation(periods)
        seasons.append(order[np.searchsorted(cuts, np.arange(24), side="right")].tolist())
    return [list(seasons[0] if 5 <= month < 9 else seasons[1]) for month in range(12)]


def drawn_record(rng: np.random.Generator, *, tiers: int, negative: bool = False) -> dict[str, Any]:
    """A record as `plain_biller` reads it: tiers in kWh, demand, fixed and minimum charges, fuel by month."""
    periods = int(rng.integers(1, 4))
    low = -0.1 if negative else 0.0
    ends = np.sort(rng.uniform(20, 900, tiers - 1)).tolist()
    record: dict[str, Any] = {
        "energyratestructure": [
            [
                {"rate": float(rng.uniform(low, 0.6)), "sell": float(rng.uniform(low / 2, 0.4))}
                | ({"max": ends[tier]} if tier + 1 < tiers else {})
                for tier in range(tiers)
            ]
            for _ in range(periods)
        ],
        "energyweekdayschedule": drawn_schedule(rng, periods),
        "energyweekendschedule": drawn_schedule(rng, periods),
        "fixed": (float(rng.uniform(0, 20)), str(rng.choice(PERS))),
        "fuel": rng.uniform(low / 10, 0.03, 12).tolist(),
    }
    if rng.random() < 0.5:
        record["minimum"] = float(rng.uniform(0, 150))
    if rng.random() < 0.5:
        record["demandratestructure"] = [
            [{"rate": float(rng.uniform(0, 9)), "max": 1.1}, {"rate": float(rng.uniform(0, 9))}] for _ in range(2)
        ]
        record["demandweekdayschedule"] = drawn_schedule(rng, 2)
        record["demandweekendschedule"] = drawn_schedule(rng, 2)
    if rng.random() < 0.5:
        record["flatdemandstructure"] = [[{"rate": float(rng.uniform(0, 9))}] for _ in range(2)]
        record["flatdemandmonths"] = rng.integers(0, 2, 12).tolist()
    return record


def book_of(record: dict[str, Any], **changes: Any) -> Ratebook:
    """The record as a ratebook; what is not in the database's words is added to it."""
    plain = {name: value for name, value in record.items() if name not in ("fixed", "fuel", "minimum")}
    if "energyratestructure" in plain:
        plain["energyratestructure"] = [
            [{**tier, "unit": "kWh"} for tier in period] for period in plain["energyratestructure"]
        ]
    table, _ = table_of_record(plain)
    book = RatebookTable.model_validate({**table, **changes}).ratebook("drawn")
    fixed = record.get("fixed")
    return replace(
        book,
        fixed=() if fixed is None else (PeriodicCharge(name="fixed", usd=fixed[0], per=Per(fixed[1])),),
        minimum=()
        if "minimum" not in record
        else (PeriodicCharge(name="minimum", usd=record["minimum"], per=Per.MONTH),),
        fuel_usd_per_kwh=np.array(record.get("fuel", [0.0] * 12)),
    )


def drawn_readings(rng: np.random.Generator, customers: int, per_hour: int = 1) -> tuple[Floats, Floats]:
    """Load and generation of a year, (customer, interval). [kWh]"""
    hours = np.arange(8760 * per_hour) / per_hour
    sun = np.maximum(np.sin(np.pi * (hours % 24 - 6) / 12), 0.0)
    load = rng.gamma(1.5, 0.4, (customers, len(hours))) / per_hour
    size = rng.choice([0.3, 2.5, 8.0], (customers, 1))
    return load, size * sun * rng.uniform(0.2, 1.0, (customers, len(hours))) / per_hour
