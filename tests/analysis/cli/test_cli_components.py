"""Components on the command line: what solve and simulate print, and who refuses them in one line."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.shared.own_scenarios import give, own_scenario
from meanwatt.analysis.dashboard.shared.own_tariff import read_tariff, toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings, opening_tariff, own_tariff_of

LADDER = "--set 'tariff.tiers.limits_kwh_per_month=[300,420]' --set 'tariff.tiers.adders_usd_per_kwh=[0,0.05,0.1]'"
SET = f"--set battery_levels=4 {LADDER}"


def told(capsys: pytest.CaptureFixture[str], command: str, status: int) -> str:
    assert main(shlex.split(command)) == status
    said = capsys.readouterr()
    if status == 2:
        assert not said.out
        assert said.err.count("\n") == 1
        return said.err
    return said.out


def test_solve_prints_the_tariff_as_posted_and_what_its_components_come_to(capsys: pytest.CaptureFixture[str]) -> None:
    more = "--set tariff.minimum_bill.usd_per_month=30"
    plain = json.loads(told(capsys, "solve textbook --tariff rtp --set battery_levels=4 --certify none --json", 0))
    said = json.loads(told(capsys, f"solve textbook --tariff rtp {SET} {more} --certify none --json", 0))
    assert set(plain) <= set(said)
    assert [row["name"] for row in said["rate_classes"]] == ["default"]
    above = [a - w for a, w in zip(said["import_usd_per_kwh"][0], said["wholesale_usd_per_kwh"][0], strict=True)]
    assert above == pytest.approx([0.025] * 24, abs=1e-12)
    assert {row["component"] for row in said["components"]} == {"tiers", "minimum_bill"}
    by_name = {row["component"]: row for row in said["components"]}
    seasons = [one["seasons"][0] for one in by_name["tiers"]["households"]]
    assert {season["tier"] for season in seasons} >= {1, 2, 3}
    assert any(season["at_limit"] for season in seasons)
    revenue = sum(row["share"] * row["tiers_usd_per_day"] for row in said["groups"])
    assert said["tiers_revenue_usd_per_household_day"] == pytest.approx(revenue, abs=1e-12)
    assert said["metrics"]["surplus_usd_per_household_day"] == pytest.approx(0.0, abs=1e-6)
    assert all(row["rate_class"] == "default" for row in said["groups"])
    assert min(row["bill_usd_per_year"] for row in said["groups"]) == pytest.approx(360.0, abs=1e-3)
    for name in ("tiers", "minimum_bill"):
        assert sum(text.startswith(f"tariff.{name}: ") for text in said["messages"]) == 1
    assert said["component_residual_usd_per_kwh"] < 1e-7


def test_for_people_solve_prints_a_table_of_components(capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, f"solve textbook --tariff rtp {SET} --certify none", 0)
    assert "Components" in said
    assert "tiers, rtp" in said


def test_a_demand_charge_that_is_seen_says_by_which_adders_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    more = "--set tariff.demand_charge.usd_per_kw_month=4 --set tariff.demand_charge.decision=ex_ante"
    command = f"solve textbook --tariff rtp --set battery_levels=4 --set battery_share_scale=0 {more}"
    said = json.loads(told(capsys, f"{command} --certify none --json", 0))
    (row,) = said["components"]
    assert "largest import" in row["approximation"]
    for one in row["households"]:
        assert one["unseen_share"] <= 0.01
        month = [
            365 / 12 * adder / 3 for slots in one["perceived_adder_usd_per_kwh"] for slot in slots for adder in slot
        ]
        assert sum(month) == pytest.approx(4.0, rel=1e-9)  # three shocks, each a third of the time
        assert one["usd_per_month"] == pytest.approx(4.0 * one["expected_peak_kw"], rel=1e-9)


def test_simulate_bills_components_and_says_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    command = f"simulate textbook --tariff rtp --households 60 --days 31 {SET}"
    said = json.loads(told(capsys, f"{command} --json", 0))
    (row,) = said["components"]
    assert row["component"] == "tiers"
    assert row["billed_usd_per_household_day"] == pytest.approx(row["expected_usd_per_household_day"], rel=0.2)
    assert any("perception = marginal" in text for text in said["messages"])
    assert "tiers, billed" in told(capsys, command, 0)


def test_the_guide_works_as_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "how_to" / "tariff_components.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "tiered.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    commands, _ = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in commands.splitlines():
        command = line.removeprefix("uv run meanwatt ").replace(
            "--households 1000 --days 365", "--households 40 --days 2"
        )
        assert "tiers" in told(capsys, f"{command} --set battery_levels=4", 0)


def test_the_files_of_a_solve_hold_rates_as_posted_and_whole_bills(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = f"solve textbook --tariff rtp {SET} --certify none --json --out {tmp_path / 'out'}"
    said = json.loads(told(capsys, command, 0))
    tables = {path.stem: pd.read_parquet(path) for path in (tmp_path / "out").glob("*.parquet")}
    np.testing.assert_allclose(tables["slots"]["import_usd_per_kwh"], said["import_usd_per_kwh"][0], atol=1e-12)
    np.testing.assert_allclose(
        tables["types"]["bill_usd_per_year"], [row["bill_usd_per_year"] for row in said["groups"]]
    )
    assert "tiers_usd_per_day" in tables["types"]
    assert "Components" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_page_that_knows_rates_alone_takes_no_tariff_with_components() -> None:
    text = (
        'recovery = "posted"\nenergy_usd_per_kwh = 0.1\n'
        "[tiers]\nlimits_kwh_per_month = [300]\nadders_usd_per_kwh = [0.0, 0.1]\n"
    )
    settings = Settings(scenario="textbook", own=toml_of(read_tariff(text)))
    assert settings.preset().selected_tariff == "from_file"
    with pytest.raises(ValueError, match="tariff from_file has tiers, and this page takes rates and fixed charges"):
        settings.single()


def test_the_app_opens_a_scenario_whose_tariff_in_force_has_components(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "textbook"\ndefault_tariff = "tou"\n[tariffs.tou.minimum_bill]\nusd_per_month = 20.0\n',
        encoding="utf-8",
    )
    give([own_scenario(str(path), None)])
    try:
        assert (opening_tariff("mine"), own_tariff_of("mine")) == ("tou", "filed")
    finally:
        give([])


HELD = (
    "which only solve, design, practice, allot, flow, export, validate, and simulate without --leader and --workers,"
    " can hold; give another tariff, or leave them out"
)


@pytest.mark.parametrize(
    "command",
    [
        "emergence textbook",
        "impacts flat tou textbook",
        "simulate textbook --households 60 --leader commission",
        "simulate textbook --households 60 --workers 2",
    ],
)
def test_who_cannot_hold_components_refuses_them_in_one_line(capsys: pytest.CaptureFixture[str], command: str) -> None:
    tariff = "filed" if command.startswith("design") else "flat"
    assert f"tariff {tariff} has tiers, {HELD}" in told(capsys, f"{command} {SET}", 2)


SMALL = "--set battery_levels=4 --households 40 --days 2 --json"


def test_homes_that_learn_decide_by_rates_and_the_result_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    both = json.loads(told(capsys, f"simulate textbook {SET} {SMALL} --behaviour equilibrium=.5,belief=.5", 0))
    sentence = (
        "homes of behaviour belief decide by the rates of the slot and see nothing of tiers; every home's own months"
        " are billed, adder, charges and surcharges being those of the equilibrium."
    )
    assert sentence in both["messages"]
    assert any(text.startswith("tariff.tiers: households act on") for text in both["messages"])
    (rule,) = [row for row in both["bill_rules"] if row["part"] == "tiers"]
    assert rule["households_decide_by"].endswith("of their type ends (behaviour belief: nothing)")
    assert both["components"][0]["billed_usd_per_household_day"] > 0
    alone = json.loads(told(capsys, f"simulate textbook {SET} {SMALL} --behaviour passive", 0))
    assert not any(text.startswith("tariff.tiers: households act on") for text in alone["messages"])


def test_a_charge_in_the_state_is_refused_to_homes_without_that_state(capsys: pytest.CaptureFixture[str]) -> None:
    by_day = "--set tariff.demand_charge.usd_per_kw_day=0.2 --set tariff.demand_charge.decision=state"
    assert told(capsys, f"simulate textbook --tariff rtp {by_day} {SMALL} --behaviour belief", 2).strip() == (
        "meanwatt: tariff rtp has demand_charge.decision state, and behaviour belief has no such state; give"
        " demand_charge.decision=ignored, or behaviour equilibrium alone"
    )


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("tiers.adders_usd_per_kwh=[0.1]", ""),
        ("tiers.limits_kwh_per_month=[-3]", "limits_kwh_per_month: entry 0 is -3; give a number from 1e-06 to"),
        ("tiers.perception=wrong", "perception is 'wrong'"),
        ("demand_charge.decision=month", "decision is 'month'; give ignored, ex_ante or state"),
        ("demand_charge.demand_levels=1", "demand_charge.demand_levels is 1; give a whole number from 2 to 200"),
        ("demand_charge.usd_per_kw_day=-1", "demand_charge.usd_per_kw_day is -1; give a number from 0 to"),
        ("demand_charge.window=['17-17']", "window holds '17-17', an empty span"),
        ("demand_charge.usd_per_kw_month=-1", "demand_charge.usd_per_kw_month is -1; give a number from 0 to"),
        ("subscription.usd_per_kwh={peak=1}", "subscription.usd_per_kwh"),
        ("discount_funding.by=nobody", "discount_funding.by is 'nobody'"),
        ("tiers.limits=[1]", "unknown key 'tariff.tiers.limits'; did you mean"),
    ],
)
def test_bad_components_are_told_in_one_line(capsys: pytest.CaptureFixture[str], setting: str, sentence: str) -> None:
    command = f'solve textbook --certify none --json --set battery_levels=4 --set "tariff.{setting}"'
    if not sentence:  # one tier without an end is a rate
        assert json.loads(told(capsys, command, 0))["components"]
        return
    assert sentence in told(capsys, command, 2)


def test_a_charge_by_the_day_is_decided_by_as_it_is_and_billed_by_the_day(capsys: pytest.CaptureFixture[str]) -> None:
    by_day = (
        "textbook --tariff rtp --set battery_levels=4 --set tariff.demand_charge.usd_per_kw_day=0.16 --set"
        " tariff.demand_charge.demand_levels=5 --set tariff.demand_charge.decision"
    )
    said = json.loads(told(capsys, f"solve {by_day}=state --json", 0))
    unseen = json.loads(told(capsys, f"solve {by_day}=ignored --certify none --json", 0))
    (row,), (other,) = said["components"], unseen["components"]
    assert (row["usd_per_kw_day"], row["demand_levels"], row["decision"]) == (0.16, 5, "state")
    assert "demand_levels" not in other
    assert "a day is billed here, simulate bills every home's own days" in row["approximation"]
    assert "a day is billed here, simulate bills every home's own days" in other["approximation"]
    for one, blind in zip(row["households"], other["households"], strict=True):
        assert one["expected_peak_kw"] < blind["expected_peak_kw"]
        assert one["usd_per_month"] == pytest.approx(0.16 * 365 / 12 * one["expected_peak_kw"], rel=1e-9)
        assert abs(one["peak_on_grid_kw"] - one["expected_peak_kw"]) < max(np.diff(one["demand_levels_kw"]))
    assert said["uniqueness"] == "unique by Theorem U"
    assert said["contraction"] is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("usd_per_kw_month=2", "decision=state"), "give usd_per_kw_day in place of usd_per_kw_month"),
        (("usd_per_kw_day=2", "decision=ex_ante"), "give usd_per_kw_month in place of usd_per_kw_day"),
        (("usd_per_kw_day=2", "usd_per_kw_month=3"), "give one of them, the other 0"),
    ],
)
def test_a_decision_that_is_for_another_period_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], settings: tuple[str, str], sentence: str
) -> None:
    given = " ".join(f"--set tariff.demand_charge.{one}" for one in settings)
    assert sentence in told(capsys, f"solve textbook --certify none --set battery_levels=4 {given}", 2)


FAMILY = '[free]\nenergy_usd_per_kwh = [0.0, 0.2]\n"minimum_bill.usd_per_month" = [0.0, 60.0]\n'


def test_a_search_keeps_components_and_writes_a_tariff_that_solves_to_the_same_bills(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    family, out = tmp_path / "family.toml", tmp_path / "out"
    family.write_text(FAMILY)
    search = f"design textbook --tariff flat {SET} --leader commission --family {family} --evaluations 4"
    found = json.loads(told(capsys, f"{search} --json --out {out}", 1))
    assert found["outcome"] == "round_limit"
    assert found["tariff"]["tiers"]["adders_usd_per_kwh"]
    assert found["cold"] is None
    assert any(text.startswith("tariff.tiers: households act on") for text in found["messages"])
    assert any(text.startswith("No objective among cold households: tariffs with comp") for text in found["messages"])
    command = f"solve textbook --tariff {out / 'tariff.toml'} --set battery_levels=4 --certify none --json"
    again = json.loads(told(capsys, command, 0))
    for one, other in zip(again["groups"], found["groups"], strict=True):
        assert one["bill_usd_per_year"] == pytest.approx(other["bill_usd_per_year"], abs=1e-3)
    assert again["metrics"]["burden_gap"] == pytest.approx(found["metrics"]["burden_gap"], abs=1e-7)


@pytest.mark.parametrize("option", ["--method softmax", "--method feedback", "--anneal", "--pareto"])
def test_a_search_that_cannot_hold_components_says_so(capsys: pytest.CaptureFixture[str], option: str) -> None:
    said = told(capsys, f"design textbook --tariff flat {SET} --leader commission {option}", 2)
    assert f"tariff flat has tiers, which {option} cannot hold; give another tariff, or leave them out" in said


def test_a_validation_under_components_leaves_out_what_does_not_apply_and_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = f"validate textbook {SET} --households 20,60 --replications 2 --days 2"
    found = json.loads(told(capsys, f"{small} --json", 0))
    assert found["settings"]["checks"] == ["aggregate", "state", "grid"]
    left = [text for text in found["messages"] if "is left out under tiers" in text]
    assert [text.split()[2] for text in left] == ["exploitability", "emergence", "leader"]
    assert found["exploitability_limit_usd_per_household_day"] > 0
    assert found["rms_net_load_kw"][1] < found["rms_net_load_kw"][0]
    said = told(capsys, f"{small} --checks aggregate,leader", 2)
    assert (
        "--checks leader is none of a tariff with tiers: what a leader posts is held against a tariff without"
        " components; leave it out"
    ) in said


def test_an_export_under_components_holds_what_is_seen_and_says_what_is_approximated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "game.npz"
    found = json.loads(told(capsys, f"export textbook {SET} --to {file} --json", 0))
    assert any(text.startswith("tariff.tiers: households act on") for text in found["messages"])
    with np.load(file) as arrays:
        assert set(arrays.files) == found["shapes"].keys()
        assert arrays["tiers_usd_per_day"].shape == arrays["share"].shape
        assert (arrays["seen_import_usd_per_kwh"] >= arrays["type_import_usd_per_kwh"][..., None] - 1e-12).all()
