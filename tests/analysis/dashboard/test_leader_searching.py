"""The leader's search for a page: bit for bit the command's, told tariff by tariff, shared, stopped, taken home."""

import contextlib
import csv
import io
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from meanwatt.analysis.cli.entry import main
from meanwatt.analysis.dashboard.compare.choice import from_query
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.leader import searching
from meanwatt.analysis.dashboard.leader.bar import bar_json
from meanwatt.analysis.dashboard.leader.binding import held, parameters
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.numbers import EFFICIENCY, Measured, key_numbers
from meanwatt.analysis.dashboard.leader.searching import WAITING, searched
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.leader.take_home import compare_link, csv_of, market_link, toml_of
from meanwatt.analysis.dashboard.leader.view import figures, messages
from meanwatt.analysis.dashboard.leader.words import binding, verdict
from meanwatt.analysis.dashboard.market.address import from_query as market_query
from meanwatt.analysis.dashboard.shared import time_left
from meanwatt.analysis.dashboard.shared.help_link import HELP
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.dashboard.shared.turns import computed_first
from meanwatt.analysis.metrics.equity import DAYS_PER_YEAR
from meanwatt.model.scenario.economy import DAYS_PER_MONTH, build_tariff

PATIENCE_S = 60.0
COMMISSION = Choice(weights=(("equity", 2.0), ("stability", 0.5)), evaluations=4)
UTILITY = Choice(leader="utility", evaluations=5)
CHOICES = {
    "commission": COMMISSION,
    "utility": UTILITY,
    "feedback": Choice(concept="feedback", evaluations=2),
    "alternating": Choice(concept="alternating", evaluations=1),
}


class Told:
    """What was shown and said of a search, and how it ended."""

    def __init__(self, choice: Choice, *, stop_after: int | None = None) -> None:
        self.shown: list[Sighted] = []
        self.work: list[Work] = []
        self.end = searched(
            choice,
            show=self.shown.append,
            progress=self.work.append,
            cancelled=lambda: stop_after is not None and len(self.shown) > stop_after,
        )


@cache
def told(name: str) -> Told:
    return Told(CHOICES[name])


def found(name: str) -> Sighted:
    end = told(name).end
    assert end is not None
    assert end.best is not None
    return end


@cache
def printed(name: str) -> dict:
    """What the command prints for the same arguments."""
    choice = CHOICES[name]
    given = ["design", "textbook", "--leader", choice.leader, "--method", choice.concept, "--json"]
    given += ["--evaluations", str(choice.evaluations)]
    if choice.weights:
        given += ["--weights", ",".join(f"{key}={value}" for key, value in choice.weights)]
    return run(given)


def run(arguments: list[str]) -> dict:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main(arguments)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("name", CHOICES)
def test_the_result_is_the_commands_to_the_last_bit(name: str) -> None:
    here, there = found(name), printed(name)
    assert here.design is not None
    assert here.best is not None
    assert here.best.parameters == there["parameters"]
    assert here.best.objective == there["objective"]
    assert here.in_force_objective == there["baseline"]["objective"]
    assert (here.design.message, here.design.outcome) == (there["message"], there["outcome"])
    assert len(here.steps) == there["evaluations"]
    metrics = Measured(here.best.equilibrium).metrics
    assert metrics.burden_gap == there["metrics"]["burden_gap"]
    assert metrics.welfare_usd_per_household_day == there["metrics"]["welfare_usd_per_household_day"]
    said = [text for text in there["messages"] if "cold" not in text and "temperature" not in text]
    assert list(messages(here)) == [here.design.message, *said]


@pytest.mark.parametrize("name", CHOICES)
def test_every_tariff_is_shown_as_it_is_tried_with_the_best_or_the_last_so_far(name: str) -> None:
    choice, shown = CHOICES[name], told(name).shown
    assert [len(one.steps) for one in shown] == list(range(len(found(name).steps) + 1))
    assert shown[0].best is None
    for one in shown[1:]:
        allowed = [step.objective for step in one.steps if step.allowed and step.objective is not None]
        assert one.best is not None
        assert one.best.objective == (max(allowed) if choice.commits else one.steps[-1].objective)
    fractions = [work.fraction for work in told(name).work]
    assert fractions == sorted(fractions)
    assert fractions[-1] < 1.0
    last = shown[-1].best
    assert last is not None
    assert last.parameters == found(name).best.parameters  # type: ignore[union-attr]


