"""The page of hosting capacity: its address, what the sweep behind it finds and shares, what it says and hands out."""
# ruff: noqa: D102

import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from classed_scenarios import given

from meanwatt.analysis.dashboard.help.texts import anchors
from meanwatt.analysis.dashboard.hosting import sweeping, words
from meanwatt.analysis.dashboard.hosting.choice import KEYS, NAMES, Choice, from_query, query
from meanwatt.analysis.dashboard.hosting.sweeper import Sweeper
from meanwatt.analysis.dashboard.hosting.swept import Swept
from meanwatt.analysis.dashboard.hosting.take_home import csv_of, parquet_of_states, report_of
from meanwatt.analysis.dashboard.hosting.view import View, bar_json, figures, offer_json
from meanwatt.analysis.dashboard.leader.choice import Choice as Leader
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.own_scenarios import give
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.panels import hosting_panels
from meanwatt.analysis.hosting.report import hosting_json
from meanwatt.analysis.hosting.sweep import Cell, sweep
from meanwatt.model.scenario.loading import load_scenario

PATIENCE_S = 20.0
TOWN = load_scenario("textbook", overrides={"battery_share_scale": 0}, tariff="filed").model_copy(
    update={"name": "small"}
)
give([TOWN])
SMALL = Choice(scenario="small", step=25, placements=10)
give([])
SEARCH = "scenario=small&placements=10&step=25"


def silent(_: object) -> None:
    """Hear nothing."""


@pytest.fixture(scope="module", autouse=True)
def town():
    """The server has a town without batteries, so that a sweep takes a second or two."""
    give([TOWN])
    yield
    give([])


@pytest.fixture(scope="module")
def swept() -> Swept:
    """The small sweep, as the page has it."""
    found = sweeping.swept(SMALL, show=silent, progress=silent, cancelled=lambda: False)
    assert found is not None
    return found


def test_an_address_gives_back_the_choice_and_the_default_is_empty() -> None:
    given = Choice(scenario="textbook", feeder="scenario", sweep="cars", batteries="both", inverters="both", step=25)
    assert from_query(f"?{query(given)}") == (given, ())
    assert query(Choice()) == ""
    assert query(SMALL) == SEARCH
    assert query(SMALL, designed="1").endswith("&designed=1")
    assert from_query(query(SMALL, designed="1"))[0].designed
    assert query(Choice(designed=True), designed="") == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("feeder=lv_rual", "unknown feeder 'lv_rual'; did you mean 'lv_rural'?"),
        ("sweep=heat", "sweep is 'heat'; give one of solar, cars"),
        ("batteries=some", "batteries is 'some'; give one of town, none, both"),
        ("placements=7", "placements is 7; give one of 10, 20, 50, 100"),
        ("step=x", "step is 'x'; give a whole number, e.g. 10"),
        ("designed=2", "designed is '2'; give 1, or leave it out"),
        ("homes=3", "unknown parameter 'homes'"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_named(text: str, problem: str) -> None:
    choice, problems = from_query(f"?{text}")
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert choice == Choice()


def cells_of(swept: Swept, tariff: str) -> tuple:
    return tuple(cell for cell in swept.cells if cell.tariff == tariff)


def alike(one: Cell, other: Cell) -> bool:
    same = all(np.array_equal(one.measured[name], values) for name, values in other.measured.items())
    return same and (one.tariff, one.level) == (other.tariff, other.level)


def test_the_page_finds_what_the_command_finds(swept: Swept) -> None:
    """Tariff by tariff alone, or level by level all in one as ``meanwatt hosting`` does it."""
    plan = sweeping.plan_of(SMALL)
    assert list(plan.scenarios) == ["filed", "flat"]
    done = [cell for pair in zip(cells_of(swept, "filed"), cells_of(swept, "flat"), strict=True) for cell in pair]
    found = list(sweep(plan, done[:7]))
    assert len(found) == 3
    assert all(alike(one, other) for one, other in zip(found, done[7:], strict=True))


def test_what_is_known_is_found_and_a_stopped_sweep_goes_on_where_it_stopped(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, int]] = []

    def counting(plan, done=(), watch=None):
        for cell in sweep(plan, done, watch):
            counted.append((cell.tariff, cell.level))
            yield cell

    monkeypatch.setattr(sweeping, "sweep", counting)
    again = sweeping.swept(SMALL, show=silent, progress=silent, cancelled=lambda: False)
    assert again is not None
    assert again.cells == swept.cells
    assert counted == []
    monkeypatch.setattr(sweeping, "_known", Memo(4))
    for tariff in ("filed", "flat"):
        sweeping._known.put(sweeping.Line(SMALL, tariff, True), cells_of(swept, tariff)[:3])
    assert sweeping.swept(SMALL, show=silent, progress=silent, cancelled=lambda: len(counted) > 0) is None
    assert counted == [("filed", 3)]
    told: list[Work] = []
    found = sweeping.swept(SMALL, show=silent, progress=told.append, cancelled=lambda: False)
    assert found is not None
    assert found.whole
    assert counted == [("filed", 3), ("flat", 3), ("filed", 4), ("flat", 4)]
    assert told[-1].text.startswith("Under flat, adoption 100%")
    assert all(alike(one, other) for one, other in zip(found.cells, swept.cells, strict=True))
    assert [work.fraction for work in told] == sorted(work.fraction for work in told)


