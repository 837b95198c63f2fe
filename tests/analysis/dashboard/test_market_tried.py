"""The list of tariffs tried: bounded, each tariff once, read back from a browser with care, and taken home."""

import csv
import io
import json
from dataclasses import replace

import pytest
from compared_tariffs import solution

from meanwatt.analysis.dashboard.market.address import from_query, query
from meanwatt.analysis.dashboard.market.key_figures import SIX, key_numbers
from meanwatt.analysis.dashboard.market.tray import SKETCH, sketches, tray_json
from meanwatt.analysis.dashboard.market.tried import (
    COLUMNS,
    MOST_TRIED,
    Tried,
    added,
    completed,
    merged,
    read,
    tried,
    tried_csv,
    written,
)
from meanwatt.analysis.dashboard.shared.csv_text import release
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark

PLAIN = Settings(scenario="textbook")


@pytest.fixture(scope="module")
def here() -> tuple[Tried, ...]:
    """Two tariffs as the page lists them: solved when a test asks, and not when files are collected."""
    return tuple(tried(solution(tariff), None) for tariff in ("filed", "rtp"))


def entry(rate: float) -> Tried:
    settings = PLAIN.with_change("tariff.pass_through", rate, 0.0)
    return Tried(settings=settings, numbers=(None, rate, 0.01, 2.0, 0.0, 0.95), welfare=-rate, load_kw=(0.1, rate))


def test_an_entry_has_the_key_numbers_and_the_load_of_the_average_day() -> None:
    found = solution("rtp")
    best = Benchmark(welfare_usd_per_household_day=found.metrics.welfare_usd_per_household_day + 0.25)
    kept = tried(found.for_sample(replace(found.settings, seed=9)), best)
    assert kept.settings == found.settings.market_only
    assert kept.numbers[0] == pytest.approx(0.25, abs=1e-6)
    for value, shown in zip(kept.numbers, key_numbers(found, best), strict=True):
        assert round(value * 10**shown.figure.digits) == pytest.approx(shown.b, abs=1)
    probability = found.equilibrium.economy.common.probability
    assert sum(kept.load_kw) == pytest.approx(float(probability @ found.expected.net_load_kw.sum(axis=1)), abs=0.013)


def test_a_tariff_tried_again_keeps_its_place_and_gets_its_newest_numbers() -> None:
    entries = added(added((), entry(0.1)), entry(0.2))
    again = replace(entry(0.1), welfare=7.0)
    assert added(entries, again) == (again, entry(0.2))


def test_the_list_is_bounded_and_the_oldest_goes_first() -> None:
    entries: tuple[Tried, ...] = ()
    for step in range(MOST_TRIED + 3):
        entries = added(entries, entry(step / 100))
    assert len(entries) == MOST_TRIED
    assert [kept.numbers[1] for kept in entries] == [step / 100 for step in range(3, MOST_TRIED + 3)]


def test_what_a_browser_kept_comes_back_whole(here: tuple[Tried, ...]) -> None:
    assert read("textbook", written(here)) == here
    assert read("oahu", written(here)) == ()
    assert merged(read("textbook", written(here)), (entry(0.1), here[0])) == (*here, entry(0.1))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "7", "{", '{"version": 1}', '{"version": "1", "entries": 5}', "[" * 100_000, "x" * 200_000],
)
def test_a_text_that_is_none_of_ours_gives_an_empty_list(text: str) -> None:
    assert read("textbook", text) == ()


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        {"query": 5},
        {"query": "scenario=nowhere"},
        {"query": "scenario=oahu"},
        {"query": "scenario=textbook&tariff=nothing"},
        {"query": "scenario=textbook&tariff.pass_through=9"},
    ],
)
def test_a_row_that_cannot_be_used_is_left_out(here: tuple[Tried, ...], row: object) -> None:
    good = json.loads(written(here))
    good["entries"].insert(1, row)
    assert read("textbook", json.dumps(good)) == here