def test_who_asks_for_the_same_gets_the_same_without_a_tariff_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    found("commission")
    monkeypatch.setattr(searching, "design", None)
    again = Told(replace(COMMISSION, run=True))
    assert again.end is found("commission")
    assert again.shown == []


def test_a_search_that_is_stopped_keeps_the_best_so_far_says_so_and_is_not_shared() -> None:
    choice = replace(COMMISSION, evaluations=50)
    stopped = Told(choice, stop_after=3)  # the tariff in force and three more
    end = stopped.end
    assert end is not None
    assert end.stopped
    assert len(end.steps) == 3
    assert end.best is not None
    assert end.best.objective == max(step.objective for step in end.steps if step.objective is not None)
    assert (
        verdict(end, choice) == "Stopped after 3 tariffs: what you see is the best so far, not where the search ends."
    )
    assert searching._found.get(choice) is None
    assert choice not in searching._under_way
    assert json.loads(bar_json(replace(choice, run=True), None, end))["search"], "it may be searched for again"


def test_a_leader_who_does_not_commit_is_stopped_at_the_tariff_posted_last() -> None:
    choice = Choice(concept="alternating", evaluations=9)
    stopped = Told(choice, stop_after=1)
    end = stopped.end
    assert end is not None
    said = verdict(end, choice)
    assert said == "Stopped after 1 round: what you see is the tariff posted last, not where the search ends."
    assert any(one.text.startswith("1 round; objective of the tariff posted last ") for one in stopped.work)


def test_one_search_at_a_time_others_are_told_and_may_give_up() -> None:
    choice = replace(COMMISSION, evaluations=1)
    waited: list[Work] = []
    with searching._one_at_a_time.turn(lambda: False, print):
        end = searched(choice, show=lambda _: None, progress=waited.append, cancelled=lambda: bool(waited))
    assert end is None
    assert [work.text for work in waited] == [WAITING.format(line=computed_first(1))]


@pytest.mark.parametrize("choice", [replace(COMMISSION, evaluations=3), Choice(concept="alternating", evaluations=3)])
def test_a_search_says_how_long_it_goes_on_at_most(choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_left, "LEAST_SECONDS", 0.0)
    said = [work.text for work in Told(choice).work]
    tried = [text for text in said if re.match(r"\d (tariffs? tried|rounds?);", text)]
    assert len(tried) > 1
    for text in tried:
        ends = int(text[0]) in (0, 9 if choice.commits else 4)
        assert bool(re.search(r", at most about \d+ (s|min) left$", text)) is not ends, text


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.005)


def test_who_asks_for_a_search_under_way_watches_it_and_gets_its_result() -> None:
    choice = replace(COMMISSION, evaluations=2)
    gate, first, second = threading.Event(), list[Sighted](), list[Sighted]()
    said: list[str] = []
    ends: dict[str, Sighted | None] = {}

    def slowly(seen: Sighted) -> None:
        first.append(seen)
        if len(seen.steps) == 1:
            assert gate.wait(PATIENCE_S)

    def ask(name: str, show: Callable[[Sighted], None]) -> None:
        ends[name] = searched(choice, show=show, progress=lambda work: said.append(work.text), cancelled=lambda: False)

    one = threading.Thread(target=ask, args=("one", slowly))
    one.start()
    until(lambda: len(first) == 2)
    other = threading.Thread(target=ask, args=("other", second.append))
    other.start()
    until(lambda: bool(second))
    assert second[0] is first[1], "the very same record"
    until(lambda: any(text.startswith(f"{searching.SHARED}. 1 tariff tried") for text in said))
    gate.set()
    one.join(PATIENCE_S)
    other.join(PATIENCE_S)
    assert ends["one"] is ends["other"] is not None


