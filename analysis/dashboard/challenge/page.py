"""The page of the challenge: what it shows follows from its address, so that a link, back and forward repeat it."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import solara

from meanwatt.analysis.dashboard.challenge.challenger import Challenger
from meanwatt.analysis.dashboard.challenge.choice import Choice
from meanwatt.analysis.dashboard.challenge.components import BoardCard, ChallengeBar, ScoreCard, TryList
from meanwatt.analysis.dashboard.challenge.view import View, address
from meanwatt.analysis.dashboard.shared.components import DayChart, Notices, TariffDrawing


@solara.component
def Challenge() -> None:
    """Score the tariff of the address; what is submitted goes into the address and comes back from there."""
    router = solara.use_router()
    search = router.search or ""
    challenger = solara.use_memo(lambda: Challenger(search), [])
    view, set_view = solara.use_state(solara.use_memo(challenger.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    def submitted(message: Mapping[str, Any]) -> None:
        choice = challenger.submitted(message)
        if choice is not None:
            go(choice)

    def found(message: Mapping[str, Any]) -> None:
        choice = challenger.found(message)
        if choice is not None:
            go(choice)

    def go(choice: Choice) -> None:
        router.push(address(choice))

    solara.use_effect(lambda: challenger.listen(newest), [])
    solara.use_effect(lambda: challenger.show(search), [search])
    Picture(
        view,
        challenger,
        {
            "choose": lambda message: router.push(f"{router.path}?scenario={message['value']}"),
            "submitted": submitted,
            "opened": lambda _: go(challenger.opened()),
            "found": found,
            "reveal": lambda _: go(replace(challenger.choice, computed=not challenger.choice.computed)),
            "resume": lambda _: challenger.show(search),
        },
    )


@solara.component
def Picture(view: View, challenger: Challenger, on: Mapping[str, Any]) -> None:
    """Draw one view."""
    with solara.v.Html(tag="div", class_="mw-page"):
        ChallengeBar(
            payload=view.bar, event_choose=on["choose"], event_cancel=challenger.cancel, event_resume=on["resume"]
        )
        Notices(payload=view.notices, event_dismiss=challenger.dismiss)
        with solara.v.Html(tag="main", class_="mw-compare mw-challenge"):
            with solara.v.Html(tag="div", class_="mw-stack"):
                TariffDrawing(payload=view.drawing, event_submitted=on["submitted"])
            with solara.v.Html(tag="div", class_="mw-stack"):
                ScoreCard(payload=view.scores, event_reveal=on["reveal"])
                if view.figure:
                    DayChart(payload=view.figure)
                BoardCard(
                    payload=view.board,
                    event_open=on["opened"],
                    event_find=on["found"],
                    event_join=challenger.join,
                    event_come_back=challenger.come_back,
                )
                TryList(payload=view.tries, event_recall=challenger.recall, event_clear=challenger.clear)
