"""The page on families of tariffs keeps its word: its file is the example's, its Python runs, its numbers are found."""

import re
import runpy
import tomllib
from typing import Any

import pytest
from repository import ROOT

from meanwatt.model.mean_field.leader.window_combinations import Window

PAGE = (ROOT / "docs" / "how_to" / "tariff_family.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"


def block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def cells(name: str) -> list[str]:
    """The row of the page's table after its name."""
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in row.strip("|").split("|")[1:]]


def test_the_file_on_the_page_is_the_example() -> None:
    assert tomllib.loads(block("toml")) == tomllib.loads((EXAMPLES / "family.toml").read_text(encoding="utf-8"))


def test_a_tariff_that_a_page_reads_is_one_that_the_page_has_written() -> None:
    """On every page: what ``--tariff`` or ``--menu`` reads and is called tariff.toml lies in an ``--out`` before it."""
    read = 0
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"--(?:tariff|menu)[ =]\S*?([\w/.-]+)/tariff\.toml", text):
            written = re.findall(r"--out[ =](\S+)", text[: found.start()])
            assert found.group(1) in written, f"{page.name}: {found.group(0)}"
            read += 1
    assert read >= 2


def test_the_python_of_the_page_finds_the_row_of_its_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    here: dict[str, Any] = {}
    exec(compile(block("python"), "tariff_family.md", "exec"), here)
    assert "Window(start=17, width=4)" in capsys.readouterr().out
    found = here["found"]
    windows, rates, *counts = cells("no batteries")
    assert windows == "peak 17-21"
    assert found.windows == {"peak": Window(17, 4)}
    day, peak = (found.parameters[f"energy_usd_per_kwh.{name}"] for name in ("day", "peak"))
    assert rates == f"day {day:.4f}, peak {peak:.4f}"
    assert counts[:4] == ["15", "0", str(found.searched), str(found.pruned)]


def test_the_script_of_the_page_prints_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the two worlds that are searched at once; tariffs tried and time are the machine's."""
    script = runpy.run_path(str(EXAMPLES / "family_windows.py"))
    bare = "no batteries, no solar"
    script["row"](bare, script["load_family"](EXAMPLES / "family.toml"), script["WORLDS"][bare])
    printed = [cell.strip() for cell in capsys.readouterr().out.strip().strip("|").split("|")[1:]]
    assert printed[:6] == cells(bare)[:6]
