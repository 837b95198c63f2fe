"""Finite markets drawn for a page: what is told as they come, what is shared, and what it says at the end."""

import contextlib
import csv
import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from compared_tariffs import solution

from meanwatt.analysis.cli.entry import main
from meanwatt.analysis.dashboard.finite import drawing
from meanwatt.analysis.dashboard.finite.choice import SIZES, Choice
from meanwatt.analysis.dashboard.finite.drawing import CHECKS, drawn_markets, memory_floors, nothing_drawn, sample_of
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.finite.floors import floors_json, share
from meanwatt.analysis.dashboard.finite.take_home import csv_of, report_of
from meanwatt.analysis.dashboard.finite.view import bar_json, figures
from meanwatt.analysis.dashboard.finite.words import load_caption
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.validation.result import MemoryFloor
from meanwatt.analysis.validation.scaling import Interval, Scaling
from meanwatt.analysis.validation.study import validate

CHOICE = Choice(scenario="textbook", markets=5)
MARKETS = len(SIZES) * CHOICE.markets


class Told:
    """What was shown and said of a drawing, and how it ended."""

    def __init__(self, choice: Choice = CHOICE, *, stop_after: int | None = None) -> None:
        self.shown: list[Drawn] = []
        self.work: list[Work] = []
        self.end = drawn_markets(
            choice,
            solution(choice.tariff, choice.scenario),
            show=self.shown.append,
            progress=self.work.append,
            cancelled=lambda: stop_after is not None and len(self.shown) > stop_after,
        )


@cache
def told() -> Told:
    return Told()


def whole() -> Drawn:
    end = told().end
    assert end is not None
    return end


def test_every_market_is_shown_as_it_comes_and_the_gain_comes_last() -> None:
    counts = [sum(len(errors) for errors in one.errors_kw) for one in told().shown]
    assert counts == [*range(MARKETS + 1), MARKETS]
    assert [one.study is None for one in told().shown] == [True] * (MARKETS + 1) + [False]
    first = told().shown[-1].study
    assert first is not None
    assert first.exploit is None
    fractions = [work.fraction for work in told().work]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1.0
    assert whole().errors_kw == told().shown[-1].errors_kw


def test_it_is_the_study_of_the_command_market_by_market() -> None:
    exact = whole().exact
    assert exact is not None
    asked = validate(exact, sample_of(CHOICE), checks=CHECKS)
    found = whole().study
    assert found is not None
    assert found.by_replication == asked.by_replication
    assert found.exploitability_usd_per_household_day == asked.exploitability_usd_per_household_day
    assert [(one.key, one.status, one.sentence) for one in found.findings] == [
        (one.key, one.status, one.sentence) for one in asked.findings
    ]


def test_the_law_is_that_of_independent_homes_and_the_markets_lie_about_it() -> None:
    law = np.array(whole().law_kw)
    error = np.sqrt([np.mean(np.square(errors)) for errors in whole().errors_kw])
    assert error == pytest.approx(law, rel=0.2)  # 5 markets of 14 days: a standard error of about 5 %
    assert np.log(law[-1] / law[1]) / np.log(SIZES[-1] / SIZES[1]) == pytest.approx(-0.5, abs=0.02)


def test_who_asks_for_the_same_gets_the_same_without_a_market_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    whole()
    monkeypatch.setattr(drawing, "validate", None)
    again = Told()
    assert [one.errors_kw for one in again.shown] == [((),) * len(SIZES)], "the law alone"
    assert again.end is not None
    assert again.end.study is whole().study


def test_a_drawing_that_is_given_up_ends_at_the_next_market_and_leaves_nothing() -> None:
    choice = replace(CHOICE, seed=1)
    stopped = Told(choice, stop_after=3)
    assert stopped.end is None
    assert len(stopped.shown) == 4
    assert drawing._studies.get(choice) is None


def test_who_waits_for_others_may_give_up() -> None:
    choice = replace(CHOICE, seed=2)
    with drawing._one_at_a_time.turn(lambda: False, print):
        stopped = Told(choice, stop_after=0)
    assert stopped.end is None
    assert [work.text for work in stopped.work] == [drawing.WAITING]
    assert len(stopped.shown) == 1


def test_the_figures_say_what_was_drawn() -> None:
    written = figures(whole())
    load, gain, findings = (json.loads(text) for text in (written.load, written.gain, written.findings))
    assert load["sizes"] == gain["sizes"] == list(SIZES)
    assert [len(dots) for dots in load["dots"]] == [CHOICE.markets] * len(SIZES)
    assert load["lines"][0]["values"] == [1000 * law for law in whole().law_kw]
    study = whole().study
    assert study is not None
    assert study.exploit is not None
    assert gain["lines"][0]["values"] == [100 * value for value in study.exploit.values]
    assert len(findings["rows"]) == len(study.findings)
    assert json.loads(bar_json(CHOICE, None, whole()))["verdict"].startswith(("Validated", "Not decided"))


