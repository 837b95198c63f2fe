"""The source distribution holds what its tests read; ``.ci/wheel`` builds it and the wheel from it."""

import ast
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = {*PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"], "pyproject.toml", ".gitignore"}
"""Top-level names in the source distribution; the last two are always there."""
LEFT_OUT = {".ci", "links"}
"""What only a clone needs: its checks, and links that would be copies of the rooms."""


def paths_named(source: str) -> Iterator[str]:
    """Paths below ``ROOT`` that a test names: ``ROOT / "docs" / "conf.py"``, as far as they are literal."""
    for node in ast.walk(ast.parse(source)):
        steps, root = [], node
        while isinstance(root, ast.BinOp) and isinstance(root.op, ast.Div):
            steps.append(root.right)
            root = root.left
        if isinstance(root, ast.Name) and root.id == "ROOT" and steps and isinstance(steps[-1], ast.Constant):
            yield str(steps[-1].value)


def test_every_path_that_a_test_names_is_in_the_source_distribution() -> None:
    named = {
        path: test.name
        for test in (ROOT / "tests").rglob("*.py")
        for path in paths_named(test.read_text(encoding="utf-8"))
    }
    assert {"docs", "README.md"} <= named.keys()
    named.pop(".git")  # without it such tests skip
    missing = {path: test for path, test in named.items() if Path(path).parts[0] not in SHIPPED}
    assert missing == {}


def test_what_is_under_version_control_is_shipped_or_left_out_on_purpose() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {Path(line).parts[0] for line in done.stdout.splitlines()} == SHIPPED | LEFT_OUT


def test_a_path_left_out_is_found_where_a_test_names_it() -> None:
    assert list(paths_named('text = (ROOT / ".ci" / "run").read_text()')) == [".ci", ".ci"]
