"""The same market with other packages, each in a process and, but for plain Mesa, an environment of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WALL_SECONDS = 300.0
"""After which a peer is ended from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A package that simulates the market.

    Attributes
    ----------
    script
        What runs there.
    requirement
        What pip installs; None for what this environment has.
    variables
        Of its process's environment.
    largest
        Most households it is asked for; ten seconds a day are enough.
    """

    name: str
    script: str
    requirement: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    largest: int = 100_000

    @property
    def folder(self) -> str:
        """Its environment, in the folder of all."""
        return self.requirement.split("==")[0] if self.requirement else ""


PLAIN = Peer(name="plain Mesa", script="plain_mesa.py")
AGENTPY = Peer(name="AgentPy", script="agentpy_market.py", requirement="agentpy==0.1.5")
FRAMES = "mesa-frames==0.1.0a0"
"""A pre-release, the only release there is."""
PEERS = (
    PLAIN,
    AGENTPY,
    Peer(
        name="mesa-frames, 1 thread",
        script="mesa_frames_market.py",
        requirement=FRAMES,
        variables=(("POLARS_MAX_THREADS", "1"),),
        largest=1_000_000,
    ),
    Peer(
        name="mesa-frames, 2 threads",
        script="mesa_frames_market.py",
        requirement=FRAMES,
        variables=(("POLARS_MAX_THREADS", "2"),),
        largest=1_000_000,
    ),
)


def python_of(peer: Peer, environments: Path | None) -> Path:
    """Interpreter for a peer; its environment is made with venv and pip if there is none.

    Raises
    ------
    RuntimeError
        With the reason if it cannot be made.
    """
    if peer.requirement is None:
        return Path(sys.executable)
    if environments is None:
        raise RuntimeError("give --peer-env DIR to install it there")
    folder = environments / peer.folder
    python = (folder / "bin" / "python").absolute()
    if not python.exists():
        _run([sys.executable, "-m", "venv", folder])
    module = peer.folder.replace("-", "_")
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
        print(f"installing {peer.requirement} into {folder}", file=sys.stderr)
        _run([python, "-m", "pip", "install", "--quiet", peer.requirement])
    return python


def ask(peer: Peer, game: Path, households: int, seconds: float, environments: Path | None) -> dict[str, Any]:
    """Let a peer simulate days for so many seconds; {"failed": why} if it could not."""
    try:
        python = python_of(peer, environments)
    except RuntimeError as reason:
        return {"failed": str(reason)}
    return _answer([python, HERE / peer.script, game, households, seconds], dict(peer.variables))


def ask_us(scenario: Path, households: int, seconds: float, *, threads: int, feeder: bool) -> dict[str, Any]:
    """The same of our own market."""
    return _answer([sys.executable, HERE / "our_market.py", scenario, households, seconds, threads, int(feeder)], {})


def _answer(command: list[Any], variables: dict[str, str]) -> dict[str, Any]:
    """JSON object that a process prints; {"failed": why} if it does not."""
    try:
        ended = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=WALL_SECONDS,
            check=False,
            env={**os.environ, **variables},
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer in {WALL_SECONDS:.0f} s"}
    if ended.returncode:
        return {"failed": (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]}
    answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return answer


def _run(command: list[Any]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        lines = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()]
        raise RuntimeError(f"{' '.join(map(str, command[-2:]))}: {(lines or ['failed'])[-1]}")
