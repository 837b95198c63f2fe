"""What a page says of itself: its settings, and lines of Python that give the numbers that stand on it."""

import json

import numpy as np
import pytest

from meanwatt.analysis.dashboard.compare.choice import Choice, query
from meanwatt.analysis.dashboard.compare.choice import from_query as comparison
from meanwatt.analysis.dashboard.compare.edits import Edits
from meanwatt.analysis.dashboard.compare.numbers import key_numbers as compared_numbers
from meanwatt.analysis.dashboard.finite.choice import from_query as finite_markets
from meanwatt.analysis.dashboard.finite.drawing import CHECKS, drawn_markets
from meanwatt.analysis.dashboard.finite.take_home import report_of
from meanwatt.analysis.dashboard.learners.choice import Choice as Learners
from meanwatt.analysis.dashboard.market.address import from_query
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.key_figures import key_numbers
from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.solution import benchmark, solve
from meanwatt.analysis.dashboard.take_away import described
from meanwatt.analysis.dashboard.take_away.components import answer
from meanwatt.model.scenario.economy import DAYS_PER_MONTH
from meanwatt.model.scenario.loading import load_scenario

TARIFF = "tariff=tou&tariff.pass_through=0.25&tariff.energy_usd_per_kwh.peak=0.3"
MARKET = f"?scenario=textbook&{TARIFF}&households=150&seed=7"


def executed(lines: str, capsys: pytest.CaptureFixture[str]) -> dict:
    """Names that the lines have set, once they have run as they stand."""
    names: dict = {}
    exec(compile(lines, "lines.py", "exec"), names)
    assert capsys.readouterr().out
    return names


def test_the_lines_of_the_market_page_give_its_key_numbers_and_its_days(capsys) -> None:
    names = executed(described.describe_market(MARKET, 3).python, capsys)
    settings, problems = from_query(MARKET)
    assert problems == ()
    found = solve(settings)
    assert found is not None
    page = {entry.figure.key: entry for entry in key_numbers(found, benchmark(settings.town))}
    said = names["numbers"]
    for key, name in {
        "gap": "burden gap, % of income",
        "imv": "price swing (IMV), USD/kWh",
        "peak": "peak to average",
        "surplus": "utility's surplus, USD per home and day",
        "efficiency": "efficiency gap, USD per home and day",
    }.items():
        digits = page[key].figure.digits
        printed = page[key].b / 10**digits
        assert said.pop(name) == pytest.approx(printed, abs=0.51 * 10**-digits), key
    assert said == {}
    engine = Engine()
    engine.preview(settings)
    engine.adopt(found)
    try:
        for _ in range(3):
            engine.step()
        rows = [row for row in engine.csv().splitlines() if not row.startswith("#")]
    finally:
        engine.close()
    column = rows[0].split(",").index("wholesale_usd_per_kwh")
    page_prices = np.array([float(row.split(",")[column]) for row in rows[1:]])
    lived = names["market"].to_frame()["wholesale_usd_per_kwh"].to_numpy()
    assert lived.shape == page_prices.shape
    assert np.abs(lived - page_prices).max() < 1e-4  # both are solved to a thousandth of a cent, the draws are the same
    other = described.describe_market(MARKET.replace("seed=7", "seed=8"), 3).python
    strange = executed(other, capsys)["market"].to_frame()["wholesale_usd_per_kwh"].to_numpy()
    assert np.abs(strange - page_prices).max() > 1e-4


def test_a_market_without_a_day_has_no_days_to_repeat() -> None:
    assert "simulate" not in described.describe_market(MARKET, 0).python
    assert dict(described.describe_market(MARKET, 2).settings)["days"] == "2"


@pytest.mark.parametrize(
    "search",
    [
        "?scenario=textbook&a=filed&b=rtp",
        "?scenario=textbook&a=flat&b=rtp&b.rates=17*9_52*4_35*11&b.recovery=posted",
    ],
)
def test_the_lines_of_the_page_of_comparisons_give_both_sides_as_edited(search: str, capsys) -> None:
    said = executed(described.describe_compare(search, 0).python, capsys)["numbers"]
    sides = comparison(search)[0].sides
    a, b = (solve(side) for side in sides)
    assert a is not None
    assert b is not None
    page = {entry.figure.key: entry for entry in compared_numbers(a, b, benchmark(sides[0].town))}
    for key, name in {
        "gap": "burden gap, % of income",
        "suits": "Suits index",
        "imv": "price swing (IMV), USD/kWh",
        "peak": "peak to average",
        "surplus": "utility's surplus, USD a month",
        "curtailed": "solar curtailed, kWh a month",
        "efficiency": "efficiency gap, USD a month",
    }.items():
        entry = page[key]
        # the surplus of the page is what is left of its cents, four of which are rounded
        unit = 10**-entry.figure.digits * (4 if key == "surplus" else 1)
        for value, units in zip(said.pop(name), (entry.a, entry.b), strict=True):
            assert value == pytest.approx(units / 10**entry.figure.digits, abs=0.51 * unit), key
    assert said == {}


