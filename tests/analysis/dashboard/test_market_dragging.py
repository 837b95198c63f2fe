"""A slider that acts while it is dragged: the newest wish wins, and letting go ends where Apply would."""

import json
import threading
from dataclasses import replace

import pytest
from dashboard_fake import FakeEngine
from test_dashboard_controller import PLAIN, Stand

from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.pace import Pace, neighbour
from meanwatt.analysis.dashboard.market.view import QUICK_SECONDS, Stage, rule
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import solve
from meanwatt.analysis.dashboard.shared.solved import known_solution

KEY = "tariff.pass_through"


class Slow(FakeEngine):
    """An engine whose trials on a slider's way each wait for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.pace = 0.01
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def try_out(self, settings, *, near, cancelled):
        """Begin, and wait."""
        self.begun.release()
        assert self.go.acquire(timeout=20)
        return super().try_out(settings, near=near, cancelled=cancelled)


@pytest.fixture
def stand():
    engine = FakeEngine()
    engine.pace = 0.01
    made = Stand(engine).start()
    yield made
    made.controller.close()


def value(settings: Settings | None) -> float:
    assert settings is not None
    return float(settings.get(KEY, 0.0))


def move(stand: Stand, to: float) -> None:
    stand.controller.edit({"key": KEY, "value": str(to), "moving": True})


def let_go(stand: Stand, to: float) -> None:
    stand.controller.edit({"key": KEY, "value": str(to)})


def test_a_dragged_slider_acts_before_it_is_let_go_and_then_as_apply_does_with_one_step_to_undo(stand: Stand) -> None:
    for to in (0.1, 0.2, 0.3):
        move(stand, to)
        stand.until(lambda to=to: value(stand.engine.settings) == to)
        assert stand.form()["changes"] == ""
    tried = json.loads(stand.newest().tray)["rows"]
    assert [row["now"] for row in tried] == [False]  # what a slider passes by is no tariff tried
    let_go(stand, 0.4)
    stand.until(lambda: stand.form()["work"] is None and value(stand.engine.settings) == 0.4)
    stand.until(lambda: len(json.loads(stand.newest().tray)["rows"]) == 2)
    assert (stand.form()["changes"], stand.form()["can_undo"]) == ("", True)
    assert stand.engine.against == PLAIN  # told against what was before the drag
    assert stand.field(KEY)["applied"] == 0.4
    stand.controller.undo()
    stand.until(lambda: stand.form()["work"] is None and value(stand.engine.settings) == 0.0)
    assert stand.form()["can_undo"] is False


def test_letting_go_where_the_drag_began_ends_there(stand: Stand) -> None:
    move(stand, 0.5)
    stand.until(lambda: value(stand.engine.settings) == 0.5)
    let_go(stand, 0.0)
    stand.until(lambda: stand.form()["work"] is None and stand.engine.settings == PLAIN)
    stand.until(lambda: stand.bar()["query"] == "scenario=textbook")


def test_the_newest_wish_is_the_next_one_solved_and_figures_are_dim_meanwhile() -> None:
    engine = Slow()
    stand = Stand(engine).start()
    move(stand, 0.1)
    assert engine.begun.acquire(timeout=20)
    assert stand.newest().stale
    assert stand.bar()["query"] is None  # the address waits until the slider is let go
    for to in (0.2, 0.3, 0.4):
        move(stand, to)
    engine.go.release()
    assert engine.begun.acquire(timeout=20)
    engine.go.release()
    stand.until(lambda: value(engine.settings) == 0.4)
    assert [value(settings) for settings in engine.on_the_way] == [0.1, 0.4]
    stand.until(lambda: not stand.newest().stale)
    stand.controller.close()


def test_a_trial_that_answers_after_the_slider_was_let_go_changes_nothing() -> None:
    engine = Slow()
    stand = Stand(engine).start()
    move(stand, 0.1)
    assert engine.begun.acquire(timeout=20)
    let_go(stand, 0.9)
    stand.until(lambda: value(engine.settings) == 0.9)
    engine.go.release()
    stand.until(lambda: len(engine.on_the_way) == 1)
    stand.controller.drive("step")
    stand.until(lambda: stand.bar()["day"] == 1)
    assert value(engine.settings) == 0.9
    move(stand, 0.8)  # the next drag is followed, too
    engine.go.release()
    stand.until(lambda: value(engine.settings) == 0.8)
    stand.controller.close()


def test_where_solves_are_slow_or_the_visitor_says_so_changes_wait_for_apply(stand: Stand) -> None:
    stand.controller.prefer({"at_once": False})
    move(stand, 0.1)
    let_go(stand, 0.2)
    assert stand.form()["changes"] == "1 change not applied."
    assert stand.engine.settings == PLAIN
    stand.controller.apply()
    stand.until(lambda: value(stand.engine.settings) == 0.2)
    stand.controller.prefer({"at_once": "nonsense"})  # as if nothing was chosen
    assert stand.form()["live"] is True
    stand.engine.pace = 2 * QUICK_SECONDS
    stand.controller.apply()
    stand.until(lambda: stand.form()["live"] is False)
    let_go(stand, 0.3)
    assert stand.form()["changes"] == "1 change not applied."


def test_every_field_acts_at_once_where_sliders_do_and_a_refused_value_does_not(stand: Stand) -> None:
    stand.controller.edit({"key": "tariff.export.rule", "value": "net_metering"})
    stand.until(lambda: stand.engine.settings.get("tariff.export.rule", "") == "net_metering")
    stand.controller.edit({"key": "households", "value": "3"})
    assert "give a whole number" in next(f for f in stand.form()["parts"][-1]["fields"])["problem"]
    assert stand.engine.settings.households == PLAIN.households
    stand.controller.edit({"key": "households", "value": "50"})
    stand.until(lambda: stand.engine.settings.households == 50)


def test_a_tariff_chosen_while_a_slider_is_held_wins(stand: Stand) -> None:
    move(stand, 0.1)
    stand.until(lambda: value(stand.engine.settings) == 0.1)
    stand.controller.choose({"key": "tariff", "value": "rtp"})
    stand.until(lambda: stand.engine.settings.tariff == "rtp")
    stand.until(lambda: stand.form()["work"] is None)
    assert stand.form()["changes"] == ""


def test_the_pace_is_found_out_once_something_is_in_force() -> None:
    engine = FakeEngine()
    engine.pace_later = 0.02
    stand = Stand(engine).start()
    stand.until(lambda: stand.form()["live"])
    assert stand.form()["rule"] == "Also while you drag: a solve takes 0.02 s. Apply is not needed."
    stand.controller.close()


def test_the_rule_says_what_waits_and_why() -> None:
    stage = Stage(base=PLAIN, draft=PLAIN)
    assert rule(stage) == "Changes wait for Apply until a solve is timed."
    for pace, at_once, said in (
        (2.13, None, "Changes wait for Apply: a solve takes 2.1 s."),
        (0.01, False, "Changes wait for Apply, as you chose."),
        (0.004, None, "Also while you drag: a solve takes 0.01 s. Apply is not needed."),
        (2.0, True, "Also while you drag: a solve takes 2.0 s. Apply is not needed."),
        (None, True, "Also while you drag. Apply is not needed."),
    ):
        assert rule(replace(stage, at_once=at_once).at_pace(pace)) == said


def test_the_pace_is_that_of_the_last_solves_and_one_slow_one_is_enough_to_notice() -> None:
    pace = Pace()
    assert pace.seconds is None
    for seconds, typical in ((0.04, 0.04), (0.06, 0.05), (0.05, 0.05), (3.0, 1.5), (0.04, 0.05), (0.04, 0.04)):
        pace.add(seconds)
        assert pace.seconds == pytest.approx(typical)


def test_the_engine_tries_out_without_keeping_and_ends_where_a_solve_ends() -> None:
    base = Settings(scenario="textbook", tariff="rtp")
    engine, start = Engine(), solve(base)
    assert start is not None
    engine.adopt(start)
    engine.measure(start, cancelled=lambda: False)
    assert engine.seconds() is not None
    wanted = base.with_change("tariff.fixed_charge_usd_per_day", 0.61, -1.0)
    found = engine.try_out(wanted, near=start, cancelled=lambda: False)
    assert found is not None
    assert known_solution(wanted) is None
    again = solve(wanted)
    assert again is not None
    assert found.bill_usd_per_month == pytest.approx(again.bill_usd_per_month, abs=1e-3)
    assert engine.try_out(wanted, near=start, cancelled=lambda: True) is None
    engine.close()


def test_a_neighbour_is_one_step_away_and_allowed() -> None:
    for scenario in ("textbook", "oahu", "california", "stress"):
        settings = Settings(scenario=scenario)
        other = neighbour(settings)
        assert len(other.changes) == 1
        other.load()


def test_a_page_that_follows_sliders_goes_on_until_solves_are_clearly_slow() -> None:
    stage = Stage(base=PLAIN, draft=PLAIN)
    for pace, live in ((1.5 * QUICK_SECONDS, False), (0.9 * QUICK_SECONDS, True), (1.5 * QUICK_SECONDS, True)):
        stage = stage.at_pace(pace)
        assert stage.live is live
    assert not stage.at_pace(3 * QUICK_SECONDS).live
    assert not stage.at_pace(None).live