def test_a_town_without_batteries_is_swept_beside_the_other() -> None:
    plan = sweeping.plan_of(replace(SMALL, scenario="textbook", batteries="both", inverters="both", incomes="far"))
    assert list(plan.scenarios) == ["filed", "flat", "filed, no batteries", "flat, no batteries"]
    assert [one.battery_share_scale for one in plan.scenarios.values()] == [1, 1, 0, 0]
    assert plan.control is not None
    assert plan.residence == "far"


def test_the_designed_tariff_is_searched_for_once_the_others_are_shown(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    designed = SMALL.settings.preset().tariffs["flat"]
    monkeypatch.setattr(sweeping, "designed_tariff", lambda *_: order.append("search") or designed)
    known = tuple(replace(cell, tariff="designed") for cell in cells_of(swept, "flat")[:4])
    sweeping._known.put(sweeping.Line(SMALL, "designed", True), known)

    def show(now: Swept) -> None:
        order.append(f"{len(now.plan.scenarios)} tariffs, {len(now.cells)} cells")

    found = sweeping.swept(replace(SMALL, designed=True), show=show, progress=silent, cancelled=lambda: False)
    assert found is not None
    assert list(dict.fromkeys(order)) == ["2 tariffs, 10 cells", "search", "3 tariffs, 14 cells", "3 tariffs, 15 cells"]
    assert list(found.plan.scenarios) == ["filed", "flat", "designed"]
    flat, own = (found.cells[place] for place in (9, 14))
    assert alike(replace(own, tariff="flat"), flat)  # it is the flat one
    assert "designed" in json.loads(figures(found).tables[0])["caption"]


def test_the_charts_are_the_panels_of_the_commands_figure_and_captions_read_them(swept: Swept) -> None:
    panels = hosting_panels(swept.plan, judge(swept.plan, swept.cells))
    charts = {chart["key"]: chart for chart in map(json.loads, figures(swept).charts)}
    assert set(charts) == {panel.key for panel in panels}
    for panel in panels:
        for line, shown in zip(panel.lines, charts[panel.key]["lines"], strict=True):
            assert shown["values"] == list(line.values)
            assert shown["name"] == line.name
    last = charts["overvoltage"]["lines"][0]["values"][-1]
    assert charts["overvoltage"]["caption"].startswith(
        f"At 100 % adoption the share of placements with voltage too high is: filed {last:.0f} %"
    )
    table = json.loads(figures(swept).tables[0])
    first = hosting_json(swept.plan, swept.cells)["tariffs"][0]
    half = first["first_violation"]["any"]["p50"]
    assert f"half of them at {100 * half:g} %" in table["caption"]
    assert table["messages"]


def test_a_sweep_that_has_just_begun_has_figures_with_gaps(swept: Swept) -> None:
    begun = Swept(plan=swept.plan, cells=swept.cells[:1])
    chart = json.loads(figures(begun).charts[0])
    assert [line["values"][1:] for line in chart["lines"]] == [[None] * 4] * 2
    assert chart["caption"] == "No level is known yet."


def test_tariffs_are_compared_over_the_levels_that_all_of_them_have_come_to(swept: Swept) -> None:
    filed, flat = cells_of(swept, "filed"), cells_of(swept, "flat")
    even = figures(Swept(plan=swept.plan, cells=(*filed[:2], *flat[:2])))
    ahead = figures(Swept(plan=swept.plan, cells=(*filed, *flat[:2])))
    assert ahead.tables == even.tables != figures(swept).tables
    assert ahead.charts != even.charts


def test_every_word_of_the_bar_leads_to_an_entry_and_every_choice_is_offered() -> None:
    bar = json.loads(bar_json(SMALL, None, None, whole=False))
    picks = bar["choices"] + bar["more"]
    assert {pick["key"] for pick in picks} == set(KEYS) - {"seed", "designed"}
    for pick in picks:
        assert pick["help"].partition("#")[2] in anchors() if "help" in pick else True
        assert pick["value"] in [option["value"] for option in pick["options"]]
    assert all(tuple(words.OPTIONS[key]) == names for key, names in NAMES.items())
    assert json.loads(offer_json())["help"].partition("#")[2] in anchors()


def test_files_hold_the_numbers_and_what_they_are_of(swept: Swept) -> None:
    lines = csv_of(SMALL, swept).splitlines()
    assert "# scenario: small" in lines
    assert f"# link: ?{SEARCH}" in lines
    rows = [line for line in lines if not line.startswith("#")]
    assert rows[0].startswith("tariff,placement,overvoltage")
    assert len(rows) == 1 + 2 * 10
    table = pq.read_table(io.BytesIO(parquet_of_states(SMALL, swept)))
    assert table.num_rows == 2 * 5 * 10
    assert table.schema.metadata[b"feeder"] == b"lv_rural"
    page = report_of(SMALL, swept)
    assert "Hosting capacity of a feeder" in page
    assert "<svg" in page


class Stand:
    """A sweeper whose sweep waits for the test, and what it published."""

    def __init__(self, found: Swept) -> None:
        self.found, self.gate, self.given_up = found, threading.Event(), 0
        self.fail: Exception | None = None
        self.views: list[View] = []
        self.sweeper = Sweeper(SEARCH, sweep=self.sweep)
        self.end = self.sweeper.listen(self.views.append)

    def sweep(self, choice: Choice, *, show, progress, cancelled) -> Swept | None:
        if self.fail is not None:
            raise self.fail
        show(Swept(plan=self.found.plan, cells=self.found.cells[:4]))
        while not self.gate.wait(0.005):
            progress(Work(text="Under filed, adoption 50%", fraction=0.4))
            if cancelled():
                self.given_up += 1
                return None
        return self.found

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def latest(self) -> View:
        return max(self.views, key=lambda view: view.number)

    def bar(self) -> dict:
        return json.loads(self.latest().bar)


@pytest.fixture
def stand(swept: Swept):
    made = Stand(swept)
    yield made
    made.gate.set()
    made.end()


def test_who_stops_keeps_the_levels_known_and_goes_on_later(stand: Stand) -> None:
    stand.sweeper.show(SEARCH)
    stand.until(lambda: bool(stand.views) and stand.latest().figures is not None)
    stand.sweeper.cancel()
    stand.until(lambda: stand.given_up == 1)
    assert stand.bar()["stopped"]
    assert stand.bar()["begin"] == "Go on"
    assert stand.latest().figures is not None
    assert not stand.latest().done
    stand.gate.set()
    stand.sweeper.show(SEARCH)
    stand.until(lambda: stand.latest().done)
    assert stand.bar()["verdict"].startswith(("Half of the placements", "Under no tariff do half"))
    assert stand.latest().offer
    assert stand.sweeper.csv().startswith("# program: meanwatt")


def test_a_failure_is_a_sentence_and_the_page_stays(stand: Stand) -> None:
    stand.fail = ValueError("no feeder today")
    stand.sweeper.show(SEARCH)
    stand.until(lambda: bool(stand.views) and "no feeder today" in stand.latest().notices)
    assert json.loads(stand.latest().notices)[0]["title"] == words.FAILED
    assert stand.bar()["stopped"]


def test_a_visitor_who_leaves_ends_the_sweep(stand: Stand) -> None:
    stand.sweeper.show(SEARCH)
    stand.until(lambda: bool(stand.views) and stand.latest().figures is not None)
    stand.end()
    stand.until(lambda: stand.given_up == 1)


def test_the_scenarios_tariffs_are_swept_beside_the_one_in_force_and_rate_classes_too(tmp_path: Path) -> None:
    assert Choice(scenario="oahu").tariffs == ("filed", "flat")
    classes = from_query("scenario=oahu&beside=filed_classes")
    assert (classes[0].tariffs, classes[1]) == (("filed", "filed_classes"), ())
    assert classes[0].under("filed_classes").has_rate_classes
    options = {pick["key"]: pick for pick in json.loads(bar_json(classes[0], None, None, whole=False))["choices"]}
    assert options["beside"]["value"] == "filed_classes"
    assert {"tou", "rtp", "filed_classes"} <= {one["value"] for one in options["beside"]["options"]}
    assert from_query("scenario=oahu&beside=dear")[1][0].startswith("unknown tariff 'dear'")
    given(tmp_path)
    try:
        assert Choice(scenario="mine").tariffs == ("filed", "flat"), "the file's own has components"
        assert from_query("scenario=mine&beside=tiered")[1][0].startswith("tariff tiered has tiers, demand charge")
        given(tmp_path, 'extends = "textbook"\ndefault_tariff = "tou"\n')
        assert Choice(scenario="mine").tariffs == ("tou", "flat")
        assert Leader(scenario="mine").settings.tariff == "tou"
    finally:
        give([])
