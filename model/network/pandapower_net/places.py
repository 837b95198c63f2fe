"""Where the buses of a network that pandapower has saved stand."""

import json
import math
from typing import Any, Final

from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.report import NAMED, Report

LONGEST: Final = 400
"""Letters of a place that are read."""
FARTHEST: Final = 1e9
"""Largest coordinate."""


def told_places(net: Net, report: Report) -> dict[int, tuple[float, float]]:
    """Places by number of the bus; what is no place is said."""
    places, bad = bus_places(net)
    if bad:
        names = ", ".join(map(str, bad[:NAMED])) + (f" and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
        report.note(f"{names}: the place is no point with two numbers; a map puts the bus between its neighbours.")
    return places


def bus_places(net: Net) -> tuple[dict[int, tuple[float, float]], list[Row]]:
    """Places by number of the bus, and the rows whose place is none.

    pandapower 3 keeps a point of GeoJSON as a text in the column ``geo`` of its buses, pandapower 2 a table
    ``bus_geodata`` with ``x`` and ``y``.
    """
    found, bad = dict[int, tuple[float, float]](), list[Row]()
    for table, read in (("bus_geodata", _of_columns), ("bus", _of_geo)):
        for row in net.rows(table):
            place = read(row)
            if place is not None:
                found[row.index] = place
            elif table == "bus_geodata" or (row.has("geo") and row.values["geo"] != ""):
                bad.append(row)
    return found, bad


def _of_columns(row: Row) -> tuple[float, float] | None:
    return point([row.values.get("x"), row.values.get("y")])


def _of_geo(row: Row) -> tuple[float, float] | None:
    text = row.values.get("geo")
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return point(content.get("coordinates")) if isinstance(content, dict) and content.get("type") == "Point" else None


def point(value: Any) -> tuple[float, float] | None:
    """The first two numbers of a list as a place; None if they are none."""
    if not isinstance(value, list) or len(value) < 2:
        return None
    x, y = value[:2]
    for one in (x, y):
        if isinstance(one, bool) or not isinstance(one, int | float) or not abs(one) <= FARTHEST:
            return None
    return (float(x), float(y)) if math.isfinite(x + y) else None
