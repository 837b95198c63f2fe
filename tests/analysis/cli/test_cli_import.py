"""``meanwatt import``: a tariff there and back, what is said of it, and one line for what cannot be imported."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT
from saved_net import line, plain_village, save, village

from meanwatt.analysis.cli import main
from meanwatt.model.network.feeder_file import feeder_of_table
from meanwatt.model.scenario.feeder_file import read_feeder_file
from meanwatt.model.scenario.loading import load_scenario

CASES: dict[str, Any] = json.loads((ROOT / "tests" / "bills_by_pysam.json").read_text(encoding="utf-8"))["cases"]
LADDERS = (
    'The kWh of all periods climb one ladder of tiers (tier_scope = "month"); if each period has its own,'
    ' write "period".'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the records of PySAM's bills."""
    monkeypatch.chdir(tmp_path)
    for name, case in CASES.items():
        Path(f"{name}.json").write_text(json.dumps(case["tariff"]), encoding="utf-8")
    Path("link.json").symlink_to("heco_tou_net_billing.json")
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_a_record_goes_to_our_file_and_back(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tariff", f"{name}.json", "--to", "ours.toml"]) == 0
    assert capsys.readouterr().out.startswith(f"ours.toml: {name}\n")
    assert main(["import", "tariff", "ours.toml", "--to", "theirs.json", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"file", "title", "periods", "demand", "messages", "settings"}
    assert json.loads((folder / "theirs.json").read_text(encoding="utf-8")) == CASES[name]["tariff"]
    assert (LADDERS in said["messages"]) == ("two_tier" in name)


def test_a_tariff_as_filed_becomes_one_that_solve_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    choices = "--territory X --discount CARE --export net_billing"
    asked = f"import tariff pge_e1 --scenario california {choices} --to e1.toml"
    assert main([*asked.split(), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["settings"] | {"kind": "tariff"} == said["settings"]
    assert {name: said["settings"][name] for name in ("scenario", "territory", "discount", "export")} == {
        "scenario": "california",
        "territory": "X",
        "discount": "CARE",
        "export": "net_billing",
    }
    assert "The baseline credit is spread over the mean household's kWh." in said["messages"]
    scenario = load_scenario("california", tariff="e1.toml")
    tariff = scenario.tariffs["e1"]
    assert (tariff.recovery, tariff.title) == ("posted", "PG&E E-1, flat with a baseline credit")
    assert main(asked.split()) == 0
    assert capsys.readouterr().out.startswith(
        "e1.toml: PG&E E-1, flat with a baseline credit, for scenario california\n"
    )


REFUSED = {
    "tariff heco_r --to a.toml --export none": "--export is for a tariff of a scenario; give --scenario, too, or leave",
    "tariff heco_r --scenario oahu --to a.json": (
        "--to is 'a.json'; give a file name that ends in .toml, for a scenario's tariff"
    ),
    "tariff octopus_agile --scenario oahu --to a.toml": (
        "tariff octopus_agile is in GBP, and scenarios are in USD; write its rates in USD first"
    ),
    "tariff heco_r --scenario oahu --to a.toml --metering net": "unknown --metering 'net'; did you mean 'net_billing'?",
    "tariff heco_r --scenario oahoo --to a.toml": "scenario oahoo: unknown preset 'oahoo'; did you mean 'oahu'?",
    "feeder heco_tou_net_billing.json --to a.toml --scenario oahu": ("--scenario is for import tariff; leave it out"),
    "tarif heco_tou_net_billing.json --to a.toml": "unknown kind 'tarif'; did you mean 'tariff'?",
    "tariff heco_tou_net_billing.json --to a.txt": ("--to is 'a.txt'; give a file name that ends in .toml or .json"),
    "tariff heco_tou_net_billing.json --to no/a.toml": "--to no/a.toml: its directory does not exist",
    "tariff none.json --to a.toml": "tariff none.json: file not found; give the path of a tariff as filed",
    "tariff heco_tou_net_billing.json": "missing option '--to'",
    "tariff heco_tou_net_billing.json --to heco_tou_net_billing.json": (
        "--to heco_tou_net_billing.json: is a file that is read; give another name"
    ),
    "tariff ./heco_tou_net_billing.json --to link.json": "--to link.json: is a file that is read; give another name",
    "feeder heco_tou_net_billing.json --to ./heco_tou_net_billing.json": (
        "--to ./heco_tou_net_billing.json: is a file that is read; give another name"
    ),
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_imported_is_one_line_and_nothing_is_written(
    arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert main(["import", *shlex.split(arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {REFUSED[arguments]}")
    assert said.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_a_feeder_is_imported_with_its_state_and_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = village()
    tables["storage"] = [{"bus": 2, "p_mw": 0.004, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    save(tmp_path, tables)
    assert main(["import", "feeder", "net.json", "--to", "ours.toml", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    low, high, loss, loading = plain_village().solve()
    numbers = [said[key] for key in ("min_voltage_pu", "max_voltage_pu", "loss_kw", "max_transformer_loading_percent")]
    assert numbers == pytest.approx([low, high, loss, 100 * loading], rel=1e-9)
    assert (said["buses"], said["customers"], said["refused"], said["approximated"]) == (5, 3, {"storage": 1}, {})
    assert said["settings"] == {"kind": "feeder", "file": "net.json", "to": "ours.toml", "tap": "file"}
    assert feeder_of_table(read_feeder_file("ours.toml")[0]).buses[0] == "bus 0"
    assert main(["import", "feeder", "net.json", "--to", "ours.json", "--tap", "ignore"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ours.json: 5 buses, 3 customers with 100 kW; at the loads of the file 0.9429 to 1.0100 pu")
    assert re.search(r"storage +│ +– │ +– │ +1 │", out)
    assert "Note: storage 0: left out" in out
    assert read_feeder_file("ours.json")[0] == read_feeder_file("ours.toml")[0]


REFUSED_FEEDERS = {
    "feeder net.json --to a.toml --tap up": "--tap is 'up'; give file, apply or ignore",
    "tariff net.json --to a.toml --tap file": "--tap is 'file', which only import feeder takes; leave it out",
    "feeder net.dss --to a.toml": "feeder net.dss: file not found; give the path of a circuit of OpenDSS",
    "feeder net.json --to a.toml --allow-code .": (
        "--allow-code is '.', which only a feeder from a .dss file takes; leave it out"
    ),
    "feeder none.json --to a.toml": (
        "feeder none.json: file not found; give the path of a network saved by pandapower as JSON"
    ),
    "feeder net.json --to a.toml": (
        "feeder net.json: the feeder has a loop: bus 3 - bus 2 - bus 4 - bus 3; open one edge of it, for a feeder is"
    ),
}


@pytest.mark.parametrize("arguments", REFUSED_FEEDERS)
def test_a_feeder_that_cannot_be_imported_is_one_line_and_nothing_is_written(
    arguments: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = village()
    tables["line"].append(line(3, 4, 0.1))
    save(tmp_path, tables)
    assert main(["import", *shlex.split(arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {REFUSED_FEEDERS[arguments]}")
    assert said.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.json"]


def test_a_feeder_by_phase_is_imported_with_its_state_by_phase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tables = village()
    row = {"bus": 3, "p_a_mw": 0.006, "p_b_mw": 0.0, "p_c_mw": 0.0, "scaling": 1.0, "in_service": True, "type": "wye"}
    tables["asymmetric_load"] = [{**row, "q_a_mvar": 0.0, "q_b_mvar": 0.0, "q_c_mvar": 0.0}]
    save(tmp_path, tables)
    command = ["import", "feeder", "net.json", "--to"]
    assert main([*command, "ours.toml", "--phases", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["by_phase"]["min_phase_voltage_pu"] < said["min_voltage_pu"]
    assert said["by_phase"]["max_unbalance_percent"] > 0
    assert (said["taken"]["asymmetric_load"], said["approximated"]) == (1, {"line": 3, "trafo": 1})
    assert said["settings"]["phases"] is True
    feeder = feeder_of_table(read_feeder_file(tmp_path / "ours.toml")[0])
    assert feeder.phases is not None
    assert feeder.phases.customers.sum(axis=0).tolist() == [1, 0, 0]
    assert main([*command, "text.toml", "--phases"]) == 0
    shown = capsys.readouterr().out
    assert f"By phase {said['by_phase']['min_phase_voltage_pu']:.4f} to" in shown
    assert main([*command, "summed.toml", "--json"]) == 0
    summed = json.loads(capsys.readouterr().out)
    assert (summed["by_phase"], summed["approximated"]) == (None, {"asymmetric_load": 1})
    assert main(["import", "tariff", "none.json", "--to", "a.toml", "--phases"]) == 2
    assert capsys.readouterr().err == "meanwatt: --phases is given, which only import feeder takes; leave it out\n"
