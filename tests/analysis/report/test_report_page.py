"""The reports of commands: one page each, with what the command prints, and nothing from elsewhere."""

import json
import shlex
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from web_page import WebPage, asks_for_nothing

from meanwatt.analysis.cli import main
from meanwatt.analysis.report.page import Picture, Table, report_page

COMMANDS = {
    "solve": "solve textbook --tariff rtp --certify none",
    "simulate": "simulate textbook --households 60 --days 2 --behaviour equilibrium=.5,passive=.5",
    "design": "design textbook --leader commission --method softmax --evaluations 3",
}


@pytest.fixture(scope="module", params=COMMANDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    directory = tmp_path_factory.mktemp("report") / "run"
    assert main([*shlex.split(COMMANDS[request.param]), "--out", str(directory)]) == 0
    return request.param, directory


def test_a_report_shows_what_the_command_says_and_draws_it(written: tuple[str, Path]) -> None:
    command, out = written
    text = (out / "report.html").read_text(encoding="utf-8")
    asks_for_nothing(text)
    page, said = WebPage(text), json.loads((out / f"{command}.json").read_text())
    assert page.tags.count("main") == page.tags.count("h1") == 1
    assert page.labels
    assert all(len(label) > 30 for label in page.labels)
    assert said["message"] in text
    assert all(note.split("'")[0][:60] in text for note in said["messages"])
    welfare = said["metrics"]["welfare_usd_per_household_day"]
    assert page.cells[page.cells.index("welfare") + (2 if command == "design" else 1)] == f"{welfare:.3f}"
    assert "&#34;numpy&#34;" in text  # versions
    assert "report.html" in json.loads((out / "manifest.json").read_text())["sha256"]


def test_the_command_says_where_its_report_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = shlex.split(COMMANDS["simulate"])
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.rstrip().endswith(f"Report: {tmp_path / 'run' / 'report.html'}")
    assert main([*command, "--out", str(tmp_path / "run"), "--json"]) == 0
    assert "Report:" not in capsys.readouterr().out


def test_what_people_wrote_is_text_and_a_result_that_was_not_reached_says_so() -> None:
    evil = '<script>alert(1)</script> & "x"'
    figure = Figure()
    figure.subplots().set_title(evil)
    text = report_page(
        kind=evil,
        title=evil,
        result={"message": f"Round limit {evil}", "messages": [evil]},
        reached=False,
        tables=[Table(title=evil, heads=(evil, "value"), rows=[(evil, "1")])],
        pictures=[Picture(name="one", title=evil, text=f"{evil} and a few more words", figure=figure)],
        manifest={"scenario": evil},
    )
    asks_for_nothing(text)
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 8
    assert 'class="verdict fail"' in text
    assert "✗" in text
    assert 'class="verdict pass"' not in text


def test_a_figure_takes_the_colours_of_a_dark_page() -> None:
    figure = Figure()
    panel = figure.subplots()
    panel.set_title("net load")
    panel.plot([0, 1], [0, 1])
    text = report_page(
        kind="k",
        title="t",
        result={"message": "m", "messages": []},
        reached=True,
        tables=[],
        pictures=[Picture(name="one", title="o", text="a line from below to above", figure=figure)],
        manifest={},
    )
    svg = text[text.index("<svg") : text.index("</svg>")]
    assert "#ffffff" not in svg
    assert "#000000" not in svg
    assert "var(--ink)" in svg
