"""Metered days until a leader who learns has arrived: our learners, and PPO of stable-baselines3 beside them.

The commission learns a tariff of five parameters from its meters, in the mean field: every round is solved and read
without noise, and counts 30 metered days. PPO is given our Gymnasium environment and nothing else.

    uv run python benchmarks/ppo_leader.py --peer-env DIR --out runs.jsonl     # pip makes DIR if it does not exist
    uv run python benchmarks/ppo_leader.py --quick                             # some minutes: whether all of it runs
    uv run python benchmarks/ppo_leader.py --only textbook --seeds 5 --limit-rounds 1000

*Targets.* ``meters``: 95 % of the mean-field worth, over the tariff in force, of the tariff that maximises the metered
objective. ``commitment``: 95 % of what a leader gains who knows its households. A learner has arrived after the first
round from which on its recommendation is worth so much, then and through the next ten rounds.

*Recommendation.* Ours: the best metered tariff. PPO: what its policy posts without noise where the tariff in force was
metered last; and, on a second line, the best metered tariff it has posted, which is our rule and not PPO's. *Uniform
draws* show what that rule does by itself.

*PPO tuned*: actions in [−1, 1], `VecNormalize`, and the best of 12 settings on textbook alone, by seeds of their own:
episodes of 1 round (which end there) or 12, n_steps 12, 64 or 256, learning rate 3e-4 or 3e-3. *PPO default*: as it
comes, n_steps = 2048. Runs end on arrival, or at ``min(100 × ours, 10,000)`` rounds, ours being `policy_iteration`'s
median, or at ``--limit-rounds``. Every run is a line of ``--out``, and is not repeated where it is found there.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from leader_rounds import SHARE, Arrival, Case, Rounds, at, gains

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.environments.leader import LeaderEnv
from meanwatt.analysis.learning.campaign import EVALUATIONS, recommendations, try_tariffs
from meanwatt.analysis.learning.environment import MEAN_FIELD_DAYS
from meanwatt.analysis.learning.learners import LEARNERS
from meanwatt.model.progress.watch import Watch

Row = dict[str, Any]

CASES = (
    Case(name="textbook", weights={"equity": 1.0, "stability": 0.0}, targets=("meters",)),
    Case(name="oahu", weights={"equity": 5.0, "stability": 1.0}, targets=("commitment",)),
)
OURS = ("policy_iteration", "softmax", "response_matrix")
CONTROL = "uniform draws"
GRID = [
    {"episode": episode, "n_steps": n_steps, "learning_rate": rate}
    for episode, n_steps, rate in product((1, 12), (12, 64, 256), (3e-4, 3e-3))
]
DEFAULT_EPISODE = 12
WANTED_TIMES = 20
LIMIT_TIMES, MOST_ROUNDS = 100, 10_000
OUR_ROUNDS = 150
QUICK_ROUNDS = 30
CHUNK = 25
"""Rounds after which it is looked whether one of ours has arrived."""
TUNING_SEED = 1000
"""First seed of the tuning; scores are of seeds from 0."""
PEER_SCRIPT = Path(__file__).with_name("ppo_peer.py")
PACKAGES = ("torch==2.13.0", "stable-baselines3==2.9.2")
VERSIONS = (
    "from importlib.metadata import version\n"
    "names = ('stable-baselines3', 'torch', 'gymnasium', 'numpy')\n"
    "print(*(f'{name} {version(name)}' for name in names), sep=', ')"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class UniformDraws:
    """What our rule of recommendation does by itself: any tariff of the family is as likely as any other."""

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        self._parameters, self._rng = parameters, np.random.default_rng(seed)

    def ask(self) -> Floats:
        """Draw a tariff."""
        return self._rng.random(self._parameters)

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn nothing."""


LEARNERS[CONTROL] = UniformDraws  # by that name `try_tariffs` finds it


