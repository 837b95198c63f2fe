"""The chart of 24 hours, as the component `day_chart` reads it: panels of lines over the slots of a day."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.hours import hours_of
from meanwatt.model.scenario.economy import Economy


class Explained(NamedTuple):
    """Where a figure is explained.

    Attributes
    ----------
    anchors
        On the help page: of the figure, under ``""``, and of lines of the legend, under their styles.
    tab
        Name of the browser's tab in which the help opens; this one by default.
    """

    anchors: Mapping[str, str] = MappingProxyType({})
    tab: str = ""


UNEXPLAINED: Final = Explained()
POINT: Final = "Point at an hour, or tap it, to read it here and on the map."


def day_chart(
    economy: Economy,
    legend: list[tuple[str, str]],
    panels: list[dict[str, Any]],
    *,
    day: int = 0,
    title: str = "24 hours",
    note: str = POINT,
    caption: str = "",
    explained: Explained = UNEXPLAINED,
) -> dict[str, Any]:
    """Write a chart.

    Parameters
    ----------
    legend
        Style of a line, and what it means.
    panels
        From top to bottom, see `chart_panel`.
    day
        Day shown; 0 before the first, and for an expected day.
    title, note
        Heading, and what is read below while no hour is chosen.
    caption
        Sentence that reads the figure.
    explained
        Where the figure and its lines are explained.
    """
    anchors = explained.anchors
    return {
        "title": title,
        "note": note,
        "day": day,
        "help": help_link(anchors[""]) if "" in anchors else "",
        "tab": explained.tab,
        "caption": caption,
        "legend": [
            {"style": style, "text": text, "help": help_link(anchors[style]) if style in anchors else ""}
            for style, text in legend
        ],
        "slots": economy.slots,
        "hours": hours_of(economy),
        "slot_hours": economy.slot_hours,
        "panels": panels,
    }


def chart_panel(key: str, title: str, unit: str, height: int, digits: int, ends: list[float]) -> dict[str, Any]:
    """One panel without lines, its height in pixels at the width of a narrow window."""
    return {"key": key, "title": title, "unit": unit, "height": height, "digits": digits, "axis": ends, "lines": []}


def chart_line(name: str, style: str, values: Floats) -> dict[str, Any]:
    """One line (h,) of a panel; the style is one of the legend's."""
    return {"name": name, "style": style, "values": chart_row(values)}


def chart_row(values: Floats) -> list[float]:
    """Numbers with as many digits as a chart shows."""
    return [round(float(value), 4) for value in values]


def axis_ends(*values: Floats) -> list[float]:
    """Ends of an axis that holds all values, with a little room, at a round number."""
    least, most = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    room = max(most - least, 1e-3)
    step = 10 ** math.floor(math.log10(room)) / 4
    low = 0.0 if 0 <= least < 0.3 * most else math.floor((least - 0.02 * room) / step) * step
    return [low, math.ceil((most + 0.02 * room) / step) * step]
