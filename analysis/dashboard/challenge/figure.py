"""The rates of the program's own tariff beside those that were drawn, in one figure."""

from typing import Any

import numpy as np

from meanwatt.analysis.challenge.attempt import Attempt
from meanwatt.analysis.challenge.drawing import Drawing, drawn_tariff
from meanwatt.analysis.dashboard.challenge import words
from meanwatt.analysis.dashboard.shared.day_chart import Explained, axis_ends, chart_line, chart_panel, day_chart
from meanwatt.model.scenario.economy import Economy

HEIGHTS = (150, 110)
"""Of the panels, at the width of a narrow window. [px]"""


def rates_chart(computed: Attempt, economy: Economy, name: str, drawing: Drawing, caption: str) -> dict[str, Any]:
    """Write the chart: import and export rates of the mean day in ¢/kWh, the drawn ones (a) and the computed (b)."""
    tariff = drawn_tariff(drawing, economy)
    bought = tariff.energy_usd_per_kwh[0]
    sold = bought if drawing.net_metering else tariff.export_usd_per_kwh[0]
    panels = []
    pairs = zip((bought, sold), (computed.import_usd_per_kwh, computed.export_usd_per_kwh), strict=True)
    for (key, title, height), pair in zip(
        (("rate", "A kWh bought costs", HEIGHTS[0]), ("export", "A kWh exported earns", HEIGHTS[1])), pairs, strict=True
    ):
        cents = [100 * rates for rates in pair]
        panel = chart_panel(key, title, "¢/kWh", height, 1, axis_ends(np.zeros(1), *cents))
        panel["lines"] = [
            {**chart_line(line, style, rates), "step": True}
            for line, style, rates in zip((name, "computed"), "ab", cents, strict=True)
        ]
        panels.append(panel)
    return day_chart(
        economy,
        [("a", name), ("b", "computed")],
        panels,
        title="The computed tariff",
        note="Point at an hour, or tap it, to read it here.",
        caption=caption,
        explained=Explained({"": words.HELP}),
    )
