"""A study's own behaviour is a program: it runs where the command line allows it, and nowhere else."""

import json
from pathlib import Path

import pandas as pd
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.study.directory import RESULTS
from meanwatt.analysis.study.measure import measure
from meanwatt.analysis.study.plan import plan_study
from meanwatt.analysis.study.plan_file import StudyError
from meanwatt.analysis.study.run import run_study
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.own_code import pieces

MINE = """
from pathlib import Path

with (Path(__file__).parent / "ran").open("a") as log:
    log.write("ran ")


class Mine:
    def move(self, situation):
        return situation.moves[0]
"""
STUDY = """
scenario = "textbook"
tariff = "filed"
measure = "simulate"
households = [20]
days = 1
behaviour = "{}"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study beside the directory of the class that it names."""
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "mine.py").write_text(MINE)
    return written(tmp_path, "passive=.5,trusted/mine.py:Mine=.5")


def written(tmp_path: Path, behaviour: str) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(behaviour))
    return path


def refused(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err.rstrip("\n")


@pytest.mark.parametrize("named", ["trusted/mine.py:Mine", "passive=.5,{}/trusted/mine.py:Mine=.5", "os.path:join"])
def test_a_strangers_study_runs_nothing_and_is_refused_in_one_line(
    named: str, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, named.format(tmp_path))
    line = refused(["study", path, "--out", tmp_path / "out", "--workers", 0], capsys)
    assert line.startswith(f"meanwatt: study {path}: behaviour ")
    assert line.endswith(
        "is a program, which a study does not run by itself; if you trust it, add --allow-code DIR, the directory that"
        " holds it"
    )
    assert not (tmp_path / "trusted" / "ran").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ("elsewhere.py:Mine", r"behaviour elsewhere.py lies in .*, not below --allow-code .*trusted; move it there$"),
        ("trusted/../elsewhere.py:Mine", r"elsewhere.py lies in "),
        ("trusted/link.py:Mine", r"behaviour trusted/link.py lies in "),
        ("trusted/nothing.py:Mine", r"behaviour trusted/nothing.py: file not found$"),
        ("os.path:join", r"behaviour os.path is a module; name its file, e\.g\. mine\.py:ClassName$"),
        ("trusted/mine.py:Mien", r"unknown class 'Mien'; did you mean 'Mine'\?$"),
    ],
)
def test_only_files_below_the_allowed_directory_are_run(named: str, line: str, study: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(MINE)
    (tmp_path / "trusted" / "link.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(StudyError, match=line):
        plan_study(written(tmp_path, named), allow_code=tmp_path / "trusted")
    assert not (tmp_path / "ran").exists()


def test_allowed_code_lives_in_the_market_of_every_task(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are seen from the study's, wherever one stands."""
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    out = tmp_path / "out"
    command = ["study", str(study), "--workers", "0", "--out", str(out), "--allow-code", str(tmp_path / "trusted")]
    assert main(command) == 0
    capsys.readouterr()
    own = pd.read_parquet(out / RESULTS)
    plain = measure(plan_study(written(tmp_path, "passive")).tasks[0])
    assert own["peak_to_average"].iloc[0] != plain["peak_to_average"]
    assert set(json.loads((out / "study.json").read_text())["code_sha256"]) == {"trusted/mine.py"}


def test_results_of_changed_code_are_never_mixed_in(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted, out = tmp_path / "trusted", tmp_path / "out"
    plan = plan_study(study, allow_code=trusted)
    command = ["study", study, "--workers", 0, "--out", out, "--allow-code", trusted]
    assert main([str(word) for word in command]) == 0
    capsys.readouterr()
    (trusted / "mine.py").write_text(MINE.replace("moves[0]", "moves[-1]"))
    assert "belongs to another study: its " in refused([*command, "--resume"], capsys)
    assert plan_study(study, allow_code=trusted).tasks[0].identity != plan.tasks[0].identity
    row = measure(plan.tasks[0])  # a worker that finds another file than the study began with
    assert row["outcome"] == "refused"
    assert row["message"].endswith("here is not the file that the study began with")


RAISES = """
from pathlib import Path


class Mine:
    def move(self, situation):
        if situation.levels == 11 and not (Path(__file__).parent / "mended").exists():
            raise KeyError("no rule for eleven levels")
        return situation.moves[0]
"""


def test_a_point_that_raises_is_a_row_and_resume_does_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are kept; in the end the table is that of a study in which nothing ever went wrong."""
    (tmp_path / "mine.py").write_text(RAISES)
    path = written(tmp_path, "mine.py:Mine")
    path.write_text(path.read_text() + "[grid]\nbattery_levels = [6, 11, 16]\n")
    out = tmp_path / "out"
    command = ["study", str(path), "--workers", "0", "--out", str(out), "--allow-code", str(tmp_path)]
    for extra, found in (([], 0), (["--resume"], 2)):
        assert main([*command, *extra, "--json"]) == 1
        said = json.loads(capsys.readouterr().out)
        assert (said["outcome"], said["found"], said["done"], said["failed"]) == ("complete", found, 3, 1)
        assert said["message"].endswith(
            "; 1 failed: see its columns outcome and message, and --resume does again what failed."
        )
        table = pd.read_parquet(out / RESULTS)
        assert table["outcome"].tolist() == ["converged", "failed", "converged"]
        assert table["error"].fillna("").tolist() == ["", "KeyError", ""]
        assert table["message"][1] == "'no rule for eleven levels'"
        assert table["peak_to_average"].notna().tolist() == [True, False, True]
    (tmp_path / "mended").touch()
    assert main([*command, "--resume", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["found"], said["done"], said["failed"]) == (2, 3, 0)
    run_study(plan_study(path, allow_code=tmp_path), tmp_path / "whole")
    assert (out / RESULTS).read_bytes() == (tmp_path / "whole" / RESULTS).read_bytes()


@pytest.mark.parametrize("place", ["C:/mine.py", r"C:\own\mine.py", "c:/mine.py"])
def test_a_drives_letter_is_no_behaviour(place: str) -> None:
    """Windows paths are read as paths everywhere, with a share or without."""
    asked = []

    class Mine:
        def move(self, situation: object) -> int:
            return 0

    def load(file: str, rest: object) -> type[Mine]:
        asked.append((file, list(rest)))  # type: ignore[call-overload]
        return Mine

    for text in (f"{place}:Mine", f"passive=.9,{place}:Mine=.1"):
        assert read_behaviour(text, load=load)[-1].name == "Mine"
    assert asked == [(place, ["Mine"])] * 2
    assert pieces("belief:cohorts=8:stagger=7") == ["belief", "cohorts=8", "stagger=7"]


def test_on_the_command_line_a_class_is_the_users_own_word(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = f"passive=.5,{tmp_path / 'trusted' / 'mine.py'}:Mine=.5"
    words = ["simulate", "textbook", "--tariff", "filed", "--households", "20", "--days", "1", "--behaviour", own]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {row["behaviour"]: row["households"] for row in said["behaviours"]} == {"passive": 10, "Mine": 10}
