"""The page of hosting capacity: what it shows follows from its address alone, so that a link and back repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.hosting import words
from meanwatt.analysis.dashboard.hosting.choice import query
from meanwatt.analysis.dashboard.hosting.sweeper import Sweeper
from meanwatt.analysis.dashboard.hosting.view import View
from meanwatt.analysis.dashboard.shared.components import CurveChart, Notices, StudyBar
from meanwatt.analysis.dashboard.shared.side_table import SideTable


@solara.component
def Hosting() -> None:
    """Sweep what the address asks for; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    sweeper = solara.use_memo(lambda: Sweeper(search), [])
    view, set_view = solara.use_state(solara.use_memo(sweeper.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def go(**asked: str) -> None:
        written = query(sweeper.choice, **asked)
        router.push(f"{router.path}?{written}" if written else router.path)

    def choose(message: Mapping[str, Any]) -> None:
        go(**{str(message["key"]): str(message["value"])})

    solara.use_effect(lambda: sweeper.listen(newest), [])
    solara.use_effect(lambda: sweeper.show(search), [search])
    Picture(view, sweeper, choose, lambda _: sweeper.show(search), lambda _: go(designed="1"))


@solara.component
def Picture(view: View, sweeper: Sweeper, on_choose: Any, on_begin: Any, on_design: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        StudyBar(payload=view.bar, event_choose=on_choose, event_draw=on_begin, event_cancel=sweeper.cancel)
        Notices(payload=view.notices, event_dismiss=sweeper.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare mw-hosting"):
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            if view.figures is not None:
                charts, tables = view.figures.charts, view.figures.tables
                with solara.v.Html(tag="div", class_="mw-stack"):
                    for payload in charts[::2]:
                        CurveChart(payload=payload)
                    for payload in tables[:1]:
                        SideTable(payload=payload)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    for payload in charts[1::2]:
                        CurveChart(payload=payload)
                    for payload in tables[1:]:
                        SideTable(payload=payload)
                    if view.offer:
                        SideTable(payload=view.offer, event_ask=on_design)
                    if view.done:
                        Files(sweeper)


@solara.component
def Files(sweeper: Sweeper) -> None:
    """What a visitor can take home."""
    with solara.v.Html(tag="div", class_="mw-files"):
        for make, ending, label, kind in (
            (sweeper.report, "html", "Download the report", "text/html"),
            (sweeper.csv, "csv", "Download first violations as CSV", "text/csv"),
            (sweeper.states, "parquet", "Download worst states as Parquet", "application/vnd.apache.parquet"),
        ):
            solara.FileDownload(make, words.file_name(sweeper.choice, ending), label=label, mime_type=kind)
