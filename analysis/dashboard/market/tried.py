"""The tariffs that a visitor tried in a scenario: a bounded list that a browser keeps, with what is shown of each."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.market.address import from_query, query
from meanwatt.analysis.dashboard.market.key_figures import NUMBERS, SIX, efficiency_gap
from meanwatt.analysis.dashboard.market.naming import full_name
from meanwatt.analysis.dashboard.shared.csv_text import csv_text, release
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution

MOST_TRIED = 20
"""Tariffs that are kept of a scenario; the oldest goes first."""
MOST_KEPT_CHARACTERS = 100_000
"""Longest text that is read back from a browser."""
MOST_SLOTS = 96
DIGITS = 6
"""Decimals that are kept, more than are shown."""
COLUMNS = (
    "efficiency_gap_usd_per_home_day",
    "burden_gap_percent_of_income",
    "price_swing_usd_per_kwh",
    "peak_to_average",
    "utility_surplus_usd_per_home_day",
    "lowest_voltage_pu",
)
"""The key numbers in a file."""

Number = float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One tariff that was in force, in one town.

    Attributes
    ----------
    settings
        What was in force, without its sample: the mean field does not depend on it.
    numbers
        The key numbers `SIX`; None where one is unknown.
    welfare
        From which the efficiency gap follows once the first best is known. [USD per household-day]
    load_kw
        Net load of the mean home over the hours of the average day. [kW]
    """

    settings: Settings
    numbers: tuple[Number, ...] = (None,) * len(SIX)
    welfare: Number = None
    load_kw: tuple[float, ...] = ()


def tried(solution: Solution, benchmark: Benchmark | None) -> Tried:
    """What is kept of a solution."""
    welfare = solution.metrics.welfare_usd_per_household_day
    values = (efficiency_gap(welfare, benchmark), *(figure.value(solution) for figure in NUMBERS))
    probability = solution.equilibrium.economy.common.probability
    load = np.average(solution.expected.net_load_kw, axis=0, weights=probability)
    return Tried(
        settings=solution.settings.market_only,
        numbers=tuple(None if value is None else round(value, DIGITS) for value in values),
        welfare=round(welfare, DIGITS),
        load_kw=tuple(round(float(value), 3) for value in load),
    )


def added(entries: Sequence[Tried], new: Tried) -> tuple[Tried, ...]:
    """Entries with one more at the end, or in its old place with the newest numbers; what is too old goes."""
    if any(entry.settings == new.settings for entry in entries):
        return tuple(new if entry.settings == new.settings else entry for entry in entries)
    return (*entries, new)[-MOST_TRIED:]


def merged(kept: Iterable[Tried], present: Iterable[Tried]) -> tuple[Tried, ...]:
    """What a browser kept of earlier visits, and then what was tried in this one."""
    entries = tuple(kept)
    for entry in present:
        entries = added(entries, entry)
    return entries


def completed(entries: Iterable[Tried], best: Callable[[Settings], Number]) -> tuple[Tried, ...]:
    """Entries with the efficiency gaps that can be told now.

    Parameters
    ----------
    best
        Welfare of a town's first best; None where it is not known.
    """
    found = []
    for entry in entries:
        if entry.numbers[0] is None and entry.welfare is not None:
            gap = efficiency_gap(entry.welfare, Benchmark(welfare_usd_per_household_day=best(entry.settings.town)))
            entry = replace(entry, numbers=(None if gap is None else round(gap, DIGITS), *entry.numbers[1:]))
        found.append(entry)
    return tuple(found)


def written(entries: Iterable[Tried]) -> str:
    """The text that a browser keeps."""
    rows = [
        {
            "query": query(entry.settings),
            "numbers": list(entry.numbers),
            "welfare": entry.welfare,
            "load_kw": list(entry.load_kw),
        }
        for entry in entries
    ]
    return to_json({"version": release(), "entries": rows})


def read(scenario: str, text: str) -> tuple[Tried, ...]:
    """Entries from a browser's text, which anybody may have written: what cannot be used is left out.

    Numbers of another version of the program are left out, too; its tariffs stay.
    """
    try:
        kept = json.loads(text) if len(text) <= MOST_KEPT_CHARACTERS else {}
        rows = kept["entries"][-MOST_TRIED:]
        current = kept["version"] == release()
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()
    found = (_entry(scenario, row, current) for row in rows)
    return merged((), (entry for entry in found if entry is not None))


def _entry(scenario: str, row: Any, current: bool) -> Tried | None:
    """One entry; None if it is not one of this scenario."""
    if not isinstance(row, dict) or not isinstance(row.get("query"), str):
        return None
    settings, problems = from_query(row["query"])
    if problems or settings.scenario != scenario:
        return None
    plain = Tried(settings=settings.market_only)
    numbers, welfare, load = row.get("numbers"), row.get("welfare"), row.get("load_kw")
    if not current or not (isinstance(numbers, list) and isinstance(load, list)):
        return plain
    sound = len(numbers) == len(SIX) and len(load) <= MOST_SLOTS and all(_is_number(value) for value in load)
    if not sound or not all(value is None or _is_number(value) for value in (*numbers, welfare)):
        return plain
    return replace(plain, numbers=tuple(numbers), welfare=welfare, load_kw=tuple(load))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def tried_csv(entries: Iterable[Tried], now: Settings) -> str:
    """Write the tariffs tried as CSV, from the oldest to the newest; the link in front is of what is in force."""
    head = {
        "scenario": now.scenario,
        "link": f"?{query(now, whole=True)}",
        "numbers": "of the mean field, before any home is simulated",
    }
    rows = (
        [
            full_name(entry.settings),
            *("" if value is None else f"{value:.{DIGITS}f}" for value in entry.numbers),
            f"?{query(entry.settings, whole=True)}",
        ]
        for entry in entries
    )
    return csv_text(head, ["tariff", *COLUMNS, "link"], rows)