class Runs:
    """The runs of a file of JSON lines, and those that are added to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._rows = [self._row(number, line) for number, line in enumerate(lines, start=1)]

    def _row(self, number: int, line: str) -> Row:
        try:
            row: Row = json.loads(line)
        except json.JSONDecodeError:
            say(f"{self._path}, line {number}: {line[:60]!r} is no run; delete that line, its run is done again")
            raise SystemExit(2) from None
        return row

    def found(self, key: Row, limit: int = 0) -> Row | None:
        """A run that arrived everywhere, or that went on for as many rounds as now asked."""
        for row in reversed(self._rows):
            if all(row.get(name) == value for name, value in key.items()) and (
                limit <= row.get("limit", 0) or row.get("everywhere")
            ):
                return row
        return None

    def add(self, row: Row) -> Row:
        """Put a run on the file, and say so."""
        self._rows.append(row)
        setting = "" if row.get("setting") is None else f", {setting_text(row['setting'])}"
        if "seed" in row:
            arrived = row["rounds"] or "not arrived"
            say(f"{row['case']} {row['learner']}{setting}, seed {row['seed']}: {row['lived']} rounds, {arrived}")
        with self._path.open("a") as file:
            print(json.dumps(row), file=file, flush=True)
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A case that is ready to learn for, and where its runs are kept."""

    case: Case
    problem: DesignProblem
    worth: dict[str, float]
    rounds: Rounds
    runs: Runs
    python: Path

    def arrival(self) -> Arrival:
        """Watches a recommendation."""
        return Arrival(least={target: SHARE * self.worth[target] for target in self.case.targets})

    def key(self, learner: str, setting: Row | None, seed: int) -> Row:
        """What tells a run from others."""
        return {"case": self.case.name, "learner": learner, "setting": setting, "seed": seed}


def prepare(case: Case, runs: Runs, python: Path) -> Race:
    """Solve the tariff in force, and search for the targets unless the file has them."""
    problem, key = case.problem(), {"case": case.name, "learner": "targets"}
    row = runs.found(key)
    if row is None:
        say(f"{case.name}: searching for the targets")
        row = runs.add({**key, "worth": gains(problem, metered="meters" in case.targets)})
    rounds = Rounds(problem.baseline, problem.aims)
    return Race(case=case, problem=problem, worth=row["worth"], rounds=rounds, runs=runs, python=python)


def run_ours(race: Race, method: str, seed: int, limit: int) -> Row:
    """One of our learners, until it has arrived or has had its rounds; it plans for the usual number of them."""
    key = race.key(method, None, seed)
    if (row := race.runs.found(key, limit)) is not None:
        return row
    problem = race.problem
    family = problem.aims.family(problem.economy, problem.baseline.tariff)
    rounds, before_all = race.rounds, (race.rounds.solved, race.rounds.cpu_s)
    for stop in [*range(CHUNK, limit, CHUNK), limit]:  # what was solved is not solved again
        watch = Watch(cancelled=partial(posted_by_now, rounds, rounds.posted + stop))
        before = time.process_time() - rounds.cpu_s
        tried = try_tariffs(
            replace(problem, watch=watch), rounds, method=method, evaluations=max(limit, EVALUATIONS), seed=seed
        )
        learner_cpu_s = time.process_time() - rounds.cpu_s - before
        arrival = race.arrival()
        for trial, place in enumerate(recommendations(tried), start=1):
            arrival.see(trial, -np.inf if place < 0 else rounds.worth(at(family, np.array(tried[place].unit))))
        progress(key, stop, limit, arrival)
        if arrival.everywhere:
            break
    return race.runs.add({**key, **ended(limit, stop, arrival, rounds, before_all), "learner_cpu_s": learner_cpu_s})


def posted_by_now(rounds: Rounds, enough: int) -> bool:
    """Whether so many tariffs have been posted."""
    return rounds.posted >= enough


