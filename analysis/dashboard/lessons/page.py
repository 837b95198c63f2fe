"""The page of lessons: what it shows follows from its address alone, so that a link, back and forward repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from dataclasses import replace
from typing import Any

import solara

from meanwatt.analysis.dashboard.finite.components import SizeChart
from meanwatt.analysis.dashboard.lessons import components, words
from meanwatt.analysis.dashboard.lessons.choice import Choice
from meanwatt.analysis.dashboard.lessons.classroom import Classroom
from meanwatt.analysis.dashboard.lessons.drawing import Kind
from meanwatt.analysis.dashboard.lessons.view import View, address
from meanwatt.analysis.dashboard.shared.components import CurveChart, DayChart, Notices

CHARTS = {
    Kind.CURVES: CurveChart,
    Kind.BARS: components.PairBars,
    Kind.DAY: DayChart,
    Kind.DOTS: SizeChart,
}


@solara.component
def Lessons() -> None:
    """Show the lesson of the address, or the list of all."""
    router = solara.use_router()
    search = router.search or ""
    classroom = solara.use_memo(lambda: Classroom(search), [])
    view, set_view = solara.use_state(solara.use_memo(classroom.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def go(choice: Choice) -> None:
        router.push(address(choice))

    solara.use_effect(lambda: classroom.listen(newest), [])
    solara.use_effect(lambda: classroom.show(search), [search])
    Picture(
        view,
        classroom,
        lambda _: go(replace(classroom.choice, shown=True)),
        lambda _: go(replace(classroom.choice, shown=False)),
    )


@solara.component
def Picture(view: View, classroom: Classroom, on_reveal: Any, on_again: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        components.LessonBar(payload=view.bar)
        Notices(payload=view.notices, event_dismiss=classroom.dismiss)
        if view.listing:
            with solara.v.Html(tag="main"):
                components.LessonList(payload=view.listing)
        else:
            with solara.v.Html(tag="main", class_="mw-compare mw-lesson"):
                with solara.v.Html(tag="div", class_="mw-stack"):
                    components.LessonText(payload=view.text, event_reveal=on_reveal, event_again=on_again)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    if view.waiting:
                        solara.v.Html(tag="p", class_="mw-card mw-lesson-wait", children=[words.WAITING])
                    if view.kind is not None:
                        CHARTS[view.kind](payload=view.figure)
                    components.TeacherNotes(payload=view.notes)
