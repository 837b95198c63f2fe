"""The pages on behaviours keep their word: names, settings, snippets, example, pictures."""

import re
import runpy
from dataclasses import fields
from pathlib import Path

import pytest
from repository import ROOT

from meanwatt.model.market.behaviour_spec import BEHAVIOURS, SETTINGS, read_behaviour
from meanwatt.model.market.strategy_check import check_strategy

DOCS = ROOT / "docs"
PAGE, TUTORIAL = (
    (DOCS / name).read_text(encoding="utf-8") for name in ("reference/behaviours.md", "tutorial/own_behaviour.md")
)
EXAMPLE = DOCS / "examples" / "own_behaviour.py"


def test_every_behaviour_and_setting_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \|[^|]*\|([^|]*)\|$", PAGE, flags=re.MULTILINE))
    assert set(rows) == set(BEHAVIOURS)
    for name, told in rows.items():
        allowed = [field.name for field in fields(SETTINGS[name])] if name in SETTINGS else []
        assert re.findall(r"`(\w+)`", told) == allowed


def test_the_command_names_behaviours_that_exist() -> None:
    (given,) = re.findall(r"--behaviour (\S+)", PAGE)
    assert [way.name for way in read_behaviour(given)] == ["equilibrium", "belief", "passive"]


def test_the_first_class_of_the_tutorial_conforms(tmp_path: Path) -> None:
    code = re.findall(r"```python\n(class Mine:.*?)```", TUTORIAL, flags=re.DOTALL)[0]
    learn = re.findall(r"```python\n(    def learn.*?)```", TUTORIAL, flags=re.DOTALL)[0]
    for name, text in (("plain", code), ("learning", code + learn)):
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        assert check_strategy(f"{file}:Mine") == ()


def test_the_example_runs_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "picture.png"
    runpy.run_path(str(EXAMPLE))["main"](households=200, days=8, figure=picture)
    said = capsys.readouterr().out.splitlines()
    promised = re.findall(r"```text\n(Thrifty.*?)```", TUTORIAL, flags=re.DOTALL)[0].splitlines()
    assert said[:2] == promised[:2]
    assert [line.split()[0] for line in said[2:]] == [line.split()[0] for line in promised[2:]]
    assert picture.stat().st_size > 10_000


def test_links_and_pictures_exist() -> None:
    for folder, page in ((DOCS / "reference", PAGE), (DOCS / "tutorial", TUTORIAL)):
        links = re.findall(r"\]\(([^)#:]+)\)", page)
        assert links
        assert not [link for link in links if not (folder / link).exists()]
