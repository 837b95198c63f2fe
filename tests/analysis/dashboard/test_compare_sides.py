"""Each side of the comparison: the form sends back what it got, and the file of a side gives the page's numbers."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edited_tariffs import edits, textbook
from hypothesis import given, settings

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.compare.comparer import Comparer
from meanwatt.analysis.dashboard.compare.edits import PARTS, Edits
from meanwatt.analysis.dashboard.compare.form import form_json, sent
from meanwatt.analysis.dashboard.compare.sides import (
    common_of,
    file_name,
    scenario_toml,
    side_differences,
    side_scenario,
    side_summary,
    side_title,
    side_toml,
)
from meanwatt.analysis.dashboard.compare.terms import SAME, differences
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import solve
from meanwatt.analysis.design.same_tariffs import same_numbers
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario, presets

EVERY = [(name, tariff) for name in presets() for tariff in load_scenario(name).tariffs]


def message(choice: Choice, side: str, **changed: Any) -> dict[str, Any]:
    """What the browser sends of a form in which some parts were changed."""
    form = form_json(choice, side, None)
    return {"side": side, **{part: form[part] for part in PARTS}, **changed}


@pytest.mark.parametrize(("scenario", "tariff"), EVERY, ids=["-".join(pair) for pair in EVERY])
def test_a_form_sent_back_as_it_came_changes_nothing(scenario: str, tariff: str) -> None:
    choice = Choice(scenario=scenario, a=tariff)
    assert sent(choice, "a", message(choice, "a")) == choice


@settings(max_examples=30, deadline=None)
@given(edits(textbook()))
def test_an_edited_form_sent_back_as_it_came_is_the_same_tariff_with_all_its_digits(given_edits: Edits) -> None:
    choice = Choice(scenario="textbook", edits_a=given_edits)
    again = sent(choice, "a", message(choice, "a"))
    tariffs = [build_tariff(side_scenario(one, "a")) for one in (choice, again)]
    assert same_numbers(*tariffs)


def test_only_what_was_changed_is_carried_and_what_is_put_back_is_not() -> None:
    choice = Choice(scenario="textbook")
    rates = form_json(choice, "b", None)["rates"]
    drawn = [*rates[:17], 40.25, *rates[18:]]
    edited = sent(choice, "b", message(choice, "b", rates=drawn, recovery=["posted"]))
    assert dict(edited.edits_b.changes) == {
        "tariff.energy_usd_per_kwh": tuple(round(rate / 100, 6) for rate in drawn),
        "tariff.recovery": "posted",
    }
    assert edited.edits_a == choice.edits_a
    assert sent(edited, "b", message(edited, "b", rates=rates, recovery=["fixed"])) == choice


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rates": [8.0] * 23}, "rates is given for 23 hours; give it for 24"),
        ({"rates": [8.0] * 23 + [float("nan")]}, "rates holds nan; give 0 to 1000 ¢/kWh"),
        ({"rates": "8"}, "rates is not given as it should be; give a list of numbers"),
        ({"rates": [None] * 24}, "rates is not given as it should be; give a list of numbers"),
        ({"recovery": []}, "recovery is not given as it should be; give a list of words"),
        ({"recovery": ["taxes"]}, "unknown recovery 'taxes'; give one of volumetric, fixed, posted"),
        ({"fixed": [0.1, 0.2, 1000]}, "fixed holds 1000; give -100 to 100 $/day"),
    ],
)
def test_what_a_form_must_not_send_is_refused_in_words_and_nothing_moves(changed: dict[str, Any], said: str) -> None:
    comparer = Comparer("scenario=textbook")
    assert comparer.submitted(message(comparer.choice, "a", **changed)) is None
    (notice,) = json.loads(comparer.view().notices)
    assert notice["title"] == "Not applied."
    assert notice["text"].startswith(said)
    assert comparer.choice == Choice(scenario="textbook")


@pytest.mark.parametrize(("scenario", "tariff"), EVERY, ids=["-".join(pair) for pair in EVERY])
def test_the_file_of_a_side_is_its_tariff(scenario: str, tariff: str, tmp_path: Path) -> None:
    groups = len(load_scenario(scenario).income_groups)
    for edited in ("", f"&a.pass=12.5&a.fixed={'_'.join(str(n) for n in range(groups))}", "&a.rates=8.125*9_30*6_8*9"):
        choice, problems = from_query(f"scenario={scenario}&a={tariff}{edited}")
        assert problems == ()
        file = tmp_path / "mine.toml"
        file.write_text(side_toml(choice, "a"), encoding="utf-8")
        read = build_tariff(load_scenario(scenario, tariff=str(file)))
        assert same_numbers(read, build_tariff(side_scenario(choice, "a")))
        opened = Comparer(f"scenario={scenario}").read(
            {"side": "b", "name": "mine.toml", "text": file.read_text("utf-8")}
        )
        assert opened is not None
        assert same_numbers(read, build_tariff(side_scenario(opened, "b")))
        assert from_query(query(opened)) == (opened, ())


def test_the_file_of_a_drawn_tariff_gives_on_the_command_line_the_numbers_of_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choice, _ = from_query("scenario=textbook&a=tou&a.rates=5*9_20*6_9*9&a.credit=4*24&a.credit_pass=50&a.shape=1_2_3")
    choice, _ = from_query(f"{query(choice)}&a.recovery=fixed")
    file = tmp_path / "drawn.toml"
    file.write_text(side_toml(choice, "a"), encoding="utf-8")
    assert main(["solve", "textbook", "--tariff", str(file), "--certify", "none", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    page = solve(choice.sides[0])
    assert page is not None
    assert told["metrics"]["burden_gap"] == pytest.approx(page.metrics.burden_gap, abs=1e-5)
    assert told["metrics"]["imv"] == pytest.approx(page.metrics.imv, abs=1e-5)
    np.testing.assert_allclose(told["import_usd_per_kwh"], page.equilibrium.rates.import_usd_per_kwh, atol=1e-5)
    np.testing.assert_allclose(
        list(told["fixed_charge_usd_per_day"].values()), page.equilibrium.fixed_charge_usd_per_day, atol=1e-4
    )


def test_a_title_in_a_file_is_text_and_nothing_else(tmp_path: Path) -> None:
    title = 'A "b" \\ c\n<script>alert(1)</script>\x7f é'
    text = f"title = {json.dumps(title)}\nrecovery = 'posted'\nenergy_usd_per_kwh = 0.2\n".replace("\x7f", "\\u007f")
    comparer = Comparer("scenario=textbook")
    choice = comparer.read({"side": "a", "name": "x.toml", "text": text})
    assert choice is not None
    assert side_title(choice, "a") == title
    written = tomllib.loads(side_toml(choice, "a"))
    assert written["title"] == title
    assert file_name(choice, "a") == "meanwatt-textbook-flat-edited.toml"


def test_a_long_title_of_a_file_is_cut_where_it_is_shown_and_not_in_its_file() -> None:
    choice = Choice(scenario="textbook", edits_a=_own("tou", "x" * 500))
    assert side_title(choice, "a") == "x" * 79 + "…"
    assert tomllib.loads(side_toml(choice, "a"))["title"] == "x" * 500


def test_a_file_that_cannot_be_used_is_said_beside_its_field_and_a_good_one_takes_it_back() -> None:
    comparer = Comparer("scenario=textbook")
    for text, said in (
        ("title = ", "x.toml is not used: not valid TOML: Invalid value"),
        ('recovery = "posted"\nenergy_usd_per_kwh = {sun = 1}', "x.toml is not used: scenario textbook: "),
        ("x" * 100_000, "x.toml is not used: the tariff is longer than 64 kB; give a TOML file with one tariff."),
    ):
        assert comparer.read({"side": "b", "name": "x.toml", "text": text}) is None
        cards = [json.loads(card) for card in comparer.view().cards]
        assert (cards[0]["problem"], cards[1]["problem"][: len(said)]) == ("", said)
    assert comparer.choice == Choice(scenario="textbook")
    comparer.read({"side": "b", "name": "x.toml", "text": 'recovery = "posted"\nenergy_usd_per_kwh = 0.2'})
    assert json.loads(comparer.view().cards[1])["problem"] == ""


def test_edits_are_undone_and_a_file_stays() -> None:
    choice, _ = from_query(query(Choice(scenario="textbook", edits_a=_own("tou"))) + "&a.pass=10")
    comparer = Comparer(query(choice))
    assert comparer.discarded({"side": "a"}).edits_a == Edits(own=choice.edits_a.own)


def _own(tariff: str, title: str = "") -> Edits:
    return Edits(own=toml_of(textbook().tariffs[tariff].model_copy(update={"title": title})))


def test_a_form_is_opened_and_closed_for_its_side_alone() -> None:
    comparer = Comparer("scenario=textbook")
    comparer.toggle({"side": "b"})
    first, second = comparer.view().forms
    assert (first, json.loads(second)["side"]) == ("", "b")
    comparer.toggle({"side": "c"})
    comparer.toggle({"side": "b"})
    assert comparer.view().forms == ("", "")


def test_a_tariff_differs_from_itself_in_nothing_and_swapped_terms_swap_their_places() -> None:
    groups, common = tuple(textbook().income_groups), common_of(textbook())
    tariffs = {name: build_tariff(Settings(scenario="textbook", tariff=name).preset()) for name in textbook().tariffs}
    for one in tariffs.values():
        assert differences(one, one, common, groups) == (SAME,)
        for two in tariffs.values():
            there, back = differences(one, two, common, groups), differences(two, one, common, groups)
            assert len(there) == len(back)
            assert (there == (SAME,)) == same_numbers(one, two)


def test_terms_are_said_with_the_numbers_of_the_tariff() -> None:
    choice, _ = from_query(
        "scenario=textbook&a=filed&b=filed&b.rates=17.5*24&b.fixed=0.1_0.2_0.3&b.rule=none&b.recovery=fixed"
    )
    assert side_summary(choice, "a") == (
        "A kWh costs 8 to 24 ¢; an exported one earns 7 ¢; fixed charge $0.33 a day; nothing is added, whatever is"
        " left of the cost."
    )
    assert side_differences(choice) == (
        "Posted rates: on the mean of the day B's are 2.83 ¢ higher, from 6.5 ¢ lower at 17 h to 9.5 ¢ higher at 9 h.",
        "An exported kWh earns: 7 ¢ under A, nothing under B.",
        "Cost recovery: nothing is added, whatever is left of the cost under A, the fixed charge covers what is left of"
        " the cost under B.",
        "Fixed charge: A posts $0.33 a day.",
    )
    assert build_tariff(side_scenario(choice, "b")).recovery is Recovery.FIXED


@pytest.mark.parametrize("scenario", presets())
def test_the_file_of_the_scenario_holds_both_tariffs_and_the_same_town(scenario: str, tmp_path: Path) -> None:
    choice, _ = from_query(f"scenario={scenario}&a=filed&b=tou&b.pass=30&b.recovery=posted")
    file = tmp_path / "both.toml"
    file.write_text(scenario_toml(choice), encoding="utf-8")
    for side in ("a", "b"):
        read = load_scenario(file, tariff=f"tariff_{side}")
        assert same_numbers(build_tariff(read), build_tariff(side_scenario(choice, side)))
        town, old = (
            one.model_dump(exclude={"name", "tariffs", "default_tariff"}) for one in (read, side_scenario(choice, side))
        )
        assert town == old
    assert load_scenario(file).selected_tariff == "tariff_a"
