"""The compare page: what it shows follows from its address alone, so that a link, back and forward repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.compare import words
from meanwatt.analysis.dashboard.compare.choice import Choice, moved_to, query
from meanwatt.analysis.dashboard.compare.comparer import Comparer
from meanwatt.analysis.dashboard.compare.components import BillTable, CompareBar, PayerTable, SideCard, TermList
from meanwatt.analysis.dashboard.compare.sides import SIDES
from meanwatt.analysis.dashboard.compare.view import View
from meanwatt.analysis.dashboard.shared.components import DayChart, Notices, NumberTable, TariffDrawing


@solara.component
def Compare() -> None:
    """Show the two tariffs of the address; a choice goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    comparer = solara.use_memo(lambda: Comparer(search), [])
    view, set_view = solara.use_state(solara.use_memo(comparer.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def to(written: str) -> None:
        router.push(f"{router.path}?{written}" if written else router.path)

    def go(choice: Choice | None) -> None:
        if choice is not None:
            to(query(choice))

    def choose(message: Mapping[str, Any]) -> None:
        key, value = str(message["key"]), str(message["value"])
        if key == "scenario":
            to(moved_to(comparer.choice, value))
        elif value:  # empty: the edited tariff that is shown
            go(comparer.choice.named(key, value))

    solara.use_effect(lambda: comparer.listen(newest), [])
    solara.use_effect(lambda: comparer.show(search), [search])
    Picture(
        view,
        comparer,
        {
            "choose": choose,
            "swap": lambda _: go(comparer.choice.swapped()),
            "balance": lambda _: go(comparer.balanced()),
            "submitted": lambda message: go(comparer.submitted(message)),
            "discard": lambda message: go(comparer.discarded(message)),
            "read": lambda message: go(comparer.read(message)),
        },
    )


@solara.component
def Picture(view: View, comparer: Comparer, on: Mapping[str, Any]) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        CompareBar(payload=view.bar, event_choose=on["choose"], event_swap=on["swap"], event_balance=on["balance"])
        Notices(payload=view.notices, event_dismiss=comparer.dismiss)
        with solara.v.Html(tag="div", class_="mw-sides"):
            for card in view.cards:
                SideCard(payload=card, event_toggle=comparer.toggle, event_discard=on["discard"], event_read=on["read"])
        opened = "".join(side for side, form in zip(SIDES, view.forms, strict=True) if form)
        old, places = " mw-old" if view.stale else "", f" mw-designed-{opened}" if opened else ""
        with solara.v.Html(tag="main", class_=f"mw-compare{old}{places}"):
            for side, form in zip(SIDES, view.forms, strict=True):
                if form:
                    with solara.v.Html(tag="div", class_=f"mw-form-{side}").key(f"form {side}"):
                        TariffDrawing(payload=form, event_submitted=on["submitted"])
            if view.waiting:
                solara.v.Html(tag="p", class_="mw-card mw-stack-left", children=[words.WAITING])
            if view.figures is not None:
                with solara.v.Html(tag="div", class_="mw-stack mw-stack-left"):
                    NumberTable(payload=view.figures.numbers)
                    TermList(payload=view.figures.terms)
                    DayChart(payload=view.figures.day)
                with solara.v.Html(tag="div", class_="mw-stack mw-stack-right"):
                    PayerTable(payload=view.figures.payers)
                    BillTable(payload=view.figures.bills)
