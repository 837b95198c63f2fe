"""Beside the leader's search: parts of a rate, cold households, a learner with meters; each is the command's."""

import contextlib
import io
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from compared_tariffs import solution

from meanwatt.analysis.cli.entry import main
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.colder import cold_json, compared_cold
from meanwatt.analysis.dashboard.leader.metering import METHODS, Metered, metered
from meanwatt.analysis.dashboard.leader.metering_board import metered_json
from meanwatt.analysis.dashboard.leader.rate_parts import rate_parts, rate_parts_board
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.side_words import metered_caption
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.leader.view import figures
from meanwatt.analysis.dashboard.shared import time_left
from meanwatt.analysis.dashboard.shared.solved import Work

CHOICE = Choice(evaluations=4)


@cache
def found() -> Sighted:
    end = searched(CHOICE, show=lambda _: None, progress=lambda _: None, cancelled=lambda: False)
    assert end is not None
    assert end.best is not None
    return end


@cache
def printed(*options: str) -> dict:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main(["design", "textbook", "--leader", "commission", "--json", *options])
    return json.loads(out.getvalue())


@pytest.mark.parametrize("tariff", ["filed", "rtp", "flat", "tou"])
def test_parts_of_a_rate_add_up_to_it_and_follow_the_formula(tariff: str) -> None:
    there = solution(tariff).equilibrium
    parts = rate_parts(there)
    assert sum(parts.bought.values()) == pytest.approx(parts.import_usd_per_kwh)
    assert sum(parts.sold.values()) == pytest.approx(parts.export_usd_per_kwh)
    price = there.economy.common.probability @ there.wholesale_usd_per_kwh
    assert parts.bought["wholesale"] == pytest.approx(there.tariff.pass_through * price)
    assert np.ptp(parts.bought["adder"]) == 0.0
    assert all((cap <= 1e-12).all() for cap in [parts.sold["cap"]] if "cap" in parts.sold)


def test_what_is_printed_of_the_parts_adds_up_to_the_rate_of_the_chart() -> None:
    seen = found()
    written = figures(CHOICE, seen, None)
    table, chart = json.loads(written.parts), json.loads(written.rates)
    assert table["title"].endswith("tariff found")
    heads, spans = table["heads"], [group["span"] for group in table["groups"]]
    assert sum(spans) == len(heads)
    assert heads[spans[0] - 1] == heads[-1] == "in all"
    drawn = [next(line["values"] for line in panel["lines"] if line["name"] == "found") for panel in chart["panels"]]
    for slot, (_, *cells) in enumerate(table["rows"]):
        units = [round(1000 * float(cell.replace("−", "-"))) for cell in cells]
        for (begin, end), line in zip(((0, spans[0]), (spans[0], len(units))), drawn, strict=True):
            assert sum(units[begin : end - 1]) == units[end - 1]
            assert units[end - 1] == round(1000 * float(f"{line[slot]:.3f}"))
    assert "come from the wholesale price" in table["caption"]


def test_before_a_search_the_parts_are_those_of_the_tariff_in_force() -> None:
    board = rate_parts_board(found().in_force, "tariff in force")
    assert board["heads"][:2] == ["posted", "in all"], "a posted time-of-use tariff follows no price"
    assert "nothing follows the wholesale price" in board["caption"]


def test_objectives_among_cold_households_are_those_that_the_command_prints() -> None:
    seen, work = found(), list[Work]()
    cold = compared_cold(CHOICE, seen, progress=work.append, cancelled=lambda: False)
    assert cold is not None
    there = printed("--evaluations", "4")["cold"]
    rows = {row["tariff"]: row for row in there["tariffs"]}
    for one in cold.distinct:
        if one.name in rows:
            assert (one.objective, one.cold_objective) == (
                rows[one.name]["objective"],
                rows[one.name]["cold_objective"],
            )
    assert cold.order == there["order"]
    assert (cold.gain, cold.cold_gain) == (there["gain"], there["cold_gain"])
    board = json.loads(cold_json(CHOICE, seen, cold, None))
    assert board["rows"][0][0] == "The tariff found"
    assert [float(cell.replace("−", "-")) for cell in board["rows"][0][1:]] == [
        round(rows["designed"][key], 4) for key in ("objective", "cold_objective")
    ]
    gain = board["rows"][-1][1:]
    assert [float(cell) for cell in gain] == pytest.approx([cold.gain, cold.cold_gain], abs=1.01e-4)
    by_name = {row[0]: row[1:] for row in board["rows"]}
    in_force = by_name["A posted time-of-use tariff"]
    for place, cell in enumerate(gain):
        printed_apart = [float(row[place].replace("−", "-")) for row in (board["rows"][0][1:], in_force)]
        assert float(cell) == pytest.approx(printed_apart[0] - printed_apart[1]), "as printed"
    assert not board["ask"]
    assert [one.fraction for one in work] == sorted(one.fraction for one in work)
    again = compared_cold(CHOICE, seen, progress=work.append, cancelled=lambda: False)
    assert again is cold, "who asks again finds it kept"


