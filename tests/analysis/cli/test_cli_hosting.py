"""``meanwatt hosting``: its JSON object, its files, how it is broken off and goes on, one line for what is wrong."""

import json
import shlex
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow.parquet as pq
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.hosting import sweep as sweeping
from meanwatt.model.network.feeder import feeder_from_graph
from meanwatt.model.network.feeder_file import table_of_feeder
from meanwatt.model.progress.watch import Cancelled
from meanwatt.model.scenario.feeder_file import write_feeder_file

QUICK = "--set battery_levels=5 --set flexibility=0 --tariff filed --step 0.5 --placements 3"
CONTRACT = {
    "feeder",
    "scenario",
    "outcome",
    "message",
    "messages",
    "adoption",
    "first_violation",
    "volt_watt",
    "placements",
    "seed",
    "tariffs",
    "settings",
}
KINDS = ["overvoltage", "undervoltage", "line", "transformer", "no_state", "any"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a feeder file of six homes."""
    monkeypatch.chdir(tmp_path)
    graph = nx.Graph(name="lane")
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.02)
    before = "grid"
    for number in range(6):
        graph.add_node(f"home{number}", nominal_kv=0.4, p_kw=1.0, customers=1)
        graph.add_edge(before, f"home{number}", r_ohm=0.2, x_ohm=0.05, rating_a=60.0)
        before = f"home{number}"
    write_feeder_file(tmp_path / "lane.toml", table_of_feeder(feeder_from_graph(graph)))
    return tmp_path


def said(arguments: str, capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict[str, Any]:
    assert main([*shlex.split(arguments), "--json"]) == status
    heard = capsys.readouterr()
    assert heard.err == ""
    assert heard.out.count("\n") == 1
    found: dict[str, Any] = json.loads(heard.out)
    return found


def bare(found: dict[str, Any]) -> dict[str, Any]:
    """A result without the time it took."""
    return {key: value for key, value in found.items() if "seconds" not in key}


def test_the_object_says_when_limits_are_first_broken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("dear.toml").write_text('energy_usd_per_kwh = 0.5\nrecovery = "posted"\n', encoding="utf-8")
    found = said(f"hosting lane.toml textbook {QUICK} --tariff dear.toml --seed 3", capsys)
    assert set(found) >= CONTRACT
    assert (found["feeder"], found["scenario"], found["outcome"]) == ("lane", "textbook", "converged")
    assert found["adoption"] == [0.0, 0.5, 1.0]
    assert found["placements"] == 3
    assert found["seed"] == 3
    assert found["customers"] == 6
    assert found["adoption_today"] == pytest.approx(0.3)
    filed, dear = found["tariffs"]
    assert (filed["tariff"], dear["tariff"]) == ("filed", "dear.toml")
    assert found["first_violation"] == filed["first_violation"]
    assert list(found["first_violation"]) == KINDS
    assert filed["first_violation"]["overvoltage"] == {"p5": 1.0, "p50": 1.0, "p95": 1.0}
    assert filed["first_violation"]["transformer"] == {"p5": None, "p50": None, "p95": None}
    assert filed["violation_share"]["overvoltage"] == [0.0, 0.0, 1.0]
    assert filed["violation_share"]["transformer"] == [None, None, None]
    assert filed["beside_first_tariff"] is None
    assert dear["beside_first_tariff"]["any"] == {"later": 0, "same": 3, "earlier": 0, "gain": 0.0}
    highest = filed["max_voltage_pu"]
    for low, middle, high in zip(highest["p5"], highest["p50"], highest["p95"], strict=True):
        assert low <= middle <= high
    assert "feeder lane: has no transformer, so none can be overloaded." in found["messages"]
    assert found["settings"] == {
        "feeder": "lane.toml",
        "scenario": "textbook",
        "tariff": ["filed", "dear.toml"],
        "set": ["battery_levels=5", "flexibility=0"],
        "sweep": "solar",
        "incomes": "mixed",
        "placements": 3,
        "step": 0.5,
        "seed": 3,
    }


def test_a_shipped_feeder_needs_its_name_alone_and_tables_are_for_people(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split(f"hosting textbook_line_5 textbook {QUICK} --step 1 --placements 1")) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("textbook_line_5, textbook: Converged: every equilibrium is solved, 2 levels of adoption,")
    for text in (
        "filed, any",
        "without",
        "Placements with any violation, %",
        "Highest voltage",
        "Note: Every home draws the mean",
    ):
        assert text in " ".join(shown.split())  # titles are as wide as their tables


def test_the_directory_holds_result_tables_and_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(f"hosting lane.toml textbook {QUICK} --out run", capsys)
    assert {path.name for path in Path("run").iterdir()} == {
        "hosting.json",
        "states.parquet",
        "first_violation.parquet",
        "report.html",
        "manifest.json",
    }
    assert sorted(path.name for path in folder.iterdir()) == ["lane.toml", "run"]  # the journal is gone
    assert json.loads(Path("run/hosting.json").read_text(encoding="utf-8")) == found
    states = pq.read_table("run/states.parquet").to_pydict()
    assert states["adoption"] == [0.0] * 3 + [0.5] * 3 + [1.0] * 3
    assert sorted(states["max_voltage_pu"][3:6])[1] == found["tariffs"][0]["max_voltage_pu"]["p50"][1]
    first = pq.read_table("run/first_violation.parquet").to_pydict()
    assert first["overvoltage"] == [1.0] * 3
    assert first["transformer"] == [None] * 3
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    for text in ("Hosting capacity of a feeder", "lane, scenario textbook", "Violations against adoption"):
        assert text in page


def test_cars_are_swept_with_the_lowest_voltage_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cars = "--sweep cars --set ev.levels=10 --step 1 --out run"
    assert main(shlex.split(f"hosting lane.toml textbook {QUICK} {cars}")) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Lowest voltage, median over placements, pu" in shown
    found = json.loads(Path("run/hosting.json").read_text(encoding="utf-8"))
    assert found["swept"] == "cars"
    assert found["adoption_today"] == 0.0
    low = found["tariffs"][0]["min_voltage_pu"]["p50"]
    assert low[1] < low[0]
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "lowest voltage" in page
    assert "voltage too low" in page


def test_a_sweep_that_is_broken_off_goes_on_to_the_same_result(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = said(f"hosting lane.toml textbook {QUICK} --out whole", capsys)
    measure, calls = sweeping._measured, []

    def break_off(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise Cancelled
        return measure(*given)

    monkeypatch.setattr(sweeping, "_measured", break_off)
    broken = said(f"hosting lane.toml textbook {QUICK} --out run", capsys, status=1)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert broken["outcome"] == "cancelled"
    assert broken["message"] == "Cancelled after 2 of 3 equilibria."
    assert not Path("run").exists()
    assert Path("run.journal.jsonl").exists()
    assert main(shlex.split(f"hosting lane.toml textbook {QUICK} --out run")) == 2
    assert "holds the levels of an interrupted run; add --resume to go on" in capsys.readouterr().err
    assert main(shlex.split(f"hosting lane.toml textbook {QUICK} --placements 4 --out run --resume")) == 2
    assert "belongs to another run: its placements is 3, now it is 4" in capsys.readouterr().err
    again = said(f"hosting lane.toml textbook {QUICK} --out run --resume", capsys)
    assert bare(again) == bare(whole)
    assert not Path("run.journal.jsonl").exists()


REFUSED = {
    "lv_rual textbook": "unknown feeder 'lv_rual'; did you mean 'lv_rural'? (or give the path of a feeder file)",
    "none.toml textbook": "none.toml: file not found; give the path of a feeder file",
    "lane.toml textbok": "unknown preset 'textbok'; did you mean 'textbook'?",
    "lane.toml textbook --tariff flt": "unknown tariff 'flt'; did you mean 'flat'?",
    "lane.toml textbook --tariff flat --tariff flat": "--tariff flat is given twice; give every tariff once",
    "lane.toml textbook --placements 0": "--placements is '0'; give a whole number from 1 to 100000, e.g. 50",
    "lane.toml textbook --step 2": "--step is '2'; give a number from 0.001 to 1, e.g. 0.1",
    "lane.toml textbook --sweep heat": "unknown --sweep 'heat'; give one of solar, cars",
    "lane.toml textbook --incomes rich": "unknown --incomes 'rich'; give one of mixed, far, near, clustered",
    "lane.toml textbook --resume": "--resume needs the --out DIR of the run to go on with",
    "lane.toml textbook --set income_groups.low.pv_kw=0": "income_groups.low.pv_kw is 0, and a sweep of adoption",
    "lane.toml textbook --out lane.toml": "--out lane.toml: is a file; give a directory",
    "": "missing argument 'FEEDER'",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_swept_is_one_line_and_nothing_is_written(
    arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hosting", *shlex.split(arguments)]) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert REFUSED[arguments] in heard.err
    assert [path.name for path in folder.iterdir()] == ["lane.toml"]


CLASSES = 'extends = "textbook"\n[rate_classes.solar]\ntariff = "tou"\ntechnologies = ["pv", "pv_battery"]\n'


def test_rate_classes_in_force_are_swept_beside_one_tariff_for_everybody(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("classes.toml").write_text(CLASSES, encoding="utf-8")
    quick = "--set battery_levels=5 --set flexibility=0 --step 1 --placements 1"
    found = said(f"hosting lane.toml classes.toml {quick}", capsys)
    (row,) = found["tariffs"]
    assert row["tariff"] == "flat and rate classes"
    assert row["rate_classes"] == [{"name": "default", "tariff": "flat"}, {"name": "solar", "tariff": "tou"}]
    assert any("rate class solar holds nobody at adoption 0%, and is left out there" in m for m in found["messages"])
    beside = said(f"hosting lane.toml classes.toml {quick} --tariff solar=flat --tariff flat", capsys)
    assert [one["tariff"] for one in beside["tariffs"]] == ["solar=flat", "flat"]
    assert [len(one["rate_classes"]) for one in beside["tariffs"]] == [2, 1]
    assert beside["tariffs"][1]["beside_first_tariff"]["any"]["same"] == 1


def test_components_and_a_class_that_homes_choose_are_refused_before_any_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("chosen.toml").write_text(f"{CLASSES}opt_in_share = 0.2\n", encoding="utf-8")
    assert main(["hosting", "lane.toml", "chosen.toml"]) == 2
    assert "rate_classes.solar has an opt_in_share, which only solve, adoption and allot" in capsys.readouterr().err
    Path("classes.toml").write_text(CLASSES, encoding="utf-8")
    assert main(["hosting", "lane.toml", "classes.toml", "--set", "tariffs.tou.minimum_bill.usd_per_month=20"]) == 2
    assert "minimum_bill" in capsys.readouterr().err


def test_with_volt_watt_both_sweeps_are_told_and_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    curve = "--set feeder.volt_watt.enabled=true --set feeder.volt_watt.v1_pu=1.02 --set feeder.volt_watt.v2_pu=1.05"
    assert main(shlex.split(f"hosting lane.toml textbook {QUICK} {curve} --out run")) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in (
        "Adoption at the first violation with volt-watt, and without",
        "Held back by volt-watt, median over placements, kWh per household-day",
        "Note: feeder.volt_watt, volt_var: households do not foresee what is held back",
    ):
        assert text in shown
    found = json.loads(Path("run/hosting.json").read_text(encoding="utf-8"))
    curved = found["volt_watt"]
    assert (curved["volt_watt"]["v2_pu"], curved["volt_var"]) == (1.05, None)
    assert curved["first_violation_without"] == found["first_violation"]
    assert list(curved["first_violation"]) == KINDS
    held = curved["curtailed_kwh_per_household_day"]["p50"]
    assert held[0] == 0
    assert 0 <= held[1] < held[2]
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "filed, with curves" in page
    states = pq.read_table("run/states.parquet").to_pydict()
    assert max(states["max_voltage_pu_with_curves"]) < max(states["max_voltage_pu"])


def test_a_sweep_with_curves_goes_on_to_the_same_result_and_not_from_one_without(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watt = "--set feeder.volt_watt.enabled=true"
    whole = said(f"hosting lane.toml textbook {QUICK} {watt} --out whole", capsys)
    measure, calls = sweeping._measured, []

    def break_off(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise Cancelled
        return measure(*given)

    monkeypatch.setattr(sweeping, "_measured", break_off)
    said(f"hosting lane.toml textbook {QUICK} {watt} --out run", capsys, status=1)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(shlex.split(f"hosting lane.toml textbook {QUICK} --out run --resume")) == 2
    assert "belongs to another run" in capsys.readouterr().err
    assert bare(said(f"hosting lane.toml textbook {QUICK} {watt} --out run --resume", capsys)) == bare(whole)
