"""What the buttons do: a day at a time, one solve at a time, and nothing after it was stopped."""
# ruff: noqa: D102

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from dashboard_fake import FakeEngine

from meanwatt.analysis.dashboard.market.controller import Controller
from meanwatt.analysis.dashboard.market.protocol import EngineStopped
from meanwatt.analysis.dashboard.market.run import AUTOPLAY_DAYS
from meanwatt.analysis.dashboard.market.tried import Tried, written
from meanwatt.analysis.dashboard.market.view import View
from meanwatt.analysis.dashboard.shared.notices import Notice
from meanwatt.analysis.dashboard.shared.settings import Settings

PATIENCE_S = 20.0
"""How long a test waits for a thread before it gives up; it says nothing about speed."""
PLAIN = Settings(scenario="textbook")


class Stand:
    """A controller with its engine, and every view it published."""

    def __init__(self, engine: FakeEngine | None = None, settings: Settings = PLAIN) -> None:
        self.engine = engine or FakeEngine()
        self.controller = Controller(self.engine, settings)
        self.views: list[View] = []
        self.news = threading.Condition()

    def listen(self, view: View) -> None:
        with self.news:
            self.views.append(view)
            self.news.notify_all()

    def start(self) -> "Stand":
        self.controller.start(self.listen)
        if self.engine.gate.is_set():
            self.until(lambda: self.bar()["ready"])
        return self

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with self.news:
            while not true():
                left = deadline - time.monotonic()
                assert left > 0, "the condition never came true"
                self.news.wait(min(left, 0.05))

    def newest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def bar(self) -> dict:
        return json.loads(self.newest().bar)

    def form(self) -> dict:
        return json.loads(self.newest().form)

    def notices(self) -> list[dict]:
        return json.loads(self.newest().notices)

    def field(self, key: str) -> dict:
        return next(field for part in self.form()["parts"] for field in part["fields"] if field["key"] == key)


@pytest.fixture
def stand():
    made = Stand().start()
    yield made
    made.controller.close()


@pytest.fixture
def gated():
    made = Stand(FakeEngine(gated=True)).start()
    yield made
    made.controller.close()


def test_a_step_is_exactly_one_day(stand: Stand) -> None:
    for day in (1, 2, 3):
        stand.controller.drive("step")
        assert (stand.engine.day, stand.newest().frame.day) == (day, day)


def test_nothing_moves_after_pause(stand: Stand) -> None:
    stand.controller.choose({"key": "speed", "value": "20"})
    stand.controller.drive("play")
    stand.until(lambda: stand.engine.day >= 3)
    stand.controller.drive("play")
    day, published = stand.engine.day, len(stand.views)
    time.sleep(0.4)
    assert (stand.engine.day, len(stand.views)) == (day, published)
    assert stand.newest().frame.day == day
    assert stand.bar()["playing"] is False


def test_at_most_ten_views_a_second_are_published_while_it_plays(stand: Stand) -> None:
    stand.controller.choose({"key": "speed", "value": "20"})
    before, began = len(stand.views), time.monotonic()
    stand.controller.drive("play")
    stand.until(lambda: stand.engine.day >= 20)
    stand.controller.drive("play")
    seconds = time.monotonic() - began
    assert len(stand.views) - before <= 10 * seconds + 4  # the first one comes at once, and play and pause publish too


def test_a_step_during_play_pauses_and_adds_one_day(stand: Stand) -> None:
    stand.controller.drive("play")
    stand.until(lambda: stand.engine.day >= 1)
    stand.controller.drive("step")
    day = stand.engine.day
    time.sleep(0.8)
    assert stand.engine.day == day


def test_reset_goes_to_day_zero_and_keeps_the_settings(stand: Stand) -> None:
    stand.controller.edit({"key": "tariff.pass_through", "value": "0.5"})
    stand.controller.apply()
    stand.until(lambda: stand.engine.settings.get("tariff.pass_through", 0.0) == 0.5)
    stand.controller.drive("step")
    stand.controller.drive("reset")
    assert stand.newest().frame.day == 0
    assert stand.field("tariff.pass_through")["applied"] == 0.5


