"""A class that looks at the market page: each visitor steps his own market, and how long the others make him wait.

    uv run python benchmarks/visitors.py                          # 30 visitors: seconds, memory, first paint
    uv run python benchmarks/visitors.py --base COMMIT            # in turns with the program of another commit
    uv run python benchmarks/visitors.py --peer                   # Mesa's SolaraViz beside it, 1 and 20 visitors
    uv run python benchmarks/visitors.py --leave 200              # what so many visits leave behind

A server in a process of its own; the visitors are sockets of this process, which draw nothing
(``tests/page_visitor.py``). Every two seconds each steps a market of 1,000 homes of his own, and a step ends when its
last message is here. Then they sit there, and the server's memory is read. A real Chromium opens the page of the warm
server by itself. Other programs share the machine: of ``--runs`` the one with the best 95th percentile is printed, and
what is compared is measured in turns.
"""

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # the visitor is the tests'

from page_visitor import PageVisitor  # noqa: E402

START = (
    "import sys; from pathlib import Path; from meanwatt.analysis.dashboard.server import serve;"
    " raise SystemExit(serve(0, False, rooms=Path(sys.argv[1])))"
)
PEER = ROOT / "benchmarks" / "solaraviz_market.py"
PEER_PORT = 8931
EVERY_SECONDS = 2.0
"""Between two steps of one visitor."""
MIB = 2**20
WARM_SECONDS = 25.0
"""What the server's own warm start takes."""
PAINTED = (
    "() => { const note = () => document.querySelector('.mw-chart path, .mw-charts svg path, .mw-charts svg polyline')"
    " ? (window.painted = performance.now()) : requestAnimationFrame(note); note(); }"
)


@dataclass(frozen=True)
class Found:
    """What one run found.

    Attributes
    ----------
    step_ms
        From a step to its last message, of every step.
    idle_mib
        The server's memory for each visitor who has stepped and now sits there.
    kib
        What reaches a visitor for a step.
    processor_ms
        The server's processor time for a step.
    """

    step_ms: list[float]
    idle_mib: float
    kib: float
    processor_ms: float

    @property
    def p95(self) -> float:
        """95th percentile of a step. [ms]"""
        return float(np.quantile(self.step_ms, 0.95))


