"""Result directories: whole or not at all, and nobody else's files are touched."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from meanwatt.analysis.output import result_files as output
from meanwatt.analysis.output.result_files import require_free, staged_file, write_result
from meanwatt.analysis.output.strict_json import dumps, plain

TABLES = {"slots": {"slot": np.arange(3), "kw": np.array([1.0, np.nan, -2.5]), "name": ["a", "b", "c"]}}


def write(directory: Path, value: float = 1.0) -> Path:
    return write_result(
        directory, name="solve", result={"value": value}, manifest={"seed": 7}, tables=TABLES, texts={"note.txt": "hi"}
    )


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_result_is_its_json_its_tables_and_a_manifest_that_names_them(tmp_path: Path) -> None:
    out = write(tmp_path / "a" / "b")
    assert names(out) == ["manifest.json", "note.txt", "slots.parquet", "solve.json"]
    assert json.loads((out / "solve.json").read_text()) == {"value": 1.0}
    table = pq.read_table(out / "slots.parquet").to_pydict()
    assert table["slot"] == [0, 1, 2]
    assert table["name"] == ["a", "b", "c"]
    assert table["kw"][0] == 1.0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seed"] == 7
    assert {"meanwatt", "python", "numpy", "numba"} <= set(manifest["versions"])
    assert manifest["sha256"] == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names(out) if name != "manifest.json"
    }


def test_a_result_replaces_an_older_one(tmp_path: Path) -> None:
    write(tmp_path / "out")
    write(tmp_path / "out", value=2.0)
    assert json.loads((tmp_path / "out" / "solve.json").read_text()) == {"value": 2.0}
    assert names(tmp_path) == ["out"]


def test_the_result_of_another_command_is_not_replaced(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    refusal = (
        rf"^--out {out}: holds the result of solve, which validate does not replace; give another directory,"
        rf" e.g. {out}-validate$"
    )
    with pytest.raises(ValueError, match=refusal):
        require_free(out, "validate")
    with pytest.raises(ValueError, match=refusal):
        write_result(out, name="validate", result={}, manifest={}, tables={})
    require_free(out, "solve")
    assert names(out) == ["manifest.json", "note.txt", "slots.parquet", "solve.json"]
    write_result(out / "validate", name="validate", result={}, manifest={}, tables={})
    assert names(out / "validate") == ["manifest.json", "validate.json"]


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert "solve.json" in names(write(tmp_path / "out"))


def test_foreign_files_are_not_replaced(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"--out .*out: holds thesis.tex, which is not ours to replace; give a new"):
        write(out, value=2.0)
    assert json.loads((out / "solve.json").read_text()) == {"value": 1.0}


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match=r"--out .*out: is a file; give a directory"):
        require_free(tmp_path / "out")
    with pytest.raises(ValueError, match="cannot be written to"):
        require_free(tmp_path / "out" / "deeper")


def test_an_error_on_the_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    write(tmp_path / "old")
    monkeypatch.setattr(output, "_write_parquet", fail)
    for name in ("old", "new"):
        with pytest.raises(OSError, match="disk full"):
            write(tmp_path / name, value=2.0)
    assert names(tmp_path) == ["old"]
    assert json.loads((tmp_path / "old" / "solve.json").read_text()) == {"value": 1.0}


def test_a_failed_exchange_keeps_the_older_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, rename = write(tmp_path / "out"), Path.rename

    def fail_for_the_new_one(self: Path, target: Path) -> Path:
        if "-old-" not in str(self) and "-old-" not in str(target):
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(OSError, match="no"):
        write(out, value=2.0)
    monkeypatch.undo()
    assert names(tmp_path) == ["out"]
    assert json.loads((out / "solve.json").read_text()) == {"value": 1.0}


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "game.npz"

    def write_half() -> None:
        with staged_file(target) as stage:
            stage.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert names(tmp_path) == []
    with staged_file(target) as stage:
        stage.write_text("whole")
    assert names(tmp_path) == ["game.npz"]
    assert target.read_text() == "whole"


def test_strict_json_knows_no_nan() -> None:
    value = {"a": np.array([1.0, np.nan]), "b": (np.inf, np.int64(3), np.bool_(True), None), 5: Path("x")}
    assert dumps(value) == '{"a": [1.0, null], "b": [null, 3, true, null], "5": "x"}'
    assert json.loads(dumps(0.1 + 0.2)) == 0.1 + 0.2
    with pytest.raises(TypeError, match="complex has no counterpart in JSON"):
        plain(1j)
