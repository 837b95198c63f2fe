"""A lesson's figure as the components read it; what comes later is left out until the answer is shown.

Axes hold what comes later from the beginning, so that nothing moves when it comes.
"""

import math
from enum import Enum
from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.lessons import words
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.lessons.figure import Bars, Curves, DayLines, Dots, Line
from meanwatt.analysis.lessons.lesson import Revealed

DAY_HEIGHT = 240
"""Of the panel of a day, at the width of a narrow window. [px]"""
HELP = "read-lesson"


class Kind(Enum):
    """Which component draws a figure."""

    CURVES = "curves"
    BARS = "bars"
    DAY = "day"
    DOTS = "dots"


def drawn(found: Revealed, shown: bool) -> tuple[Kind, str]:
    """Write a lesson's figure, and say who draws it."""
    figure, caption = found.figure, found.reading if shown else words.BEFORE
    if isinstance(figure, Curves):
        return Kind.CURVES, to_json(_curves(figure, shown, caption))
    if isinstance(figure, Bars):
        return Kind.BARS, to_json(_bars(figure, shown, caption))
    if isinstance(figure, DayLines):
        return Kind.DAY, to_json(_day(figure, shown, caption))
    return Kind.DOTS, to_json(_dots(figure, shown, caption))


def _seen(lines: tuple[Line, ...], shown: bool) -> list[Line]:
    return [line for line in lines if shown or not line.later]


def _curves(figure: Curves, shown: bool, caption: str) -> dict[str, Any]:
    values = np.array([value for line in figure.lines for value in line.values if value is not None])
    return {
        "title": figure.title,
        "help": help_link(HELP),
        "unit": figure.unit,
        "x_title": f"{figure.x_title} [{figure.x_unit}]" if figure.x_unit else figure.x_title,
        "x": list(figure.x),
        "axis": axis_ends(np.zeros(1), values) if values.min() >= 0 else axis_ends(values),
        "lines": [
            {"name": line.name, "style": line.style, "values": list(line.values)} for line in _seen(figure.lines, shown)
        ],
        "unseen": [] if shown else [line.name for line in figure.lines if line.later],
        "marks": [{"x": mark.x, "text": mark.text} for mark in figure.marks if shown or not mark.later],
        "x_digits": figure.x_digits,
        "digits": figure.digits,
        "caption": caption,
    }


def _bars(figure: Bars, shown: bool, caption: str) -> dict[str, Any]:
    values = [value for pair in figure.pairs for value in (pair.a, pair.b)]
    return {
        "title": figure.title,
        "help": help_link(HELP),
        "unit": figure.unit,
        "names": list(figure.names) if shown else [figure.names[0]],
        "unseen": [] if shown else [figure.names[1]],
        "axis": [min(0.0, *values), max(0.0, *values)],
        "rows": [
            {"name": _capital(pair.name), "values": [pair.a, pair.b] if shown else [pair.a]} for pair in figure.pairs
        ],
        "digits": figure.digits,
        "caption": caption,
    }


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")


def _day(figure: DayLines, shown: bool, caption: str) -> dict[str, Any]:
    values = [np.array([math.nan if value is None else value for value in line.values]) for line in figure.lines]
    panel = chart_panel("load", "Net load", figure.unit, DAY_HEIGHT, 2, axis_ends(np.zeros(1), *values))
    seen = _seen(figure.lines, shown)
    panel["lines"] = [
        chart_line(line.name, line.style, numbers)
        for line, numbers in zip(figure.lines, values, strict=True)
        if line in seen
    ]
    return day_chart(
        figure.economy,
        [(line.style, line.name) for line in seen],
        [panel],
        title=figure.title,
        note="Point at an hour, or tap it, to read it here.",
        caption=caption,
        explained=Explained({"": HELP}),
    )


def _dots(figure: Dots, shown: bool, caption: str) -> dict[str, Any]:
    count = len(figure.sizes) if shown else figure.known
    return {
        "key": "lesson",
        "title": figure.title,
        "unit": figure.unit,
        "help": help_link(HELP),
        "note": "",
        "caption": caption,
        "sizes": list(figure.sizes[:count]),
        "dots": [list(row) for row in figure.measured[:count]],
        "dots_name": figure.dot,
        "lines": [{"name": figure.line, "style": "mean", "values": list(figure.law[:count])}],
        "digits": 1,
    }
