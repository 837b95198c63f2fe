"""Finite markets drawn for a page: what is told as they come, what is shared, and what it says at the end."""

import csv
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from compared_tariffs import solution

from meanwatt.analysis.dashboard.finite import drawing
from meanwatt.analysis.dashboard.finite.choice import SIZES, Choice
from meanwatt.analysis.dashboard.finite.drawing import CHECKS, drawn_markets, sample_of
from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.finite.take_home import csv_of, report_of
from meanwatt.analysis.dashboard.finite.view import bar_json, figures
from meanwatt.analysis.dashboard.finite.words import load_caption
from meanwatt.analysis.dashboard.shared.solved import Work
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
    asked = validate(solution(CHOICE.tariff, "textbook").equilibrium, sample_of(CHOICE), checks=CHECKS)
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


def test_the_report_is_that_of_the_command() -> None:
    page = report_of(CHOICE, whole())
    study = whole().study
    assert study is not None
    assert page.lower().startswith("<!doctype html>")
    assert "Textbook island, tariff rtp" in page
    assert all(one.title in page for one in study.findings)
    assert report_of(CHOICE, told().shown[0]) == ""
