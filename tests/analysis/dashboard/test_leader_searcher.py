"""The thread behind the leader page: the tariff in force first, then each one tried, a stop that keeps, a failure."""
# ruff: noqa: D102

import json
import threading
import time
from collections.abc import Callable
from functools import cache

import pytest
from compared_tariffs import solution

from meanwatt.analysis.dashboard.leader import besides
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.concepts import UNASKED as UNASKED_CONCEPTS
from meanwatt.analysis.dashboard.leader.concepts import Concept
from meanwatt.analysis.dashboard.leader.searcher import STOPPING, Searcher
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.leader.surfacing import Drawn, drawn_surface
from meanwatt.analysis.dashboard.leader.view import Beside, View
from meanwatt.analysis.dashboard.leader.words import UNASKED
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution
from meanwatt.analysis.dashboard.shared.solved import Work

PATIENCE_S = 20.0
SEARCH = "evaluations=2&run=1"
BEST = Benchmark(welfare_usd_per_household_day=-1.9)


@cache
def sightings() -> tuple[Sighted, ...]:
    """A true search, from the tariff in force to its end."""
    seen: list[Sighted] = []
    end = searched(Choice(evaluations=2), show=seen.append, progress=lambda _: None, cancelled=lambda: False)
    assert end is not None
    return (*seen, end)


class Stand:
    """A searcher whose search waits for the test, and what it published."""

    def __init__(self) -> None:
        self.gate, self.best_gate = threading.Event(), threading.Event()
        self.best_gate.set()
        self.searching: list[str] = []
        self.given_up: list[str] = []
        self.fail: Exception | None = None
        self.views: list[View] = []
        self.searcher = Searcher(SEARCH, solve=self.solve, find=self.find, best=self.best)
        self.end = self.searcher.listen(self.views.append)

    def solve(
        self,
        settings: Settings,
        *,
        start: Solution | None = None,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Solution | None:
        progress(Work(text="Solving: prices", fraction=0.1))
        return solution(settings.tariff, settings.scenario)

    def find(
        self,
        choice: Choice,
        *,
        show: Callable[[Sighted], None],
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Sighted | None:
        self.searching.append(choice.leader)
        if self.fail is not None:
            raise self.fail
        seen = sightings()
        show(seen[2])
        while not self.gate.wait(0.005):
            progress(Work(text="2 tariffs tried", fraction=0.5))
            if cancelled():
                self.given_up.append(choice.leader)
                return seen[2]
        return seen[-1]

    def best(self, town: Settings, cancelled: Callable[[], bool]) -> Benchmark | None:
        self.best_gate.wait(PATIENCE_S)
        return BEST

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def bar(self) -> dict:
        return json.loads(self.latest().bar)

    def steps(self) -> int:
        figures = self.latest().figures if self.views else None
        return -1 if figures is None else len(json.loads(figures.search)["steps"])


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.gate.set()
    made.best_gate.set()
    made.end()


def test_without_being_asked_the_page_shows_the_tariff_in_force_and_searches_nothing(stand: Stand) -> None:
    stand.searcher.show("")
    stand.until(lambda: stand.steps() == 0 and stand.bar()["work"] is None)
    assert stand.searching == []
    assert (stand.bar()["verdict"], stand.bar()["search"]) == (UNASKED, True)
    assert not stand.latest().done
    assert stand.searcher.toml() == ""


def test_tariffs_tried_are_there_while_the_search_goes_on_and_its_end_hands_out_files(stand: Stand) -> None:
    assert stand.searcher.view().waiting
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    assert stand.bar()["searching"]
    assert not stand.latest().done
    stand.gate.set()
    stand.until(lambda: stand.bar()["work"] is None)
    assert stand.steps() == len(sightings()[-1].steps)
    assert stand.latest().done
    assert stand.bar()["verdict"].startswith("Evaluation limit reached: best objective −")
    assert stand.bar()["search"]
    assert stand.bar()["ended"]
    seen = stand.steps()
    stand.searcher.again(SEARCH)
    stand.until(lambda: "The same search ends at the same tariff." in stand.latest().notices)
    assert (stand.steps(), stand.bar()["work"]) == (seen, None), "there is no more to be found"
    assert "pass_through" in stand.searcher.toml()
    assert "# link: ?evaluations=2&run=1" in stand.searcher.csv()
    told = [work["fraction"] for view in stand.views if (work := json.loads(view.bar)["work"])]
    assert told == sorted(told)


def test_the_efficiency_gap_comes_with_the_first_best_which_nobody_waits_for(stand: Stand) -> None:
    stand.best_gate.clear()
    stand.gate.set()
    stand.searcher.show(SEARCH)

    def gap() -> str:
        figures = stand.latest().figures
        assert figures is not None
        rows = json.loads(figures.numbers)["rows"]
        return next(row["b"] for row in rows if row["key"] == "efficiency")

    stand.until(lambda: bool(stand.views) and stand.latest().done)
    assert gap() == "…"
    stand.best_gate.set()
    stand.until(lambda: gap() != "…")
    assert float(gap()) > 0


def test_who_stops_keeps_the_best_so_far_and_may_search_again(stand: Stand) -> None:
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    stand.searcher.cancel()
    stand.until(lambda: stand.given_up == ["commission"])
    stand.until(lambda: stand.bar()["work"] is None)
    assert any((json.loads(view.bar)["work"] or {}).get("text") == STOPPING for view in stand.views)
    assert stand.steps() == 2
    assert stand.latest().done
    assert stand.bar()["verdict"].startswith("Stopped after 2 tariffs: what you see is the best so far")
    assert stand.bar()["search"]
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.searching == ["commission", "commission"])


def test_another_choice_gives_up_the_search_under_way(stand: Stand) -> None:
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    stand.searcher.show("leader=utility")
    stand.until(lambda: stand.given_up == ["commission"])
    stand.until(lambda: stand.bar()["work"] is None)
    assert stand.steps() == 0, "what the other search had found is gone"
    assert [field["key"] for field in stand.bar()["weights"]] == ["price_cap"]


def test_a_failure_is_a_sentence_and_the_page_stays(stand: Stand) -> None:
    stand.fail = ValueError("no tariff of the family was feasible")
    stand.searcher.show(SEARCH)
    stand.until(lambda: bool(stand.views) and "no tariff of the family" in stand.latest().notices)
    assert json.loads(stand.latest().notices)[0]["title"] == "The search failed."
    assert stand.bar()["search"]
    stand.fail = None
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)


