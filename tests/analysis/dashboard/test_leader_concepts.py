"""Three concepts side by side on the leader page: each the command's, how each ended, the rates over each other."""

import contextlib
import io
import json
import re
from collections.abc import Callable
from functools import cache

import pytest

from meanwatt.analysis.cli.entry import main
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.leader.choice import CONCEPTS, Choice
from meanwatt.analysis.dashboard.leader.concepts import Concepts, compared_concepts, under
from meanwatt.analysis.dashboard.leader.concepts_board import concept_rates_json, concepts_json
from meanwatt.analysis.dashboard.leader.numbers import Measured
from meanwatt.analysis.dashboard.shared.help_link import HELP
from meanwatt.analysis.dashboard.shared.mean_day import mean_day
from meanwatt.analysis.dashboard.shared.solution import Benchmark
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.leader.registry import find, names

CHOICE = Choice(evaluations=4, weights=(("equity", 2.0),))
HASTY = Choice(concept="alternating", evaluations=1, weights=(("equity", 2.0),))
BEST = Benchmark(welfare_usd_per_household_day=-1.9)


Compared = tuple[Concepts, list[Concepts], list[Work]]
"""What was found, what was shown on the way, and what was said."""


def compare(choice: Choice, cancelled: Callable[[], bool] = lambda: False) -> Compared:
    shown: list[Concepts] = []
    work: list[Work] = []
    return compared_concepts(choice, show=shown.append, progress=work.append, cancelled=cancelled), shown, work


@cache
def compared() -> Compared:
    return compare(CHOICE)


@cache
def printed(concept: str) -> dict:
    """What the command prints of one concept."""
    given = ["design", "textbook", "--leader", "commission", "--weights", "equity=2", "--method", concept]
    given += ["--evaluations", "4"] if concept == CHOICE.concept else []
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        main([*given, "--no-cold", "--json"])
    return json.loads(out.getvalue())


def board(found: Concepts | None, choice: Choice = CHOICE, benchmark: Benchmark | None = BEST) -> dict:
    return json.loads(concepts_json(choice, found, benchmark, None))


@pytest.mark.parametrize("place", range(len(CONCEPTS)))
def test_every_concept_is_what_the_command_finds_with_that_method(place: int) -> None:
    one = compared()[0][place]
    there = printed(one.name)
    assert one.seen is not None
    assert one.seen.best is not None
    assert one.seen.best.objective == there["objective"]
    assert one.seen.best.parameters == there["parameters"]
    assert len(one.seen.steps) == there["evaluations"]
    table = board(compared()[0])
    row = {row["key"]: row["values"] for row in table["rows"]}
    assert float(row["objective"][0].replace("−", "-")) == round(there["baseline"]["objective"], 4)
    assert float(row["objective"][place + 1].replace("−", "-")) == round(there["objective"], 4)
    metrics = there["metrics"]
    assert float(row["gap"][place + 1]) == pytest.approx(100 * metrics["burden_gap"], abs=0.0051)
    assert float(row["peak"][place + 1]) == pytest.approx(metrics["peak_to_average"], abs=0.0051)
    assert row["tried"][place + 1] == str(there["evaluations"])
    assert there["message"].replace(" -", " −").replace("(-", "(−") in table["ends"][place]["text"]


def test_tariffs_asked_for_count_for_the_concept_they_were_asked_of_and_others_have_their_own_number() -> None:
    asked = Choice(concept="commitment", evaluations=4, run=True)
    assert [under(asked, name).evaluations for name in CONCEPTS] == [4, None, None]
    assert [under(asked, name).tariffs for name in CONCEPTS][1:] == list(CONCEPTS.values())[1:]
    assert under(asked, "commitment") == asked.search


def test_concepts_come_one_after_the_other_with_progress_that_names_them() -> None:
    found, shown, work = compared()
    assert [[one.name for one in part if one.seen] for part in shown] == [
        list(CONCEPTS)[: k + 1] for k in range(len(CONCEPTS))
    ]
    assert shown[-1] == found
    starts = list(dict.fromkeys(one.text.split(":")[0] for one in work))
    assert starts == [f"{name.capitalize()}, {k + 1} of 3" for k, name in enumerate(CONCEPTS)]
    fractions = [one.fraction for one in work]
    assert fractions == sorted(fractions)