def test_an_edit_is_a_draft_until_it_is_applied(stand: Stand) -> None:
    stand.controller.drive("step")
    stand.controller.edit({"key": "tariff.pass_through", "value": "0.5"})
    assert stand.form()["changes"] == "1 change not applied."
    assert (stand.field("tariff.pass_through")["value"], stand.field("tariff.pass_through")["applied"]) == (0.5, 0.0)
    assert stand.engine.settings == PLAIN
    assert stand.newest().frame.day == 1
    assert "pass_through" not in stand.bar()["query"]
    stand.controller.apply()
    stand.until(lambda: stand.form()["work"] is None and stand.newest().frame.day == 0)
    assert stand.form()["changes"] == ""
    assert stand.bar()["query"] == "scenario=textbook&tariff.pass_through=0.5"


def test_a_draft_can_be_forgotten(stand: Stand) -> None:
    stand.controller.edit({"key": "households", "value": "50"})
    stand.controller.undo()
    assert stand.form()["changes"] == ""
    assert stand.field("households")["value"] == 1000


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("households", "3", "households is 3; give a whole number from 10 to 100000."),
        ("households", "many", "households is 'many'; give a whole number."),
        ("seed", "-1", "seed is -1; give a whole number from 0 to 2147483647."),
        ("tariff.pass_through", "2", "tariff.pass_through is '2'; give a number from 0 to 1."),
        ("tariff.pass_through", "nan", "tariff.pass_through is 'nan'; give a number from 0 to 1."),
        ("tariff.recovery", "magic", "tariff.recovery is 'magic'; give one of volumetric, fixed, posted."),
    ],
)
def test_a_value_that_is_not_allowed_changes_nothing_and_is_told_at_its_field_until_it_is_mended(
    stand: Stand, key: str, value: str, words: str
) -> None:
    good = str(stand.field(key)["value"])
    stand.controller.edit({"key": key, "value": value})
    field = stand.field(key)
    assert field["problem"] == words
    assert (stand.form()["changes"], stand.form()["refused"], stand.form()["can_undo"]) == ("", True, True)
    if field["kind"] == "number":
        assert field["value"] == value  # what was typed stays to be mended
    stand.controller.edit({"key": key, "value": good})
    assert (stand.field(key)["problem"], stand.form()["refused"]) == ("", False)
    stand.controller.edit({"key": key, "value": value})
    stand.controller.undo()
    assert (str(stand.field(key)["value"]), stand.field(key)["problem"]) == (good, "")
    assert stand.form()["can_undo"] is False


def solved(stand: Stand, settings: Settings) -> None:
    stand.until(lambda: stand.engine.settings == settings and stand.form()["work"] is None)


def test_edits_outlive_a_change_of_tariff_where_they_have_a_place_and_come_back_by_undo_where_not(stand: Stand) -> None:
    for key, value in (("seed", "5"), ("elasticity", "0.2"), ("tariff.pass_through", "0.5")):
        stand.controller.edit({"key": key, "value": value})
    stand.controller.choose({"key": "tariff", "value": "tou"})
    solved(stand, Settings(scenario="textbook", tariff="tou"))
    assert (stand.field("seed")["value"], stand.field("elasticity")["value"]) == (5, 0.2)
    assert stand.field("tariff.pass_through")["value"] == 0.0
    assert [notice["title"] for notice in stand.notices()] == ["Your changes are put away."]
    assert stand.form()["changes"] == "2 changes not applied."
    stand.controller.undo()  # the draft
    stand.controller.undo()  # the tariff
    solved(stand, PLAIN)
    assert stand.form()["changes"] == "3 changes not applied."
    assert stand.field("tariff.pass_through")["value"] == 0.5
    assert stand.notices() == []


def test_what_was_applied_comes_back_after_another_scenario_and_undo_goes_to_the_beginning(stand: Stand) -> None:
    changed = PLAIN.with_change("tariff.pass_through", 0.5, 0.0)
    stand.controller.edit({"key": "tariff.pass_through", "value": "0.5"})
    stand.controller.apply()
    solved(stand, changed)
    stand.controller.choose({"key": "scenario", "value": "oahu"})
    solved(stand, Settings())
    stand.controller.undo()
    solved(stand, changed)
    assert stand.bar()["query"] == "scenario=textbook&tariff.pass_through=0.5"
    stand.controller.undo()
    solved(stand, PLAIN)
    assert stand.form()["can_undo"] is False


