"""The door: routes and navigation are made from the list of pages, and Solara finds them in both of its doors."""

import json
import os
import sys

import ipyvuetify
import pytest
import solara
from dashboard_fake import FakeEngine
from repository import ROOT
from solara.server.app import AppScript
from solara.widgets import Navigator

from meanwatt.analysis.dashboard.market.page import Dashboard
from meanwatt.analysis.dashboard.pages import PAGES, PLAIN_PAGES, Layout, Page, routes, routes_of
from meanwatt.analysis.dashboard.server import ENVIRONMENT


@solara.component
def Hello() -> None:  # noqa: N802 - a component
    """A page of one word."""
    solara.Text(f"hello {solara.use_router().search}")


MINE = Page(route="/hello", title="Hello", summary="One word.", component=Hello)


def drawn(pages: tuple[Page, ...], pathname: str):
    """The page at an address, as Solara draws it, without a browser."""
    shown = solara.RoutingProvider(children=[solara.RenderPage()], routes=routes_of(pages), pathname=pathname)
    _, context = solara.render(shown, handle_error=False)
    return context


def navigation(context) -> dict:
    """What the navigation is told."""
    told = [
        json.loads(widget.payload)
        for widget in context.find(ipyvuetify.VuetifyTemplate).widgets
        if isinstance(getattr(widget, "payload", None), str)
    ]
    (only,) = [payload for payload in told if "here" in payload]
    return only


@pytest.mark.parametrize("door", ["meanwatt.analysis.dashboard.pages", str(ROOT / "app.py")])
def test_solara_finds_every_page_in_the_program_and_in_the_file_for_its_own_tools(
    door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # to which it adds
    monkeypatch.setattr(os, "environ", dict(os.environ))
    script = AppScript(door)
    try:
        script.check()
        assert [(route.path, route.component) for route in script.routes] == [
            ("/" if page.route == "/" else page.route[1:], page.component) for page in PAGES if page.component
        ]
    finally:
        script.close()


def test_the_landing_page_is_the_market() -> None:
    assert [(page.route, page.title) for page in PAGES][:1] == [("/", "Market")]
    assert [route.path for route in routes] == [
        "/",
        "compare",
        "bills",
        "finite",
        "hosting",
        "leader",
        "theory",
        "learners",
        "lessons",
        "challenge",
        "help",
    ]
    assert all(page.summary.endswith(".") for page in PAGES)


def test_one_more_line_is_one_more_page_with_its_place_in_the_navigation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLAIN_PAGES, "yes")
    context = drawn((*PAGES, MINE), "/hello?day=3")
    try:
        assert "hello day=3" in str(context.find(ipyvuetify.Html).widgets)
        told = navigation(context)
        assert told["here"] == "/hello"
        assert [page["title"] for page in told["pages"]] == [*(page.title for page in PAGES), "Hello"]
    finally:
        context.close()


def test_a_page_that_only_its_own_server_answers_is_listed_by_that_server_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(PLAIN_PAGES, raising=False)
    context = drawn(PAGES, "/help")
    try:
        told = navigation(context)["pages"]
        assert [page["title"] for page in told] == [page.title for page in PAGES if page.component]
        assert not any(page["plain"] for page in told)
        assert [page.title for page in PAGES if page.component is None] == ["Class market"]
        assert "MEANWATT_PLAIN_PAGES" in ENVIRONMENT
    finally:
        context.close()


@pytest.mark.parametrize("pathname", ["/help", "/help?scenario=oahu"])
def test_the_navigation_knows_which_page_is_open(pathname: str) -> None:
    context = drawn(PAGES, pathname)
    try:
        assert navigation(context)["here"] == "/help"
    finally:
        context.close()


def test_who_goes_to_another_page_ends_the_run_and_who_comes_back_begins_with_the_address() -> None:
    engines: list[FakeEngine] = []

    def made() -> FakeEngine:
        engines.append(FakeEngine())
        return engines[-1]

    @solara.component
    def Market() -> None:  # noqa: N802 - a component
        Dashboard(made, solara.use_router().search or "")

    context = drawn((Page(route="/", title="Market", summary="A run.", component=Market), MINE), "/?seed=3")
    try:
        navigator = context.find(Navigator).widget
        navigator.location = "/hello"  # what a browser sends
        assert [engine.closed for engine in engines] == [True]
        navigator.location = "/?seed=4"
        assert [engine.closed for engine in engines] == [True, False]
        assert [engine.settings.seed for engine in engines] == [3, 4]
    finally:
        context.close()
    assert engines[-1].closed


@pytest.mark.parametrize("route", ["hello", "/Hello", "/a/b", "/hello/", "//", ""])
def test_a_route_that_is_none_is_refused(route: str) -> None:
    with pytest.raises(ValueError, match="give '/' or one word after it, such as '/compare'"):
        Page(route=route, title="Hello", summary="One word.", component=Hello)


def test_two_pages_cannot_have_one_route_and_one_page_opens_first() -> None:
    with pytest.raises(ValueError, match="two pages have the route '/hello'; give each its own"):
        routes_of((*PAGES, MINE, MINE))
    with pytest.raises(ValueError, match="no page has the route '/'; give it to the one that opens first"):
        routes_of((MINE,))


def test_the_layout_goes_around_every_page() -> None:
    layouts = [route.layout for route in routes]
    assert layouts[0].func is Layout
    assert layouts[1:] == [None] * (len([page for page in PAGES if page.component]) - 1)
