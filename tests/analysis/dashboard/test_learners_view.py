"""What the page of learners shows: figures, sentences and numbers that agree with the days, and files to take home."""

import csv
import json
import math
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from learner_runs import HOMES, lived

from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.learners import figures, words
from meanwatt.analysis.dashboard.learners.choice import Q_KEYS, SPREADS, Choice, from_query
from meanwatt.analysis.dashboard.learners.presets import CHANGES, herd_of
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.sums import mean, sums_of
from meanwatt.analysis.dashboard.learners.take_home import csv_of
from meanwatt.analysis.dashboard.learners.view import ROUTE, bar_json, figures_of, form_json, herd_json
from meanwatt.analysis.dashboard.learners.words import file_name
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.simulation.history_tables import history_tables
from meanwatt.model.market.history import SUMMARY
from meanwatt.model.market.market import ProsumerMarket

HERD = herd_of(Choice(households=HOMES))
STEP = CHANGES[0].of(HERD)
MIXED = Choice(households=120, days=5, mix=(("equilibrium", 50), ("belief", 50)))


def shown(run: Run, herd: Run | None = None) -> dict[str, dict]:
    """The figures as the components get them."""
    found = figures_of(run, herd)
    return {name: json.loads(getattr(found, name)) for name in found.__slots__}


def unknown(_: Choice) -> None:
    """Nothing has been seen before."""


def test_the_errors_drawn_are_those_of_the_days_and_the_sentence_reads_the_last_of_them() -> None:
    run = lived(HERD)
    chart = shown(run)["errors"]
    lines = {line["style"]: line["values"] for line in chart["lines"]}
    assert set(lines) == {"a", "sell", "mean"}
    assert lines["a"] == pytest.approx([100 * day.learners.price_error_usd_per_kwh for day in run.days], rel=1e-3)
    assert lines["sell"] == pytest.approx([100 * day.belief_error_usd_per_kwh for day in run.days], rel=1e-3)
    assert lines["mean"] == pytest.approx([100 * day.floor.price_error_usd_per_kwh for day in run.days], rel=1e-3)
    last = {style: np.mean(values[-7:]) for style, values in lines.items()}
    assert chart["caption"].startswith(
        f"Last 7 days: beliefs are {last['sell']:.2f} cents/kWh off and prices {last['a']:.2f};"
    )
    assert f"is {last['mean']:.2f} off by sampling error alone" in chart["caption"]


def test_a_changed_herd_is_drawn_beside_the_herd_on_the_same_days() -> None:
    run, herd = lived(STEP), lived(HERD)
    both = shown(run, herd)
    assert [line["style"] for line in both["errors"]["lines"]] == ["a", "sell", "mean", "plain"]
    assert both["errors"]["lines"][-1]["values"] == shown(herd)["errors"]["lines"][0]["values"]
    assert f"The herd is {sums_of(herd).error:.2f} off." in both["errors"]["caption"]
    assert both["numbers"]["heads"] == ["This market", "All follow the equilibrium", "The herd"]
    begun = shown(replace(run, days=run.days[:3]), herd)
    assert len(begun["errors"]["lines"][-1]["values"]) == 3


def test_errors_that_span_decades_get_an_axis_in_steps_of_ten() -> None:
    assert shown(lived(HERD))["errors"]["log"]
    assert figures.spans_decades([0.1, 2.0])
    assert not figures.spans_decades([0.1, 0.9])
    assert not figures.spans_decades([])


def test_the_first_days_of_one_weather_are_drawn_by_the_hour_and_read_where_they_differ_most() -> None:
    run = lived(HERD)
    chart = shown(run)["hours"]
    lines = chart["panels"][0]["lines"]
    assert [line["name"] for line in lines] == ["day 1", "day 2", "day 3", "equilibrium"]
    prices = 100 * np.array([day.learners.wholesale_usd_per_kwh for day in run.days[:3]])
    assert np.allclose([line["values"] for line in lines[:3]], prices, atol=1e-3)
    widest = np.ptp(prices, axis=0)
    assert f"differ most at hour {widest.argmax()}, by {widest.max():.1f} cents/kWh" in chart["caption"]
    assert widest.max() > 5, "a herd can be seen"


