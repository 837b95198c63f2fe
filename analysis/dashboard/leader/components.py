"""The leader page's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@component_vue("vue/leader_bar.vue", "drafts")
def LeaderBar(
    payload: str,
    event_choose: Event | None = None,
    event_search: Event | None = None,
    event_cancel: Event | None = None,
) -> None:
    """Scenario, leader, concept and weights; how far the search is; how it ended."""


@component_vue("vue/search_chart.vue", "measured")
def SearchChart(payload: str) -> None:
    """The objective of every tariff tried, the best so far, and that of the tariff in force."""


@solara.component_vue("vue/terms.vue")
def Terms(payload: str) -> None:
    """The parameters of the tariff found, what binds, and what the search says."""


@component_vue("vue/surface_chart.vue", "measured")
def SurfaceChart(
    payload: str,
    event_draw: Event | None = None,
    event_halt: Event | None = None,
    event_pick: Event | None = None,
) -> None:
    """Efficiency against equity, stability by size; a tariff that is picked is shown in the other figures."""


@solara.component_vue("vue/concepts.vue")
def ConceptTable(payload: str, event_ask: Event | None = None, event_halt: Event | None = None) -> None:
    """Key numbers under three concepts, and how each search ended."""


@solara.component_vue("vue/rate_parts.vue")
def RateParts(payload: str) -> None:
    """What is posted of a rate, what follows the wholesale price, and what recovers the cost."""


@component_vue("vue/metered_chart.vue", "measured")
def MeteredChart(payload: str, event_learn: Event | None = None, event_halt: Event | None = None) -> None:
    """What a learner's recommendations are worth beside the commitment, by days metered."""