@pytest.mark.parametrize(
    "fault",
    [
        {"numbers": [1, 2]},
        {"numbers": ["1", 2, 3, 4, 5, 6]},
        {"numbers": [True] * 6},
        {"numbers": None},
        {"welfare": "much"},
        {"load_kw": [0.0] * 5_000},
        {"load_kw": [[0.0]]},
        {"load_kw": [float("inf")]},
    ],
)
def test_numbers_that_cannot_be_used_are_left_out_and_the_tariff_stays(here: tuple[Tried, ...], fault: dict) -> None:
    kept = json.loads(written(here[:1]))
    kept["entries"][0] |= fault
    assert read("textbook", json.dumps(kept)) == (Tried(settings=PLAIN),)


def test_numbers_of_another_version_are_not_shown_as_those_of_this_one(here: tuple[Tried, ...]) -> None:
    kept = json.loads(written(here)) | {"version": "0.0.0"}
    assert read("textbook", json.dumps(kept)) == tuple(Tried(settings=found.settings) for found in here)


def test_the_efficiency_gap_follows_when_the_first_best_of_the_town_is_known() -> None:
    town = replace(PLAIN, changes=(("elasticity", 0.2),))
    entries = (entry(0.5), Tried(settings=town, welfare=-0.5), Tried(settings=replace(PLAIN, tariff="rtp")))
    known = completed(entries, {PLAIN.town: 1.25}.get)
    assert [found.numbers[0] for found in known] == [1.75, None, None]
    assert completed(known, {PLAIN.town: 9.0}.get) == known
    assert completed((Tried(settings=PLAIN, welfare=2.0),), {PLAIN.town: 1.25}.get)[0].numbers[0] == 0.0


def test_the_tray_shows_the_newest_first_says_which_is_in_force_and_links_to_each(here: tuple[Tried, ...]) -> None:
    board = json.loads(tray_json("textbook", here, here[0].settings, 1))
    assert [row["name"] for row in board["rows"]] == ["Real-time price with carbon", "A posted time-of-use tariff"]
    assert [row["now"] for row in board["rows"]] == [False, True]
    assert [head["key"] for head in board["heads"]] == [figure.key for figure in SIX]
    for row, kept in zip(board["rows"], here[::-1], strict=True):
        assert len(row["numbers"]) == len(SIX)
        assert row["numbers"][0] == "–"
        assert float(row["numbers"][3]) == pytest.approx(kept.numbers[3], abs=0.0051)
        assert from_query(row["link"].partition("?")[2]) == (kept.settings, ())
    assert read("textbook", board["kept"]) == here
    assert (board["known"], json.loads(tray_json("textbook", (), None, 0))["known"]) == (1, 0)


def test_small_lines_share_one_axis_and_stay_in_their_boxes() -> None:
    low, high, none = sketches((entry(0.1), entry(0.9), Tried(settings=PLAIN)))
    places = [[tuple(map(float, point.split(","))) for point in line.split()] for line in (low, high)]
    for x, y in places[0] + places[1]:
        assert 0 <= x <= SKETCH[0]
        assert 0 <= y <= SKETCH[1]
    assert places[0][0] == places[1][0], "the same load is drawn at the same height"
    assert places[0][1][1] > places[1][1][1], "the higher load is drawn higher"
    assert none == ""


def test_the_file_says_what_it_is_of_and_has_a_row_for_each_tariff(here: tuple[Tried, ...]) -> None:
    now = replace(here[1].settings, seed=3)
    text = tried_csv(here, now)
    lines = text.splitlines()
    head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    assert head["program"] == f"meanwatt {release()}"
    assert (head["scenario"], head["link"]) == ("textbook", f"?{query(now, whole=True)}")
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in lines if not line.startswith("#")))))
    assert [row["tariff"] for row in rows] == ["A posted time-of-use tariff", "Real-time price with carbon"]
    for row, kept in zip(rows, here, strict=True):
        assert [row[column] for column in COLUMNS[:1]] == [""]
        assert [float(row[column]) for column in COLUMNS[1:]] == pytest.approx(kept.numbers[1:])
        assert from_query(row["link"]) == (kept.settings, ())
