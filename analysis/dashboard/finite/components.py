"""The finite page's own Vue components. Each takes its data as one JSON string."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@component_vue("vue/size_chart.vue", "measured")
def SizeChart(payload: str) -> None:
    """Dots and lines over the number of homes, both axes logarithmic."""


@solara.component_vue("vue/findings.vue")
def Findings(payload: str) -> None:
    """Criteria and how each ended."""