@pytest.mark.parametrize(
    "leave",
    [
        lambda stand: stand.controller.choose({"key": "scenario", "value": "oahu"}),
        lambda stand: stand.controller.choose({"key": "tariff", "value": "tou"}),
        lambda stand: (stand.controller.edit({"key": "seed", "value": "9"}), stand.controller.apply()),
        lambda stand: (stand.controller.edit({"key": "elasticity", "value": "0.2"}), stand.controller.apply()),
    ],
    ids=["scenario", "tariff", "seed", "town"],
)
def test_what_changed_is_not_said_any_longer_than_it_holds(stand: Stand, leave: Callable[[Stand], object]) -> None:
    stand.engine.said = (Notice(about="change", kind="warn", title="What changed:", text="Bills."),)
    stand.controller.variant()
    stand.until(lambda: [notice["title"] for notice in stand.notices()] == ["What changed:"])
    stand.engine.said = ()
    leave(stand)
    stand.until(lambda: stand.form()["work"] is None)
    assert "What changed:" not in [notice["title"] for notice in stand.notices()]


def test_figures_of_the_tariff_before_are_marked_as_old_until_the_new_one_is_solved(stand: Stand) -> None:
    assert not stand.newest().stale
    stand.engine.gate.clear()
    stand.controller.choose({"key": "tariff", "value": "tou"})
    assert stand.newest().stale
    stand.engine.gate.set()
    stand.until(lambda: stand.form()["work"] is None)
    assert not stand.newest().stale
    assert not any(view.stale for view in stand.views if not json.loads(view.bar)["ready"])  # a preview is of its own


def test_progress_is_shown_and_never_falls(gated: Stand) -> None:
    gated.until(lambda: gated.form()["work"] is not None and gated.form()["work"]["fraction"] == 0.25)
    assert gated.form()["work"]["text"] == "thinking"


def test_the_page_still_steps_while_a_tariff_is_solved(stand: Stand) -> None:
    stand.engine.gate.clear()
    stand.controller.variant()
    stand.controller.drive("step")
    assert stand.newest().frame.day == 1
    stand.engine.gate.set()
    stand.until(lambda: stand.newest().frame.day == 0)


def test_cancel_keeps_the_tariff_in_force_and_the_wish_as_a_draft(stand: Stand) -> None:
    stand.controller.drive("step")
    stand.engine.gate.clear()
    stand.controller.edit({"key": "tariff.pass_through", "value": "0.5"})
    stand.controller.apply()
    stand.controller.cancel()
    assert stand.form()["work"] is None
    assert [notice["title"] for notice in stand.notices()] == ["Cancelled."]
    assert (stand.engine.settings, stand.newest().frame.day) == (PLAIN, 1)
    assert stand.form()["changes"] == "1 change not applied."
    stand.engine.gate.set()
    time.sleep(0.1)
    assert stand.engine.settings == PLAIN


def test_only_the_last_of_two_solves_is_put_in_force(stand: Stand) -> None:
    late = stand.engine.deaf["tou"] = threading.Event()
    stand.controller.choose({"key": "tariff", "value": "tou"})
    stand.controller.choose({"key": "tariff", "value": "rtp"})
    stand.until(lambda: stand.engine.settings.tariff == "rtp" and stand.form()["work"] is None)
    late.set()
    stand.until(lambda: stand.engine.answered == 1)
    time.sleep(0.1)
    assert stand.engine.settings.tariff == "rtp"
    assert stand.bar()["query"] == "scenario=textbook&tariff=rtp"


@pytest.mark.parametrize(
    ("failure", "title", "text"),
    [
        (ValueError("memory is 7; give 0, 1 or 2"), "This cannot be solved.", "memory is 7; give 0, 1 or 2."),
        (ZeroDivisionError("oh"), "The solve failed.", "ZeroDivisionError: oh."),
    ],
)
def test_a_solve_that_fails_gives_a_sentence_and_keeps_the_page(
    stand: Stand, failure: Exception, title: str, text: str
) -> None:
    stand.engine.fail = failure
    stand.controller.variant()
    stand.until(lambda: stand.notices() != [])
    assert [(notice["kind"], notice["title"], notice["text"]) for notice in stand.notices()] == [("bad", title, text)]
    assert stand.engine.settings == PLAIN
    stand.controller.drive("step")
    assert stand.newest().frame.day == 1


