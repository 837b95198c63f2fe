"""Studies that are struck in the middle: whatever is killed or full, ``--resume`` gives the undisturbed table.

Real processes, real SIGKILL, a real full disk where one can be mounted. Tables are compared byte by byte.
"""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from meanwatt.analysis.study import directory
from meanwatt.analysis.study.directory import PARTS, RESULTS, StudyDirectory
from meanwatt.analysis.study.plan import Plan, plan_study
from meanwatt.analysis.study.plan_file import StudyError
from meanwatt.analysis.study.run import StudyOutcome, run_study

TEXT = """
scenario = "textbook"
measure = "solve"
[set]
battery_levels = 6
[grid]
temperature_usd = [0.03, 0.032, 0.034, 0.036, 0.038, 0.04]
tariff = ["flat", "tou", "rtp"]
"""
TASKS = 18
PATIENCE_SECONDS = 240
"""For a machine that is busy with other things; nothing here waits for as long on an idle one."""
MAIN = "import sys; from meanwatt.analysis.cli import main; sys.exit(main())"
DASK = "import sys; from distributed.cli.dask_{} import main; main()"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faults") / "study.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def plan(study: Path) -> Plan:
    return plan_study(study)


@pytest.fixture(scope="module")
def whole(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of an undisturbed run."""
    out = tmp_path_factory.mktemp("whole")
    done = run_study(plan, out)
    assert (done.outcome, done.tasks, done.not_converged) == (StudyOutcome.COMPLETE, TASKS, 0)
    return (out / RESULTS).read_bytes()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a Python process; all of them, with what they started, are gone at the end.

    Where no compiled modules are written, they keep theirs in a directory of their own: only the first one compiles.
    """
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path_factory.mktemp("scratch")),  # what a killed process leaves behind
    }
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("bytecode"))
    started: list[psutil.Popen] = []

    def begin(code: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = psutil.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        for child in _children(process):
            child.kill()
        if process.poll() is None:
            process.kill()
        process.communicate()


def _children(process: Any) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def workers_of(process: Any) -> list[psutil.Process]:
    """The processes that run tasks for a client of its own workers."""
    return [child for child in _children(process) if "spawn_main" in " ".join(child.cmdline())]


def without_progress(said: str) -> str:
    """What was said on standard error but for the lines that come every ten seconds."""
    return "".join(line for line in said.splitlines(keepends=True) if not re.match(r"meanwatt: \d+ s: ", line))


def wait_until(happened: Callable[[], Any], process: Any = None) -> None:
    """Wait for something, as long as a process lives."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if process is not None and process.poll() is not None:
            pytest.fail(f"the process ended: {process.communicate()}")
        if time.monotonic() > end:
            pytest.fail("it did not happen")
        time.sleep(0.01)


def parts(out: Path) -> int:
    return len(list((out / PARTS).glob("*.parquet")))


def resumed(plan: Plan, out: Path) -> bytes:
    """Go on in this process; the table in the end."""
    assert not (out / RESULTS).exists()
    done = run_study(plan, out, resume=True)
    assert (done.outcome, done.done) == (StudyOutcome.COMPLETE, TASKS)
    assert 0 < done.found < TASKS
    assert sorted(path.name for path in out.iterdir()) == [".lock", RESULTS, "study.json"]
    return (out / RESULTS).read_bytes()


def test_a_killed_client_takes_its_workers_with_it_and_loses_nothing(
    study: Path, plan: Plan, whole: bytes, start: Start, tmp_path: Path
) -> None:
    client = start(MAIN, "study", study, "--workers", 1, "--out", tmp_path)
    wait_until(lambda: parts(tmp_path) >= 2, client)
    with pytest.raises(StudyError, match=r"another process is at work on this study; wait, or stop it$"):
        run_study(plan, tmp_path, resume=True)
    workers = workers_of(client)
    assert workers
    client.send_signal(signal.SIGKILL)
    client.wait()
    wait_until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    assert resumed(plan, tmp_path) == whole


def test_a_killed_worker_is_not_missed(study: Path, plan: Plan, whole: bytes, start: Start, tmp_path: Path) -> None:
    client = start(MAIN, "study", study, "--workers", 2, "--out", tmp_path)
    wait_until(lambda: parts(tmp_path) >= 2, client)
    workers_of(client)[-1].send_signal(signal.SIGKILL)
    out, err = client.communicate(timeout=PATIENCE_SECONDS)
    assert (client.returncode, without_progress(err)) == (0, "")
    assert f"{TASKS} tasks are in {tmp_path / RESULTS}" in out
    assert (tmp_path / RESULTS).read_bytes() == whole


@pytest.mark.parametrize(
    ("signals", "number"), [((signal.SIGTERM,), 1), ((signal.SIGTERM, signal.SIGTERM), 2), ((signal.SIGINT,) * 2, 1)]
)
def test_a_study_that_is_ended_leaves_no_process_and_no_half_written_file(
    signals: tuple[signal.Signals, ...],
    number: int,
    study: Path,
    plan: Plan,
    whole: bytes,
    start: Start,
    tmp_path: Path,
) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    elsewhere = f"import tempfile; tempfile.tempdir = {str(scratch)!r}; {MAIN}"
    client = start(elsewhere, "study", study, "--workers", number, "--out", out)
    wait_until(lambda: parts(out) >= 2, client)
    workers = workers_of(client)
    assert len(workers) >= number
    for sent in signals:
        client.send_signal(sent)
        time.sleep(0.02)
    said, err = client.communicate(timeout=PATIENCE_SECONDS)
    assert (client.returncode, said) == (1, "")
    assert without_progress(err).count("\n") == 1
    assert err.startswith("meanwatt: ")
    wait_until(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    assert list(scratch.iterdir()) == []
    assert list(out.rglob(".unfinished-*")) == []
    assert resumed(plan, out) == whole


def test_a_killed_scheduler_stops_the_study_in_one_line(
    study: Path, plan: Plan, whole: bytes, start: Start, tmp_path: Path
) -> None:
    file, out = tmp_path / "scheduler.json", tmp_path / "out"
    scheduler = start(
        DASK.format("scheduler"), "--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file
    )
    wait_until(lambda: file.exists() and file.read_text().endswith("}"), scheduler)  # it is not written at once
    start(
        DASK.format("worker"),
        "--scheduler-file",
        file,
        "--nthreads",
        1,
        "--no-nanny",
        "--no-dashboard",
        "--local-directory",
        tmp_path,
    )
    address = _address(file)
    client = start(MAIN, "study", study, "--scheduler", address, "--out", out)
    wait_until(lambda: parts(out) >= 2, client)
    scheduler.send_signal(signal.SIGKILL)
    said, err = client.communicate(timeout=PATIENCE_SECONDS)
    assert (client.returncode, said) == (1, "")
    assert without_progress(err).count("\n") == 1
    assert f"--scheduler {address}: does not answer any more; start it again with dask scheduler" in err
    assert f"of {TASKS} tasks in {out}; add --resume to go on." in err
    assert resumed(plan, out) == whole


def _address(file: Path) -> str:
    import json

    return str(json.loads(file.read_text())["address"])


def test_a_full_disk_stops_the_study_in_one_line_and_leaves_no_torn_file(
    plan: Plan, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever one may not mount a small disk: the third part finds room for half of it."""
    written, sync = 0, os.fsync

    def full(handle: int) -> None:
        nonlocal written
        written += 1
        if written == 7:  # a file and then its name: of the manifest, of two parts; and now a third
            os.truncate(handle, os.fstat(handle).st_size // 2)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    # every write of a study goes through here
    monkeypatch.setattr(directory.os, "fsync", full)
    done = run_study(plan, tmp_path)
    monkeypatch.undo()
    assert (done.outcome, done.done) == (StudyOutcome.DISK_FULL, 2)
    assert done.message == (
        f"Stopped: {tmp_path} cannot be written to (No space left on device); make room there."
        f" Stopped with 2 of {TASKS} tasks in {tmp_path}; add --resume to go on."
    )
    assert resumed(plan, tmp_path) == whole


def test_a_small_disk_that_is_full_stops_the_study_too(plan: Plan, whole: bytes, tmp_path: Path) -> None:
    def mount(size: str, *options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(tmp_path)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode
        except FileNotFoundError:
            return 1

    if mount("64k") != 0:
        pytest.skip("a tmpfs cannot be mounted here (it takes root); the case with a patched fsync stands for it")
    try:
        done = run_study(plan, tmp_path / "out")
        assert done.outcome is StudyOutcome.DISK_FULL
        assert f"{tmp_path / 'out'} cannot be written to (No space left on device); make room there" in done.message
        with StudyDirectory(tmp_path / "out", plan, resume=True) as kept:
            assert len(kept.done) == done.done
        assert mount("1m", "remount") == 0
        assert resumed(plan, tmp_path / "out") == whole
    finally:
        # at once, though a thread of the reader of parts may not have closed its file yet: a disk that stays would be
        # in the way of whoever clears the directory of the tests
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
