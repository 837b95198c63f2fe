"""The first answer of a fresh installation, and ten cold starts of three processes at once.

    uv run python benchmarks/cold_start.py --base COMMIT [--python PYTHON] [--repeat N]

Checks out two versions into fresh folders, this commit and ``--base``, and times the same commands in both by turns,
in processor seconds (user and system, children included): everything before has been installed, nothing compiled.
The page is the app's: its server's time until a headless Chromium sees the second day. Then three processes solve the
smallest game at once on an empty cache, and a fourth one must succeed; ten times.
"""

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
READ = "from {door}model.scenario import load_scenario; load_scenario('textbook')"
SOLVE = (
    "import sys; sys.argv = ['meanwatt', 'solve', 'textbook', '--json']\n"
    "from {door}analysis.cli import main; sys.exit(main())"
)
TWO_DAYS = (
    "from {door}model.market.market import ProsumerMarket\n"
    "market = ProsumerMarket('textbook', households=1000, rng=1, behaviour='belief')\n"
    "market.step()\nmarket.step()\n"
)
SERVE = "from {door}analysis.dashboard.server import serve; raise SystemExit(serve(0, False))"
PAGE = "first page that plays"
PATIENCE_MS = 600_000
MOMENTS = (
    ("first solve textbook", SOLVE),
    ("second solve textbook", SOLVE),
    ("two market days, first time", TWO_DAYS),
    ("reading a scenario", READ),
)


def environment(tree: Path, cache: Path) -> dict[str, str]:
    """Environment of a process that runs the code of a tree with a cache of its own."""
    own = {"PYTHONPATH": str(tree), "NUMBA_CACHE_DIR": str(cache), "OPENBLAS_NUM_THREADS": "1"}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **own}


def program(code: str, tree: Path) -> str:
    """Code for a tree, whose rooms have an import name of their own where they are older than the package."""
    return code.format(door="meanwatt." if (tree / "meanwatt").is_dir() else "")


def processor_seconds(python: str, code: str, tree: Path, cache: Path) -> float:
    """Time of one process with all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [python, "-c", program(code, tree)],
        cwd=tree,
        env=environment(tree, cache),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{tree.name}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def page_seconds(python: str, tree: Path, cache: Path) -> float:
    """Processor time of a new server until a visitor's page shows its second day."""
    from playwright.sync_api import sync_playwright

    browsers = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    command = [python, "-u", "-c", program(SERVE, tree)]
    with subprocess.Popen(
        command, cwd=tree, env=environment(tree, cache), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            address = next(filter(None, (re.search(r"http://\S+", line) for line in server.stdout or ())))[0]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=next(filter(None, browsers)),
                    args=["--no-sandbox", "--disable-background-networking"],
                )
                browser.new_page().goto(address)
                clock = browser.contexts[0].pages[0].locator('.mw-clock[data-day="2"]')
                clock.wait_for(state="attached", timeout=PATIENCE_MS)
                used = psutil.Process(server.pid).cpu_times()
                browser.close()
        finally:
            server.terminate()
    return float(used.user + used.system + used.children_user + used.children_system)


def checkout(commit: str, folder: Path) -> Path:
    """The files of a commit in a folder of their own."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)
    return folder


def ratios(python: str, base: str, room: Path, repeat: int) -> None:
    """Print the time of every moment in both versions, the least of some repetitions."""
    trees = {"base": checkout(base, room / "base"), "now": checkout("HEAD", room / "now")}
    least: dict[tuple[str, str], float] = {}
    for turn in range(repeat):
        for version, tree in trees.items():
            cache = room / f"cache-{version}-{turn}"
            for name, code in MOMENTS:
                seconds = processor_seconds(python, code, tree, cache)
                least[name, version] = min(seconds, least.get((name, version), seconds))
            seconds = page_seconds(python, tree, room / f"page-{version}-{turn}")
            least[PAGE, version] = min(seconds, least.get((PAGE, version), seconds))
    for name in (*dict(MOMENTS), PAGE):
        was, now = least[name, "base"], least[name, "now"]
        print(f"{name:30} {was:7.2f} s {now:7.2f} s   ratio {now / was:.2f}")


def cold_starts(python: str, room: Path, times: int) -> None:
    """Start three cold processes at once, then a fourth one; print how many trials went well."""
    well, two_days = 0, program(TWO_DAYS, ROOT)
    for trial in range(times):
        own = environment(ROOT, room / f"trial-{trial}")
        together = [
            subprocess.Popen([python, "-c", two_days], cwd=ROOT, env=own, stderr=subprocess.DEVNULL) for _ in range(3)
        ]
        ended = [process.wait() for process in together]
        ended.append(subprocess.run([python, "-c", two_days], cwd=ROOT, env=own, check=False).returncode)
        well += ended == [0, 0, 0, 0]
    print(f"cold starts of three processes and one more: {well} of {times} went well")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="commit to compare with")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--trials", type=int, default=10)
    given = parser.parse_args()
    packages = subprocess.check_output([given.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    subprocess.run([given.python, "-m", "compileall", "-q", packages.decode().strip()], check=False)  # as pip does
    with tempfile.TemporaryDirectory() as room:
        if given.repeat:
            ratios(given.python, given.base, Path(room), given.repeat)
        cold_starts(given.python, Path(room), given.trials)


if __name__ == "__main__":
    main()