def test_a_bad_part_of_the_link_is_told(stand: Stand) -> None:
    stand.searcher.show("equity=much")
    stand.until(lambda: stand.steps() == 0)
    (notice,) = json.loads(stand.latest().notices)
    assert notice["title"] == "A value was left out."
    assert "equity is 'much'; give a number, e.g. 1." in notice["text"]


def test_a_visitor_who_leaves_ends_the_search(stand: Stand) -> None:
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    stand.end()
    stand.until(lambda: stand.given_up == ["commission"])
    count = len(stand.views)
    time.sleep(0.05)
    assert len(stand.views) == count


class Surfaces:
    """Stands in for the computation of a surface: a true front of a few tariffs, after the test says so."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.fail: Exception | None = None
        self.cancelled = False

    def __call__(
        self,
        choice: Choice,
        seen: Sighted,
        welfare: float,
        *,
        progress: Callable[[Work], None],
        cancelled: Callable[[], bool],
    ) -> Drawn | None:
        while not self.gate.wait(0.005):
            progress(Work(text="Pareto surface, search 1 of 18", fraction=0.1))
            if cancelled():
                self.cancelled = True
                break
        if self.fail is not None:
            raise self.fail
        return few_tariffs(welfare)


@cache
def few_tariffs(welfare: float) -> Drawn:
    """A surface that was stopped after three tariffs."""
    work: list[Work] = []
    drawn = drawn_surface(
        Choice(),
        sightings()[-1],
        welfare,
        progress=work.append,
        cancelled=lambda: any(": 3 tariffs" in one.text for one in work),
    )
    assert drawn is not None
    return drawn


@pytest.fixture
def surfaces(monkeypatch: pytest.MonkeyPatch) -> Surfaces:
    made = Surfaces()
    monkeypatch.setattr(besides, "drawn_surface", made)
    return made


def ended(stand: Stand) -> None:
    stand.gate.set()
    stand.searcher.show(SEARCH)
    stand.until(lambda: bool(stand.views) and bool(stand.latest().surface))


def board(stand: Stand) -> dict:
    return json.loads(stand.latest().surface)


def test_the_surface_is_offered_after_a_search_of_who_weighs_and_computed_when_asked_for(
    stand: Stand, surfaces: Surfaces
) -> None:
    stand.searcher.show("")
    stand.until(lambda: stand.steps() == 0 and stand.bar()["work"] is None)
    assert stand.latest().surface == ""
    stand.searcher.draw()
    assert stand.latest().surface == "", "nothing to measure against yet"
    ended(stand)
    assert (board(stand)["work"], board(stand)["chart"]) == (None, None)
    stand.searcher.draw()
    stand.until(lambda: (board(stand)["work"] or {}).get("text") == "Pareto surface, search 1 of 18")
    surfaces.gate.set()
    stand.until(lambda: board(stand)["chart"] is not None)
    assert board(stand)["work"] is None


def test_a_dot_is_shown_in_the_other_figures_and_taken_home_until_one_goes_back(
    stand: Stand, surfaces: Surfaces
) -> None:
    surfaces.gate.set()
    ended(stand)
    found = stand.searcher.toml()
    stand.searcher.draw()
    stand.until(lambda: board(stand)["chart"] is not None)
    place = board(stand)["chart"]["points"][0]["place"]
    stand.searcher.pick({"place": place})
    stand.until(lambda: board(stand)["picked"])
    assert "picked from the surface" in stand.latest().figures.rates  # type: ignore[union-attr]
    assert stand.searcher.toml() != found
    assert "# shown: a tariff picked from the Pareto surface" in stand.searcher.csv()
    stand.searcher.pick({"place": 10_000})  # no such dot
    stand.searcher.pick({"place": None})
    stand.until(lambda: not board(stand)["picked"])
    assert stand.searcher.toml() == found


def test_a_surface_under_way_can_be_stopped_and_another_choice_gives_it_up(stand: Stand, surfaces: Surfaces) -> None:
    ended(stand)
    stand.searcher.draw()
    stand.searcher.beside.surface.halt()
    stand.until(lambda: board(stand)["chart"] is not None)
    assert surfaces.cancelled
    surfaces.cancelled = False
    stand.searcher.draw()
    stand.searcher.show("leader=utility")
    stand.until(lambda: surfaces.cancelled)
    stand.until(lambda: stand.bar()["work"] is None)
    assert stand.latest().surface == ""


def test_a_surface_that_fails_is_a_sentence(stand: Stand, surfaces: Surfaces) -> None:
    surfaces.fail = ValueError("followers do not settle")
    surfaces.gate.set()
    ended(stand)
    stand.searcher.draw()
    stand.until(lambda: "followers do not settle" in stand.latest().notices)
    assert (board(stand)["work"], board(stand)["chart"]) == (None, None)


def test_a_search_that_another_choice_gives_up_is_told_and_one_at_rest_is_not(stand: Stand) -> None:
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    stand.searcher.show("equity=2")
    stand.until(lambda: stand.steps() == 0)
    (notice,) = json.loads(stand.latest().notices)
    assert notice["title"] == "Given up."
    assert notice["text"] == "The search (after 2 tariffs) was given up, because you chose something else."
    stand.searcher.show("equity=3")
    stand.until(lambda: stand.steps() == 0 and stand.bar()["work"] is None)
    assert json.loads(stand.latest().notices) == []


def test_the_concepts_are_offered_beside_no_search_compared_when_asked_for_and_given_up_with_the_choice(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, stopped = threading.Event(), threading.Event()

    def compare(choice: Choice, *, show: object, progress: Callable[[Work], None], cancelled: Callable[[], bool]):
        while not gate.wait(0.005):
            progress(Work(text="Feedback, 2 of 3", fraction=0.5))
            if cancelled():
                stopped.set()
                break
        return (Concept(name="commitment", seen=sightings()[-1]), *UNASKED_CONCEPTS[1:])

    monkeypatch.setattr(besides, "compared_concepts", compare)
    stand.searcher.show(SEARCH)
    stand.until(lambda: stand.steps() == 2)
    assert stand.latest().beside == Beside(), "a search is under way"
    stand.searcher.compare()
    assert stand.searcher.beside.concepts.work is None
    stand.searcher.show("")
    stand.until(lambda: stand.steps() == 0 and stand.bar()["work"] is None)
    assert json.loads(stand.latest().beside.concepts)["ask"]
    stand.searcher.compare()
    stand.until(lambda: "Feedback, 2 of 3" in stand.latest().beside.concepts)
    stand.searcher.show("leader=utility")
    stand.until(stopped.is_set)
    stand.until(lambda: stand.bar()["work"] is None)
    (notice,) = json.loads(stand.latest().notices)
    assert notice["text"] == "The comparison of concepts was given up, because you chose something else."
    assert not json.loads(stand.latest().beside.concepts)["again"], "nothing of another leader is shown"
    gate.set()
    stand.searcher.compare()
    stand.until(
        lambda: json.loads(stand.latest().beside.concepts)["again"] and stand.searcher.beside.concepts.work is None
    )
    assert json.loads(stand.latest().beside.concepts)["rows"][1]["values"][0] not in ("", "…"), (
        "the first best came, too"
    )
    assert "commitment" in stand.latest().beside.rates
    stand.gate.set()
    stand.searcher.show("leader=utility&run=1")
    stand.until(lambda: stand.latest().done)
    assert json.loads(stand.latest().beside.concepts)["again"], "they are of the same leader"