@contextmanager
def started(command: list[str], root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOLARA_")}
    given = {"PYTHONPATH": str(root), "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False", "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment | given)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


@contextmanager
def server(root: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A warm server of the program at ``root``; its address and process."""
    with started([sys.executable, "-c", START, "rooms.db"], root) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        time.sleep(WARM_SECONDS)
        yield found[0], psutil.Process(process.pid)


@contextmanager
def peer_server() -> Iterator[tuple[str, psutil.Process]]:
    """Mesa's page of the same market."""
    solara = str(Path(sys.executable).with_name("solara"))
    command = [solara, "run", str(PEER), "--production", "--no-open", "--host", "localhost", "--port", str(PEER_PORT)]
    address = f"http://localhost:{PEER_PORT}"
    with started(command, ROOT) as process:
        while not _answers(address):
            time.sleep(1)
        yield address, psutil.Process(process.pid)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):
            return True
    except OSError:
        return False


def memory(process: psutil.Process) -> float:
    """What a process holds and no other does. [MiB]"""
    return float(process.memory_full_info().uss / MIB)


def processor(process: psutil.Process) -> float:
    """Processor time so far. [s]"""
    times = process.cpu_times()
    return float(times.user + times.system)


class Ours(PageVisitor):
    """A visitor of the market page."""

    @classmethod
    async def come(cls, address: str, number: int) -> "Ours":
        """Open the page of a market of one's own."""
        visitor = await cls.open(address, f"/?seed={number}")
        await visitor.until(lambda one: one.payload("drive")["ready"])
        return visitor

    async def step(self) -> None:
        """Press *Step one day*."""
        await self.report("drive", "step")


class Peers(PageVisitor):
    """A visitor of Mesa's page."""

    @classmethod
    async def come(cls, address: str, number: int) -> "Peers":
        """Open the page, and wait until both its figures are drawn."""
        visitor = await cls.open(address, f"/?number={number}")
        await visitor.until(lambda one: one.button() is not None)
        await asyncio.sleep(5)
        return visitor

    def button(self) -> str | None:
        """Which widget is *Step*, once it is there."""
        self.look()
        return next((key for key, state in self.widgets.items() if state.get("children") == ["Step"]), None)

    async def step(self) -> None:
        """Press *Step*."""
        await self.report("click", {}, self.button())


async def stepping(visitor: Ours | Peers, steps: int, begins: float) -> list[float]:
    """Step every two seconds, or as soon as the step before is done; each step's time to its last message. [ms]"""
    times = []
    await asyncio.sleep(begins)
    for _ in range(steps):
        began = time.perf_counter()
        ends = asyncio.create_task(asyncio.sleep(EVERY_SECONDS))
        await visitor.step()
        await ends
        times.append(1000 * (visitor.last_came - began))
    return times


async def visits(
    kind: type[Ours] | type[Peers], address: str, process: psutil.Process, visitors: int, steps: int
) -> Found:
    """Let visitors come, step, sit there, and go."""
    first = await kind.come(address, visitors)
    await first.step()
    await first.close()
    await asyncio.sleep(3)
    before = memory(process)
    rng = np.random.default_rng(0)
    there = await asyncio.gather(*(kind.come(address, number) for number in range(visitors)))
    for visitor in there:
        await visitor.step()
    received, used = sum(one.received_bytes for one in there), processor(process)
    begins = rng.uniform(0, EVERY_SECONDS, visitors)
    times = await asyncio.gather(*(stepping(one, steps, wait) for one, wait in zip(there, begins, strict=True)))
    used = processor(process) - used
    received = sum(one.received_bytes for one in there) - received
    if kind is Ours:
        assert {one.payload("drive")["day"] for one in there} == {steps + 1}
    await asyncio.sleep(3)
    idle = (memory(process) - before) / visitors
    for visitor in there:
        await visitor.close()
    count = visitors * steps
    return Found(
        step_ms=[one for ours in times for one in ours],
        idle_mib=idle,
        kib=received / count / 1024,
        processor_ms=1000 * used / count,
    )


async def leaving(address: str, process: psutil.Process, count: int) -> list[float]:
    """The server's memory while visits are opened, stepped and closed one after another, in eight readings. [MiB]"""
    readings = []
    for number in range(count + 1):
        visitor = await Ours.come(address, number)
        await visitor.step()
        await visitor.close()
        if number % max(1, count // 8) == 0:
            await asyncio.sleep(3)  # the framework collects what was closed
            readings.append(memory(process))
    return readings


def paints(address: str, times: int = 7) -> list[float]:
    """When the first curve is on the page, of a fresh visitor each, in a real browser. [ms]"""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(times):
            context = browser.new_context(viewport={"width": 1280, "height": 720})
            page = context.new_page()
            page.add_init_script(f"({PAINTED})()")
            page.goto(address)
            page.wait_for_function("window.painted", timeout=120_000)
            found.append(page.evaluate("window.painted"))
            context.close()
        browser.close()
    return found


def told(name: str, found: Found) -> None:
    """Print a row."""
    half, p95, worst = np.quantile(found.step_ms, [0.5, 0.95, 1])
    times = f"{half:7.0f} {p95:7.0f} {worst:7.0f}"
    rest = f"{found.idle_mib:9.1f} {found.kib:9.1f} {found.processor_ms:9.1f}   load {os.getloadavg()[0]:.1f}"
    print(f"{name:28} {times} {rest}", flush=True)


@contextmanager
def checked_out(commit: str | None) -> Iterator[Path | None]:
    """Another commit in a folder of its own."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "base"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", place, commit], check=True, cwd=ROOT)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", place], check=True, cwd=ROOT)


def ours(given: argparse.Namespace) -> None:
    """The market page by itself, or in turns with another commit's."""
    with checked_out(given.base) as base:
        roots = {"this": ROOT} | ({given.base: base} if base else {})
        found: dict[str, list[Found]] = {name: [] for name in roots}
        painted: dict[str, list[float]] = {name: [] for name in roots}
        for _ in range(given.runs):
            for name, root in roots.items():
                with server(root) as (address, process):
                    found[name].append(asyncio.run(visits(Ours, address, process, given.visitors, given.steps)))
                    told(f"{name}, {given.visitors} visitors", found[name][-1])
                    painted[name] += paints(address)
        print()
        for name in roots:
            told(f"{name}, best run", min(found[name], key=lambda one: one.p95))
            least, middle = min(painted[name]), statistics.median(painted[name])
            print(f"{'':28} first curve in Chromium: median {middle:.0f} ms, least {least:.0f} ms")


def beside(given: argparse.Namespace) -> None:
    """The market page and SolaraViz in turns, with 1 and with 20 visitors."""
    with server(ROOT) as mine, peer_server() as theirs:
        for count in (1, 20):
            pairs = []
            for _ in range(given.runs):
                one = asyncio.run(visits(Ours, *mine, count, given.steps))
                other = asyncio.run(visits(Peers, *theirs, count, given.steps))
                told(f"market page, {count}", one)
                told(f"SolaraViz, {count}", other)
                pairs.append(float(np.median(other.step_ms) / np.median(one.step_ms)))
            ratios = ", ".join(f"{pair:.1f}" for pair in pairs)
            print(f"{count} visitors: SolaraViz takes {ratios} times as long (medians)", flush=True)


def main() -> None:
    """Start servers, send visitors, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("visitors", 30), ("steps", 10), ("runs", 3), ("leave", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--base", metavar="COMMIT")
    parser.add_argument("--peer", action="store_true")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {', '.join(f'{one:.1f}' for one in os.getloadavg())}")
    if given.leave:
        with server(ROOT) as (address, process):
            readings = asyncio.run(leaving(address, process, given.leave))
        print(f"{given.leave} visits: {', '.join(f'{one:.0f}' for one in readings)} MiB")
        return
    head = f"{'p50 ms':>7} {'p95 ms':>7} {'max ms':>7} {'MiB idle':>9} {'KiB/step':>9} {'CPU ms':>9}"
    print(f"{'':28} {head}")
    if given.peer:
        beside(given)
    else:
        ours(given)


if __name__ == "__main__":
    main()