def test_a_tariff_read_from_a_file_is_told_to_be_taken_home() -> None:
    own = Edits(own=toml_of(load_scenario("textbook").tariffs["tou"]))
    said = described.describe_compare(query(Choice(scenario="textbook", edits_b=own)), 0)
    assert (said.python, said.why[:16]) == ("", "Tariff B was rea")


def test_the_lines_of_finite_markets_give_the_report_of_the_page(capsys) -> None:
    search = "?scenario=textbook&tariff=filed&markets=5&seed=3"
    study = executed(described.describe_finite(search, 0).python, capsys)["study"]
    choice, _ = finite_markets(search)
    found = solve(choice.settings)
    assert found is not None
    drawn = drawn_markets(choice, found, show=lambda _: None, progress=lambda _: None, cancelled=lambda: False)
    assert drawn is not None
    assert drawn.study is not None
    assert study.verdict == drawn.study.verdict
    assert study.verdict in report_of(choice, drawn)
    assert described.CHECKS == CHECKS


def test_the_lines_of_the_leader_are_those_of_a_tariff_in_force_or_of_a_search() -> None:
    assert "meanwatt.solve('textbook', tariff='filed'" in described.describe_leader("", 0).python
    searched = described.describe_leader("?leader=utility&price_cap=0.3&evaluations=5&run=1", 0)
    assert "meanwatt.design('textbook', leader='utility', price_cap_usd_per_kwh=0.3, evaluations=5)" in searched.python
    weighed = described.describe_leader("?equity=2&run=1", 0)
    assert "weights={'equity': 2.0}" in weighed.python
    assert dict(weighed.settings)["equity"] == "2"
    feedback = described.describe_leader("?leader=utility&concept=feedback&run=1", 0)
    assert feedback.python == ""
    assert "feedback" in feedback.why


def test_the_lines_of_a_search_run(capsys) -> None:
    names = executed(described.describe_leader("?evaluations=2&run=1", 0).python, capsys)
    assert names["found"].design is not None


def test_the_lines_of_learners_give_the_days_of_the_command_that_the_page_shows(capsys) -> None:
    search = "?households=100&days=2&mix=belief:50,equilibrium:50&first_step=0.4&seed=5&battery_share_scale=2"
    said = described.describe_learners(search, 0)
    market = executed(said.python, capsys)["market"]
    assert len(market.to_frame()) == 48
    choice = Learners(
        households=100,
        days=2,
        mix=(("belief", 50), ("equilibrium", 50)),
        first_step=0.4,
        seed=5,
        battery_share_scale=2,
    )
    assert dict(said.settings)["behaviour"] == choice.behaviour
    assert repr(choice.behaviour) in said.python


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_page_with_numbers_says_its_settings_and_either_has_lines_or_says_why_not(page) -> None:
    told = {entry.route: (entry.title, entry.describe) for entry in PAGES}
    said = json.loads(answer(told, {"path": page.route, "search": "?nonsense=1", "day": 4}))
    assert (said["page"], said["path"], said["search"]) == (page.title, page.route, "?nonsense=1")
    if page.describe is None:
        assert page.title in ("Class market", "Help")
        assert said["settings"] == []
    else:
        assert bool(said["python"]) != bool(said["why"])
        if page.title != "Lessons":
            assert said["settings"]


@pytest.mark.parametrize("day", [-1, None, "3", 1e9, True])
def test_a_number_of_days_that_is_none_plays_none(day) -> None:
    told = {"/": ("Market", described.describe_market)}
    said = json.loads(answer(told, {"path": "/", "search": "", "day": day}))
    assert said["day"] == 0
    assert f"days={10**9}" not in said["python"]


def test_text_of_an_address_never_becomes_code() -> None:
    evil = "?scenario=textbook'); import os; print('&tariff=rtp&households=__import__('os')"
    lines = described.describe_market(evil, 1).python
    assert "import os" not in lines
    assert "__import__" not in lines


def test_a_month_is_written_to_the_last_digit_that_counts() -> None:
    assert float(f"{DAYS_PER_MONTH:.12g}") == pytest.approx(DAYS_PER_MONTH, rel=1e-11)
