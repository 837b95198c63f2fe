"""Design, Pareto surface, validation and rate classes: processor time of two versions, by turns, for the same answers.

    uv run python benchmarks/design_speed.py [--base COMMIT] [--only NAME ...] [--repeat N]

Checks out ``--base`` and this commit into folders of their own and runs each command in both by turns, in processor
seconds (user and system, children included), after a first run of each that compiles and is not counted. The least of
the repetitions counts. How far objective, metrics and optima of the two are apart is printed beside. The last line
compares ``solve`` of this commit under four rate classes with one class.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from cold_start import checkout, environment

COMMANDS: Final[dict[str, tuple[float, str]]] = {
    "design oahu": (4.0, "design oahu --tariff filed --leader commission --json"),
    "design stress pareto": (6.0, "design stress --tariff filed --leader commission --pareto --json"),
    "validate oahu": (3.0, "validate oahu --tariff filed --json"),
}
"""By name, how many times less is wanted, and the command."""
CLASSES: Final = "four classes"
FOUR, ONE = "solve benchmarks/four_classes.toml --json", "solve oahu --tariff rtp --json"
MOST_OF_CLASSES: Final = 2.0
BASE: Final = "b6d6396"
"""The commit before families and windows."""
RUN: Final = "import sys; from meanwatt.analysis.cli import main; sys.exit(main())"


def timed(python: str, tree: Path, cache: Path, command: str) -> tuple[float, dict[str, Any]]:
    """Processor seconds of a command in a tree, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [python, "-c", RUN, *command.split()],
        cwd=tree,
        env=environment(tree, cache),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1 is an answer, too: a search that met its limit
        raise SystemExit(f"{command} in {tree.name}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def numbers(answer: dict[str, Any]) -> dict[str, float]:
    """What two versions must agree on: objective, metrics, optima. Parameters are left out: optima are flat."""
    found = {name: answer[name] for name in ("objective",) if isinstance(answer.get(name), float)}
    found |= {f"metrics.{k}": v for k, v in (answer.get("metrics") or {}).items() if isinstance(v, float)}
    optima = (answer.get("pareto") or {}).get("optima") or []
    for place, one in enumerate(optima):
        values = one.values() if isinstance(one, dict) else one
        found |= {f"optima.{place}.{k}": v for k, v in enumerate(values) if isinstance(v, float)}
    return found


def compare(python: str, trees: dict[str, Path], name: str, repeat: int) -> None:
    """Print one command's times in both versions, their ratio, and how far the answers are apart."""
    wanted, command = COMMANDS[name]
    least: dict[str, float] = {}
    answers: dict[str, dict[str, float]] = {}
    for turn in range(repeat + 1):
        for version, tree in trees.items():
            seconds, answer = timed(python, tree, tree.parent / f"cache-{version}", command)
            answers[version] = numbers(answer)
            if turn:
                least[version] = min(seconds, least.get(version, seconds))
    one, other = answers.values()
    apart = max((abs(one[key] - other[key]) for key in one.keys() & other.keys()), default=float("nan"))
    was, now = least["base"], least["now"]
    print(f"{name:22} {was:7.1f} s {now:7.1f} s   {was / now:4.1f} times less, wanted {wanted:.0f}; apart {apart:.1e}")


def compare_classes(python: str, tree: Path, repeat: int) -> None:
    """Print the times of four classes and of one, in this commit."""
    cache = tree.parent / "cache-now"
    least = {
        command: min([timed(python, tree, cache, command)[0] for _ in range(repeat + 1)][1:]) for command in (ONE, FOUR)
    }
    share = least[FOUR] / least[ONE]
    wanted = f"wanted at most {MOST_OF_CLASSES:.0f}"
    print(f"{CLASSES:22} {least[ONE]:7.1f} s {least[FOUR]:7.1f} s   {share:4.1f} times as much, {wanted}")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--only", nargs="*", choices=[*COMMANDS, CLASSES], default=[*COMMANDS, CLASSES])
    parser.add_argument("--repeat", type=int, default=2, help="at least 1")
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        trees = {"base": checkout(given.base, Path(room) / "base"), "now": checkout("HEAD", Path(room) / "now")}
        for name in COMMANDS:
            if name in given.only:
                compare(given.python, trees, name, given.repeat)
        if CLASSES in given.only:
            compare_classes(given.python, trees["now"], given.repeat)


if __name__ == "__main__":
    main()
