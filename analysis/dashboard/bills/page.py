"""The page of bills: what it shows follows from its address, and from files that are open in this tab alone."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.bills import words
from meanwatt.analysis.dashboard.bills.biller import Biller
from meanwatt.analysis.dashboard.bills.choice import moved, query
from meanwatt.analysis.dashboard.bills.components import BillsBar, MonthBars, RatePicture
from meanwatt.analysis.dashboard.bills.view import View
from meanwatt.analysis.dashboard.shared.components import BillMessages, Notices, Statement


@solara.component
def Bills() -> None:
    """Bill the home of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    biller = solara.use_memo(lambda: Biller(search), [])
    view, set_view = solara.use_state(solara.use_memo(biller.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def go(parts: Mapping[str, str]) -> None:
        written = query(biller.choice, parts)
        if written == search.lstrip("?"):  # a file of the same name, with other content
            biller.show(search)
        else:
            router.push(f"{router.path}?{written}" if written else router.path)

    def choose(message: Mapping[str, Any]) -> None:
        go(moved(biller.choice, str(message["key"]), str(message["value"])))

    def read(message: Mapping[str, Any]) -> None:
        for part, name in (biller.opened(message) or {}).items():
            go(moved(biller.choice, part, name))

    solara.use_effect(lambda: biller.listen(newest), [])
    solara.use_effect(lambda: biller.show(search), [search])
    Picture(view, biller, {"choose": choose, "read": read, "again": lambda _: biller.show(search)})


@solara.component
def Picture(view: View, biller: Biller, on: Mapping[str, Any]) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        BillsBar(
            payload=view.bar,
            event_choose=on["choose"],
            event_read=on["read"],
            event_again=on["again"],
            event_cancel=biller.cancel,
        )
        Notices(payload=view.notices, event_dismiss=biller.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare" + (" mw-old" if view.old else "")):
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card", children=[words.WAITING])
            found = view.figures
            if found is not None:
                if found.statement:
                    with solara.v.Html(tag="div", class_="mw-bill-wide"):
                        Statement(payload=found.statement)
                    with solara.v.Html(tag="div", class_="mw-stack"):
                        MonthBars(payload=found.bars)
                        Statement(payload=found.periods)
                        BillMessages(payload=found.messages)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    RatePicture(payload=found.rates)
                    if found.lived:
                        Statement(payload=found.lived)
                    if found.lived_says:
                        BillMessages(payload=found.lived_says)
