"""Memory: with bounds checking, files of every kind with every kind of mistake end in an answer or in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

MUTANTS: Final = int(os.environ.get("MEANWATT_FUZZ", "500"))
"""Files to read: set MEANWATT_FUZZ=5000 for a longer run."""
SOLVED: Final = MUTANTS // 25
"""Valid ones to solve and simulate."""
MOST_GB: Final = 2.0
FUZZING: Final = Path(__file__).with_name("fuzzing.py")

OVERRUN: Final = """
import numba
import numpy as np

@numba.njit(cache=True)
def write(array, place):
    array[place] = 1.0
"""
CALLED: Final = "import sys; import overrun; import numpy as np; overrun.write(np.zeros(3), int(sys.argv[1]))"


def run(*arguments: str, cache: Path | None = None, checked: bool) -> subprocess.CompletedProcess[str]:
    """A Python process, perhaps with a folder of its own for compiled code; ours keeps checked code in one anyway."""
    environment = {
        **os.environ,
        "NUMBA_BOUNDSCHECK": str(int(checked)),
        "NUMBA_OPT": "0",  # an index is checked before LLVM optimises, which took a sixth of the time
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(FUZZING.parents[1]),
    }
    if cache is not None:
        cache.mkdir(exist_ok=True)
        environment["NUMBA_CACHE_DIR"] = str(cache)
        environment["PYTHONPATH"] = os.pathsep.join([str(cache.parent), str(FUZZING.parents[1])])
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=3_000, check=False
    )


def test_a_planted_overrun_is_caught_in_a_process_with_a_cache_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "overrun.py").write_text(OVERRUN, encoding="utf-8")
    inside = run("-c", CALLED, "2", cache=tmp_path / "unchecked", checked=False)
    assert inside.returncode == 0, inside.stderr  # and its unchecked code is in the cache
    assert run("-c", CALLED, "2", cache=tmp_path / "checked", checked=True).returncode == 0
    beyond = run("-c", CALLED, "3", cache=tmp_path / "checked", checked=True)
    assert beyond.returncode == 1
    assert "IndexError: index is out of bounds" in beyond.stderr


@pytest.fixture(scope="module")
def fuzzed() -> dict[str, object]:
    ended = run(str(FUZZING), str(MUTANTS), str(SOLVED), checked=True)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_no_file_ends_in_a_traceback_and_every_refusal_is_one_line_with_status_2(fuzzed: dict[str, object]) -> None:
    assert fuzzed["faults"] == []


def test_files_are_refused_read_and_lived_in(fuzzed: dict[str, object]) -> None:
    counts = {key: fuzzed[key] for key in ("refused", "read", "solved", "lived")}
    assert sum(counts.values()) == MUTANTS  # type: ignore[arg-type]
    assert fuzzed["solved"] + fuzzed["lived"] == SOLVED  # type: ignore[operator]
    assert min(counts.values()) > 0  # type: ignore[type-var]


def test_reading_and_living_takes_little_memory(fuzzed: dict[str, object]) -> None:
    assert fuzzed["peak_gb"] < MOST_GB  # type: ignore[operator]
