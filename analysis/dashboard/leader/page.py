"""The page of the leader: what it shows follows from its address alone, so that a link and back repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import solara

from meanwatt.analysis.dashboard.leader import words
from meanwatt.analysis.dashboard.leader.choice import RUN, query
from meanwatt.analysis.dashboard.leader.components import (
    ConceptTable,
    LeaderBar,
    MeteredChart,
    RateParts,
    SearchChart,
    SurfaceChart,
    Terms,
)
from meanwatt.analysis.dashboard.leader.searcher import Searcher
from meanwatt.analysis.dashboard.leader.view import View
from meanwatt.analysis.dashboard.shared.components import DayChart, Notices, NumberTable
from meanwatt.analysis.dashboard.shared.side_table import SideTable


@solara.component
def Leader() -> None:
    """Search for the tariff of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    searcher = solara.use_memo(lambda: Searcher(search), [])
    view, set_view = solara.use_state(solara.use_memo(searcher.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def go(written: str) -> None:
        router.push(f"{router.path}?{written}" if written else router.path)

    def choose(message: Mapping[str, Any]) -> None:
        go(query(replace(searcher.choice, run=False), **{str(message["key"]): str(message["value"])}))

    def start(message: Mapping[str, Any]) -> None:
        moved = {str(key): str(value) for key, value in message["parts"].items()}
        if searcher.choice.run and not moved:  # the address says it already
            searcher.again(search)
        else:
            go(query(searcher.choice, **{**moved, RUN: "1"}))

    solara.use_effect(lambda: searcher.listen(newest), [])
    solara.use_effect(lambda: searcher.show(search), [search])
    Picture(view, searcher, choose, start)


@solara.component
def Picture(view: View, searcher: Searcher, on_choose: Any, on_search: Any) -> None:
    """Draw one view."""
    beside = searcher.beside
    with solara.v.Html(tag="div", class_="mw-page"):
        LeaderBar(payload=view.bar, event_choose=on_choose, event_search=on_search, event_cancel=searcher.cancel)
        Notices(payload=view.notices, event_dismiss=searcher.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare mw-leader"):
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            if view.figures is not None:
                with solara.v.Html(tag="div", class_="mw-stack"):
                    SearchChart(payload=view.figures.search)
                    NumberTable(payload=view.figures.numbers)
                    if view.figures.terms:
                        Terms(payload=view.figures.terms)
                    if view.beside.concepts:
                        ConceptTable(
                            payload=view.beside.concepts,
                            event_ask=searcher.compare,
                            event_halt=beside.concepts.halt,
                        )
                    if view.beside.rates:
                        DayChart(payload=view.beside.rates)
                    if view.beside.cold:
                        SideTable(payload=view.beside.cold, event_ask=searcher.ask_cold, event_halt=beside.cold.halt)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    DayChart(payload=view.figures.rates)
                    RateParts(payload=view.figures.parts)
                    DayChart(payload=view.figures.load)
                    if view.done:
                        Files(searcher)
                    if view.surface:
                        SurfaceChart(
                            payload=view.surface,
                            event_draw=searcher.draw,
                            event_halt=beside.surface.halt,
                            event_pick=searcher.pick,
                        )
                    if view.beside.metered:
                        MeteredChart(
                            payload=view.beside.metered,
                            event_learn=searcher.learn,
                            event_halt=beside.metered.halt,
                        )


@solara.component
def Files(searcher: Searcher) -> None:
    """What a visitor can take home."""
    with solara.v.Html(tag="div", class_="mw-files"):
        for make, ending, label, kind in (
            (searcher.toml, "toml", "Download the tariff (TOML)", "application/toml"),
            (searcher.csv, "csv", "Download the numbers (CSV)", "text/csv"),
        ):
            solara.FileDownload(make, words.file_name(searcher.choice, ending), label=label, mime_type=kind)