def test_who_stops_asking_cold_households_gets_nothing_and_may_ask_again() -> None:
    choice = replace(CHOICE, evaluations=5)
    end = searched(choice, show=lambda _: None, progress=lambda _: None, cancelled=lambda: False)
    assert end is not None
    assert compared_cold(choice, end, progress=lambda _: None, cancelled=lambda: True) is None
    assert json.loads(cold_json(choice, end, None, None))["ask"]


@cache
def learned() -> tuple[Metered, list[Metered], list[str]]:
    shown: list[Metered] = []
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time_left, "LEAST_SECONDS", 0.0)
        end = metered(
            CHOICE,
            "policy_iteration",
            show=shown.append,
            progress=lambda work: said.append(work.text),
            cancelled=lambda: False,
            evaluations=12,
        )
    assert end is not None
    return end, shown, said


def test_who_waits_for_a_learner_is_told_how_long_and_only_while_it_lasts() -> None:
    metering = [text for text in learned()[2] if "metered" in text]
    assert len(metering) == 12
    assert [" left" in text for text in metering] == [False, *[True] * 10, False], "not from the first, nor at the end"


def test_a_learner_with_meters_recommends_what_the_command_does_and_is_seen_as_it_goes_on() -> None:
    end, shown = learned()[:2]
    there = printed("--method", "policy_iteration", "--evaluations", "12", "--no-cold")
    assert list(end.recommended) == there["learning"]["curve"]["recommended_objective"]
    assert end.trial_days * len(end.recommended) == there["learning"]["metered_days"]
    assert end.whole
    assert [len(part.recommended) for part in shown] == list(range(1, len(end.recommended) + 1))
    assert end.commitment == found().best.objective  # type: ignore[union-attr]
    board = json.loads(metered_json("policy_iteration", end, None))
    gain = end.commitment - there["baseline"]["objective"]
    known = [value for value in end.recommended if value is not None]
    assert board["chart"]["shares"][-1] == pytest.approx(
        100 * (known[-1] - there["baseline"]["objective"]) / gain, abs=0.01
    )
    assert board["caption"] == metered_caption(end)


def record(*recommended: float | None, in_force: float | None = -2.0, asked: int = 4) -> Metered:
    return Metered(
        method="softmax", trial_days=30, recommended=recommended, in_force=in_force, commitment=-1.0, asked=asked
    )


def test_near_counts_from_the_trial_since_which_every_recommendation_was_within_five_per_cent() -> None:
    assert record(None, -1.2, -1.04, -1.0).near_from == 3
    assert record(-1.04, -1.2, -1.2, -1.0).near_from == 4, "it left again"
    assert record(-1.04, -1.0, -1.2).near_from is None
    assert record(-1.0, -1.0, -0.9, -0.9).near_from == 1, "better than the commitment is near, too"
    assert "from day 90 on it stays within 5 %" in metered_caption(record(None, -1.2, -1.04, -1.0))
    assert "from day 90 on it has stayed" in metered_caption(record(None, -1.2, -1.04, asked=9))
    assert "After 120 metered days (0.3 years)" in metered_caption(record(None, -1.2, -1.04, -1.0))
    assert "it is not within 5 %. Meters do not show everything" in metered_caption(record(None, -1.2, -1.2, -1.2))
    assert "no tariff has met the cap yet" in metered_caption(record(None))


def test_without_a_gain_there_is_nothing_to_compare_a_learner_with() -> None:
    for in_force in (None, -1.0, -0.5):
        assert record(-1.0, in_force=in_force).near_from is None
        assert "gains nothing" in metered_caption(record(-1.0, in_force=in_force))
        assert json.loads(metered_json("softmax", record(-1.0, in_force=in_force), None))["chart"] is None


def test_a_learner_that_does_not_exist_is_refused_and_every_one_has_a_name() -> None:
    with pytest.raises(ValueError, match="softmax"):
        metered(CHOICE, "sofmax", show=lambda _: None, progress=lambda _: None, cancelled=lambda: False)
    labels = [one["label"] for one in json.loads(metered_json(METHODS[0], None, None))["methods"]]
    assert len(set(labels)) == len(METHODS)
    assert not set(labels) & set(METHODS)
