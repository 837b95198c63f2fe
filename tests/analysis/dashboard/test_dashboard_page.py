"""The page without a browser: components get the view as JSON, and what they report reaches the engine."""
# ruff: noqa: D102

import json
import time
from collections.abc import Callable

import ipyvuetify
import pytest
import solara
from dashboard_fake import FakeEngine

from meanwatt.analysis.dashboard.market.page import Dashboard

PATIENCE_S = 20.0


class Drawn:
    """The page drawn over a fake engine."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.box, self.render = solara.render(Dashboard(lambda: self.engine), handle_error=False)

    def widget(self, trait: str, name: str):
        """Give the only widget whose JSON in ``trait`` has the key ``name``."""
        found = [
            widget
            for widget in self.render.find(ipyvuetify.VuetifyTemplate).widgets
            if isinstance(getattr(widget, trait, None), str) and name in json.loads(getattr(widget, trait))
        ]
        (only,) = found
        return only

    def send(self, name: str, event: str, data: object) -> None:
        """Report what a visitor did, as the browser would."""
        getattr(self.widget("payload", name), f"vue_{event}")(data)

    def data(self, name: str) -> dict:
        return json.loads(self.widget("payload", name).payload)

    def notices(self) -> list[dict]:
        """Sentences above the page."""
        drawn = (getattr(widget, "payload", None) for widget in self.render.find(ipyvuetify.VuetifyTemplate).widgets)
        (only,) = [told for told in map(json.loads, filter(None, drawn)) if isinstance(told, list)]
        return only

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.01)


@pytest.fixture
def drawn():
    page = Drawn()
    page.until(lambda: page.data("sentence")["ready"])
    yield page
    page.render.close()


def test_the_page_draws_and_steps(drawn: Drawn) -> None:
    assert drawn.data("sentence")["sentence"].startswith("1,000 homes answer tonight's price.")
    drawn.send("sentence", "drive", "step")
    assert drawn.data("sentence")["day"] == 1


def test_an_edit_reaches_the_draft_and_apply_the_engine(drawn: Drawn) -> None:
    drawn.send("parts", "edit", {"key": "tariff.pass_through", "value": "0.25"})
    assert drawn.data("parts")["changes"] == "1 change not applied."
    drawn.send("parts", "apply", {})
    drawn.until(lambda: drawn.engine.settings.get("tariff.pass_through", 0.0) == 0.25)
    drawn.until(lambda: drawn.data("parts")["changes"] == "")


def test_a_solve_that_fails_leaves_a_page_with_a_sentence(drawn: Drawn) -> None:
    drawn.engine.fail = ZeroDivisionError("oh")
    drawn.send("sentence", "variant", {})
    drawn.until(lambda: drawn.data("parts")["work"] is None)
    drawn.send("sentence", "drive", "step")
    drawn.until(lambda: drawn.data("sentence")["day"] == 1)  # the thread that solved may still be drawing
    assert [notice["title"] for notice in drawn.notices()] == ["The solve failed."]


def test_a_pin_and_the_list_of_tariffs_tried_reach_the_engine(drawn: Drawn) -> None:
    drawn.send("word", "pin", {})
    assert drawn.data("word")["pinned"] is True
    drawn.send("tray", "recall", {"scenario": "oahu", "text": ""})
    drawn.send("sentence", "choose", {"key": "tariff", "value": "tou"})
    drawn.until(lambda: [row["now"] for row in drawn.data("tray")["rows"]] == [True, False])
    drawn.send("tray", "go_back", {"query": drawn.data("tray")["rows"][-1]["query"]})
    drawn.until(lambda: drawn.engine.settings.tariff == "filed" and drawn.data("parts")["work"] is None)
    drawn.send("tray", "forget", {})
    drawn.until(lambda: len(drawn.data("tray")["rows"]) == 1)


def test_leaving_the_page_closes_the_engine() -> None:
    page = Drawn()
    page.until(lambda: page.data("sentence")["ready"])
    page.render.close()
    assert page.engine.closed
