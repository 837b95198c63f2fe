"""The page of the challenge: addresses, what a browser kept, and what comes of a submission."""

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.challenge.drawing import HOURS, Drawing
from meanwatt.analysis.challenge.hint import Hint
from meanwatt.analysis.dashboard.challenge import words
from meanwatt.analysis.dashboard.challenge.challenger import Challenger
from meanwatt.analysis.dashboard.challenge.choice import Choice, choice_of, from_query, query
from meanwatt.analysis.dashboard.challenge.tries import MOST, recalled, with_try
from meanwatt.analysis.dashboard.challenge.view import View, address
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.model.scenario.loading import presets

PATIENCE_S = 120
DRAWN = {"rates": [14] * 9 + [8] * 8 + [18] * 4 + [14] * 3, "export": 60, "parts": [1, 3, 6], "name": " Mine "}

tenths = st.integers(0, 600).map(lambda tenth: tenth / 1000)
drawings = st.builds(
    Drawing,
    rates_usd_per_kwh=st.lists(tenths, min_size=HOURS, max_size=HOURS).map(tuple),
    export_share=st.integers(0, 100).map(lambda percent: percent / 100),
    net_metering=st.just(value=False),
    parts=st.lists(st.integers(1, 100).map(lambda part: part / 10), min_size=3, max_size=3).map(tuple),
)


@given(drawing=drawings, computed=st.booleans(), scenario=st.sampled_from(sorted(presets())))
def test_an_address_gives_back_the_choice_it_was_written_from(drawing: Drawing, computed: bool, scenario: str) -> None:
    choice = replace(choice_of(scenario, drawing, computed=computed), board="ABCDEF" if computed else "")
    assert from_query(f"?{query(choice)}") == (choice, ())
    metered = choice_of(scenario, replace(drawing, net_metering=True, export_share=0.0))
    assert from_query(query(metered)) == (metered, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=oauh", "unknown scenario 'oauh'; did you mean 'oahu'?"),
        ("rates=8_8", "the rate is given for 2 hours; give it for 24"),
        (f"rates={'nan_' * 23}nan", "the rate is nan ¢/kWh; give 0 to 60"),
        (f"rates={'9_' * 23}1e9", "the rate is 1e+09 ¢/kWh; give 0 to 60"),
        ("rates=a_b", "rates is 'a_b'; give numbers joined by _, such as 8_8_16"),
        ("export=net_meterin", "export is 'net_meterin'; give numbers joined by _"),
        ("export=1_2", "export is '1_2'; give a percentage, e.g. 50, or net_metering"),
        ("board=ABCDE1", "board is 'ABCDE1'; give the 6 letters of a board"),
        ("computed=yes", "computed is 'yes'; give 1, or leave it out"),
        ("rate=8", "unknown parameter 'rate'; did you mean 'rates'?"),
    ],
)
def test_a_bad_address_is_told_in_one_sentence_and_nothing_is_drawn(text: str, problem: str) -> None:
    choice, problems = from_query(text)
    assert choice == Choice()
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    (notice,) = json.loads(Challenger(text).view().notices)
    assert notice["text"].startswith(problem)


def choice(cents: float) -> Choice:
    rates = (cents / 100,) * HOURS
    drawing = Drawing(rates_usd_per_kwh=rates, export_share=0.5, net_metering=False, parts=(1.0, 1.0, 1.0))
    return choice_of("textbook", drawing)


def test_attempts_survive_the_browser_and_what_is_none_is_left_out() -> None:
    tries = with_try(with_try((), choice(10), np.array([0.0, 0.1, 0.2]), ""), choice(11), np.ones(3), " the second ")
    assert [one.name for one in tries] == ["Try 1", "the second"]
    assert with_try(tries, replace(choice(10), computed=True), np.zeros(3), "again") == tries
    kept = json.loads(json.dumps([one.to_json() for one in tries]))
    assert recalled(kept, "textbook") == tries
    assert recalled(kept, "oahu") == ()
    good = kept[0]
    for bad in (
        {**good, "query": "rates=1_2"},
        {**good, "query": ""},
        {**good, "criteria": [0, 1]},
        {**good, "criteria": [0, 1, float("nan")]},
        {**good, "criteria": [0, 1, "2"]},
        "text",
        None,
    ):
        assert recalled([bad, good], "textbook") == tries[:1]
    assert recalled("text", "textbook") == ()
    many = tries
    for cents in range(12, 60):
        many = with_try(many, choice(cents), np.zeros(3), "")
    assert len(many) == MOST
    assert many[-1].choice == choice(59)
    assert len({one.name for one in many}) == MOST


