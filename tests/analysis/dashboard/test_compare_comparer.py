"""The comparison's thread: progress, a choice that changes while it is solved, a solve that fails, an end."""
# ruff: noqa: D102

import json
import threading
import time
from collections.abc import Callable

import pytest
from compared_tariffs import solution

from meanwatt.analysis.dashboard.compare.comparer import Comparer
from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.compare.view import View
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution, solve
from meanwatt.analysis.dashboard.shared.solved import Work

PATIENCE_S = 20.0
FIRST = "scenario=textbook&a=filed&b=rtp"


class Stand:
    """A comparer whose solves wait for the test, and what it published."""

    def __init__(self, search: str = FIRST) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.given_up: list[str] = []
        self.deaf = False
        """Whether a solve hears no cancellation and gives its answer all the same."""
        self.fail: Exception | None = None
        self.best = Benchmark(welfare_usd_per_household_day=1000.0)
        self.best_gate = threading.Event()
        self.best_gate.set()
        self.views: list[View] = []
        self.comparer = Comparer(search, solve=self.solve, best=self.find_best)
        self.end = self.comparer.listen(self.views.append)

    def solve(
        self,
        settings: Settings,
        *,
        start: Solution | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Solution | None:
        self.asked.append((settings.tariff, None if start is None else start.settings.tariff))
        progress(Work(text="Solving: prices", fraction=0.5))
        gate = self.gates.get(settings.tariff)
        while gate is not None and not gate.wait(0.005):
            if cancelled() and not self.deaf:
                self.given_up.append(settings.tariff)
                return None
        if self.fail is not None:
            raise self.fail
        return solution(settings.tariff)

    def find_best(self, town: Settings, cancelled: Callable[[], bool]) -> Benchmark | None:
        while not self.best_gate.wait(0.005):
            if cancelled():
                return None
        return self.best

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def shown(self) -> tuple[str, str] | None:
        """Titles of both tariffs in the figures in force."""
        view = self.latest()
        if view.figures is None or view.stale:
            return None
        first, second = (entry["text"] for entry in json.loads(view.figures.day)["legend"])
        return first, second


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.end()


def test_both_are_solved_b_from_a_and_then_the_gap_comes(stand: Stand) -> None:
    stand.best_gate.clear()
    assert stand.comparer.view().waiting
    stand.comparer.show(FIRST)
    stand.until(lambda: stand.shown() is not None)
    assert stand.asked == [("filed", None), ("rtp", "filed")]
    assert _gap(stand.latest()) == ("…", "…")
    stand.best_gate.set()
    stand.until(lambda: "…" not in _gap(stand.latest()))
    work = [json.loads(view.bar)["work"] for view in stand.views]
    told = [entry["fraction"] for entry in work if entry]
    assert told == sorted(told)
    assert 0.25 in told
    assert work[-1] is None


def test_a_new_choice_gives_up_the_solve_under_way_and_its_result_never_shows(stand: Stand) -> None:
    stand.gates["filed"] = threading.Event()
    stand.comparer.show(FIRST)
    stand.until(lambda: ("filed", None) in stand.asked)
    stand.comparer.show("scenario=textbook&a=rtp&b=income_graduated")
    stand.until(lambda: stand.shown() is not None)
    stand.until(lambda: stand.given_up == ["filed"])
    assert ("rtp", "filed") not in stand.asked
    names = [json.loads(view.figures.day)["legend"][0]["text"] for view in stand.views if view.figures]
    assert set(names) == {"A: Real-time price with carbon"}
    assert stand.comparer.choice.b == "income_graduated"


def test_an_answer_that_comes_too_late_is_not_shown(stand: Stand) -> None:
    stand.deaf, stand.gates["rtp"] = True, threading.Event()
    stand.comparer.show(FIRST)
    stand.until(lambda: ("rtp", "filed") in stand.asked)
    stand.comparer.show("scenario=textbook&a=filed&b=income_graduated")
    stand.until(lambda: stand.shown() is not None)
    shown = stand.shown()
    stand.gates["rtp"].set()
    stand.until(lambda: not any(thread.name == "meanwatt-compare" for thread in threading.enumerate()))
    assert stand.shown() == shown


def test_old_figures_are_stale_while_new_ones_are_found(stand: Stand) -> None:
    stand.comparer.show(FIRST)
    stand.until(lambda: stand.shown() is not None and "…" not in _gap(stand.latest()))  # the first best comes later
    before = stand.latest().figures
    stand.gates["income_graduated"] = threading.Event()
    stand.comparer.show("scenario=textbook&a=filed&b=income_graduated")
    stand.until(lambda: stand.latest().stale)
    assert stand.latest().figures == before
    assert not json.loads(stand.latest().bar)["unequal"]
    stand.gates["income_graduated"].set()
    stand.until(lambda: stand.shown() is not None)
    assert stand.latest().figures != before


def test_at_equal_cost_the_fixed_charge_covers_it_where_something_is_left(stand: Stand) -> None:
    assert stand.comparer.balanced() is None  # nothing is known yet
    stand.comparer.show(FIRST)
    stand.until(lambda: stand.shown() is not None)
    choice = stand.comparer.balanced()
    assert choice is not None
    assert dict(choice.edits_a.changes) == {"tariff.recovery": "fixed"}
    assert not choice.edits_b  # it is balanced as it is
    solved = [solve(settings) for settings in choice.sides]
    assert [books(found).surplus for found in solved if found] == [0, 0]
    stand.comparer.show("scenario=textbook&a=rtp&b=income_graduated")
    stand.until(lambda: (stand.shown() or ("",))[0].endswith("Real-time price with carbon"))
    assert stand.comparer.balanced() is None


def test_a_solve_that_fails_is_one_sentence_and_no_figure(stand: Stand) -> None:
    stand.comparer.show(FIRST)
    stand.until(lambda: stand.shown() is not None)
    stand.fail = ValueError("carbon.usd_per_t is -1; give a number from 0 to 1000")
    stand.comparer.show("scenario=textbook&a=rtp&b=rtp")
    stand.until(lambda: stand.latest().figures is None and not stand.latest().waiting)
    (notice,) = json.loads(stand.latest().notices)
    assert (notice["title"], notice["text"]) == ("The solve failed.", f"{stand.fail}.")
    stand.fail = None
    stand.comparer.show(FIRST)
    stand.until(lambda: stand.shown() is not None)
    assert json.loads(stand.latest().notices) == []


def test_a_first_best_that_fails_leaves_the_figures(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    def broken(town: Settings, cancelled: Callable[[], bool]) -> Benchmark:
        raise ZeroDivisionError("oh")

    stand.comparer._best = broken
    stand.comparer.show(FIRST)
    stand.until(lambda: "the first best failed" in caplog.text)
    assert stand.shown() is not None
    assert _gap(stand.latest()) == ("…", "…")


def test_a_bad_link_is_said_and_can_be_put_away(stand: Stand) -> None:
    stand.comparer.show(f"{FIRST}&c=1")
    stand.until(lambda: stand.shown() is not None)
    (notice,) = json.loads(stand.latest().notices)
    assert notice["text"].startswith("unknown parameter 'c'")
    stand.comparer.dismiss({"text": notice["text"]})
    assert json.loads(stand.latest().notices) == []


def test_a_visitor_who_leaves_ends_the_solve(stand: Stand) -> None:
    stand.gates["filed"] = threading.Event()
    stand.comparer.show(FIRST)
    stand.until(lambda: ("filed", None) in stand.asked)
    seen = len(stand.views)
    stand.end()
    stand.until(lambda: stand.given_up == ["filed"])
    assert len(stand.views) == seen


def _gap(view: View) -> tuple[str, str]:
    assert view.figures is not None
    row = json.loads(view.figures.numbers)["rows"][0]
    return row["a"], row["b"]
