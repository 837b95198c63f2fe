"""The README and the documents keep their word: Python runs, commands exist as written, pictures are there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import ROOT
from typer.main import get_command

from meanwatt.analysis.cli import entry

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("meanwatt", "python", "pytest", "dask", "solara")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_python_example_runs_and_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 1
    lines = [line for line in BLOCKS[0].splitlines() if line]
    assert len(lines) <= 6
    exec(compile(BLOCKS[0], "README.md", "exec"), {})
    promised = re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)[0]
    assert capsys.readouterr().out == promised


def test_every_picture_and_document_linked_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def commands(page: Path) -> list[str]:
    """Lines of a page's code blocks that call one of our programs, continuations joined, comments left out."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    blocks = [text for language, text in fenced if language in ("", "sh")]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(rf"\s*(?:.*&& )?(?:uv run )?(?:{'|'.join(PROGRAMS)}) ", line)]


def meanwatt_calls() -> list[list[str]]:
    """Arguments of every call of the program in the pages."""
    found = []
    for page in PAGES:
        for line in commands(page):
            words = shlex.split(line, comments=True)
            if "meanwatt" in words:
                found.append(words[words.index("meanwatt") + 1 :])
    return found


def test_every_command_of_the_pages_runs_in_the_set_up_of_the_readme() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 30
    bare = {line for page in PAGES for line in commands(page) if "uv run" not in line}
    assert bare == set()


def test_every_option_in_the_pages_is_one_of_its_command() -> None:
    whole = get_command(entry._typer)
    known = whole.commands
    calls = [call for call in meanwatt_calls() if not call[0].startswith("--")]
    assert {call[0] for call in calls} >= {"solve", "simulate", "validate", "design", "study", "emergence", "export"}
    for call in calls:
        options = {name for parameter in known[call[0]].params for name in parameter.opts}
        assert {word for word in call if word.startswith("--")} <= options | {"--help"}, call
    of_the_program = {name for parameter in whole.params for name in parameter.opts} | {"--help"}
    assert {call[0] for call in meanwatt_calls() if call[0].startswith("--")} <= of_the_program


def test_what_the_commands_of_the_pages_write_is_ignored_by_git() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    written = set()
    for call in meanwatt_calls():
        named = [call[place + 1] for place, word in enumerate(call) if word in ("--out", "--to")]
        if call[0] == "study" and not named:
            named = [Path(call[1]).stem]
        written.update(named)
        written.update(f"{name}.journal.jsonl" for name in named if call[0] == "design")
    assert {"run/validate", "storage", "game.npz"} <= written
    paths = [name if Path(name).suffix else f"{name}/result.json" for name in sorted(written)]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == paths