class Watched:
    """A challenger and what it shows."""

    def __init__(self, search: str = "") -> None:
        self.challenger = Challenger(search)
        self.view = self.challenger.view()
        self.changed = threading.Condition()
        self.challenger.listen(self.see)

    def see(self, view: View) -> None:
        """Take a view that is published."""
        with self.changed:
            if view.number > self.view.number:
                self.view = view
            self.changed.notify_all()

    def until(self, part: str, holds) -> dict:
        """Wait until a part of the view is so, and return it."""
        end = time.monotonic() + PATIENCE_S
        with self.changed:
            while not holds(found := json.loads(getattr(self.view, part) or "{}")):
                assert self.changed.wait(end - time.monotonic()), f"{part} stayed {found}"
        return found

    def submit(self, **message) -> Choice:
        """Submit a tariff, and go where it is found."""
        choice = self.challenger.submitted(message)
        assert choice is not None
        self.challenger.show(query(choice))
        return choice


def test_three_submissions_are_scored_kept_and_followed_by_a_hint_and_the_computed_tariff_stands_beside_the_best() -> (
    None
):
    page = Watched()
    page.challenger.show("")
    page.submit(**DRAWN)  # while the scale is being computed, which goes on
    scores = page.until("scores", lambda scores: scores["mean"])
    first = page.until("tries", lambda tries: tries["rows"])["rows"]
    assert [row["name"] for row in first] == ["Mine"]
    assert [row["score"] for row in scores["rows"]] == first[0]["scores"]
    low, middle, high = (group["charge"] for group in json.loads(page.view.drawing)["groups"])
    amounts = [float(charge.removesuffix("/month").replace("$", "")) for charge in (low, middle, high)]
    assert amounts == pytest.approx([amounts[0], 3 * amounts[0], 6 * amounts[0]], abs=0.04)
    assert scores["wait"] == "After 2 more tries there is a hint."
    page.submit(**DRAWN | {"parts": [1, 1, 1], "name": ""})
    page.until("tries", lambda tries: len(tries["rows"]) == 2)
    assert json.loads(page.view.scores)["hint"] == ""
    page.challenger.recall({"scenario": "textbook", "tries": json.loads(page.view.tries)["store"]})
    assert json.loads(page.view.tries)["known"]
    page.submit(**DRAWN | {"export": "net_metering", "name": "Metered"})
    hinted = page.until("scores", lambda scores: scores["hint"])
    assert hinted["hint"].startswith("Hint: ")
    rows = json.loads(page.view.tries)["rows"]
    assert [row["name"] for row in rows] == ["Mine", "Try 2", "Metered"]
    assert [row["here"] for row in rows] == [False, False, True]
    assert [row["kept"] for row in rows][1] is False, "the same rates with equal parts are less equal and no better"

    page.challenger.show(query(replace(page.challenger.choice, computed=True)))
    figure = page.until("figure", bool)
    best = max(rows, key=lambda row: float(row["mean"].replace("−", "-")))
    assert [line["name"] for line in figure["panels"][0]["lines"]] == [best["name"], "computed"]
    assert f"Your best, {best['name']}: efficiency {best['scores'][0]}, equity {best['scores'][1]}" in figure["caption"]
    page.until("bar", lambda bar: bar["work"] is None)

    back = Watched(rows[0]["href"].partition("?")[2])
    began = time.monotonic()
    back.challenger.show(rows[0]["href"].partition("?")[2])
    again = back.until("scores", lambda scores: scores["mean"])
    assert [row["score"] for row in again["rows"]] == rows[0]["scores"]
    assert time.monotonic() - began < PATIENCE_S / 4, "nothing is solved twice on a server"
    page.challenger.clear()
    assert json.loads(page.view.tries)["rows"] == []
    for one in (page, back):
        one.challenger.close()


