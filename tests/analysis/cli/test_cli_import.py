"""``meanwatt import``: a tariff there and back, what is said of it, and one line for what cannot be imported."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT

from meanwatt.analysis.cli import main

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


REFUSED = {
    "tarif heco_tou_net_billing.json --to a.toml": "unknown kind 'tarif'; did you mean 'tariff'?",
    "tariff heco_tou_net_billing.json --to a.txt": ("--to is 'a.txt'; give a file name that ends in .toml or .json"),
    "tariff heco_tou_net_billing.json --to no/a.toml": "--to no/a.toml: its directory does not exist",
    "tariff none.json --to a.toml": "tariff none.json: file not found; give the path of a tariff as filed",
    "tariff heco_tou_net_billing.json": "missing option '--to'",
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
