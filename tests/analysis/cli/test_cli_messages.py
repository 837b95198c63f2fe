"""Every command says what is not done as asked: in its JSON, and in a line for people below the result."""

import json
import shlex
from pathlib import Path

import pytest

from meanwatt.analysis.cli import main

SET = "textbook --tariff filed --set battery_levels=5 --set slots_per_day=24"
LOST = (
    "battery_levels = 5: charging reaches 2.64 of 5 kW and discharging 4.74 of 5 kW;"
    " 20 levels would reach 4.99 and 4.99 kW."
)
STUDY = """
scenario = "textbook"
tariff = "filed"
measure = "solve"
[grid]
battery_levels = [5, 20]
"""


@pytest.mark.parametrize(
    ("command", "sentences"),
    [
        ("scenarios", []),
        (f"solve {SET}", [LOST]),
        (f"simulate {SET} --households 40 --days 1", [LOST]),
        (
            f"emergence {SET} --households 60 --days 1 --behaviour qlearning",
            [
                LOST,
                "qlearning: the exploitability is that of up to 12 households of every type, who stand for the others.",
            ],
        ),
        (f"export {SET} --to game.npz", [LOST]),
        (
            "game defection --temperature 1",
            [
                "commitment: only the 4 pure promises were compared, as the follower moves the state; a lottery,"
                " promised for ever, earns 25."
            ],
        ),
        ("study levels.toml --workers 0", [f"{LOST[:-1]} (1 of 2 points)."]),
    ],
)
def test_what_is_not_as_asked_is_in_the_json_and_below_the_result_for_people(
    command: str,
    sentences: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("levels.toml").write_text(STUDY, encoding="utf-8")
    again = " --resume" if command.startswith("study") else ""
    assert main(shlex.split(f"{command} --json")) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == sentences
    assert main(shlex.split(command + again)) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("Report: ")]
    notes = [f"Note: {sentence}" for sentence in sentences]
    assert [line for line in lines if line.startswith("Note: ")] == notes
    assert lines[len(lines) - len(notes) :] == notes