def test_two_players_see_each_other_on_a_board_and_one_comes_back_by_what_his_browser_kept() -> None:
    teacher, student = Watched(), Watched()
    opened = teacher.challenger.opened()
    teacher.challenger.show(query(opened))
    code = json.loads(teacher.view.board)["code"]
    assert student.challenger.found({"code": "AAAAAA"}) is None
    (notice,) = json.loads(student.view.notices)
    assert notice["text"] == f"{words.NO_BOARD}."
    where = student.challenger.found({"code": code.lower()})
    assert where == opened
    student.challenger.show(query(where))
    student.challenger.join({"name": "=1"})
    assert "name is '=1'; give 1 to 20 letters" in student.view.notices
    teacher.submit(**DRAWN)
    teacher.until("scores", lambda scores: scores["mean"])
    assert teacher.until("board", bool)["rows"] == [], "who has not joined does not play"
    teacher.challenger.join({"name": "Ms Ohm"})  # what is at hand counts
    student.challenger.join({"name": "Ada"})
    student.submit(**DRAWN | {"parts": [1, 1, 1]})
    rows = teacher.until("board", lambda board: len(board["rows"]) == 2 and board["rows"][1]["tries"] == 1)["rows"]
    assert {row["name"] for row in rows} == {"Ms Ohm", "Ada"}
    assert [row["here"] for row in rows] == [row["name"] == "Ms Ohm" for row in rows]
    seen = student.until("board", lambda board: [row["mean"] for row in board["rows"]] == [row["mean"] for row in rows])
    token = seen["token"]
    assert seen["name"] == "Ada"
    assert token not in teacher.view.board, "nobody plays as another one"
    student.until("bar", lambda bar: bar["work"] is None)
    tries = json.loads(student.view.tries)["rows"]
    assert f"board={code}" in tries[0]["href"]
    assert "board" not in json.loads(student.view.tries)["store"][0]["query"]
    student.challenger.close()

    again = Watched(query(where))
    again.challenger.come_back({"board": code, "token": "guessed"})
    assert json.loads(again.view.board)["name"] == ""
    again.challenger.come_back({"board": code, "token": token})
    assert json.loads(again.view.board)["name"] == "Ada"
    elsewhere = Watched(query(replace(where, scenario="oahu")))
    assert json.loads(elsewhere.view.board)["lost"] == words.NO_BOARD + "."
    for one in (teacher, again, elsewhere):
        one.challenger.close()


def test_what_may_not_be_submitted_is_told_and_stays_where_it_was() -> None:
    page = Watched()
    for change, problem in (
        ({"rates": ["nan"] * 24}, "the rate is nan ¢/kWh; give 0 to 60."),
        ({"rates": [900] * 24}, "the rate is 900 ¢/kWh; give 0 to 60."),
        ({"parts": [0, 0, 0]}, "no income group carries a part of the fixed charge; give at least one of them a part"),
    ):
        assert page.challenger.submitted(DRAWN | change) is None
        (notice,) = json.loads(page.view.notices)
        assert notice["title"] == "Not submitted."
        assert notice["text"].startswith(problem)
        assert page.challenger.choice == Choice()
    assert page.challenger.submitted({"rates": 5}) is None
    page.challenger.close()


def test_a_scale_that_is_stopped_is_told_so_and_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def endless(scenario: str, *, progress, cancelled) -> None:
        while not cancelled():
            time.sleep(0.01)
        asked.append(True)

    monkeypatch.setattr("meanwatt.analysis.dashboard.challenge.challenger.scale_of", endless)
    page = Watched()
    page.challenger.show("")
    page.until("bar", lambda bar: bar["work"] is not None)
    page.submit(**DRAWN)
    assert asked == [], "who submits does not begin anew"
    page.challenger.cancel()
    page.until("bar", lambda bar: bar["stopped"] and bar["work"] is None)
    page.challenger.show("scenario=oahu")
    page.until("bar", lambda bar: not bar["stopped"] and bar["scenario"] == "oahu")
    page.challenger.show("")
    page.challenger.close()
    end = time.monotonic() + PATIENCE_S
    while len(asked) < 4:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_words_carry_their_signs_and_links_lead_to_the_help() -> None:
    assert [words.score(value) for value in (-0.3, 99.6, -4076.2, float("nan"))] == ["0", "100", "−4076", "–"]
    assert words.measured(0, 0.01) == "−0.30"
    assert words.measured(0, -0.01) == "+0.30"
    assert words.measured(0, 0.0) == "0.00"
    assert words.charge(-3.2) == "−$3.20/month"
    assert words.until_hint(2) == "After 1 more try there is a hint."
    hint = Hint(first_hour=9, last_hour=12, change_usd_per_kwh=-0.02, gain=np.array([3.04, -0.2, 0.0]), mean_gain=0.9)
    assert words.hint(hint) == (
        "Hint: 2 ¢ cheaper at 9–12 h changes the scores by: efficiency +3.0, equity −0.2, stability 0.0;"
        " the mean +0.9. Computed, not guessed."
    )
    assert {words.HELP, *words.ANCHORS, "challenge-board"} <= set(texts.anchors())
    assert help_link(words.HELP) in Challenger("").view().scores
    assert address(Choice()) in {page.route for page in PAGES}
