"""The program where a standard stream is closed, full, or read by nobody; and results where no file can stand."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from meanwatt.analysis.cli import main

PROGRAM = (sys.executable, "-c", "import sys; from meanwatt.analysis.cli import main; sys.exit(main())")


def run(*arguments: str, before: Callable[[], None], **streams: int) -> subprocess.CompletedProcess[str]:
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([*PROGRAM, *arguments], preexec_fn=before, text=True, timeout=300, check=False, **piped)


@pytest.mark.parametrize("closed", [(1,), (0, 1), (2,), (0, 1, 2)])
@pytest.mark.parametrize("arguments", ["scenarios", "scenarios --json", "solve nosuch"])
def test_a_program_started_without_streams_does_its_work_in_silence(closed: tuple[int, ...], arguments: str) -> None:
    ended = run(*arguments.split(), before=lambda: [os.close(number) for number in closed])  # type: ignore[arg-type]
    assert ended.returncode == (2 if "nosuch" in arguments else 0)
    said = [line for line in ended.stderr.splitlines() if not line.endswith(" s: starting")]  # on a slow machine
    assert len(said) == (2 not in closed and "nosuch" in arguments)


def test_output_that_nobody_reads_ends_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = run("scenarios", before=lambda: None, stdout=writer)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_finds_no_room_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = run("scenarios", before=lambda: None, stdout=full.fileno())
    assert (ended.returncode, ended.stderr) == (2, "meanwatt: No space left on device\n")


@pytest.mark.parametrize(("command", "option"), [("solve", "--out"), ("export", "--to")])
def test_a_result_does_not_go_where_no_file_can_stand(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe, loop = tmp_path / "pipe.npz", tmp_path / "loop.npz"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for place, what in ((pipe, "a pipe, socket or device"), (loop, "a link that leads nowhere")):
        assert main([command, "textbook", option, str(place)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        wanted = "a directory" if option == "--out" else "the name of a file"
        assert told.err == f"meanwatt: {option} {place}: is {what}; give {wanted}\n"
    assert pipe.is_fifo()


def test_what_came_is_told_in_letters_that_do_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "textbook", "--set", "\x1b[2J=1"]) == 2
    assert capsys.readouterr().err.isascii()
    assert main(["solve", "a\x1b[2J.toml"]) == 2
    assert (
        capsys.readouterr().err == "meanwatt: scenario a\\x1b[2J.toml: file not found; give the path of a TOML file\n"
    )
