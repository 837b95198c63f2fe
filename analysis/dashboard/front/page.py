"""The first page: the market, and below it links to things to try on all pages."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import functools

import solara

from meanwatt.analysis.dashboard.lessons.links import PAGES, link
from meanwatt.analysis.dashboard.lessons.things import THINGS
from meanwatt.analysis.dashboard.market.page import Market
from meanwatt.analysis.dashboard.shared.payload import to_json

SENTENCE = "New here? Each of these takes a minute, and something on the page moves."


@solara.component_vue("vue/things.vue")
def Things(payload: str) -> None:
    """Links to things to try."""


@solara.component
def Front() -> None:
    """Show the market, and things to try."""
    with solara.v.Html(tag="div"):
        Market()
        with solara.v.Html(tag="div", class_="mw-page mw-after"):
            Things(payload=_things())


@functools.cache
def _things() -> str:
    """JSON of the links."""
    links = [
        {
            "text": thing.to.text,
            "href": link(thing.to),
            "page": PAGES[thing.to.page],
            "here": thing.to.page == "market",  # another address of this page is loaded anew
        }
        for thing in THINGS
    ]
    return to_json({"title": "Things to try", "sentence": SENTENCE, "links": links, "all": "/lessons"})
