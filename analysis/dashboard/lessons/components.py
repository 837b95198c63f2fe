"""The lessons' own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@solara.component_vue("vue/lesson_bar.vue")
def LessonBar(payload: str) -> None:
    """Title, place, ways to other lessons, and how far the computation is."""


@solara.component_vue("vue/lesson_list.vue")
def LessonList(payload: str) -> None:
    """All lessons, and things to try."""


@solara.component_vue("vue/lesson_text.vue")
def LessonText(payload: str, event_reveal: Event | None = None, event_again: Event | None = None) -> None:
    """Story, prediction, answer. The prediction is kept in the browser and never sent."""


@solara.component_vue("vue/teacher_notes.vue")
def TeacherNotes(payload: str) -> None:
    """What only a teacher needs, folded."""


@component_vue("vue/pair_bars.vue", "measured")
def PairBars(payload: str) -> None:
    """Pairs of bars."""
