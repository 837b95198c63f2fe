"""What visitors share: computations wait in line and say so, homes are counted, and all is given back."""

import threading

import pytest

from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.shared import homes as all_homes
from meanwatt.analysis.dashboard.shared import solved as solving
from meanwatt.analysis.dashboard.shared.homes import Homes
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import Work, solved
from meanwatt.analysis.dashboard.shared.turns import Turns, computed_first


class Line:
    """Threads that wait for turns, each let go by the test."""

    def __init__(self, places: int) -> None:
        self.turns, self.order, self.said = Turns(places), [], {}
        self.go = [threading.Event() for _ in range(5)]
        self.here = [threading.Event() for _ in range(5)]
        self.stop = [threading.Event() for _ in range(5)]
        self.threads: list[threading.Thread] = []

    def come(self, name: int) -> None:
        """Begin to wait, and return when the line knows it."""
        said = self.said[name] = []
        in_line = threading.Event()

        def told(text: str) -> None:
            said.append(text)
            in_line.set()

        def work() -> None:
            with self.turns.turn(self.stop[name].is_set, told) as mine:
                if mine:
                    self.order.append(name)
                    self.here[name].set()
                    in_line.set()
                    self.go[name].wait()

        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()
        in_line.wait()

    def end(self) -> None:
        """Let everybody go."""
        for event in self.go:
            event.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("places", [1, 2])
def test_computations_go_on_in_the_order_in_which_they_were_asked_for(places: int) -> None:
    line = Line(places)
    for name in range(5):
        line.come(name)
    assert line.order == list(range(places))
    for name in range(5):
        line.go[name].set()
        if name + places < 5:
            line.here[name + places].wait()
            assert line.order == list(range(name + places + 1))
    line.end()
    assert line.order == list(range(5))


def test_who_waits_hears_how_many_are_computed_first_and_hears_it_again_when_it_is_one_less() -> None:
    line = Line(1)
    for name in range(4):
        line.come(name)
    assert [line.said[name][0] for name in (1, 2, 3)] == [computed_first(n) for n in (1, 2, 3)]
    for name in range(4):
        line.here[name].wait()
        line.go[name].set()
    line.end()
    assert line.said[0] == []
    assert line.said[1] == ["1 other is being computed first"]
    assert line.said[3][0] == "3 others are being computed first"
    numbers = [int(text.split()[0]) for text in line.said[3]]
    assert numbers == sorted(set(numbers), reverse=True)


def test_who_gives_up_leaves_the_line_and_holds_nobody_up() -> None:
    line = Line(1)
    for name in range(3):
        line.come(name)
    line.stop[1].set()
    line.threads[1].join()
    line.go[0].set()
    line.here[2].wait()
    line.end()
    assert line.order == [0, 2]


def test_a_computation_that_fails_gives_its_place_back() -> None:
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn(lambda: False, print):
        raise ZeroDivisionError
    with turns.turn(lambda: False, print) as mine:
        assert mine


class Owner:
    """Has homes."""


def test_homes_are_given_until_there_is_no_room_and_given_back() -> None:
    homes, one, other = Homes(100), Owner(), Owner()
    homes.hold(one, 60)
    homes.hold(other, 40)
    with pytest.raises(ValueError) as refused:
        homes.hold(other, 41)
    assert str(refused.value) == (
        "this market needs 41 homes, and the other visitors of this server leave room for 40 of 100; choose fewer"
        " homes, or wait until somebody has left"
    )
    assert homes.held == 100
    homes.hold(one, 59)
    homes.hold(other, 41)
    homes.free(one)
    assert homes.held == 41


def test_an_owner_who_was_forgotten_has_no_homes() -> None:
    homes, one = Homes(100), Owner()
    homes.hold(one, 60)
    del one
    assert homes.held == 0


def test_a_market_for_which_there_is_no_room_leaves_the_one_before_it_and_is_given_back_when_its_visitor_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    homes = Homes(150)
    monkeypatch.setattr(all_homes, "ALL", homes)
    engine = Engine()
    small = Settings(scenario="textbook", households=100)
    solution = engine.solve(small, progress=lambda _: None, cancelled=lambda: False)
    assert solution is not None
    engine.adopt(solution)
    engine.step()
    with pytest.raises(ValueError, match="this market needs 151 homes"):
        engine.adopt(solution.for_sample(Settings(scenario="textbook", households=151)))
    engine.step()
    assert engine.frame().day == 2
    assert homes.held == 100
    engine.adopt(solution.for_sample(Settings(scenario="textbook", households=150)))
    engine.reset()
    assert homes.held == 150
    engine.close()
    assert homes.held == 0


def test_a_solve_waits_its_turn_and_says_so_and_is_not_cancelled_by_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "SOLVES", Turns(1))
    settings = Settings(scenario="textbook", changes=(("elasticity", 0.123),))
    told: list[Work] = []
    waits = threading.Event()
    found = []

    def progress(work: Work) -> None:
        told.append(work)
        if "computed first" in work.text:  # a first start says before that it compiles
            waits.set()

    def solve() -> None:
        found.append(solved(settings, progress=progress, cancelled=lambda: False))

    with solving.SOLVES.turn(lambda: False, print):
        thread = threading.Thread(target=solve, daemon=True)
        thread.start()
        waits.wait()
        assert "1 other is being computed first" in [work.text for work in told]
        assert found == []
    thread.join()
    assert found[0] is not None
    assert found[0].settings == settings