def test_the_tariff_taken_home_solves_to_the_same_numbers(tmp_path: Path) -> None:
    file = tmp_path / "tariff.toml"
    file.write_text(toml_of(found("commission")), encoding="utf-8")
    solved = run(["solve", "textbook", "--tariff", str(file), "--json"])
    best = found("commission").best
    assert best is not None
    assert solved["converged"]
    assert solved["net_load_kw"] == pytest.approx(best.equilibrium.net_load_kw, abs=1e-6)
    assert solved["metrics"]["burden_gap"] == pytest.approx(Measured(best.equilibrium).metrics.burden_gap, abs=1e-6)


def test_the_tariff_found_is_seen_on_compare_beside_the_one_in_force() -> None:
    best = found("commission").best
    assert best is not None
    where = compare_link(COMMISSION, found("commission"), best)
    pair, problems = from_query(where.removeprefix("/compare?"))
    assert problems == ()
    played, problems = market_query(market_link(COMMISSION, best).removeprefix("/?"))
    assert problems == ()
    assert (played.scenario, played.own) == (COMMISSION.scenario, pair.edits_b.own), "the market lives under the same"
    before, after = (settings.load() for settings in pair.sides)
    assert before.selected_tariff == found("commission").in_force.tariff.name
    posted, wanted = build_tariff(after), best.equilibrium.tariff
    assert after.tariffs[after.selected_tariff].title == "Found by the leader"
    for name in ("energy_usd_per_kwh", "export_usd_per_kwh", "fixed_charge_shape", "discount"):
        assert getattr(posted, name) == pytest.approx(getattr(wanted, name), abs=1e-12), name
    assert (posted.pass_through, posted.recovery, posted.export_rule) == (
        pytest.approx(wanted.pass_through),
        wanted.recovery,
        wanted.export_rule,
    )


def test_the_csv_holds_the_table_and_what_was_searched_for() -> None:
    seen, best = found("commission"), Benchmark(welfare_usd_per_household_day=-1.9)
    lines = csv_of(replace(COMMISSION, run=True), seen, best).splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("#"))
    assert head["link"] == "?equity=2&stability=0.5&evaluations=4&run=1"
    assert (head["leader"], head["equity"], head["tariffs_tried"]) == ("commission", "2.0", str(len(seen.steps)))
    rows = {row["number"]: row for row in csv.DictReader(line for line in lines if not line.startswith("#"))}
    assert float(rows["objective"]["shown"]) == pytest.approx(seen.best.objective, abs=1e-4)  # type: ignore[union-attr]
    for row in rows.values():
        moved = float(row["shown"]) - float(row["in_force"])
        assert moved == pytest.approx(float(row["change"]), abs=1e-9)
    assert len(rows) == len(key_numbers(seen, best))


def test_printed_numbers_are_the_metrics_and_the_poorest_pay_what_the_command_says() -> None:
    seen, there = found("commission"), printed("commission")
    rows = {row.figure.key: row for row in key_numbers(seen, None)}
    metrics, groups = there["metrics"], there["groups"]
    assert rows["gap"].b == round(100 * metrics["burden_gap"] * 100)
    assert rows["imv"].b == round(metrics["imv"] * 1e4)
    assert rows["ramp"].b == round(metrics["maximal_ramp_kw_per_hour"] * 1e3)
    assert rows["peak"].b == round(metrics["peak_to_average"] * 100)
    low = [group for group in groups if group["income"] == "low"]
    bill = sum(row["share"] * row["bill_usd_per_year"] for row in low) / sum(row["share"] for row in low)
    assert rows["poorest"].b == round(100 * DAYS_PER_MONTH * bill / DAYS_PER_YEAR)
    assert rows[EFFICIENCY.key].b is None, "the first best is not known"
    gained = metrics["welfare_usd_per_household_day"] - there["baseline"]["metrics"]["welfare_usd_per_household_day"]
    assert rows[EFFICIENCY.key].difference == round(-100 * DAYS_PER_MONTH * gained)