class Meeting:
    """What PPO asks for, answered: the leader's environment and, without its knowledge, the judge."""

    def __init__(self, race: Race, episode: int, limit: int) -> None:
        in_force = race.problem.baseline.tariff
        self.env = LeaderEnv(race.problem.economy, tariff=in_force, rounds=episode, weights=race.case.weights)
        assert np.array_equal(self.env.in_force.wholesale_usd_per_kwh, race.problem.baseline.wholesale_usd_per_kwh)
        self.rounds = self.env._environment = race.rounds  # the same meters; no tariff is solved twice
        self.limit, self.lived = limit, 0
        self.policy, self.posted = race.arrival(), race.arrival()
        self._recommended = self._best = self._told = -np.inf

    def answer(self, message: Row) -> Row:
        """What a message brings; ``stop`` where all has been seen."""
        if "reset" in message:
            return {"observation": self.env.reset(seed=message["reset"])[0].tolist()}
        if "recommend" in message:
            self._recommended = self._worth(message["recommend"])
            self.policy.see(self.lived, self._recommended)
        if self.lived >= self.limit or self.policy.everywhere:
            return {"stop": True}
        return self._round(message["action"]) if "action" in message else {}

    def _round(self, action: Sequence[float]) -> Row:
        seen, reward, _, truncated, info = self.env.step(np.array(action))
        self.lived += 1
        self.policy.see(self.lived, self._recommended)
        if info["outcome"] == "metered" and reward > self._told:
            self._told, self._best = reward, self._worth(action)
        self.posted.see(self.lived, self._best)
        return {"observation": seen.tolist(), "reward": reward, "truncated": truncated}

    def _worth(self, unit: Sequence[float]) -> float:
        return self.rounds.worth(at(self.env.family, np.array(unit)))


def run_ppo(race: Race, setting: Row | None, seed: int, limit: int) -> Row:
    """PPO in its own process, until its policy has arrived or it has had its rounds."""
    key = race.key("ppo", setting, seed)
    if (row := race.runs.found(key, limit)) is not None:
        return row
    episode = DEFAULT_EPISODE if setting is None else setting["episode"]
    meeting = Meeting(race, episode, limit)
    before_all, before = (race.rounds.solved, race.rounds.cpu_s), time.process_time() - race.rounds.cpu_s
    space = meeting.env.observation_space
    request = {
        "low": space.low.tolist(),
        "high": space.high.tolist(),
        "parameters": len(meeting.env.parameter_names),
        "settings": None if setting is None else {name: setting[name] for name in ("n_steps", "learning_rate")},
        "bandit": setting is not None and episode == 1,
        "seed": seed,
        "rounds": limit,
    }
    command = [race.python, PEER_SCRIPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD}
    ) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        print(json.dumps(request), file=peer.stdin, flush=True)
        message: Row = {}
        for line in peer.stdout:
            message = json.loads(line)
            if "done" in message:
                break
            print(json.dumps(meeting.answer(message)), file=peer.stdin, flush=True)
            progress(key, meeting.lived, limit, meeting.policy)
    if "done" not in message:
        raise SystemExit(f"PPO ended with status {peer.returncode} after {meeting.lived} rounds")
    own_cpu_s = time.process_time() - race.rounds.cpu_s - before
    row = {
        **key,
        **ended(limit, meeting.lived, meeting.policy, race.rounds, before_all),
        "posted": meeting.posted.rounds,
    }
    return race.runs.add({**row, "learner_cpu_s": message["done"], "environment_cpu_s": own_cpu_s})


def ended(limit: int, lived: int, arrival: Arrival, rounds: Rounds, before: tuple[int, float]) -> Row:
    """How a run ended; ``rounds`` until its recommendation arrived, by target."""
    return {
        "limit": limit,
        "lived": lived,
        "rounds": arrival.rounds,
        "everywhere": arrival.everywhere,
        "worth": arrival.last if np.isfinite(arrival.last) else None,
        "solved": rounds.solved - before[0],
        "solve_cpu_s": rounds.cpu_s - before[1],
    }


