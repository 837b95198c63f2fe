"""The page of finite markets: what it shows follows from its address alone, so that a link and back repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.finite import words
from meanwatt.analysis.dashboard.finite.choice import query
from meanwatt.analysis.dashboard.finite.components import Findings, SizeChart
from meanwatt.analysis.dashboard.finite.sampler import Sampler
from meanwatt.analysis.dashboard.finite.view import View
from meanwatt.analysis.dashboard.shared.components import Notices, StudyBar
from meanwatt.analysis.dashboard.shared.side_table import SideTable


@solara.component
def Finite() -> None:
    """Draw the markets of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    sampler = solara.use_memo(lambda: Sampler(search), [])
    view, set_view = solara.use_state(solara.use_memo(sampler.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def choose(message: Mapping[str, Any]) -> None:
        written = query(sampler.choice, **{str(message["key"]): str(message["value"])})
        router.push(f"{router.path}?{written}" if written else router.path)

    solara.use_effect(lambda: sampler.listen(newest), [])
    solara.use_effect(lambda: sampler.show(search), [search])
    Picture(view, sampler, choose, lambda _: sampler.show(search))


@solara.component
def Picture(view: View, sampler: Sampler, on_choose: Any, on_draw: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        StudyBar(payload=view.bar, event_choose=on_choose, event_draw=on_draw, event_cancel=sampler.cancel)
        Notices(payload=view.notices, event_dismiss=sampler.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare"):
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            if view.figures is not None:
                with solara.v.Html(tag="div", class_="mw-stack"):
                    SizeChart(payload=view.figures.load)
                    if view.figures.gain:
                        SizeChart(payload=view.figures.gain)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    if view.figures.findings:
                        Findings(payload=view.figures.findings)
                    if view.floors:
                        SideTable(payload=view.floors, event_ask=sampler.measure, event_halt=sampler.floors.halt)
                    if view.done:
                        Files(sampler)


@solara.component
def Files(sampler: Sampler) -> None:
    """What a visitor can take home."""
    with solara.v.Html(tag="div", class_="mw-files"):
        for make, ending, label, kind in (
            (sampler.report, "html", "Download the report", "text/html"),
            (sampler.csv, "csv", "Download the markets as CSV", "text/csv"),
        ):
            solara.FileDownload(make, words.file_name(sampler.choice, ending), label=label, mime_type=kind)