def test_the_figures_show_every_step_and_both_days() -> None:
    written = figures(COMMISSION, found("commission"), None)
    search, rates, load = (json.loads(text) for text in (written.search, written.rates, written.load))
    assert [tuple(step) for step in search["steps"]] == [
        (step.objective, step.allowed) for step in found("commission").steps
    ]
    best = found("commission").best
    assert best is not None
    probability = best.equilibrium.economy.common.probability
    lines = {line["name"]: line["values"] for line in load["panels"][0]["lines"]}
    assert lines["found"] == pytest.approx(probability @ best.equilibrium.net_load_kw, abs=1e-4)
    assert lines["in force"] == pytest.approx(probability @ found("commission").in_force.net_load_kw, abs=1e-4)
    assert [panel["key"] for panel in rates["panels"]] == ["import", "export"]
    moved = json.loads(written.numbers)["rows"][0]["difference"].removeprefix("+")
    assert f"{moved} more than the tariff in force." in search["caption"]
    assert json.loads(written.numbers)["caption"].startswith("The tariff found is better on ")


def test_before_any_tariff_there_is_the_one_in_force_and_no_change() -> None:
    first = told("commission").shown[0]
    written = figures(COMMISSION, first, None)
    assert written.terms == ""
    assert json.loads(written.search)["caption"] == "No tariff is tried yet."
    numbers = json.loads(written.numbers)
    assert {(row["b"], row["difference"], row["arrow"], row["verdict"]) for row in numbers["rows"]} == {("",) * 4}
    assert [line["name"] for line in json.loads(written.load)["panels"][0]["lines"]] == ["in force"]


def test_what_binds_is_named_bound_by_bound() -> None:
    seen = found("utility")
    assert seen.best is not None
    free = {one.name: one for one in parameters(seen, seen.best)}
    for name, one in free.items():
        place = list(seen.family.free).index(name)
        low, high = seen.family.low[place], seen.family.high[place]
        at_end = {"low": low, "high": high}.get(one.at)
        if at_end is None:
            assert low < one.value < high
        else:
            assert one.value == pytest.approx(at_end, abs=1.1e-3 * (high - low))
    assert free["fixed_charge_usd_per_day"].at == "high", "a utility charges what it may"
    found_held = held(seen, seen.best)
    cap = UTILITY.cap_usd_per_kwh
    highest = np.asarray(seen.best.equilibrium.rates.import_usd_per_kwh).max()
    assert found_held.hours_at_cap == pytest.approx(24.0) if highest >= cap - 1e-5 else found_held.hours_at_cap == 0
    assert not found_held.recovers_cost
    said = " ".join(binding(tuple(free.values()), found_held, UTILITY))
    assert "fixed charge, mean of homes" in said
    assert "the leader keeps what is left" in said
    commission = found("commission")
    assert commission.best is not None
    assert held(commission, commission.best).recovers_cost
    assert held(commission, commission.best).hours_at_cap is None


def test_a_tariff_above_the_cap_is_tried_and_never_the_best() -> None:
    steps = found("utility").steps
    best = found("utility").best
    assert best is not None
    assert best.objective == max(step.objective for step in steps if step.allowed and step.objective is not None)
    assert best.equilibrium.rates.import_usd_per_kwh.max() <= (UTILITY.cap_usd_per_kwh or 0) + 1e-6


def test_every_question_mark_leads_to_an_entry_of_the_help() -> None:
    written = figures(COMMISSION, found("commission"), None)
    bars = [bar_json(choice, None, None) for choice in (COMMISSION, UTILITY)]
    told = " ".join([*bars, *(getattr(written, name) for name in written.__slots__)])
    used = set(re.findall(rf"{HELP}#([\w-]*)", told))
    assert used >= {"weights", "price-cap", "commitment", "read-search", "objective", "ramp"}
    assert used <= set(texts.anchors())
