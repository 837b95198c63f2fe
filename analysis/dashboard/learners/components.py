"""The learners' own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@solara.component_vue("vue/learner_bar.vue")
def LearnerBar(payload: str, event_cancel: Event | None = None, event_finish: Event | None = None) -> None:
    """What is under way, what became of it, and how to go on."""


@solara.component_vue("vue/learner_form.vue")
def LearnerForm(payload: str, event_choose: Event | None = None) -> None:
    """Town, tariff, size, mixture and learners' settings, sent together."""


@solara.component_vue("vue/herd_panel.vue")
def HerdPanel(payload: str) -> None:
    """The herd and its changes, with price moves before and after."""


@component_vue("vue/day_series.vue", "measured", "ticks")
def DaySeries(payload: str) -> None:
    """Lines over days, linear or logarithmic."""


@solara.component_vue("vue/learner_numbers.vue")
def LearnerNumbers(payload: str) -> None:
    """Key numbers of two or three markets."""
