"""The thread behind the page of learners: days as they come, a stop, going on, another choice, a failure, an end."""
# ruff: noqa: D102 - what the fake does is what the real one does

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from learner_runs import lived

from meanwatt.analysis.dashboard.learners import simulating
from meanwatt.analysis.dashboard.learners.choice import Choice, query
from meanwatt.analysis.dashboard.learners.presets import CHANGES, herd_of
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.simulating import Asked, Simulated, Told, target_of
from meanwatt.analysis.dashboard.learners.view import View
from meanwatt.analysis.dashboard.learners.watcher import Watcher
from meanwatt.analysis.dashboard.shared import time_left
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.model.mean_field.equilibrium import Equilibrium

PATIENCE_S = 60.0
CHOICE = Choice(households=100, days=6)
SEARCH = query(CHOICE)


class Slow(Simulated):
    """A market whose days wait for the test."""

    stand: "Stand"

    def live(self, *, show: Callable[[Run], None], cancelled: Asked) -> Run:
        def shown(run: Run) -> None:
            show(run)
            while len(run.days) >= self.stand.most and not cancelled():
                time.sleep(0.002)

        return super().live(show=shown, cancelled=cancelled)

    def close(self) -> None:
        self.stand.closed += 1
        super().close()


class Stand:
    """A watcher whose markets live as many days as the test allows, and what it published."""

    def __init__(self) -> None:
        self.most = 1000
        self.closed = 0
        self.made: list[Choice] = []
        self.fail: Exception | None = None
        self.views: list[View] = []
        self.runs: dict[Choice, Run] = {}
        self.watcher = Watcher(SEARCH, solve=self.solve, simulate=self.simulate, known=self.runs.get)
        self.end = self.watcher.listen(self.views.append)

    def solve(self, settings: Settings, *, progress: Told, cancelled: Asked) -> Equilibrium | None:
        progress(Work(text="Solving: prices", fraction=0.5))
        if self.fail is not None:
            raise self.fail
        return target_of(settings, progress=progress, cancelled=cancelled)

    def simulate(self, choice: Choice, target: Equilibrium) -> Simulated:
        self.made.append(choice)
        market = Slow(choice, target)
        market.stand = self
        return market

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def bar(self) -> dict[str, Any]:
        return json.loads(self.latest().bar)

    def days(self) -> int:
        figures = self.watcher.view().figures
        return 0 if figures is None else len(json.loads(figures.errors)["lines"][0]["values"])

    def done(self) -> bool:
        return bool(self.views) and self.bar()["ended"] != "" and self.bar()["work"] is None


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.most = 1000
    made.end()


def test_figures_grow_as_days_come_and_the_progress_never_falls(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_left, "LEAST_SECONDS", 0.0)
    assert stand.watcher.view().waiting
    stand.most = 3
    stand.watcher.show(SEARCH)
    stand.until(lambda: stand.days() == 3)
    assert not stand.watcher.view().done
    assert re.fullmatch(r"Day 3 of 6, about \d+ (s|min) left", json.loads(stand.watcher.view().bar)["work"]["text"])
    stand.most = 1000
    stand.until(stand.done)
    assert stand.days() == 6
    told = [work["fraction"] for view in stand.views if (work := json.loads(view.bar)["work"])]
    assert told == sorted(told)
    assert stand.latest().done
    assert stand.watcher.csv().count("\n0,") == 1


def test_who_stops_keeps_the_days_and_goes_on_with_the_same_market(stand: Stand) -> None:
    stand.most = 2
    stand.watcher.show(SEARCH)
    stand.until(lambda: stand.days() == 2)
    stand.watcher.cancel()
    assert stand.bar()["work"] is None
    assert stand.bar()["finish"] == "Go on to day 6"
    assert stand.days() == 2
    stand.most = 1000
    stand.watcher.show(SEARCH)
    stand.until(stand.done)
    assert stand.days() == 6
    assert stand.made == [CHOICE], "nothing is lived twice"


def test_as_many_days_again_go_on_where_the_market_stands_and_are_those_of_one_long_run(stand: Stand) -> None:
    stand.watcher.show(SEARCH)
    stand.until(stand.done)
    longer = replace(CHOICE, days=12)
    stand.watcher.show(query(longer))
    stand.until(lambda: stand.done() and stand.days() == 12)
    assert stand.made == [CHOICE]
    text = stand.watcher.csv()
    digests = [line.rpartition(",")[2] for line in text.splitlines() if line[:1].isdigit()]
    assert digests == [day.digest for day in lived(longer).days]


def test_another_choice_takes_the_place_of_the_one_under_way_and_its_market_is_freed(stand: Stand) -> None:
    stand.most = 2
    stand.watcher.show(SEARCH)
    stand.until(lambda: stand.days() == 2)
    other = replace(CHOICE, seed=5)
    stand.watcher.show(query(other))
    assert stand.watcher.view().old, "the figures are still of the one before"
    stand.most = 1000
    stand.until(stand.done)
    assert not stand.latest().old
    assert stand.made == [CHOICE, other]
    assert stand.closed == 1
    assert "# seed: 5" in stand.watcher.csv()


