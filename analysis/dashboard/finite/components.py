"""The finite page's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@solara.component_vue("vue/finite_bar.vue")
def FiniteBar(
    payload: str,
    event_choose: Event | None = None,
    event_draw: Event | None = None,
    event_cancel: Event | None = None,
) -> None:
    """Scenario, tariff, markets and seed; how far the drawing is; the verdict."""


@component_vue("vue/size_chart.vue", "measured")
def SizeChart(payload: str) -> None:
    """Dots and lines over the number of homes, both axes logarithmic."""


@solara.component_vue("vue/findings.vue")
def Findings(payload: str) -> None:
    """Criteria and how each ended."""