def test_before_the_first_market_the_page_shows_the_law_and_says_so() -> None:
    first = told().shown[0]
    written = figures(first)
    assert (written.gain, written.findings) == ("", "")
    assert json.loads(written.load)["caption"] == load_caption(first) == "No market is drawn yet."
    assert json.loads(bar_json(CHOICE, Work(text="Drawing", fraction=0.1), first))["stopped"] is False
    assert json.loads(bar_json(CHOICE, None, first))["stopped"] is True


def test_the_caption_reads_the_smallest_and_the_largest_markets() -> None:
    mean = whole().mean_load_kw
    made = replace(whole(), errors_kw=((0.1 * mean,), (), (), (), (), (0.01 * mean,)), study=None)
    assert load_caption(made) == (
        f"10 homes are {100 * mean:.0f} W a home from the mean field (10.0 % of the mean load); 3,000 homes are"
        f" {10 * mean:.0f} W a home from the mean field (1.0 % of the mean load)."
    )


def test_the_csv_holds_every_market_and_what_it_was_drawn_with() -> None:
    lines = csv_of(CHOICE, whole()).splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("#"))
    assert (head["scenario"], head["tariff"], head["markets"], head["seed"]) == ("textbook", "rtp", "5", "0")
    assert head["link"] == "?scenario=textbook&markets=5"
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert [int(row["households"]) for row in rows] == [count for count in SIZES for _ in range(CHOICE.markets)]
    known = [error for errors in whole().errors_kw for error in errors]
    assert [float(row["rms_net_load_error_kw"]) for row in rows] == pytest.approx(known, rel=1e-8)


def command(*options: str) -> dict:
    """What ``meanwatt validate`` prints of the same markets; its criteria may not all pass."""
    given = ["--replications", "5", "--days", "14", "--seed", "0", *options, "--json"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main(["validate", *given])
    return json.loads(out.getvalue())


def test_the_report_is_byte_for_byte_what_the_command_writes_for_these_settings(tmp_path: Path) -> None:
    sizes = ",".join(map(str, SIZES))
    given = ["textbook", "--tariff", "rtp", "--households", sizes, "--checks", ",".join(CHECKS)]
    printed = command(*given, "--out", str(tmp_path / "out"))
    page = report_of(CHOICE, whole())
    assert page == (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert json.loads(bar_json(CHOICE, None, whole()))["verdict"] == printed["verdict"]
    assert report_of(CHOICE, told().shown[0]) == ""


def test_floors_are_those_of_the_commands_memory_kept_and_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (10, 30, 100)
    monkeypatch.setattr(drawing, "SIZES", few)
    choice = Choice(markets=5)
    there = solution(choice.tariff, choice.scenario)
    exact = drawing._exact(there, lambda: False)
    drawn = replace(nothing_drawn(there, few, exact), study=replace(whole().study, day_types=3))  # type: ignore[type-var]
    work: list[Work] = []
    found = memory_floors(choice, drawn, progress=work.append, cancelled=lambda: False)
    assert found is not None
    printed = command(
        choice.scenario, "--tariff", "rtp", "--households", "10,30,100", "--checks", "aggregate", "--memory", "0,1,2"
    )
    for one, row in zip(found, printed["memory"], strict=True):
        assert one.memory == row["memory"]
        assert one.closure_error_kw == row["closure_error_kw"]
        assert one.scatter.floor == row["scatter"]["floor"]
    assert work[-1].text.startswith("Floors: ")
    assert memory_floors(choice, drawn, progress=work.append, cancelled=lambda: True) is found, "kept"
    board = json.loads(floors_json(drawn, found, None))
    assert [row[0] for row in board["rows"]] == ["0", "1 (this town)", "2"]
    assert float(board["rows"][0][2]) == round(1000 * found[0].closure_error_kw, 2) > 0, "forgetting yesterday costs"


def test_who_gives_up_the_floors_gets_none_and_without_weather_there_are_none() -> None:
    choice = replace(CHOICE, seed=7)
    assert memory_floors(choice, whole(), progress=lambda _: None, cancelled=lambda: True) is None
    assert memory_floors(choice, told().shown[0], progress=lambda _: None, cancelled=lambda: False) is None
    board = json.loads(floors_json(whole(), None, None))
    assert not board["ask"]
    assert "one kind of day: there is nothing to forget" in board["caption"]


def floor(low: float, value: float, high: float, rms: float) -> MemoryFloor:
    fit = Scaling(
        rms=(Interval(value=rms),),
        slope=Interval(value=-0.5),
        floor_squared=Interval(value=value, low=low, high=high),
        floor=max(value, 0.0) ** 0.5 if low > 0 else 0.0,
    )
    return MemoryFloor(
        memory=1, common_states=9, scatter=fit, expected_kw=(rms,), ratio=Interval(value=1.0), closure_error_kw=0.0
    )


def test_the_share_of_a_floor_is_of_squares_and_an_unseen_one_is_bounded() -> None:
    assert share(floor(1e-5, 2.5e-5, 4e-5, 0.01)) == "25 %"
    assert share(floor(-1e-5, 1e-5, 4e-5, 0.01)) == "at most 40 %"
    assert share(floor(-2e-5, -1e-5, -1e-6, 0.01)) == "at most 0 %"
