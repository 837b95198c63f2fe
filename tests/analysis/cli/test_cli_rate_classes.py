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


REFUSING = {
    "design": ("design", "--leader", "utility"),
    "validate": ("validate", "--households", "10,30"),
    "pilot": ("pilot",),
    "simulate with a leader": ("simulate", "--leader", "commission"),
}


@pytest.mark.parametrize("command", REFUSING)
def test_a_command_that_knows_one_tariff_alone_says_what_to_do(
    command: str, scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = REFUSING[command]
    assert main([name, scenario, *options]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err == (
        "meanwatt: scenario classes has rate_classes (solar), which only solve, export, study, emergence and"
        " simulate without --leader can hold; put everybody on one tariff, e.g. --tariff flat\n"
    )


def test_notebooks_take_them_where_the_command_line_does_and_refuse_them_elsewhere(scenario: str) -> None:
    solution = meanwatt.solve(scenario, certify="none", progress=False)
    assert [row["tariff"] for row in solution.summary["rate_classes"]] == ["flat", "rtp"]
    market = meanwatt.simulate(solution, households=30, days=2, progress=False)
    assert market.equilibrium.tariff is solution.equilibrium.tariff
    everybody = meanwatt.solve(solution.equilibrium.economy, tariff="tou", certify="none", progress=False)
    assert [row["tariff"] for row in everybody.summary["rate_classes"]] == ["tou"]
    assert any("set aside" in text for text in everybody.summary["messages"])
    for what, refused in (
        ("a validation", lambda: meanwatt.validate(solution, households=(10, 20), replications=1, progress=False)),
        ("a search for a tariff", lambda: meanwatt.design(scenario, progress=False)),
    ):
        with pytest.raises(ValueError, match=f"{what} knows no rate classes, and there are default, solar; put every"):
            refused()