def test_a_change_of_the_herd_has_the_herd_simulated_first_unless_it_is_known(stand: Stand) -> None:
    herd = herd_of(CHOICE)
    stand.watcher.show(query(CHANGES[0].of(herd)))
    stand.until(stand.done)
    assert stand.made == [herd, CHANGES[0].of(herd)]
    assert stand.closed == 1
    figures = stand.latest().figures
    assert figures is not None
    assert json.loads(figures.errors)["lines"][-1]["name"] == "prices of the herd"
    stand.runs[herd] = lived(herd)
    stand.watcher.show(query(CHANGES[1].of(herd)))
    stand.until(lambda: stand.done() and len(stand.made) == 3)
    assert stand.made[2:] == [CHANGES[1].of(herd)]


def test_a_run_that_somebody_has_seen_is_shown_without_being_lived(stand: Stand) -> None:
    stand.runs[CHOICE] = lived(CHOICE)
    stand.watcher.show(SEARCH)
    stand.until(stand.done)
    assert stand.made == []
    assert stand.days() == 6


def test_a_failure_is_a_sentence_and_the_page_stays(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    stand.fail = ValueError("no sun today")
    stand.watcher.show(SEARCH)
    stand.until(lambda: bool(stand.views) and "no sun today." in stand.latest().notices)
    assert json.loads(stand.latest().notices)[0]["title"] == "The learners could not be simulated."
    assert stand.bar()["finish"] == "Simulate"
    assert caplog.records
    stand.fail = None
    stand.watcher.show(SEARCH)
    stand.until(stand.done)


def test_tables_that_need_too_much_room_are_refused_with_the_number_that_is_allowed(stand: Stand) -> None:
    stand.watcher.show(query(Choice(scenario="oahu", households=20_000, mix=(("qlearning", 100),))))
    stand.until(lambda: bool(stand.views) and "qlearning" in stand.latest().notices)
    assert "0.1 (memory_gb): give at most" in stand.latest().notices
    assert "or simulate them on the command line, which has more room." in stand.latest().notices


def test_a_bad_part_of_the_link_is_told(stand: Stand) -> None:
    stand.watcher.show(f"{SEARCH}&mix=beleif:3")
    (notice,) = json.loads(stand.watcher.view().notices)
    assert notice["title"] == "A value was left out."
    assert "did you mean 'belief'?" in notice["text"]


def test_a_visitor_who_leaves_ends_the_days_and_frees_the_market(stand: Stand) -> None:
    stand.most = 2
    stand.watcher.show(SEARCH)
    stand.until(lambda: stand.days() == 2)
    stand.end()
    stand.until(lambda: stand.closed == 1)
    count = len(stand.views)
    time.sleep(0.05)
    assert len(stand.views) == count
    done = Stand()
    done.watcher.show(SEARCH)
    done.until(done.done)
    done.end()
    done.until(lambda: done.closed == 1)


def test_visitors_take_turns_a_day_each_and_share_what_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "_runs", Memo(4))
    target = target_of(CHOICE.settings, progress=lambda _: None, cancelled=lambda: False)
    assert target is not None
    order: list[int] = []
    markets = [Simulated(replace(CHOICE, seed=seed, days=20), target) for seed in (1, 2)]
    threads = [
        threading.Thread(
            target=market.live, kwargs={"show": lambda _, k=k: order.append(k), "cancelled": lambda: False}
        )
        for k, market in enumerate(markets)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order) == [0] * 20 + [1] * 20
    known = simulating.known_run(replace(CHOICE, seed=2, days=20))
    assert known is not None
    assert [day.digest for day in known.days] == [day.digest for day in markets[1].run.days]
    assert simulating.known_run(replace(CHOICE, seed=2)) is None
    for market in markets:
        market.close()


def test_a_class_that_asks_for_one_market_has_it_simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "_runs", Memo(4))
    made: list[Choice] = []

    def simulate(choice: Choice, target: Equilibrium) -> Simulated:
        made.append(choice)
        return Simulated(choice, target)

    views: list[list[View]] = [[] for _ in range(8)]
    visitors = [Watcher(SEARCH, simulate=simulate) for _ in views]
    ends = [visitor.listen(seen.append) for visitor, seen in zip(visitors, views, strict=True)]
    for visitor in visitors:
        visitor.show(SEARCH)
    deadline = time.monotonic() + PATIENCE_S
    while not all(seen and seen[-1].done and json.loads(seen[-1].bar)["ended"] for seen in views):
        assert time.monotonic() < deadline, "somebody waits for ever"
        time.sleep(0.01)
    assert made == [CHOICE]
    assert len({visitor.csv() for visitor in visitors}) == 1
    for end in ends:
        end()


def test_who_gives_up_waiting_for_a_turn_lives_no_day() -> None:
    target = target_of(CHOICE.settings, progress=lambda _: None, cancelled=lambda: False)
    assert target is not None
    market = Simulated(CHOICE, target)
    with simulating._one_day_at_a_time:
        assert market.live(show=lambda _: None, cancelled=lambda: True).days == ()
    assert not market.lengthen(replace(CHOICE, seed=1))
    assert market.lengthen(replace(CHOICE, days=9))
    market.close()
