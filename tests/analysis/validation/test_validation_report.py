"""The report of a validation study: one page that needs nothing from elsewhere."""

import json
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from web_page import WebPage, asks_for_nothing

from meanwatt.analysis.cli import main

COMMAND = shlex.split(
    "validate textbook --tariff filed --households 30,100 --replications 2 --days 2"
    " --checks aggregate,state,exploitability,grid --memory 0"
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report") / "run"
    assert main([*COMMAND, "--out", str(directory)]) == 0
    return directory


def test_the_page_asks_for_nothing_from_elsewhere(out: Path) -> None:
    asks_for_nothing((out / "report.html").read_text(encoding="utf-8"))


def test_every_id_is_there_once_and_every_figure_says_what_it_shows(out: Path) -> None:
    page = WebPage((out / "report.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    assert len(page.labels) == page.tags.count("svg") == 6
    assert all(len(label) > 30 for label in page.labels)
    assert page.tags.count("main") == page.tags.count("h1") == 1


def test_the_page_has_verdict_criteria_numbers_and_manifest(out: Path) -> None:
    text = (out / "report.html").read_text(encoding="utf-8")
    said = json.loads((out / "validate.json").read_text())
    assert said["verdict"] in text
    for finding in said["findings"]:
        assert finding["title"].split()[-1] in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "&#34;numpy&#34;" in text  # versions


def test_tables_and_manifest_stand_beside_it(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    assert "report.html" in manifest["sha256"]
    markets = pq.read_table(out / "replications.parquet").to_pydict()
    assert markets["households"] == [30, 30, 100, 100]
    assert markets["replication"] == [0, 1, 0, 1]
    for name in ("sizes", "criteria", "exploitability", "temperature", "grid", "memory"):
        assert pq.read_table(out / f"{name}.parquet").num_rows > 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--checks agregate", "unknown --checks 'agregate'; did you mean 'aggregate'?"),
        ("--memory 3", "--memory (entry 1) is '3'; give a whole number from 0 to 2"),
        ("--memory x", "--memory (entry 1) is 'x'; give a whole number from 0 to 2"),
    ],
)
def test_bad_input_is_one_line(given: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main([*COMMAND[:2], *shlex.split(given), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not out.exists()
