"""Whether two versions give the same answers to the last bit: a commit and the files as they are now.

    uv run python benchmarks/same_answers.py --base COMMIT [--quick]

``solve --json`` of every preset and tariff, and the ``day_digest`` of ``simulate`` for every preset and three
behaviours at seed 5. Timings are left out, and keys that only one of the two has are listed. Exit status 1 if anything
else differs. ``--quick`` leaves the certificates of ``solve`` out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from meanwatt import load_scenario

ROOT = Path(__file__).parents[1]
PRESETS = ("textbook", "oahu", "california", "stress")
BEHAVIOURS = ("equilibrium", "belief", "qlearning")
TIMINGS = ("seconds", "compile_seconds", "total_seconds", "household_days_per_second")
RUN = """
import contextlib, io, sys
from {door}analysis.cli import main
for line in sys.stdin:
    held = io.StringIO()
    with contextlib.redirect_stdout(held):
        status = main(line.split())
    print(status, held.getvalue().strip(), flush=True)
"""


def cases(quick: bool) -> list[str]:
    """Command lines, one a case."""
    found = []
    for preset in PRESETS:
        how = " --certify none" if quick else ""
        found += [f"solve {preset} --tariff {tariff} --json{how}" for tariff in load_scenario(preset).tariffs]
        found += [
            f"simulate {preset} --behaviour {behaviour} --households 500 --days 5 --seed 5 --json"
            for behaviour in BEHAVIOURS
        ]
    return found


def answers(tree: Path, lines: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Exit status and JSON of every case, all in one process of a tree."""
    door = "meanwatt." if (tree / "meanwatt").is_dir() else ""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(door=door)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        input="\n".join(lines),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = [row.partition(" ") for row in done.stdout.splitlines()]
    return [(status, json.loads(text) if text else {}) for status, _, text in rows]


def differences(was: Any, now: Any, place: str, lonely: set[str]) -> list[str]:
    """Places where two answers differ; names of keys that only one has go into ``lonely``."""
    if isinstance(was, dict) and isinstance(now, dict):
        found = []
        for key in was.keys() | now.keys():
            if key in TIMINGS:
                continue
            if key not in was or key not in now:
                lonely.add(f"{place}{key}")
            else:
                found += differences(was[key], now[key], f"{place}{key}.", lonely)
        return found
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = zip(was, now, strict=True)
        return [found for one, other in pairs for found in differences(one, other, f"{place}[].", lonely)]
    return [] if was == now or (was != was and now != now) else [place.rstrip(".")]


def main() -> int:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="commit to compare with")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    lines = cases(given.quick)
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", given.base], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        before = answers(Path(folder), lines)
    after = answers(ROOT, lines)
    lonely: set[str] = set()
    unequal = 0
    for line, (was, old), (now, new) in zip(lines, before, after, strict=True):
        found = differences(old, new, "", lonely) + ([] if was == now else [f"exit status {was}, now {now}"])
        if found:
            unequal += 1
            print(f"{line}: {', '.join(found[:6])}")
    print(f"{len(lines)} cases, {unequal} differ; left out: {', '.join(TIMINGS)}")
    print(f"keys that only one has: {', '.join(sorted(lonely)) or 'none'}")
    return 1 if unequal else 0


if __name__ == "__main__":
    raise SystemExit(main())