def test_a_day_that_fails_stops_the_run_with_a_sentence(stand: Stand) -> None:
    stand.engine.fail_step = EngineStopped("1095 days are simulated; press Reset to begin again")
    stand.controller.drive("play")
    stand.until(lambda: stand.notices() != [])
    assert stand.notices()[0]["text"] == "1095 days are simulated; press Reset to begin again."
    assert stand.bar()["playing"] is False


def test_what_the_engine_says_of_a_tariff_is_shown_until_dismissed() -> None:
    engine = FakeEngine()
    engine.said = (Notice(about="solve", kind="bad", title="No price covers the cost.", text="The shortfall is 5."),)
    stand = Stand(engine).start()
    assert stand.notices()[0]["title"] == "No price covers the cost."
    stand.controller.dismiss({"text": "The shortfall is 5."})
    assert stand.notices() == []
    stand.controller.close()


def test_a_few_days_play_by_themselves_once_the_page_is_drawn_and_then_it_rests(stand: Stand) -> None:
    stand.controller.choose({"key": "speed", "value": "20"})
    stand.controller.arrived({"calm": False})
    stand.until(lambda: stand.engine.day == AUTOPLAY_DAYS and not stand.bar()["playing"])
    time.sleep(0.3)
    assert stand.engine.day == AUTOPLAY_DAYS


def test_nothing_plays_by_itself_for_those_who_asked_for_a_calm_page(stand: Stand) -> None:
    stand.controller.arrived({"calm": True})
    time.sleep(0.3)
    assert stand.engine.day == 0


def test_the_highlighted_button_changes_one_key_tells_it_against_its_reference_and_leads_back(stand: Stand) -> None:
    stand.controller.variant()
    stand.until(lambda: stand.engine.against is not None and stand.form()["work"] is None)
    variant, reference = stand.engine.settings, stand.engine.against
    assert set(variant.changes) ^ set(reference.changes) == {("tariff.export.rule", "net_metering")}
    assert dict(variant.changes)["tariff.recovery"] == dict(reference.changes)["tariff.recovery"] == "fixed"
    assert stand.bar()["call"]["label"] == "Back to the tariff before"
    assert stand.bar()["call"]["text"] == "How the cost is recovered goes back, too."  # it was not, before
    stand.controller.variant()
    solved(stand, PLAIN)
    assert stand.bar()["call"]["label"] == "What if solar earned the full price?"


def tray(stand: Stand) -> dict:
    return json.loads(stand.newest().tray)


def put_in_force(stand: Stand, tariff: str) -> None:
    stand.controller.choose({"key": "tariff", "value": tariff})
    solved(stand, Settings(scenario="textbook", tariff=tariff))


def test_every_applied_tariff_is_listed_once_and_a_press_goes_back_to_it_with_the_sample_at_hand(stand: Stand) -> None:
    for tariff in ("tou", "rtp"):
        put_in_force(stand, tariff)
    stand.controller.edit({"key": "seed", "value": "5"})
    stand.controller.apply()
    solved(stand, replace(PLAIN, tariff="rtp", seed=5))
    assert [row["now"] for row in tray(stand)["rows"]] == [True, False, False]
    first = tray(stand)["rows"][-1]["query"]
    stand.controller.go_back({"query": first})
    solved(stand, replace(PLAIN, seed=5))
    assert [row["now"] for row in tray(stand)["rows"]] == [False, False, True]
    stand.controller.go_back({"query": tray(stand)["rows"][0]["query"]})  # redo
    solved(stand, replace(PLAIN, tariff="rtp", seed=5))
    stand.controller.undo()
    solved(stand, replace(PLAIN, seed=5))
    stand.controller.go_back({"query": "scenario=textbook&tariff=flat"})  # not in the list
    stand.controller.go_back({})
    assert stand.form()["work"] is None
    assert stand.engine.settings == replace(PLAIN, seed=5)


