"""The list of tariffs tried, as the component `tray` reads it."""

import functools
from collections.abc import Sequence

from meanwatt.analysis.dashboard.market.address import query
from meanwatt.analysis.dashboard.market.key_figures import SIX
from meanwatt.analysis.dashboard.market.naming import full_name, short_name
from meanwatt.analysis.dashboard.market.tried import MOST_TRIED, Tried, written
from meanwatt.analysis.dashboard.shared.compared import compared_values
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.settings import Settings

SKETCH = (112, 30)
"""Width and height of the small line. [px]"""
SHORT = {
    "efficiency": "Efficiency gap",
    "gap": "Burden gap",
    "imv": "Price swing",
    "peak": "Peak to average",
    "surplus": "Surplus",
    "volts": "Lowest voltage",
}
"""Heads of the columns."""


@functools.lru_cache(maxsize=64)
def tray_json(scenario: str, entries: tuple[Tried, ...], now: Settings | None, known: int) -> str:
    """JSON of the list, the newest tariff first.

    Parameters
    ----------
    now
        What is in force, without its sample; None before anything is.
    known
        How often what the visitor's browser kept of this scenario was taken among the entries: once it was, they may be
        kept anew, and a browser that asks again, for another tab kept something, is answered even if nothing is new.
    """
    lines = sketches(entries)
    rows = [
        {
            "query": query(entry.settings),
            "name": short_name(entry.settings),
            "full": full_name(entry.settings),
            "link": f"/?{query(entry.settings)}",
            "numbers": [
                shown.written(shown.b)
                for shown in (
                    compared_values(figure, None, value) for figure, value in zip(SIX, entry.numbers, strict=True)
                )
            ],
            "sketch": line,
            "now": entry.settings == now,
        }
        for entry, line in zip(entries, lines, strict=True)
    ]
    return to_json(
        {
            "tray": scenario,
            "title": "Tariffs you tried",
            "help": help_link("tried"),
            "note": f"Press one to go back to it. This browser keeps the last {MOST_TRIED} of each scenario.",
            "heads": [{"key": figure.key, "label": SHORT[figure.key], "unit": figure.unit} for figure in SIX],
            "size": SKETCH,
            "rows": rows[::-1],
            "known": known,
            "kept": written(entries),
        }
    )


def sketches(entries: Sequence[Tried]) -> list[str]:
    """Points of the small line of each entry's net load, all on one axis; empty where the load is not known."""
    every = [value for entry in entries for value in entry.load_kw]
    if not every:
        return [""] * len(entries)
    low, high = min(every), max(every)
    width, height = SKETCH
    room = max(high - low, 1e-6)

    def points(load: Sequence[float]) -> str:
        step = (width - 4) / max(len(load) - 1, 1)
        places = (
            (2 + slot * step, height - 3 - (value - low) / room * (height - 6)) for slot, value in enumerate(load)
        )
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    return [points(entry.load_kw) for entry in entries]
