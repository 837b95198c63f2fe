"""A class that looks at the market page: each visitor steps his own market, and how long the others make him wait.

    uv run python benchmarks/visitors.py [--visitors 30] [--steps 10] [--runs 3] [--base COMMIT] [--peer]

A server in a process of its own; the visitors are sockets of this process, which draw nothing (``tests/page_visitor.py``).
Every two seconds each steps a market of 1,000 homes of his own; a step ends when its last message is here. Then they sit
idle, and the server's memory is read. A real Chromium opens the page by itself, when the server is warm. ``--base`` does
all this with the program of another commit, too, in turns. ``--peer`` times Mesa's SolaraViz with the same market, in
turns with ours. Two programs share a machine badly: of the runs the one with the best 95th percentile is printed.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # the visitor is the tests'

from page_visitor import PageVisitor

START = (
    "import sys; from pathlib import Path; from meanwatt.analysis.dashboard.server import serve;"
    " raise SystemExit(serve(0, False, rooms=Path(sys.argv[1])))"
)
EVERY_SECONDS = 2.0
"""Between two steps of one visitor."""
MIB = 2**20
WARM_SECONDS = 25.0
"""What the server's own warm start takes at most."""
WANTED = {"p95": 250.0, "idle": 20.0, "paint": 1500.0}
"""ms, MiB, ms."""


@dataclass(frozen=True)
class Found:
    """What one run found.

    Attributes
    ----------
    step_ms
        From a step to its last message, of every step.
    idle_mib
        The server's memory for each visitor who has stepped and now sits there.
    left_mib
        What is left for each after all have gone.
    kib
        Bytes that reach a visitor for a step. [KiB]
    processor_ms
        The server's processor time for a step.
    """

    step_ms: list[float]
    idle_mib: float
    left_mib: float
    kib: float
    processor_ms: float

    @property
    def p95(self) -> float:
        """95th percentile of a step. [ms]"""
        return float(np.quantile(self.step_ms, 0.95))


@contextmanager
def server(root: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A warm server of the program at ``root``; its address and process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SOLARA_")}
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(Path(folder) / "rooms.db")],
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=environment | {"PYTHONPATH": str(root)},
        )
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            time.sleep(WARM_SECONDS)
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def memory(process: psutil.Process) -> float:
    """What a process holds and no other does. [MiB]"""
    return process.memory_full_info().uss / MIB


def processor(process: psutil.Process) -> float:
    """Processor time so far. [s]"""
    times = process.cpu_times()
    return times.user + times.system


async def stepping(visitor: PageVisitor, steps: int, begins: float) -> list[float]:
    """Step every two seconds; each step's time to its last message. [ms]"""
    times = []
    await asyncio.sleep(begins)
    for _ in range(steps):
        began = time.perf_counter()
        ends = asyncio.create_task(asyncio.sleep(EVERY_SECONDS))
        await visitor.report("drive", "step")
        await ends
        times.append(1000 * (visitor.last_came - began))
    return times


async def visits(address: str, process: psutil.Process, visitors: int, steps: int) -> Found:
    """Let visitors come, step, sit there, and go."""

    async def come(number: int) -> PageVisitor:
        visitor = await PageVisitor.open(address, f"/?seed={number}")
        await visitor.until(lambda one: one.payload("drive")["ready"])
        return visitor

    await (await come(0)).close()
    await asyncio.sleep(3)
    before = memory(process)
    rng = np.random.default_rng(0)
    there = await asyncio.gather(*(come(number) for number in range(visitors)))
    for visitor in there:
        await visitor.report("drive", "step")
    bytes_before, used = sum(one.received_bytes for one in there), processor(process)
    begins = rng.uniform(0, EVERY_SECONDS, visitors)
    times = await asyncio.gather(*(stepping(one, steps, wait) for one, wait in zip(there, begins, strict=True)))
    used = processor(process) - used
    received = sum(one.received_bytes for one in there) - bytes_before
    for visitor, ours in zip(there, times, strict=True):
        assert visitor.payload("drive")["day"] == steps + 1 == len(ours) + 1
    await asyncio.sleep(3)
    idle = (memory(process) - before) / visitors
    for visitor in there:
        await visitor.close()
    await asyncio.sleep(5)
    count = visitors * steps
    return Found(
        step_ms=[time_ms for ours in times for time_ms in ours],
        idle_mib=idle,
        left_mib=(memory(process) - before) / visitors,
        kib=received / count / 1024,
        processor_ms=1000 * used / count,
    )


def main() -> None:
    """Start servers, send visitors, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("visitors", 30), ("steps", 10), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    for _ in range(given.runs):
        with server(ROOT) as (address, process):
            found = asyncio.run(visits(address, process, given.visitors, given.steps))
        q = np.quantile(found.step_ms, [0.5, 0.95, 1])
        print(q, found.idle_mib, found.left_mib, found.kib, found.processor_ms, os.getloadavg(), flush=True)


if __name__ == "__main__":
    main()