def test_what_is_found_is_kept_for_who_asks_again() -> None:
    found = compared()[0]
    again, _, work = compare(CHOICE)
    assert [one.seen for one in again] == [one.seen for one in found]
    assert work == []


def test_who_stops_keeps_the_concepts_found_and_may_go_on() -> None:
    seen: list[Concepts] = []
    choice = Choice(evaluations=3)
    found = compared_concepts(choice, show=seen.append, progress=lambda _: None, cancelled=lambda: len(seen) == 1)
    assert [one.seen is not None for one in found] == [True, False, False]
    table = board(found, choice)
    assert table["ask"]
    assert table["again"]
    assert [end["name"] for end in table["ends"]] == ["commitment"]
    assert not board(compared()[0])["ask"], "there is no more to be found"


def test_alternation_that_neither_rests_nor_repeats_is_a_result_and_is_said() -> None:
    found = compare(HASTY)[0]
    end = board(found, HASTY)["ends"][2]
    assert (end["name"], end["mark"], end["kind"]) == ("alternating", "not converged", "bad")
    assert "Alternation neither rests nor repeats within 1 round." in end["text"]
    assert board(compared()[0])["ends"][2]["mark"] == (
        "converged" if printed("alternating")["outcome"] == "converged" else "not converged"
    )


def test_a_concept_that_a_leader_cannot_have_says_why_and_the_others_are_found() -> None:
    leader = next(name for name in names() if not find(name).is_money)
    choice = Choice(leader=leader, evaluations=1)
    found = compare(choice)[0]
    table = board(found, choice)
    assert [one.seen is not None for one in found] == [True, False, True]
    assert (table["ends"][1]["mark"], table["ask"]) == ("none", False)
    assert "feedback counts what a day leaves behind in USD" in table["ends"][1]["text"]
    assert {row["values"][2] for row in table["rows"] if row["key"] != "tried"} == {"–"}


def test_the_rates_of_all_concepts_are_drawn_over_those_in_force() -> None:
    found = compared()[0]
    chart = json.loads(concept_rates_json(found))
    bought, sold = ({line["name"]: line["values"] for line in panel["lines"]} for panel in chart["panels"])
    assert list(bought) == ["in force", *CONCEPTS]
    for one in found:
        assert one.seen is not None
        assert one.seen.best is not None
        day = mean_day(one.seen.best.equilibrium)
        assert bought[one.name] == pytest.approx(day.import_usd_per_kwh, abs=1e-4)
        assert sold[one.name] == pytest.approx(day.export_usd_per_kwh, abs=1e-4)
    assert len({item["style"] for item in chart["legend"]}) == 4
    assert concept_rates_json(None) == ""


def test_the_caption_says_which_concept_is_worth_most_and_by_how_much() -> None:
    found, table = compared()[0], board(compared()[0])
    worth = {one.name: round(one.seen.best.objective, 4) for one in found if one.seen and one.seen.best}
    best = max(worth, key=lambda name: worth[name])
    assert table["caption"].startswith(f"{best.capitalize()} is worth most to the leader, ")
    for name, value in worth.items():
        if name != best and value < worth[best]:
            assert f"{name} is worth {worth[best] - value:.4f} less" in table["caption"]


def test_the_efficiency_gap_waits_for_the_first_best() -> None:
    rows = {row["key"]: row["values"] for row in board(compared()[0], benchmark=None)["rows"]}
    assert set(rows["efficiency"]) == {"…"}
    rows = {row["key"]: row["values"] for row in board(compared()[0])["rows"]}
    one = compared()[0][0]
    assert one.seen is not None
    assert one.seen.best is not None
    metrics = Measured(one.seen.best.equilibrium).metrics
    gap = 365 / 12 * (-1.9 - metrics.welfare_usd_per_household_day)
    assert float(rows["efficiency"][1]) == pytest.approx(max(gap, 0), abs=0.006)


def test_every_question_mark_of_the_table_leads_to_an_entry_of_the_help() -> None:
    used = set(re.findall(rf"{HELP}#([\w-]*)", json.dumps(board(compared()[0]))))
    assert used >= {"read-leader-concepts", "objective"}
    assert used <= set(texts.anchors())
