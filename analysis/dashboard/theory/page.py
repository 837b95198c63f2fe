"""The page of the theory lab: what it shows follows from its address alone, so that a link and back repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.lessons.components import PairBars
from meanwatt.analysis.dashboard.shared.components import Notices
from meanwatt.analysis.dashboard.theory import words
from meanwatt.analysis.dashboard.theory.choice import from_query, query
from meanwatt.analysis.dashboard.theory.components import LogChart, ResponseMaps, SolvedGame, TheoryBar
from meanwatt.analysis.dashboard.theory.laboratory import Laboratory
from meanwatt.analysis.dashboard.theory.view import View


@solara.component
def Theory() -> None:
    """Solve the game of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    asked = solara.use_ref(search)
    laboratory = solara.use_memo(lambda: Laboratory(search), [])
    view, set_view = solara.use_state(solara.use_memo(laboratory.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def choose(message: Mapping[str, Any]) -> None:
        written = query(from_query(asked.current)[0], **{str(message["key"]): str(message["value"])})
        asked.current = written  # two choices may come before the address does
        router.push(f"{router.path}?{written}" if written else router.path)

    def show() -> None:
        asked.current = search
        laboratory.show(search)

    solara.use_effect(lambda: laboratory.listen(newest), [])
    solara.use_effect(show, [search])
    Picture(view, laboratory, choose)


@solara.component
def Picture(view: View, laboratory: Laboratory, on_choose: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        TheoryBar(payload=view.bar, event_choose=on_choose)
        Notices(payload=view.notices, event_dismiss=laboratory.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare mw-theory" + (" mw-old" if view.old else "")):
            if view.figures is None:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            else:
                with solara.v.Html(tag="div", class_="mw-stack"):
                    ResponseMaps(payload=view.figures.maps)
                    PairBars(payload=view.figures.values)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    LogChart(payload=view.figures.contraction)
                    if view.figures.errors:
                        LogChart(payload=view.figures.errors)
                    SolvedGame(payload=view.figures.table)
                    if not view.old:
                        Files(laboratory)


@solara.component
def Files(laboratory: Laboratory) -> None:
    """What a visitor can take home."""
    with solara.v.Html(tag="div", class_="mw-files"):
        solara.FileDownload(
            laboratory.csv,
            words.file_name(laboratory.choice),
            label="Download the solved game (CSV)",
            mime_type="text/csv",
        )
