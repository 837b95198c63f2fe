"""The thread behind the theory lab: figures first, curves later, another choice meanwhile, a failure, an end."""
# ruff: noqa: D102

import json
import threading
import time
from collections.abc import Callable

import pytest

from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.theory import words
from meanwatt.analysis.dashboard.theory.choice import Choice
from meanwatt.analysis.dashboard.theory.laboratory import Laboratory
from meanwatt.analysis.dashboard.theory.solving import at_temperature
from meanwatt.analysis.dashboard.theory.view import View
from meanwatt.analysis.tabular.solution import GameSolution

PATIENCE_S = 30.0


class Stand:
    """A laboratory whose curve waits for the test, and what it published."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.fail: Exception | None = None
        self.given_up: list[Choice] = []
        self.views: list[View] = []
        self.laboratory = Laboratory("", solve=self.solve, sweep=self.sweep)
        self.end = self.laboratory.listen(self.views.append)

    def solve(
        self, choice: Choice, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> GameSolution | None:
        if self.fail is not None:
            raise self.fail
        return at_temperature(choice, progress=progress, cancelled=cancelled)

    def sweep(
        self, choice: Choice, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> GameSolution | None:
        while not self.gate.wait(0.005):
            progress(Work(text="Solving: temperature 10", fraction=0.5))
            if cancelled():
                self.given_up.append(choice)
                return None
        return at_temperature(choice, progress=progress, cancelled=cancelled)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def done(self) -> bool:
        return bool(self.views) and json.loads(self.latest().bar)["work"] is None


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.gate.set()
    made.end()


def test_figures_come_before_the_curve_and_the_curve_takes_nothing_away(stand: Stand) -> None:
    stand.laboratory.show("game=lottery")
    stand.until(lambda: bool(stand.views) and stand.latest().figures is not None)
    first = stand.latest()
    assert first.figures is not None
    assert words.CURVE_WAITS in json.loads(first.figures.errors)["caption"]
    stand.until(lambda: "Drawing the curve" in stand.latest().bar)
    assert stand.laboratory.csv().startswith("# program: meanwatt")
    stand.gate.set()
    stand.until(stand.done)
    last = stand.latest().figures
    assert last is not None
    assert words.CURVE_WAITS not in json.loads(last.errors)["caption"]
    assert (last.maps, last.table, last.values) == (first.figures.maps, first.figures.table, first.figures.values)


def test_another_temperature_keeps_the_old_figures_until_the_new_are_there_and_another_game_does_not(
    stand: Stand,
) -> None:
    stand.laboratory.show("")
    stand.until(lambda: bool(stand.views) and stand.latest().figures is not None)
    before = stand.latest().figures
    stand.laboratory.show("temperature=2")
    moved = next(view for view in stand.views if '"value":2.0' in view.bar)
    assert moved.old
    assert moved.figures == before
    stand.until(lambda: not stand.latest().old)
    assert stand.latest().figures != before
    stand.laboratory.show("game=lottery")
    first = next(view for view in stand.views if '"value":"lottery","options"' in view.bar)
    assert first.figures is None
    assert not first.old
    stand.gate.set()
    stand.until(stand.done)
    assert stand.given_up, "the curve of the first temperature was given up"


def test_a_failure_is_a_sentence_and_the_next_choice_works(stand: Stand) -> None:
    stand.fail = ValueError("the sheet of paper is too small")
    stand.laboratory.show("")
    stand.until(lambda: bool(stand.views) and "too small" in stand.latest().notices)
    assert stand.latest().figures is None
    assert stand.laboratory.csv() == ""
    stand.fail = None
    stand.gate.set()
    stand.laboratory.show("game=lottery&tempo=3")
    stand.until(stand.done)
    assert stand.latest().figures is not None
    assert "unknown parameter 'tempo'" in stand.latest().notices


def test_nothing_is_published_after_the_end(stand: Stand) -> None:
    stand.laboratory.show("")
    stand.end()
    time.sleep(0.1)
    count = len(stand.views)
    stand.gate.set()
    stand.laboratory.show("game=lottery")
    assert len(stand.views) == count
