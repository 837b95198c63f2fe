"""The mean day of two tariffs: net load and import rate over 24 hours, expected over the weather."""

from typing import Any

import numpy as np

from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.mean_day import mean_day
from meanwatt.analysis.dashboard.shared.solution import Solution

HEIGHTS = (170, 110)
"""Of the panels, at the width of a narrow window. [px]"""


def mean_day_chart(a: Solution, b: Solution, *, caption: str, names: tuple[str, str]) -> dict[str, Any]:
    """Write the chart of both days.

    Parameters
    ----------
    caption
        The sentence that reads the figure.
    names
        Titles of both tariffs.
    """
    days = mean_day(a.equilibrium), mean_day(b.equilibrium)
    loads, rates = [day.net_load_kw for day in days], [day.import_usd_per_kwh for day in days]
    load = chart_panel("load", "Net load", "kW per home", HEIGHTS[0], 3, axis_ends(np.zeros(1), *loads))
    load["lines"] = [chart_line(name, name.lower(), values) for name, values in zip("AB", loads, strict=True)]
    rate = chart_panel("rate", "Import rate", "$/kWh", HEIGHTS[1], 3, axis_ends(np.zeros(1), *rates))
    rate["lines"] = [
        {**chart_line(name, name.lower(), values), "step": True} for name, values in zip("AB", rates, strict=True)
    ]
    return day_chart(
        a.equilibrium.economy,
        [("a", f"A: {names[0]}"), ("b", f"B: {names[1]}")],
        [load, rate],
        title="The mean day",
        note="Point at an hour, or tap it, to read it here.",
        caption=caption,
        explained=Explained({"": "read-mean-day"}),
    )