def test_days_of_another_weather_are_not_compared_by_the_hour() -> None:
    day = lived(MIXED).days[0]
    other = [replace(day, day=number, common_state=state) for number, state in enumerate((1, 2, 1, 0, 1, 1))]
    assert [one.day for one in figures.same_weather(other)] == [0, 2, 4]


def test_the_last_day_is_drawn_over_the_mean_field_of_its_weather() -> None:
    run = lived(HERD)
    chart = shown(run)["load"]
    market, rest = chart["panels"][0]["lines"]
    assert np.allclose(market["values"], run.days[-1].learners.net_load_kw, atol=1e-4)
    assert np.allclose(rest["values"], run.target.net_load_kw[run.days[-1].common_state], atol=1e-4)
    gap = run.days[-1].learners.net_load_kw - run.target.net_load_kw[run.days[-1].common_state]
    assert chart["day"] == 28
    assert f"at hour {abs(gap).argmax()} the market lies {abs(gap).max():.2f} kW" in chart["caption"]


def test_hours_outside_limits_are_summed_and_a_path_outside_is_told_from_a_place_of_rest() -> None:
    greedy = lived(CHANGES[-1].of(HERD))
    chart = shown(greedy, lived(HERD))["volts"]
    total = sum(day.learners.figure("hours_outside_limits") for day in greedy.days)
    assert sum(chart["lines"][0]["values"]) == pytest.approx(total)
    assert f"All days together: {total:.0f} h outside 0.95 to 1.05 pu" in chart["caption"]
    assert chart["caption"].endswith("The place of rest is within the limits; the path is not.")
    daily = [day.learners.figure("hours_outside_limits") for day in greedy.days]
    outside = [number for number, hours in enumerate(daily, start=1) if hours > 0]
    assert f"Days outside: {len(outside)} of 28, the last one day {outside[-1]}." in chart["caption"]
    calm = shown(lived(STEP))["volts"]["caption"]
    assert calm.startswith("No bus left the limits of 0.95 to 1.05 pu; the lowest voltage was 0.9")


def test_the_table_has_a_number_for_everything_and_bills_of_a_mixture() -> None:
    run = lived(MIXED)
    board = shown(run)["numbers"]
    rows = {row["key"]: row["values"] for row in board["rows"]}
    assert list(rows)[:8] == ["belief", "error", "move", "imv", "peak", "hours", "volts", "bill"]
    assert list(rows)[8:] == ["bill-equilibrium", "bill-belief"]
    assert rows["error"][0] == f"{sums_of(run).error:.2f}"
    assert rows["belief"][1] == "–", "who follows the equilibrium believes nothing"
    assert len({row["label"] for row in board["rows"]}) == len(board["rows"])
    assert board["caption"].startswith("120 homes; the same homes, weather and chances in every column.")
    assert [row["key"] for row in shown(lived(STEP))["numbers"]["rows"]] == list(rows)[:8]


def test_before_and_after_stand_in_the_panel_once_both_are_known() -> None:
    known = {HERD: lived(HERD), STEP: lived(STEP)}.get
    panel = json.loads(herd_json(STEP, lived(STEP), known))
    row = panel["rows"][0]
    assert row["here"]
    assert (row["before"], row["after"]) == (f"{sums_of(lived(HERD)).move:.2f}", f"{sums_of(lived(STEP)).move:.2f}")
    assert float(row["after"]) < float(row["before"]) / 2
    assert row["read"].endswith("cured, only sampling error is left.")
    assert [row["after"] for row in panel["rows"][1:]] == [""] * 4
    alone = json.loads(herd_json(STEP, lived(STEP), unknown))
    assert alone["rows"][0]["read"] == alone["rows"][0]["before"] == ""
    for row, change in zip(panel["rows"], CHANGES, strict=True):
        assert from_query(row["href"].partition("?")[2]) == (change.of(HERD), ())
    elsewhere = json.loads(herd_json(Choice(scenario="oahu", households=300), None, unknown))
    assert not elsewhere["inside"]
    assert from_query(elsewhere["href"].partition("?")[2])[0] == herd_of(Choice())