def tune(race: Race, seeds: int, limit: int) -> Row:
    """The best setting of the grid: all run with one seed, the better third with the other seeds, too.

    Best is what arrives first in the median, and of those alike what is worth most at the end.
    """

    def rank(setting: Row, seeds: int) -> tuple[float, float]:
        rows = [run_ppo(race, setting, TUNING_SEED + seed, limit) for seed in range(seeds)]
        return median_rounds(rows, "meters", limit), -float(np.mean([row["worth"] or -1.0 for row in rows]))

    order = sorted(GRID, key=lambda setting: rank(setting, 1))
    better = sorted(order[: len(GRID) // 3], key=lambda setting: rank(setting, seeds))
    print(f"\nPPO tuned on {race.case.name}, at most {limit:,} rounds: seeds, median metered days, worth at the end")
    for setting in [*better, *order[len(better) :]]:
        tried = seeds if setting in better else 1
        rounds, loss = rank(setting, tried)
        days = days_text(rounds) if np.isfinite(rounds) else f"> {days_text(limit)}"
        print(f"  {setting_text(setting):<54}{tried:>3}{days:>10}{-loss:>11.4f} USD per household-day")
    return better[0]


def median_rounds(rows: Sequence[Row], target: str, limit: int, rule: str = "rounds") -> float:
    """Median over runs until arrival at a target; inf where most had not arrived within the limit."""
    arrived = [row[rule].get(target, np.inf) for row in rows]
    return float(np.median([rounds if rounds <= limit else np.inf for rounds in arrived]))


def compare(one: Race, setting: Row | None, given: argparse.Namespace) -> None:
    """Let all learn in a case, and print; without a setting PPO is left out."""
    ours = {name: [run_ours(one, name, seed, OUR_ROUNDS) for seed in range(given.seeds)] for name in OURS}
    control = [run_ours(one, CONTROL, seed, OUR_ROUNDS) for seed in range(given.control_seeds)]
    slowest = max(median_rounds(ours[OURS[0]], target, OUR_ROUNDS) for target in one.case.targets)
    limit = int(min(LIMIT_TIMES * slowest, given.limit_rounds))
    rows = {**ours, CONTROL: control}
    if setting is not None:
        rows["PPO tuned"] = [run_ppo(one, setting, seed, limit) for seed in range(given.ppo_seeds)]
        rows["PPO default"] = [run_ppo(one, None, seed, limit) for seed in range(given.default_seeds)]
    for target in one.case.targets:
        print_target(one, target, rows, limit)
    print_cost(rows)


def print_target(one: Race, target: str, rows: dict[str, list[Row]], limit: int) -> None:
    """A table of metered days to a target."""
    gain, name, unit = one.worth[target], one.case.name, "USD per household-day"
    weights = ", ".join(f"{weight} {value:g}" for weight, value in one.case.weights.items())
    print(f"\n{name}, {weights}; target {target}: {SHARE:.0%} of {gain:.4f} {unit} over the tariff in force")
    most_days = f"; PPO had at most {limit:,} rounds, {days_text(limit)} days" if "PPO tuned" in rows else ""
    print(f"  a commitment gains {one.worth['commitment']:.4f}{most_days}")
    print(f"  {'median of metered days':<24}{'seeds':>6}{'arrived':>9}{'days':>12}", end="")
    print("".join(f"{'over ' + ours:>24}" for ours in OURS))
    medians = {ours: median_rounds(rows[ours], target, OUR_ROUNDS) for ours in OURS}
    for learner, runs in rows.items():
        if not runs:
            continue
        is_ppo = learner.startswith("PPO")
        most = limit if is_ppo else OUR_ROUNDS
        rules = {"rounds": learner, **({"posted": "  best tariff it posted"} if is_ppo else {})}
        for rule, label in rules.items():
            there = sum(row[rule].get(target, np.inf) <= most for row in runs)
            found = median_rounds(runs, target, most, rule)
            days = days_text(found) if np.isfinite(found) else f"> {days_text(most)}"
            print(f"  {label:<24}{len(runs):>6}{there:>9}{days:>12}", end="")
            print("".join(f"{times_text(found, most, medians[ours]):>24}" for ours in OURS))


def print_cost(rows: dict[str, list[Row]]) -> None:
    """Processor time of a solved round, and of the learner beside it."""
    print("  processor time in ms: of a tariff solved; of the learner a round; of our process beside PPO a round")
    for learner, runs in rows.items():
        if runs:
            solve = 1e3 * sum(row["solve_cpu_s"] for row in runs) / max(sum(row["solved"] for row in runs), 1)
            lived = sum(row["lived"] for row in runs)
            parts = ("learner_cpu_s", "environment_cpu_s")
            own = [1e3 * sum(row.get(part, 0.0) for row in runs) / lived for part in parts]
            print(
                f"  {learner:<24}{solve:>8.1f}{own[0]:>8.2f}" + (f"{own[1]:>8.2f}" if learner.startswith("PPO") else "")
            )


def times_text(rounds: float, limit: float, ours: float) -> str:
    """How many times more than ours."""
    if not np.isfinite(ours):
        return "ours did not arrive"
    return f"{rounds / ours:,.1f} ×" if np.isfinite(rounds) else f"> {limit / ours:,.1f} ×"


def days_text(rounds: float) -> str:
    """Metered days of rounds."""
    return f"{rounds * MEAN_FIELD_DAYS:,.0f}"


def setting_text(setting: Row) -> str:
    """A setting of PPO in words."""
    return f"episodes of {setting['episode']}, n_steps={setting['n_steps']}, learning_rate={setting['learning_rate']:g}"


def progress(key: Row, lived: int, limit: int, arrival: Arrival) -> None:
    """Where a run stands, on one line of a terminal."""
    if sys.stderr.isatty():
        target = max(arrival.least.values())
        text = f"{key['case']} {key['learner']} seed {key['seed']}: round {lived:,} of {limit:,}"
        print(f"\r{text}, worth {arrival.last:.4f} of {target:.4f}\033[K", end="", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """A line on stderr, in place of the progress line."""
    print(f"\r\033[K{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


def install(python: Path) -> str:
    """Make the environment of a Python unless there is one; names and versions of what is in it.

    Raises
    ------
    subprocess.CalledProcessError, OSError
        If it cannot be made: pip has neither the wanted versions nor others.
    """
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    if subprocess.run([python, "-c", "import stable_baselines3"], capture_output=True, check=False).returncode:
        say(f"installing {' and '.join(PACKAGES)} into {python.parents[1]}")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, *PACKAGES], check=False).returncode:
            say("not to be had; taking the newest")
            subprocess.run([*pip, *(package.split("==")[0] for package in PACKAGES)], check=True)
    return subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout.strip()


def options() -> argparse.Namespace:
    """Options of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-env", type=Path, metavar="DIR", help="environment with PPO, made if missing")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON lines of all runs; those found are not repeated")
    parser.add_argument(
        "--only", choices=[case.name for case in CASES], help="one case; PPO is tuned on textbook anyway"
    )
    parser.add_argument("--seeds", type=at_least_one, default=10, help="of every learner")
    parser.add_argument("--ppo-seeds", type=int, default=None, help="of the tuned PPO, by default as many")
    parser.add_argument("--default-seeds", type=int, default=None, help="of PPO as it comes, by default as many")
    parser.add_argument("--control-seeds", type=int, default=None, help="of uniform draws, by default as many")
    parser.add_argument("--limit-rounds", type=at_least_one, default=MOST_ROUNDS, help="most rounds of PPO")
    parser.add_argument("--tune-seeds", type=at_least_one, default=3)
    parser.add_argument("--tune-rounds", type=at_least_one, default=1000)
    parser.add_argument("--without-ppo", action="store_true", help="our learners alone; nothing is installed")
    parser.add_argument("--quick", action="store_true", help="one seed, 30 rounds: whether all of it runs")
    given = parser.parse_args()
    if given.quick:
        given.seeds = given.tune_seeds = 1
        given.limit_rounds = given.tune_rounds = QUICK_ROUNDS
    for name in ("ppo_seeds", "default_seeds", "control_seeds"):
        if getattr(given, name) is None:
            setattr(given, name, given.seeds)
    return given


def at_least_one(text: str) -> int:
    """A whole number from one up."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} came; give a whole number of at least 1")
    return number


def main() -> None:
    """Tune on textbook, then learn everywhere."""
    given = options()
    if given.without_ppo:
        given.ppo_seeds = given.default_seeds = 0
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(given.out or Path(folder) / "runs.jsonl")
        python, setting, packages = (given.peer_env or Path(folder) / "peer").absolute() / "bin" / "python", None, ""
        try:
            packages = "" if given.without_ppo else install(python)
        except (OSError, subprocess.CalledProcessError) as reason:
            say(f"PPO is left out: {reason}")
        ours = f"Meanwatt {version('meanwatt')}, gymnasium {version('gymnasium')}, numpy {version('numpy')}"
        machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        print(f"Python {platform.python_version()}, {ours}; PPO: {packages or 'left out'}; {machine}")
        if packages:
            setting = tune(prepare(CASES[0], runs, python), given.tune_seeds, given.tune_rounds)
        for case in CASES:
            if given.only in (None, case.name):
                compare(prepare(case, runs, python), setting, given)


if __name__ == "__main__":
    main()
