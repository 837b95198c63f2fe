"""The reference of the command line says what the parser takes."""

import re

import pytest
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.command_options import Command, commands

COMMANDS = commands()


def test_every_command_of_the_help_is_in_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    said = capsys.readouterr().out
    assert {one.name for one in COMMANDS} >= {"solve", "simulate", "validate", "design", "study", "game", "app"}
    for one in COMMANDS:
        assert re.search(rf"\b{one.name} ", said)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_every_option_of_a_commands_help_is_in_the_reference_and_no_other(
    command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main([command.name, "--help"]) == 0
    said = capsys.readouterr().out
    named = [name for option in command.options for name in option.written]
    assert set(re.findall(r"(?<!\S)--[a-z-]+", said)) - {"--help"} >= {
        name.split()[0] for name in named if name.startswith("--")
    }
    listed = set(re.findall(r"^\W*(?:\*\s+)?(--[a-z-]+)", said, flags=re.MULTILINE)) - {"--help"}
    assert listed <= {name.split()[0] for name in named}
    for option in command.options:
        assert re.fullmatch(r"\S.{3,}[.;)]", option.meaning), option
    required = [option for option in command.options if option.required]
    assert all(option.written[0] in command.usage for option in required)
    assert command.usage.startswith(f"meanwatt {command.name} ")


def test_the_page_is_made_from_the_parser() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert "<!-- generated: commands -->" in page
