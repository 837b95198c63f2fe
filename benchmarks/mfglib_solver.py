"""MFGLib on one exported game: scores policies, or times an algorithm's ``solve()`` until it meets a target.

Runs in an environment of its own, which holds torch and mfglib and none of this project; ``one_day_games.py`` writes
the game and starts it:

    uv run python benchmarks/mfglib_solver.py GAME.npz REQUEST   # JSON in, JSON out

A household's state is the pair (type, level), flattened, for MFGLib knows one population only. It has no forbidden
moves either: a move beyond an end of the battery acts as, and is paid like, the move that just reaches that end. The
game, its equilibria and the exploitability of every policy stay the same, and no penalty distorts the rewards.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mfglib.alg.abc
import mfglib.alg.mf_omo
import numpy as np
import torch
from mfglib import alg
from mfglib.env import Environment
from mfglib.scoring import exploitability_score

MOST_ITERATIONS = 10**7
WARM_UP_SECONDS = 0.2
SINGLE_PRECISION = ("OccupationMeasureInclusion",)  # it casts its iterates to float32 whatever the default


class OutOfTime(Exception):  # noqa: N818 - a limit, not an error
    """Raised inside an algorithm when its CPU seconds are used up: ``solve()`` has no time limit."""


class NotAPolicy(Exception):  # noqa: N818 - how a run ended
    """Raised when an iterate holds NaN, which MFGLib scores as the uniform policy."""


@dataclass
class Clock:
    """CPU and wall seconds of one ``solve()``, and what scoring its iterates took of it."""

    limit: float
    targets: list[float]
    began_cpu: float = 0.0
    began_wall: float = 0.0
    aside: float = 0.0
    scoring: float = 0.0
    iterations: int = -1
    first: float = 0.0
    lowest: float = 1.0
    reached: list[dict[str, float]] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        self.began_cpu, self.began_wall = time.process_time(), time.perf_counter()

    @property
    def cpu(self) -> float:
        """CPU seconds since the start. [s]"""
        return time.process_time() - self.began_cpu - self.aside

    def check(self) -> None:
        """Raise ``OutOfTime`` beyond the limit."""
        if self.cpu > self.limit:
            raise OutOfTime

    def watched(self, score: Callable[..., float]) -> Callable[..., float]:
        """MFGLib's scoring, with a note of when each target was first met."""

        def scored(env: Environment, policy: torch.Tensor) -> float:
            before = self.cpu
            found = score(env, policy)
            cpu, wall = self.cpu, time.perf_counter() - self.began_wall
            self.scoring += cpu - before
            if not (torch.isfinite(policy).all() and np.isfinite(found)):
                raise NotAPolicy
            self.iterations += 1
            if self.iterations == 0:
                self.first = found
            self.lowest = min(self.lowest, found / self.first)
            for target in self.targets[len(self.reached) :]:
                if found <= target * self.first:
                    row = {"target": target, "cpu": cpu, "wall": wall, "steps_cpu": cpu - self.scoring}
                    self.reached.append({**row, "iterations": self.iterations})
            self.aside += self.cpu - cpu  # the notes are not MFGLib's work
            self.check()
            return found

        return scored


def environment(game: dict[str, Any], clock: Clock | None = None) -> Environment:
    """Build the game: one state per (type, level), moves that stop at the ends, an affine price."""
    slots, types, moves = game["net_load_kw"].shape
    levels = len(game["charge_law"])
    target = np.clip(np.arange(levels)[:, None] + game["moves"], 0, levels - 1)
    acts_as = np.searchsorted(game["moves"], target - np.arange(levels)[:, None])
    transition = np.zeros((types, levels, types, levels, moves))
    level, move = np.indices(target.shape)
    for k in range(types):
        transition[k, target, k, level, move] = 1.0
    states = types * levels
    net = game["net_load_kw"][:, :, acts_as].reshape(slots, states, moves)
    wear = np.tile(game["wear_usd"][acts_as], (types, 1))
    hours = float(game["slot_hours"])
    price, steepness = (float(c) for c in game["supply"])
    dtype = torch.get_default_dtype()
    load_kw, bought, sold, wears, kernel = (
        torch.tensor(a, dtype=dtype)
        for a in (net, hours * np.maximum(net, 0), hours * np.maximum(-net, 0), wear, transition)
    )
    kernel = kernel.reshape(states, states, moves)
    rest, base_up, base_down = (game[name].tolist() for name in ("rest_load_kw", "import_base", "export_base"))
    through, export_through = float(game["pass_through"]), float(game["export_pass_through"])

    def reward(env: Environment, t: int, law: torch.Tensor) -> torch.Tensor:
        if clock is not None:
            clock.check()
        wholesale = price + steepness * (rest[t] + (law * load_kw[t]).sum())
        up = base_up[t] + through * wholesale
        down = torch.minimum(base_down[t] + export_through * wholesale, up)
        return sold[t] * down - bought[t] * up - wears

    extreme = abs(price) + steepness * (np.abs(net).max() + np.abs(rest).max()) + max(map(abs, base_up + base_down))
    return Environment(
        T=slots - 1,
        S=(states,),
        A=(moves,),
        mu0=torch.tensor(np.outer(game["share"], game["charge_law"]).ravel(), dtype=dtype),
        r_max=float(hours * np.abs(net).max() * extreme + wear.max()),
        reward_fn=reward,
        transition_fn=lambda env, t, law: kernel,
    )


