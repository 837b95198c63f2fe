"""Rate classes on the command line: what is printed, and who refuses them."""

import json
from pathlib import Path

import pytest

import meanwatt
from meanwatt.analysis.cli import main

CLASSES = """
extends = "textbook"
battery_levels = 5
[tariffs.rtp]
recovery = "volumetric"
[rate_classes.solar]
tariff = "rtp"
technologies = ["pv", "pv_battery"]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    file = tmp_path / "classes.toml"
    file.write_text(CLASSES)
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *line: str, status: int = 0) -> dict[str, object]:
    assert main([*line, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_solve_says_who_has_which_tariff_and_what_it_costs(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = said(capsys, "solve", scenario, "--certify", "none")
    default, solar = result["rate_classes"]
    assert (default["name"], default["tariff"], solar["name"], solar["tariff"]) == ("default", "flat", "solar", "rtp")
    assert default["share"] + solar["share"] == pytest.approx(1)
    assert solar["share"] == pytest.approx(0.3)
    assert result["tariff"] == "flat"
    for key in ("import_usd_per_kwh", "export_usd_per_kwh", "adder_usd_per_kwh", "fixed_charge_usd_per_day"):
        assert result[key] == default[key]
    assert solar["adder_usd_per_kwh"] == default["adder_usd_per_kwh"] > 0
    assert solar["import_usd_per_kwh"] != default["import_usd_per_kwh"]
    assert {(row["technology"], row["rate_class"]) for row in result["groups"]} == {
        ("none", "default"),
        ("pv", "solar"),
        ("pv_battery", "solar"),
    }
    assert abs(result["metrics"]["surplus_usd_per_household_day"]) < 1e-8


def test_without_classes_everybody_is_in_the_default_one(capsys: pytest.CaptureFixture[str]) -> None:
    result = said(capsys, "solve", "textbook", "--set", "battery_levels=5", "--certify", "none")
    (only,) = result["rate_classes"]
    assert (only["name"], only["tariff"], only["share"]) == ("default", "flat", pytest.approx(1))
    assert {row["rate_class"] for row in result["groups"]} == {"default"}


def test_a_tariff_by_name_is_everybodys_and_one_by_class_is_that_classs(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    everybody = said(capsys, "solve", scenario, "--tariff", "tou", "--certify", "none")
    assert [row["tariff"] for row in everybody["rate_classes"]] == ["tou"]
    (message,) = [text for text in everybody["messages"] if "rate_classes" in text]
    assert message.startswith("rate_classes_in_force = false: everybody has tariff tou, and solar of rate_classes set")
    one = said(capsys, "solve", scenario, "--tariff", "solar=tou", "--certify", "none")
    assert [row["tariff"] for row in one["rate_classes"]] == ["flat", "tou"]
    assert not [text for text in one["messages"] if "rate_classes" in text]


def test_solve_prints_the_classes_for_people(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", scenario, "--certify", "none"]) == 0
    text = capsys.readouterr().out
    assert "Rate classes" in text
    assert "volumetric adder of class default" in text
    assert main(["solve", "textbook", "--set", "battery_levels=5", "--certify", "none"]) == 0
    text = capsys.readouterr().out
    assert "Rate classes" not in text
    assert "of class" not in text


def test_simulate_lives_the_same_days_on_any_number_of_threads_and_workers(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--households", "40", "--days", "2", "--seed", "3")
    one, four = (said(capsys, "simulate", scenario, *size, "--threads", threads) for threads in ("1", "4"))
    assert one["day_digest"] == four["day_digest"]
    assert one["metrics"] == four["metrics"]
    parts = said(capsys, "simulate", scenario, *size, "--workers", "2")
    assert parts["day_digest"] == one["day_digest"]


def test_homes_that_learn_under_two_classes_with_one_tariff_learn_what_one_class_does(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--days", "4", "--every", "2", "--households", "40", "--behaviour", "belief")
    parted, alone = (
        said(capsys, "emergence", scenario, *how, *size) for how in (("--tariff", "default=rtp"), ("--tariff", "rtp"))
    )
    changing = ("seconds", "total_seconds", "compile_seconds", "messages", "settings")
    assert {key: value for key, value in parted.items() if key not in changing} == {
        key: value for key, value in alone.items() if key not in changing
    }


def test_a_leader_in_the_market_meters_the_classes_in_force_and_may_post_others(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--households", "20", "--days", "6", "--round-days", "2", "--behaviour", "passive")
    menu = ("--menu", "tou,default=flat,solar=tou")
    found = said(capsys, "simulate", scenario, "--leader", "commission", *size, *menu)
    leader = found["leader"]
    assert leader["menu"] == ["tou", "default=flat", "solar=tou"]
    assert leader["books"]["kind"] == "account"
    for one in leader["rounds"]:
        if one["tariff"] == ["tou"]:
            assert one["rate_classes"] == []
        else:
            assert [row["name"] for row in one["rate_classes"]] == ["default", "solar"]
            assert one["rate_classes"][0]["bill_usd_per_day"] > one["rate_classes"][1]["bill_usd_per_day"]
            assert one["fixed_charge_usd_per_day"] == one["rate_classes"][0]["fixed_charge_usd_per_day"]
    assert len(leader["rounds"]) == 3


def test_a_menu_by_class_says_which_name_comes_twice(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = ("simulate", scenario, "--leader", "commission", "--menu", "flat,solar=nothing")
    assert main([*line, "--households", "20", "--days", "2"]) == 2
    assert capsys.readouterr().err.startswith("meanwatt: scenario classes: unknown tariff 'nothing'")


def test_a_learner_searches_the_rates_of_every_class(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = tmp_path / "family.toml"
    family.write_text(FAMILY)
    line = ("design", scenario, "--leader", "commission", "--family", str(family), "--no-cold", "--evaluations", "3")
    found = said(capsys, *line, "--method", "response_matrix")
    assert [row["name"] for row in found["rate_classes"]] == ["default", "solar"]
    assert set(found["parameters"]) == {"energy_usd_per_kwh", "rate_classes.solar.energy_usd_per_kwh"}
    assert found["books"]["kind"] == "account"
    assert abs(found["metrics"]["surplus_usd_per_household_day"]) < 1e-8


FAMILY = """
[free]
energy_usd_per_kwh = [0.0, 1.0]
"rate_classes.solar.energy_usd_per_kwh" = [0.0, 1.0]
[fixed]
"rate_classes.solar.pass_through" = 0.5
"""


def test_the_classes_that_a_search_finds_are_written_so_that_they_solve_to_the_same_numbers(
    scenario: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family, out = tmp_path / "family.toml", tmp_path / "out"
    family.write_text(FAMILY)
    searched = ("design", scenario, "--leader", "commission", "--family", str(family), "--evaluations", "30")
    found = said(capsys, *searched, "--no-cold", "--set", "carbon.usd_per_t=10", "--out", str(out))
    default, solar = found["rate_classes"]
    assert (default["name"], solar["name"]) == ("default", "solar")
    assert solar["tariff_table"]["pass_through"] == 0.5
    assert solar["tariff_table"]["energy_usd_per_kwh"] == found["parameters"]["rate_classes.solar.energy_usd_per_kwh"]
    assert found["tariff"] == default["tariff_table"]
    assert found["objective"] > found["baseline"]["objective"]
    for row in (default, solar):
        own = [one for one in found["groups"] if one["rate_class"] == row["name"]]
        mean = sum(one["share"] * one["bill_usd_per_year"] for one in own) / row["share"]
        assert row["bill_usd_per_year"] == pytest.approx(mean)
    again = said(capsys, "solve", str(out / "scenario.toml"), "--certify", "none")
    assert again["metrics"]["welfare_usd_per_household_day"] == pytest.approx(
        found["metrics"]["welfare_usd_per_household_day"], abs=1e-8
    )
    for one, other in zip(again["groups"], found["groups"], strict=True):
        assert one["rate_class"] == other["rate_class"]
        assert one["bill_usd_per_year"] == pytest.approx(other["bill_usd_per_year"], abs=1e-4)


def test_a_search_without_a_family_is_for_one_tariff_and_says_what_each_class_pays_then(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    searched = ("design", scenario, "--leader", "utility", "--evaluations", "2", "--no-cold")
    found = said(capsys, *searched, status=1)
    assert [row["name"] for row in found["rate_classes"]] == ["default"]
    assert [row["name"] for row in found["baseline"]["rate_classes"]] == ["default", "solar"]
    before, after = found["baseline"]["rate_classes"], found["bills_by_class_in_force"]
    assert [row["bill_in_force_usd_per_year"] for row in after] == [row["bill_usd_per_year"] for row in before]
    assert (
        "Rate classes (default on flat, solar on rtp) are in force and no tariff tried has any: one tariff is searched"
        " for everybody; --family with keys such as rate_classes.NAME.energy_usd_per_kwh searches those of the classes."
    ) in found["messages"]
    assert main([*searched]) == 1
    assert "Mean bill of each rate class" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["alternating", "feedback"])
def test_a_search_that_knows_one_tariff_alone_refuses_classes_in_one_line(
    method: str, scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["design", scenario, "--leader", "commission", "--method", method]) == 2
    assert capsys.readouterr().err == (
        f"meanwatt: --method {method} knows no rate classes, and there are default, solar; put everybody on one tariff,"
        " such as flat\n"
    )


def test_notebooks_take_them_as_the_command_line_does(scenario: str) -> None:
    solution = meanwatt.solve(scenario, certify="none", progress=False)
    assert [row["tariff"] for row in solution.summary["rate_classes"]] == ["flat", "rtp"]
    market = meanwatt.simulate(solution, households=30, days=2, progress=False)
    assert market.equilibrium.tariff is solution.equilibrium.tariff
    everybody = meanwatt.solve(solution.equilibrium.economy, tariff="tou", certify="none", progress=False)
    assert [row["tariff"] for row in everybody.summary["rate_classes"]] == ["tou"]
    assert any("set aside" in text for text in everybody.summary["messages"])
