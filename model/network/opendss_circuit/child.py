"""A circuit of OpenDSS run in a child process: in an empty folder, without an editor, with bounded time and memory.

A ``.dss`` file is a program: it can read and write files and loop for ever. It runs only where the user has named the
directory that holds it.
"""

import contextlib
import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from meanwatt.model.scenario.files import FileError, require_regular

MOST_SECONDS: Final = 120.0
"""Longest that a circuit may take to be read and solved twice. [s]"""
MOST_MEMORY_BYTES: Final = 4 * 2**30
"""Most address space of the child; the engine itself takes .5 GB. [bytes]"""
MOST_FILE_BYTES: Final = 256 * 2**20
"""Largest file that the child may write. [bytes]"""
WANTED: Final = "a circuit of OpenDSS"
PACKAGE: Final = "opendssdirect"
KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""Variables of the environment that the child sees."""


def read_circuit(path: Path, allowed: str | Path | None, tap: str) -> Mapping[str, Any]:
    """Run a file and give the circuit as data.

    Parameters
    ----------
    path
        The ``.dss`` file.
    allowed
        The directory whose programs may run; None for none.
    tap
        ``ignore`` sets all taps to 1 before anything is written down; ``file`` leaves them.

    Raises
    ------
    FileError
        In one line without the file's name.
    """
    require_regular(path, WANTED)
    _require_allowed(path, allowed)
    if importlib.util.find_spec(PACKAGE) is None:
        raise FileError(
            "files of OpenDSS are read by the package opendssdirect.py, which is not installed;"
            " install meanwatt[opendss]"
        )
    file = path.resolve()
    if '"' in str(file):
        raise FileError('has a name with a "; rename it')
    with tempfile.TemporaryDirectory(prefix="meanwatt-opendss-", ignore_cleanup_errors=True) as folder:
        out, empty = Path(folder) / "circuit.json", Path(folder) / "empty"
        empty.mkdir()
        script = Path(__file__).with_name("engine.py")
        limits = (MOST_MEMORY_BYTES, MOST_FILE_BYTES, math.ceil(MOST_SECONDS))
        _run([sys.executable, "-P", str(script), str(file), str(out), tap, *map(str, limits)], empty)
        try:
            answer = json.loads(out.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise FileError("the process that ran it ended without a circuit") from None
    if "error" in answer:
        raise FileError(_short(answer["error"]))
    found: Mapping[str, Any] = answer["circuit"]
    return found


def _require_allowed(path: Path, allowed: str | Path | None) -> None:
    if allowed is None:
        raise FileError(
            "is a program, which an import does not run by itself; if you trust it, add --allow-code DIR, the"
            " directory that holds it"
        )
    below = Path(allowed).resolve()
    if not below.is_dir():
        raise FileError(f"--allow-code is {str(allowed)!r}; give the directory that holds the file")
    if not path.resolve().is_relative_to(below):
        raise FileError(f"lies in {path.resolve().parent}, not below --allow-code {allowed}; move it there")


def _run(command: list[str], folder: Path) -> None:
    """Run to the end, or say in one line why it did not get there."""
    environment = {key: os.environ[key] for key in KEPT if key in os.environ}
    environment |= {"DSS_CAPI_ALLOW_EDITOR": "0", "DSS_CAPI_ALLOW_DOSCMD": "0", "OMP_NUM_THREADS": "1"}
    environment |= {key: str(folder) for key in ("HOME", "TMPDIR", "TEMP", "TMP")}
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = child.wait(timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        raise FileError(f"was stopped: it ran for more than {MOST_SECONDS:g} s") from None
    finally:
        _end(child)
    if status:
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        raise FileError(
            f"the process that ran it died ({how}); it crashed the engine or took more than"
            f" {MOST_MEMORY_BYTES / 2**30:g} GB"
        )


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Stop it and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _short(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