def test_the_bar_says_what_became_of_them_and_how_to_go_on() -> None:
    bar = json.loads(bar_json(HERD, None, lived(HERD)))
    assert bar["ended"] == "herding"
    assert bar["verdict"].startswith("After 28 days: a herd; beliefs are only 0.")
    assert bar["again"] == "Go on for 28 more days"
    assert from_query(bar["again_href"].removeprefix(f"{ROUTE}?")) == (replace(HERD, days=56), ())
    assert bar["finish"] == ""
    cut = replace(lived(HERD), days=lived(HERD).days[:9])
    assert json.loads(bar_json(HERD, None, cut))["finish"] == "Go on to day 28"
    assert json.loads(bar_json(HERD, None, None))["finish"] == "Simulate"
    working = json.loads(bar_json(HERD, Work(text="Day 9 of 28", fraction=0.4), cut))
    assert working["work"] == {"text": "Day 9 of 28", "fraction": 0.4}
    assert working["finish"] == working["again"] == ""
    assert json.loads(bar_json(STEP, None, lived(HERD)))["verdict"] == words.IDLE, "not of what is asked for"
    long = replace(HERD, days=500)
    assert json.loads(bar_json(long, None, replace(lived(HERD), choice=long, days=lived(HERD).days * 18)))[
        "again"
    ].startswith("Go on for 220 ")


def test_the_form_holds_what_is_in_force_and_what_every_town_offers() -> None:
    form = json.loads(form_json(STEP))
    assert form["applied"]["first_step"] == "0.1"
    assert form["applied"]["temperature_usd"] == "0.002"
    assert form["applied"]["mix"] == {"belief": 100}
    fields = [field for group in form["more"].values() for field in group]
    assert {field["key"] for field in fields} == {*SPREADS, *Q_KEYS}
    for field in fields:
        value = form["applied"][field["key"]]
        if field["options"]:
            assert value in [option["value"] for option in field["options"]]
        else:
            assert field["low"] <= float(value) <= field["high"]
    assert set(form["tariffs"]) == {one["value"] for one in form["scenarios"]}
    assert set(form["reals"]["temperature_usd"]["presets"]) == set(form["tariffs"])
    assert "add up to 100 %" in form["scaled"]
    assert form_json(STEP) == form_json(replace(STEP))


def test_every_question_mark_leads_to_an_entry_of_the_help() -> None:
    run = lived(MIXED)
    told = [bar_json(MIXED, None, run), form_json(MIXED), herd_json(HERD, None, unknown)]
    told += [getattr(figures_of(run, None), name) for name in figures_of(run, None).__slots__]
    links = set(re.findall(r"/help#([\w-]*)", " ".join(told)))
    assert len(links) > 15
    assert links <= set(texts.anchors())


def test_the_days_taken_home_have_the_columns_of_the_command_and_say_how_to_get_them_again() -> None:
    run = lived(MIXED)
    text = csv_of(run)
    head = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("#"))
    assert from_query(head["link"]) == (MIXED, ())
    assert shlex.split(head["command"])[0] == "meanwatt"
    assert head["mix"] == "equilibrium:50,belief:50"
    assert head["temperature_usd"] == "0.02"
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert len(rows) == 5
    market = ProsumerMarket(run.target.economy, policies=run.target, behaviour=MIXED.behaviour, households=120, rng=0)
    for _ in range(5):
        market.step()
    table = history_tables(market.history)["days"]
    market.close()
    assert set(table) <= set(rows[0])
    for name in ("day", "common_state", *SUMMARY):
        assert [float(row[name]) for row in rows] == pytest.approx(table[name].tolist(), rel=1e-12)
    assert [int(row["key"]) for row in rows] == table["key"].tolist()
    assert [row["day_type"] for row in rows] == table["day_type"].tolist()
    assert rows[0]["price_move_usd_per_kwh"] == ""
    assert [row["day_digest"] for row in rows] == [day.digest for day in run.days]
    assert file_name(MIXED) == "meanwatt-textbook-rtp-learners.csv"


def test_a_mean_of_nothing_is_none() -> None:
    assert mean([1.0, math.nan, 3.0]) == 2.0
    assert math.isnan(mean([math.nan]))
    assert math.isnan(mean([]))
