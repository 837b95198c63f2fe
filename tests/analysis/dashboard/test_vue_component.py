"""What several Vue components do alike stands in one file, which reaches each of them that takes it in."""

import ast
import re
from pathlib import Path

import pytest
from repository import ROOT

from meanwatt.analysis.dashboard.shared.components import DayChart
from meanwatt.analysis.dashboard.shared.vue_component import FOLDER, with_parts

DASHBOARD = ROOT / "analysis" / "dashboard"
FILES = sorted(DASHBOARD.rglob("*.vue"))
ASKED = [
    (path.parent / call.args[0].value, tuple(part.value for part in call.args[1:]))
    for path in sorted(DASHBOARD.glob("*/components.py"))
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "component_vue"
]
"""Files of the components that ask for parts, and the names of these."""


def taken_in(file: Path) -> tuple[str, ...]:
    found = re.search(r"^module\.exports = mixed\(\[([\w, ]+)\], \{$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(found[1].split(", ")) if found else ()


def test_a_component_takes_in_the_parts_that_it_is_declared_with() -> None:
    assert len(ASKED) > 10
    assert dict(ASKED) == {file: taken_in(file) for file in FILES if taken_in(file)}


@pytest.mark.parametrize(("file", "parts"), ASKED, ids=[file.stem for file, _ in ASKED])
def test_the_script_defines_every_part_before_it_is_used(file: Path, parts: tuple[str, ...]) -> None:
    text = with_parts(file, parts)
    script = text.partition("<script>\n")[2].partition("</script>")[0]
    assert re.findall(r"^const (\w+) = ", script, re.MULTILINE) == ["mixed", *parts]
    assert script.index("module.exports") > max(script.index(f"const {name} = ") for name in parts)
    assert text.replace(script, "") == file.read_text(encoding="utf-8").replace(script[script.index("module") :], "")


@pytest.mark.parametrize(("word", "name"), [("new ResizeObserver", "measured"), ("ticks(low, high, wanted)", "ticks")])
def test_a_part_stands_once(word: str, name: str) -> None:
    assert word in (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    assert [file.name for file in FILES if word in file.read_text(encoding="utf-8")] == []


def test_the_browser_gets_the_script_with_its_parts() -> None:
    element = DayChart(payload="{}")
    assert element.kwargs["payload"] == "{}"
    assert element.kwargs["template"] == with_parts(FOLDER / "day_chart.vue", ("measured", "pointed", "ticks"))
