"""The recipe for a page of one's own keeps its word: its code runs, and its line makes a page of it."""

import json
import os
import re
import runpy
import sys
from pathlib import Path

import ipyvuetify
import pytest
import solara
from repository import ROOT
from solara.server.app import AppScript

from meanwatt.analysis.dashboard.pages import PAGES, Page, routes_of

RECIPE = (ROOT / "docs" / "how_to" / "extend_page.md").read_text(encoding="utf-8")
MODULE, LINE, OWN_FILE = re.findall(r"```python\n(.*?)```", RECIPE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe as a file of one's own."""
    made = tmp_path_factory.mktemp("own") / "rates.py"
    made.write_text(f"{MODULE}\n\n{OWN_FILE}", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def named(file: Path) -> dict:
    """Names of the recipe's module."""
    return runpy.run_path(str(file))


def drawn(named: dict, pathname: str):
    names = dict(named)
    exec(compile(LINE, "extend_page.md", "exec"), names)
    page = names["PAGES"][-1]
    assert isinstance(page, Page)
    shown = solara.RoutingProvider(children=[solara.RenderPage()], routes=routes_of((*PAGES, page)), pathname=pathname)
    return solara.render(shown, handle_error=False)[1]


def test_the_module_and_the_line_make_a_page_that_draws_the_tariff_of_its_address(named: dict) -> None:
    context = drawn(named, "/rates?tariff=tou")
    try:
        widgets = context.find(ipyvuetify.VuetifyTemplate).widgets
        told = [json.loads(widget.payload) for widget in widgets if hasattr(widget, "payload")]
        (navigation,) = [payload for payload in told if "here" in payload]
        (chart,) = [payload for payload in told if "panels" in payload]
    finally:
        context.close()
    assert (navigation["here"], navigation["pages"][-1]["title"]) == ("/rates", "Rates")
    assert chart["legend"][0]["text"] == "tariff tou, before any adder"
    (line,) = chart["panels"][0]["lines"]
    assert len(line["values"]) == 24
    assert len(set(line["values"])) > 1


def test_a_tariff_that_is_not_there_is_a_sentence(named: dict) -> None:
    context = drawn(named, "/rates?tariff=touu")
    try:
        assert "unknown tariff 'touu'; did you mean 'tou'?" in str(context.find(ipyvuetify.Html).widgets)
    finally:
        context.close()


def test_the_same_page_is_served_from_a_file_of_one_s_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # to which Solara adds
    monkeypatch.setattr(os, "environ", dict(os.environ))
    script = AppScript(str(file))
    try:
        script.check()
        assert [route.path for route in script.routes] == [
            "/",
            *(page.route[1:] for page in PAGES[1:] if page.component),
            "rates",
        ]
    finally:
        script.close()


def test_what_the_recipe_names_is_there() -> None:
    for name in re.findall(r"`((?:shared|help|take_away)/\w+\.py)`", RECIPE):
        assert (ROOT / "analysis" / "dashboard" / name).exists()
