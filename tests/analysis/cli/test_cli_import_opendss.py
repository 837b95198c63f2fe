"""``meanwatt import feeder FILE.dss``: a program runs only where it is allowed, in a child that cannot do harm."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from written_circuit import circuit, written

from meanwatt.analysis.cli import main
from meanwatt.model.network.feeder_file import feeder_of_table
from meanwatt.model.network.opendss_circuit import child
from meanwatt.model.scenario.feeder_file import read_feeder_file
from meanwatt.model.scenario.files import FileError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a circuit in two files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid").mkdir()
    written(tmp_path / "grid", "new load.more bus1=end kv=.4 kw=5 kvar=1\n", "more.dss")
    written(tmp_path / "grid", circuit("redirect more.dss", "solve", "export voltages", "show losses", "plot profile"))
    return tmp_path


def refused(folder: Path, *more: str, allowed: str | None = ".") -> str:
    """The line that an import ends with; nothing is written."""
    before = sorted(folder.rglob("*"))
    assert main(["import", "feeder", *more, "--to", "a.toml", *(["--allow-code", allowed] if allowed else [])]) == 2
    assert sorted(folder.rglob("*")) == before
    return "refused"


def test_a_circuit_is_imported_and_leaves_nothing_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("opendssdirect", reason="opendssdirect.py is not installed: `uv sync`")
    command = ["import", "feeder", "grid/circuit.dss", "--to", "ours.toml", "--allow-code", "grid", "--json"]
    assert main(command) == 0
    said = json.loads(capsys.readouterr().out)
    solution = said["opendss"]
    for key in ("min_voltage_pu", "max_voltage_pu", "loss_kw"):
        assert said[key] == pytest.approx(solution[key], rel=3e-9)
    assert (said["buses"], said["customers"], said["approximated"], said["refused"]) == (5, 4, {}, {})
    assert said["taken"] == {"Bus": 5, "Vsource": 1, "Transformer": 1, "Line": 3, "Load": 4}
    assert said["settings"]["allow_code"] == "grid"
    assert "version 0.14" in solution["version"] or "version" in solution["version"].lower()
    assert feeder_of_table(read_feeder_file("ours.toml")[0]).p_kw.sum() == pytest.approx(105)
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == ["grid", "grid/circuit.dss", "grid/more.dss", "ours.toml"]


NOT_ALLOWED = {
    None: (
        "feeder grid/circuit.dss: is a program, which an import does not run by itself; if you trust it, add"
        " --allow-code DIR, the directory that holds it"
    ),
    "elsewhere": "feeder grid/circuit.dss: --allow-code is 'elsewhere'; give the directory that holds the file",
    "other": "feeder grid/circuit.dss: lies in {folder}/grid, not below --allow-code other; move it there",
}


@pytest.mark.parametrize("allowed", NOT_ALLOWED)
def test_a_circuit_runs_only_from_a_directory_that_is_named(
    allowed: str | None, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_run", lambda *_: pytest.fail("it ran"))
    (folder / "other").mkdir()
    refused(folder, "grid/circuit.dss", allowed=allowed)
    assert capsys.readouterr().err == f"meanwatt: {NOT_ALLOWED[allowed].format(folder=folder.resolve())}\n"


def test_a_link_does_not_lead_out_of_the_directory(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_run", lambda *_: pytest.fail("it ran"))
    (folder / "other").mkdir()
    (folder / "other" / "link.dss").symlink_to(folder / "grid" / "circuit.dss")
    refused(folder, "other/link.dss", allowed="other")
    assert "not below --allow-code other" in capsys.readouterr().err


def test_without_the_package_it_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "PACKAGE", "opendssdirect_that_is_not_there")
    refused(folder, "grid/circuit.dss", allowed="grid")
    assert capsys.readouterr().err == (
        "meanwatt: feeder grid/circuit.dss: files of OpenDSS are read by the package opendssdirect.py, which is not"
        " installed; install meanwatt[opendss]\n"
    )


def test_a_fault_of_the_engine_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("opendssdirect", reason="opendssdirect.py is not installed: `uv sync`")
    written(folder, circuit("new line.d bus1=spur", "doscmd touch harm", "new nothing.x"), "fault.dss")
    refused(folder, "fault.dss")
    said = capsys.readouterr().err
    assert said.startswith("meanwatt: feeder fault.dss: OpenDSS says: DOScmd is disabled.")
    assert said.count("\n") == 1
    assert not list(folder.rglob("harm"))


CHILDREN: dict[str, tuple[str, str]] = {
    "hangs": ("while True: pass", "was stopped: it ran for more than 2 s"),
    "sleeps with a child of its own": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
        "was stopped: it ran for more than 2 s",
    ),
    "dies": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "the process that ran it died (signal SIGSEGV)",
    ),
    "ends without an answer": ("", "the process that ran it ended without a circuit"),
    "writes half an answer": (
        "import sys; open(sys.argv[2], 'w').write('{\"circuit\": {')",
        "the process that ran it ended without a circuit",
    ),
    "fills memory": ("bytearray(2**33)", "the process that ran it died (status 1)"),
    "fills the disk": (
        "import sys; f = open(sys.argv[2], 'wb')\nfor _ in range(3): f.write(bytes(2**20))",
        "the process that ran it died (s",
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of a process")
@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_that_does_harm_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's place is taken by a program that begins with the same limits."""
    harm, line = CHILDREN[name]
    bounded = Path(child.__file__).with_name("engine.py").read_text(encoding="utf-8").partition("def main()")[0]
    program = tmp_path / "engine.py"
    program.write_text(f"{bounded}\nbound(*map(int, sys.argv[4:7]))\n{harm}\n", encoding="utf-8")
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))
    monkeypatch.setattr(child, "PACKAGE", "json")
    monkeypatch.setattr(child, "MOST_FILE_BYTES", 2**20)
    if "it ran for more than" in line:
        monkeypatch.setattr(child, "MOST_SECONDS", 2.0)
    file = written(tmp_path, circuit())
    with pytest.raises(FileError) as caught:
        child.read_circuit(file, tmp_path, "file")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_the_child_sees_an_empty_folder_and_little_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "engine.py"
    program.write_text(
        "import json, os, sys\nfrom os import environ\n"
        "seen = {'files': os.listdir(), 'names': sorted(environ), 'home': environ['HOME']}\n"
        "open(sys.argv[2], 'w').write(json.dumps({'circuit': seen}))\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(child, "__file__", str(tmp_path / "child.py"))
    monkeypatch.setattr(child, "PACKAGE", "json")
    monkeypatch.setenv("A_SECRET", "1")
    monkeypatch.setenv("DISPLAY", ":0")
    seen: Any = child.read_circuit(written(tmp_path, circuit()), tmp_path, "file")
    assert seen["files"] == []
    assert not {"A_SECRET", "DISPLAY"} & set(seen["names"])
    assert seen["home"] != os.environ.get("HOME")
    assert not Path(seen["home"]).exists()
