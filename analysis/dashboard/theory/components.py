"""The theory lab's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@component_vue("vue/theory_bar.vue", "drafts")
def TheoryBar(payload: str, event_choose: Event | None = None) -> None:
    """Game, concept, discount and temperature; how far the solution is; what the concept is worth."""


@component_vue("vue/response_maps.vue", "measured")
def ResponseMaps(payload: str) -> None:
    """What each player answers the other, and the iteration between them round by round."""


@component_vue("vue/log_chart.vue", "measured", "ticks")
def LogChart(payload: str) -> None:
    """Lines over rounds or temperatures, on a logarithmic axis."""


@solara.component_vue("vue/solved_game.vue")
def SolvedGame(payload: str) -> None:
    """Policies and values by state."""
