"""MFGLib as a neighbour: an environment of its own, what is asked of it on a game, and which settings are tried."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TORCH, MFGLIB = "torch==2.13.0", "mfglib==0.3.0"
PEER_SCRIPT = Path(__file__).with_name("mfglib_solver.py")
MOST_BYTES = 6_000_000_000
"""Memory that a run may take."""
GRACE_SECONDS = 180.0
"""Wall seconds beyond twice the CPU limits after which a run is ended from outside."""
DEFAULTS = ("OnlineMirrorDescent", "PriorDescent", "FictitiousPlay", "OccupationMeasureInclusion", "MFOMO")
EVERY_PAIR = ("OccupationMeasureInclusion", "MFOMO")
"""Algorithms that hold a dense matrix over all slots at once: (T·S) × (T·S·A)."""
GRID: dict[str, list[dict[str, Any]]] = {
    "PriorDescent": [{"n_inner": 1, "eta": eta} for eta in (0.006, 0.01, 0.004, 0.02)],
    "OnlineMirrorDescent": [{"alpha": alpha} for alpha in (50.0, 100.0, 25.0)],
    "FictitiousPlay": [{"alpha": alpha} for alpha in (0.03, 0.1)],
    "OccupationMeasureInclusion": [{"alpha": alpha} for alpha in (0.1, 0.5)],
    "MFOMO": [{"optimizer": {"name": "Adam", "config": {"lr": 0.03}}}],
}
"""Settings tried, the most promising first: the best of wider grids on the small games (η from 0.003 to 1, α from 1 to
1,000, both in steps of about three; n_inner 1, 5 and none)."""
QUICK_SECONDS = 3.0
"""A winner faster than this is repeated, and taken to more accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An environment with MFGLib."""

    python: Path

    @classmethod
    def at(cls, folder: Path) -> "Peer":
        """The environment in a folder, made with pip if there is none: torch first, then mfglib, then opt_einsum."""
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        for package in (TORCH, MFGLIB, "opt_einsum"):
            wanted = package.split("==")[0]
            if subprocess.run([python, "-c", f"import {wanted}"], capture_output=True, check=False).returncode:
                print(f"installing {package} into {folder}", file=sys.stderr)
                subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
        return cls(python=python.absolute())

    def ask(self, game: Path, request: dict[str, Any]) -> dict[str, Any]:
        """One request to a fresh process; {"failed": why} if it ended otherwise."""
        text = json.dumps({**request, "most_bytes": MOST_BYTES})
        wall = GRACE_SECONDS + 2 * request.get("seconds", 0.0) * len(request.get("settings", ""))
        try:
            ended = subprocess.run(
                [self.python, PEER_SCRIPT, game, text],
                capture_output=True,
                text=True,
                timeout=wall,
                check=False,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"no answer in {wall:.0f} s"}
        if ended.returncode:
            return {"failed": (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]}
        answer: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return answer

    def scores(self, game: Path) -> list[float] | None:
        """Exploitability of MFGLib's uniform start and of the policies in the file; None if it could not tell."""
        found: list[float] | None = self.ask(game, {}).get("exploitability")
        return found

    def defaults(self, game: Path, *, targets: list[float], seconds: dict[str, float]) -> dict[str, dict[str, Any]]:
        """Every algorithm as it comes, each for its CPU seconds."""
        return {
            algorithm: self.ask(game, {"algorithm": algorithm, "settings": [{}], "seconds": limit, "targets": targets})
            for algorithm, limit in seconds.items()
        }

    def tuned(
        self,
        game: Path,
        *,
        targets: list[float],
        deeper: list[float],
        seconds: dict[str, float],
        settings: int | None,
        repeats: int,
    ) -> dict[str, dict[str, Any]]:
        """Best setting of the grid for each algorithm; the best of all, if quick, is run again and goes deeper."""
        found = {}
        for algorithm, limit in seconds.items():
            grid = [{"parameters": p, "opt_einsum": True} for p in GRID[algorithm][:settings]]
            request = {"algorithm": algorithm, "seconds": limit, "targets": targets}
            best = self.ask(game, {**request, "settings": grid})
            if best.get("ended") == "reached":
                plain = self.ask(game, {**request, "settings": [{**best["setting"], "opt_einsum": False}]})
                if plain.get("ended") == "reached" and plain["cpu"] < best["cpu"]:
                    best = {**plain, "tried": best["tried"]}
            found[algorithm] = best
        winner = min(
            (run for run in found.values() if run.get("ended") == "reached"), key=lambda run: run["cpu"], default=None
        )
        if winner is None:
            return found
        if winner["cpu"] > QUICK_SECONDS:
            winner.update(repeats=1, best=True)
            return found
        algorithm = winner["setting"]["algorithm"]
        request = {"algorithm": algorithm, "settings": [winner["setting"]], "seconds": 3 * QUICK_SECONDS}
        runs = [self.ask(game, {**request, "targets": targets}) for _ in range(repeats)]
        runs = sorted((run for run in runs if run.get("ended") == "reached"), key=lambda run: run["cpu"])
        middle = runs[len(runs) // 2] if runs else winner
        further = self.ask(game, {**request, "targets": [*targets, *deeper]})
        beyond = further.get("reached", [])[len(targets) :]
        lowest = further.get("lowest", middle["lowest"])
        found[algorithm] = {
            **middle,
            "reached": [*middle["reached"], *beyond],
            "lowest": lowest,
            "tried": winner["tried"],
            "repeats": len(runs),
            "best": True,
        }
        return found
