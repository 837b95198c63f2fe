"""``meanwatt game``: built-in games listed and printed, one solved for people and as JSON, files whole or none."""

import json
import re
import shlex
from pathlib import Path

import pytest
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.output.result_files import write_result
from meanwatt.analysis.tabular.solution import GameSolution, solve_game
from meanwatt.model.tabular.game_file import GameFile, game_text, games, load_game

PAGE = (ROOT / "docs" / "tutorial" / "tabular_games.md").read_text(encoding="utf-8")
QUICK = "--temperature 0.7,0.2"


def result(arguments: str, capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict[str, object]:
    assert main(shlex.split(arguments)) == status
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1
    found = json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON"))
    assert isinstance(found, dict)
    return found


def test_the_games_come_one_a_line_with_who_plays_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["game"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(games())
    assert lines[2] == "defection  Leaving the grid; utility: high, low; home: stay, leave; 2 states"
    assert lines[0].endswith("; 1 state")
    rows = result("game --json", capsys)["games"]
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == list(games())
    assert rows[2]["actions"] == {"leader": ["high", "low"], "follower": ["stay", "leave"]}


@pytest.mark.parametrize("name", games())
def test_a_game_is_printed_as_a_file_that_is_the_game(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["game", name, "--show"]) == 0
    file = tmp_path / "mine.toml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load_game(file).title == load_game(name).title
    assert file.read_text(encoding="utf-8") == game_text(name)
    assert result(f"game {name} --show --json", capsys) == {"name": name, "toml": game_text(name), "messages": []}


def test_the_json_says_what_was_asked_how_it_ended_and_what_is_less_than_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = result("game defection --json --temperature 3.1 --seed 7", capsys)
    assert list(found) == [
        "game",
        "title",
        "outcome",
        "message",
        "messages",
        "players",
        "unit",
        "states",
        "actions",
        "discount",
        "start",
        "separates",
        "concepts",
        "softmax",
        "seed",
        "seconds",
        "settings",
    ]
    assert (found["game"], found["outcome"], found["seed"]) == ("defection", "converged", 7)
    assert found["settings"] == {"game": "defection", "temperature": "3.1", "seed": 7}
    assert isinstance(found["messages"], list)
    assert found["messages"][0].startswith("commitment: only the 4 pure promises were compared")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("game defecton", "game defecton: unknown game 'defecton'; did you mean 'defection'? (or give the path of a T"),
        ("game defecton --show", "unknown game 'defecton'; did you mean 'defection'?"),
        ("game mine/game.toml", "game mine/game.toml: file not found; give the path of a TOML file"),
        ("game --show", "--show prints a built-in game; give its name, e.g. meanwatt game defection --show"),
        ("game --out run", "--out belongs to a game that is solved; leave it out, or give a GAME without --show"),
        (
            "game pennies --show --temperature 1",
            "--temperature belongs to a game that is solved; leave it out, or give a",
        ),
        ("game pennies --temperature 0", "--temperature (entry 1) is '0'; give a number from 1e-06 to 1e+12, e.g. 0.5"),
        ("game pennies --temperature 1,", "--temperature (entry 2) is ''; give a number from 1e-06 to 1e+12, e.g. 0.5"),
        ("game pennies --temperature 1,1.0", "--temperature is '1,1.0': 1 comes twice; give every number once"),
        ("game pennies --seed x", "--seed is 'x'; give a whole number from 0"),
        ("game pennies --temprature 1", "unknown option '--temprature'; did you mean '--temperature'?"),
    ],
)
def test_a_wrong_use_is_one_line(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {line}")
    assert said.err.count("\n") == 1


def test_a_mistake_in_the_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(game_text("defection").replace('"gone" }', '"gon" }'), encoding="utf-8")
    assert main(["game", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (f"meanwatt: game {file}: states.grid.next.leave: unknown state 'gon'; did you mean 'gone'?\n")


def test_files_appear_whole_and_hold_the_game_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    found = result(f"game pennies {QUICK} --json --out {out}", capsys)
    names = {"game.json", "manifest.json", "responses.svg", "responses.png", "iteration.svg", "iteration.png"}
    names |= {"errors.svg", "errors.png"}
    assert {path.name for path in out.iterdir()} == names
    assert json.loads((out / "game.json").read_text(encoding="utf-8")) == found
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["sha256"]) == names - {"manifest.json"}
    assert manifest["settings"] == found["settings"]
    again = GameFile.model_validate(manifest["game"]).named("pennies").game
    assert again.reward_leader.tolist() == load_game("pennies").game.reward_leader.tolist()
    drawn = (out / "iteration.png").read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert b"IEND" in drawn[-8:]
    assert (out / "responses.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_place_that_is_taken_is_refused_before_anything_is_solved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("mine", encoding="utf-8")
    assert main(["game", "pennies", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"meanwatt: --out {tmp_path}: holds thesis.tex, which is not ours to replace; give a new directory\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(("asked_before", "drawn"), [(2, False), (4, True)])
def test_an_interrupted_solve_writes_what_it_found(
    asked_before: int,
    drawn: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts: list[str] = []

    def stop_later(named: object, *, cancelled: object, told: object, **options: object) -> GameSolution:
        return solve_game(named, told=parts.append, cancelled=lambda: len(parts) > asked_before, **options)

    monkeypatch.setattr("meanwatt.analysis.tabular.solution.solve_game", stop_later)
    out = tmp_path / "run"
    found = result(f"game pennies {QUICK} --json --out {out}", capsys, status=1)
    assert (found["outcome"], found["message"]) == ("cancelled", "Cancelled: some parts were not solved.")
    assert json.loads((out / "game.json").read_text(encoding="utf-8")) == found
    assert ("iteration.png" in {path.name for path in out.iterdir()}) is drawn
    assert main(shlex.split(f"game pennies {QUICK} --out {out}")) == 1
    assert "Cancelled: some parts were not solved." in capsys.readouterr().out


def test_the_result_of_another_command_is_refused_before_anything_is_solved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_result(tmp_path / "run", name="solve", result={}, manifest={}, tables={})
    assert main(["game", "pennies", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == (
        f"meanwatt: --out {tmp_path}/run: holds the result of solve, which game does not replace;"
        f" give another directory, e.g. {tmp_path}/run-game\n"
    )


def test_what_was_asked_for_and_not_reached_is_status_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.analysis.tabular.solution.MAX_ROUNDS", 2)
    found = result("game pennies --temperature 0.7 --json", capsys, status=1)
    assert found["outcome"] == "round_limit"
    assert main(shlex.split("game pennies --temperature 0.7")) == 1
    said = capsys.readouterr().out
    assert "goes on" in said
    assert "temperature 0.7: Not converged" in said


# --- the page ----------------------------------------------------------------------------------------------------


def plain(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_page_shows_a_file_and_what_the_command_prints_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (file,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert file == game_text("defection")
    printed = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)[-1]
    assert main(["game", "defection"]) == 0
    assert plain(capsys.readouterr().out) == plain(printed)


def test_a_lottery_and_a_cycle_are_printed_as_such(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(shlex.split(f"game pennies {QUICK}")) == 0
    said = capsys.readouterr().out
    assert "Commitment, for ever\n" in said
    assert "heads .50, tails .50" in said
    assert "cycle of 2" in said
    assert main(shlex.split("game pennies --temperature 0.2")) == 0
    assert "It converges at none of these temperatures." in capsys.readouterr().out
