"""The mean day of two tariffs: net load and import rate over 24 hours, expected over the weather."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.analysis.dashboard.shared.solution import Solution

HEIGHTS = (170, 110)
"""Of the panels, at the width of a narrow window. [px]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanDay:
    """Expected day of a tariff.

    Attributes
    ----------
    net_load_kw, import_usd_per_kwh : (h,) float
        Net load of the mean home, and what it pays for a kWh before any discount. [kW, USD/kWh]
    """

    net_load_kw: Floats
    import_usd_per_kwh: Floats


def mean_day(solution: Solution) -> MeanDay:
    """Average net load and import rate over the common states, by how often they come."""
    equilibrium = solution.equilibrium
    probability = equilibrium.economy.common.probability
    return MeanDay(
        net_load_kw=np.asarray(probability @ equilibrium.net_load_kw),
        import_usd_per_kwh=np.asarray(probability @ equilibrium.rates.import_usd_per_kwh),
    )


def widest_slot(a: MeanDay, b: MeanDay) -> int | None:
    """Slot in which the net loads differ most, or else the rates; None if both days are the same."""
    for name in ("net_load_kw", "import_usd_per_kwh"):
        apart = np.abs(getattr(a, name) - getattr(b, name)).round(3)
        if apart.any():
            return int(apart.argmax())
    return None


def mean_day_chart(a: Solution, b: Solution, *, caption: str, names: tuple[str, str]) -> dict[str, Any]:
    """Write the chart of both days.

    Parameters
    ----------
    caption
        The sentence that reads the figure.
    names
        Titles of both tariffs.
    """
    days = mean_day(a), mean_day(b)
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
