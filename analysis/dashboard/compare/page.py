"""The compare page: what it shows follows from its address alone, so that a link, back and forward repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import solara

from meanwatt.analysis.dashboard.compare import words
from meanwatt.analysis.dashboard.compare.choice import Choice, query
from meanwatt.analysis.dashboard.compare.comparer import Comparer
from meanwatt.analysis.dashboard.compare.components import CompareBar, PayerTable
from meanwatt.analysis.dashboard.compare.view import View
from meanwatt.analysis.dashboard.shared.components import DayChart, Notices, NumberTable


@solara.component
def Compare() -> None:
    """Show the two tariffs of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    comparer = solara.use_memo(lambda: Comparer(search), [])
    view, set_view = solara.use_state(solara.use_memo(comparer.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def go(choice: Choice) -> None:
        written = query(choice)
        router.push(f"{router.path}?{written}" if written else router.path)

    def choose(message: Mapping[str, Any]) -> None:
        go(replace(comparer.choice, **{str(message["key"]): str(message["value"])}))

    solara.use_effect(lambda: comparer.listen(newest), [])
    solara.use_effect(lambda: comparer.show(search), [search])
    Picture(view, comparer, choose, lambda _: go(comparer.choice.swapped()))


@solara.component
def Picture(view: View, comparer: Comparer, on_choose: Any, on_swap: Any) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        CompareBar(payload=view.bar, event_choose=on_choose, event_swap=on_swap)
        Notices(payload=view.notices, event_dismiss=comparer.dismiss)
        with solara.v.Html(tag="main", class_=f"mw-compare {'mw-old' if view.stale else ''}"):
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            if view.figures is not None:
                with solara.v.Html(tag="div", class_="mw-stack"):
                    NumberTable(payload=view.figures.numbers)
                    DayChart(payload=view.figures.day)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    PayerTable(payload=view.figures.payers)