def score(game: dict[str, Any]) -> dict[str, Any]:
    """Exploitability of each policy that came with the game, and of MFGLib's own uniform start."""
    env = environment(game)
    start = torch.ones((env.T + 1, *env.S, *env.A)) / env.n_actions
    given = [torch.tensor(p.swapaxes(0, 1)).reshape(start.shape) for p in game["policies"]]  # slot, type, level, move
    return {"exploitability": [exploitability_score(env, p, ensure_feasible_policy=False) for p in [start, *given]]}


def solve(game: dict[str, Any], setting: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """Time one ``solve()`` from its default start, the uniform policy.

    ``setting`` names the algorithm, its parameters, and whether torch may use opt_einsum, which MFGLib does not ask
    for but profits from.
    """
    algorithm, parameters = setting["algorithm"], setting.get("parameters", {})
    torch.backends.opt_einsum.enabled = torch.backends.opt_einsum.is_available() and setting.get("opt_einsum", False)
    torch.set_default_dtype(torch.float32 if algorithm in SINGLE_PRECISION else torch.float64)
    solver = getattr(alg, algorithm)(**parameters)
    ended = "out of memory"
    try:
        env = environment(game, clock)
        mfglib.alg.abc.expl_score = mfglib.alg.mf_omo.exploitability_score = clock.watched(exploitability_score)
        clock.start()
        solver.solve(env, max_iter=MOST_ITERATIONS, atol=None, rtol=clock.targets[-1])
        ended = "reached"
    except OutOfTime:
        ended = "out of time"
    except NotAPolicy:
        ended = "NaN policy"
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
    return {
        "setting": setting,
        "ended": ended,
        "first": clock.first,
        "lowest": clock.lowest,
        "iterations": clock.iterations,
        "cpu": clock.cpu if clock.began_cpu else 0.0,
        "reached": clock.reached,
    }


def best_of(game: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Try every setting, each for no longer than the best so far took; the winner, and what was tried."""
    tried: list[dict[str, Any]] = []
    limit = request["seconds"]
    for setting in request["settings"]:
        setting = {"algorithm": request["algorithm"], **setting}
        run = solve(game, setting, Clock(limit, request["targets"]))
        if run["ended"] == "reached":
            limit = min(limit, run["cpu"])
        tried.append(run)
        if run["ended"] == "out of memory" or (run["ended"] == "out of time" and run["iterations"] < 1):
            break  # no setting changes that
    finished = [run for run in tried if run["ended"] == "reached"]
    winner = min(finished or tried, key=lambda run: run["cpu" if finished else "lowest"])
    return {**winner, "tried": len(tried)}


def peak_bytes() -> int:
    """Largest resident memory so far; on Linux without that of the parent, which ``getrusage`` counts before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes = status.read_text().split("VmHWM:")[1].split()[0]
    else:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 1024 * int(kilobytes)


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.argv[2])
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    resource.setrlimit(resource.RLIMIT_DATA, (request["most_bytes"],) * 2)
    with np.load(sys.argv[1]) as arrays:
        game = dict(arrays)
    answer: dict[str, Any]
    if "algorithm" not in request:
        try:
            answer = score(game)
        except (MemoryError, RuntimeError) as error:
            answer = {"failed": str(error).splitlines()[0]}
    else:
        small = {**game, "net_load_kw": game["net_load_kw"][:, :1], "share": np.ones(1)}
        solve(small, {"algorithm": request["algorithm"]}, Clock(WARM_UP_SECONDS, [0.0]))
        answer = best_of(game, request)
    answer["peak_bytes"] = peak_bytes()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
