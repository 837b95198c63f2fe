"""Vue components that more than one page uses. Each takes its data as one JSON string."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Callable
from typing import Any

import solara

from meanwatt.analysis.dashboard.shared.vue_component import component_vue

Event = Callable[[Any], None]


@solara.component_vue("vue/notices.vue")
def Notices(payload: str, event_dismiss: Event | None = None) -> None:
    """Sentences about what went wrong, or what changed."""


@component_vue("vue/day_chart.vue", "measured", "pointed", "ticks")
def DayChart(payload: str) -> None:
    """Lines over the 24 hours of a day, in panels."""


@solara.component_vue("vue/number_table.vue")
def NumberTable(payload: str) -> None:
    """Key numbers of two sides, with arrow, sign and verdict."""


@component_vue("vue/tariff_drawing.vue", "measured")
def TariffDrawing(payload: str, event_submitted: Event | None = None) -> None:
    """The tariff to draw. What is drawn stays in the browser until it is submitted."""


@component_vue("vue/curve_chart.vue", "measured", "ticks")
def CurveChart(payload: str) -> None:
    """Lines over a number, with marks, and a limit if there is one."""


@solara.component_vue("vue/study_bar.vue")
def StudyBar(
    payload: str,
    event_choose: Event | None = None,
    event_draw: Event | None = None,
    event_cancel: Event | None = None,
) -> None:
    """Choices and a seed of a study that takes a while; how far it is; the verdict."""


@solara.component_vue("vue/statement.vue")
def Statement(payload: str) -> None:
    """A table of a bill: a row for each month, period or part."""


@solara.component_vue("vue/bill_messages.vue")
def BillMessages(payload: str) -> None:
    """What is to be said of a bill, a sentence each."""
