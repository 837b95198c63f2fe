"""The README keeps its word: its Python runs, its commands exist, its picture is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_example_runs_and_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 1
    lines = [line for line in BLOCKS[0].splitlines() if line]
    assert len(lines) <= 10
    exec(compile(BLOCKS[0], "README.md", "exec"), {})
    promised = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)[0]
    assert capsys.readouterr().out == promised


def test_every_picture_and_document_linked_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing
