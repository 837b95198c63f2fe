"""The page of learners: what it shows follows from its address alone, so that a link and back repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.learners import components, words
from meanwatt.analysis.dashboard.learners.choice import query
from meanwatt.analysis.dashboard.learners.view import View
from meanwatt.analysis.dashboard.learners.watcher import Watcher
from meanwatt.analysis.dashboard.shared.components import DayChart, Notices


@solara.component
def Learners() -> None:
    """Simulate the learners of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    watcher = solara.use_memo(lambda: Watcher(search), [])
    view, set_view = solara.use_state(solara.use_memo(watcher.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def choose(message: Mapping[str, Any]) -> None:
        written = query(watcher.choice, **{str(key): str(value) for key, value in message.items()})
        router.push(f"{router.path}?{written}" if written else router.path)

    solara.use_effect(lambda: watcher.listen(newest), [])
    solara.use_effect(lambda: watcher.show(search), [search])
    Picture(view, watcher, choose, lambda _: watcher.show(search))


@solara.component
def Picture(view: View, watcher: Watcher, on_choose: Any, on_finish: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        components.LearnerBar(payload=view.bar, event_cancel=watcher.cancel, event_finish=on_finish)
        Notices(payload=view.notices, event_dismiss=watcher.dismiss)
        with solara.v.Html(tag="main", class_="mw-body"):
            with solara.v.Html(tag="div", class_="mw-stack"):
                components.HerdPanel(payload=view.herd)
                if view.waiting:
                    solara.v.Html(tag="div", class_="mw-card", children=[words.WAITING])
                if view.figures is not None:
                    with solara.v.Html(tag="div", class_="mw-compare mw-old" if view.old else "mw-compare"):
                        with solara.v.Html(tag="div", class_="mw-stack"):
                            components.DaySeries(payload=view.figures.errors)
                            DayChart(payload=view.figures.load)
                        with solara.v.Html(tag="div", class_="mw-stack"):
                            DayChart(payload=view.figures.hours)
                            components.DaySeries(payload=view.figures.volts)
                    with (
                        solara.v.Html(tag="div", class_="mw-old" if view.old else ""),
                        solara.v.Html(tag="div", class_="mw-stack"),
                    ):
                        components.LearnerNumbers(payload=view.figures.numbers)
                if view.done:
                    Files(watcher)
            with solara.v.Html(tag="div", class_="mw-stack"):
                components.LearnerForm(payload=view.form, event_choose=on_choose)


@solara.component
def Files(watcher: Watcher) -> None:
    """What a visitor can take home: the days, and the command that gives the same."""
    with solara.v.Html(tag="div", class_="mw-card mw-learner-files"):
        solara.FileDownload(
            watcher.csv, words.file_name(watcher.choice), label="Download the days as CSV", mime_type="text/csv"
        )
        solara.v.Html(tag="p", class_="mw-small", children=[words.SAME_DAYS])
        solara.v.Html(tag="code", class_="mw-learner-command", children=[watcher.choice.command])
