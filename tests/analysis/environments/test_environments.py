"""Environments as a package: loaded when asked for, and what is said where the extra is not installed."""

import re
import subprocess
import sys

import pytest
from repository import ROOT

import meanwatt.analysis.environments

DOCUMENT = (ROOT / "docs" / "how_to" / "environments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", DOCUMENT, flags=re.DOTALL)
NAMES = ("LeaderEnv", "ProsumersEnv")


def test_the_package_loads_without_the_extra_and_says_in_one_line_what_to_install() -> None:
    """In a process of its own, where importing the optional packages fails."""
    program = f"""
import sys
sys.modules["gymnasium"] = sys.modules["pettingzoo"] = None
import meanwatt.analysis.environments as environments
for name in {NAMES}:
    try:
        getattr(environments, name)
    except ImportError as error:
        print(name, "|", error)
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()
    assert len(lines) == len(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        package = "gymnasium" if name == "LeaderEnv" else "pettingzoo"
        assert line == (
            f'{name} | {name} needs the package {package}, which is not installed; pip install "meanwatt[environments]"'
            " brings it"
        )


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Prosumers'"):
        _ = meanwatt.analysis.environments.Prosumers


@pytest.mark.parametrize("number", range(2))
def test_the_examples_of_the_document_run_and_print_what_it_says(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(EXAMPLES) == 2
    program, printed = EXAMPLES[number]
    exec(compile(program, "docs/how_to/environments.md", "exec"), {})
    assert capsys.readouterr().out == printed