def test_an_edit_that_is_left_by_going_back_comes_back_by_undo(stand: Stand) -> None:
    put_in_force(stand, "tou")
    stand.controller.edit({"key": "tariff.pass_through", "value": "0.5"})
    stand.controller.go_back({"query": "scenario=textbook"})
    solved(stand, PLAIN)
    stand.controller.undo()
    solved(stand, replace(PLAIN, tariff="tou"))
    assert stand.form()["changes"] == "1 change not applied."


def test_a_solve_that_fails_or_is_cancelled_is_not_listed(stand: Stand) -> None:
    stand.engine.fail = ValueError("no")
    stand.controller.choose({"key": "tariff", "value": "tou"})
    stand.until(lambda: stand.notices() != [] and stand.form()["work"] is None)
    assert [row["query"] for row in tray(stand)["rows"]] == ["scenario=textbook"]


def test_the_list_takes_in_what_the_browser_kept_and_each_scenario_has_its_own(stand: Stand) -> None:
    kept = written((Tried(settings=replace(PLAIN, tariff="tou"), welfare=-2.0),))
    assert not tray(stand)["known"]
    stand.engine.best[PLAIN.town] = 1.5
    stand.controller.recall({"scenario": "textbook", "text": kept})
    first = tray(stand)
    assert first["known"]
    stand.controller.recall({"scenario": "textbook", "text": kept})  # nothing new, and who asks waits for an answer
    assert {key for key, value in tray(stand).items() if value != first[key]} == {"known"}
    assert [row["query"] for row in tray(stand)["rows"]] == ["scenario=textbook", "scenario=textbook&tariff=tou"]
    assert [row["numbers"][0] for row in tray(stand)["rows"]] == ["2.500", "3.500"]
    stand.controller.recall({"scenario": "oahu", "text": kept})  # the page has moved on: not asked for
    stand.controller.choose({"key": "scenario", "value": "oahu"})
    solved(stand, Settings())
    assert (tray(stand)["known"], [row["now"] for row in tray(stand)["rows"]]) == (0, [True])
    text = stand.controller.tried_csv()
    assert "# scenario: oahu\n" in text
    stand.controller.choose({"key": "scenario", "value": "textbook"})
    solved(stand, PLAIN)
    assert len(tray(stand)["rows"]) == 2
    stand.controller.forget()
    assert [row["query"] for row in tray(stand)["rows"]] == ["scenario=textbook"]


def test_the_efficiency_gap_of_the_list_comes_with_the_first_best(stand: Stand) -> None:
    assert tray(stand)["rows"][0]["numbers"][0] == "–"
    stand.engine.later[PLAIN.town] = 0.25
    put_in_force(stand, "tou")
    stand.until(lambda: [row["numbers"][0] for row in tray(stand)["rows"]] == ["1.250", "1.250"])


def test_a_pin_waits_for_a_market_and_is_taken_off_by_the_same_button() -> None:
    gated = Stand(FakeEngine(gated=True)).start()
    gated.controller.pin()
    assert gated.engine.pinned is None
    gated.controller.close()
    stand = Stand().start()
    for pinned in (True, False):
        stand.controller.pin()
        assert json.loads(stand.newest().frame.baseline)["pinned"] is pinned
    stand.controller.close()


def test_close_stops_play_and_solve_and_frees_the_engine(stand: Stand) -> None:
    stand.controller.drive("play")
    stand.until(lambda: stand.engine.day >= 1)
    stand.engine.gate.clear()
    stand.controller.variant()
    stand.controller.close()
    assert stand.engine.closed
    day, published = stand.engine.day, len(stand.views)
    stand.engine.gate.set()
    deadline = time.monotonic() + PATIENCE_S
    while any(thread.name.startswith("meanwatt-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a thread outlived its page"
        time.sleep(0.02)
    assert (stand.engine.day, len(stand.views)) == (day, published)


def test_two_visitors_do_not_notice_each_other() -> None:
    one, two = Stand().start(), Stand().start()
    one.controller.drive("step")
    one.controller.edit({"key": "seed", "value": "5"})
    assert (two.newest().frame.day, two.form()["changes"]) == (0, "")
    one.controller.close()
    two.controller.drive("step")
    assert two.newest().frame.day == 1
    two.controller.close()
