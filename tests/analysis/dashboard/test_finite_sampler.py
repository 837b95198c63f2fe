"""The thread behind the finite page: views as markets come, another choice meanwhile, a failure, a stop, an end."""
# ruff: noqa: D102

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from compared_tariffs import solution

from meanwatt.analysis.dashboard.finite import sampler
from meanwatt.analysis.dashboard.finite.choice import SIZES, Choice
from meanwatt.analysis.dashboard.finite.drawing import nothing_drawn
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.finite.sampler import Sampler
from meanwatt.analysis.dashboard.finite.view import View
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.validation.sample import Sample
from meanwatt.analysis.validation.study import validate

PATIENCE_S = 20.0
FEW = Sample(households=(10, 30), replications=2, days=2, seed=0)
SEARCH = "scenario=textbook&tariff=rtp"


class Stand:
    """A sampler whose drawing waits for the test, and what it published."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.drawing: list[str] = []
        self.given_up: list[str] = []
        self.fail: Exception | None = None
        self.study = False
        self.views: list[View] = []
        self.sampler = Sampler(SEARCH, solve=self.solve, draw=self.draw)
        self.end = self.sampler.listen(self.views.append)

    def solve(
        self,
        settings: Settings,
        *,
        start: Solution | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Solution | None:
        progress(Work(text="Solving: prices", fraction=0.5))
        return solution(settings.tariff)

    def draw(
        self,
        choice: Choice,
        solved: Solution,
        *,
        show: Callable[[Drawn], None],
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Drawn | None:
        self.drawing.append(choice.tariff)
        if self.fail is not None:
            raise self.fail
        first = nothing_drawn(solved, SIZES)
        if self.study:
            first = replace(first, study=validate(solved.equilibrium, FEW, checks=()))
        show(first)
        while not self.gate.wait(0.005):
            progress(Work(text="Drawing: 0 of 60 markets", fraction=0.5))
            if cancelled():
                self.given_up.append(choice.tariff)
                return None
        return first

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def bar(self) -> dict:
        return json.loads(self.latest().bar)

    def drawn(self) -> bool:
        return bool(self.views) and self.latest().figures is not None


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.gate.set()
    made.end()


def test_the_law_is_there_while_markets_are_drawn_and_the_progress_never_falls(stand: Stand) -> None:
    assert stand.sampler.view().waiting
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)
    assert stand.bar()["work"]["text"] == "Drawing: 0 of 60 markets"
    stand.gate.set()
    stand.until(lambda: stand.bar()["work"] is None)
    told = [work["fraction"] for view in stand.views if (work := json.loads(view.bar)["work"])]
    assert told == sorted(told)
    assert 0.6 in told  # a fifth is the solve, and half of the rest


def test_another_choice_gives_up_the_markets_under_way_and_its_figures_are_its_own(stand: Stand) -> None:
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)
    stand.sampler.show("scenario=textbook&tariff=filed")
    stand.until(lambda: stand.given_up == ["rtp"])
    stand.until(lambda: stand.drawing == ["rtp", "filed"])
    stand.gate.set()
    stand.until(lambda: stand.bar()["work"] is None)
    law = nothing_drawn(solution("filed"), SIZES).law_kw
    figures = stand.latest().figures
    assert figures is not None
    assert json.loads(figures.load)["lines"][0]["values"] == [1000 * value for value in law]


def test_who_stops_keeps_what_is_there_and_may_draw_again(stand: Stand) -> None:
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)
    stand.sampler.cancel()
    stand.until(lambda: stand.given_up == ["rtp"])
    assert stand.bar()["work"] is None
    assert stand.bar()["stopped"]
    assert stand.latest().figures is not None
    stand.sampler.show(SEARCH)
    stand.until(lambda: stand.drawing == ["rtp", "rtp"])


def test_a_failure_is_a_sentence_and_the_page_stays(stand: Stand) -> None:
    stand.fail = ValueError("no market today")
    stand.sampler.show(SEARCH)
    stand.until(lambda: "no market today" in stand.latest().notices)
    assert json.loads(stand.latest().notices)[0]["title"] == "The markets could not be drawn."
    assert stand.bar()["stopped"]
    stand.fail = None
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)


def test_a_bad_part_of_the_link_is_told(stand: Stand) -> None:
    stand.sampler.show("scenario=textbook&markets=7")
    stand.until(stand.drawn)
    (notice,) = json.loads(stand.latest().notices)
    assert notice["title"] == "A value was left out."
    assert "markets is 7; give one of 5, 10, 20, 40." in notice["text"]


def test_a_visitor_who_leaves_ends_the_drawing(stand: Stand) -> None:
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)
    stand.end()
    stand.until(lambda: stand.given_up == ["rtp"])
    count = len(stand.views)
    time.sleep(0.05)
    assert len(stand.views) == count


def test_floors_are_measured_when_asked_for_after_the_markets_even_if_their_drawing_was_stopped(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, given_up = threading.Event(), threading.Event()

    def measure(choice: Choice, drawn: Drawn, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]):
        while not gate.wait(0.005):
            progress(Work(text="Floors: 3 of 90 markets", fraction=0.1))
            if cancelled():
                given_up.set()
                return None
        return ()

    monkeypatch.setattr(sampler, "_measuring", lambda: measure)
    stand.study = True
    stand.sampler.show(SEARCH)
    stand.until(stand.drawn)
    stand.sampler.measure()
    assert stand.sampler.floors.work is None, "markets are being drawn"
    stand.sampler.cancel()
    stand.until(lambda: stand.latest().floors != "")
    stand.sampler.measure()
    stand.until(lambda: stand.sampler.floors.work is not None)
    stand.sampler.show("scenario=textbook&tariff=filed")
    stand.until(given_up.is_set)
    assert stand.sampler.floors.work is None
    stand.gate.set()
    stand.until(lambda: stand.latest().done)
    gate.set()
    stand.sampler.measure()
    stand.until(lambda: stand.sampler.floors.found == ())
    given_up.clear()
    gate.clear()
    stand.sampler.measure()
    stand.end()
    stand.until(given_up.is_set)
