"""Visits that were opened and closed leave nothing behind in the server: as many objects of every type as before.

The server runs in a process of its own and counts its objects when the test asks; visitors speak its protocol.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_visitor import PageVisitor

VISITS = 6
"""Enough that one object a visit stands out; 200 of them are in benchmarks/visitors.py."""
ROUNDS = 3
"""What visits leave behind grows in every one; what a busy server makes late, but once, does not."""
SEEDS = 3
"""Settings are keys of caches that hold the last few: those of all visits are known before the first count."""
COUNTING = """
import collections, gc, json, sys, threading, time
from pathlib import Path
from meanwatt.analysis.dashboard.server import serve
from solara.server.kernel_context import contexts

OURS = ("meanwatt.", "solara.", "reacton.", "ipyvue", "ipywidgets.", "mesa.", "starlette.", "websockets.", "anyio.")

def count():
    for _ in sys.stdin:
        while contexts:  # visitors on their way out
            time.sleep(0.05)
        for _ in range(3):
            gc.collect()
        found = collections.Counter(
            f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects()
            if type(one).__module__.startswith(OURS)
        )
        found["threads"] = threading.active_count()
        print(json.dumps(found), flush=True)

threading.Thread(target=count, daemon=True).start()
serve(0, False, rooms=Path(sys.argv[1]))
"""


class Counted:
    """A server that counts its objects."""

    def __init__(self, folder: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLARA_", "COV_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", COUNTING, str(folder / "rooms.db")],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = self.process.stdout.readline().split()[3]

    def objects(self) -> dict[str, int]:
        """How many there are by type, once nobody is there."""
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Counted]:
    counted = Counted(tmp_path)
    yield counted
    counted.process.terminate()
    counted.process.wait()
    counted.process.stdin.close()
    counted.process.stdout.close()


async def visit(address: str, number: int) -> None:
    """Open the market of the smallest town, step a day, and leave."""
    visitor = await PageVisitor.open(address, f"/?scenario=textbook&seed={number % SEEDS}")
    await visitor.until(lambda one: one.payload("drive")["ready"])
    await visitor.report("drive", "step")
    await visitor.until(lambda one: one.payload("drive")["day"] == 1)
    await visitor.close()


def test_visits_that_are_over_leave_as_many_objects_of_every_type_as_before(server: Counted) -> None:
    for number in range(SEEDS):  # what is made once: caches, first bests, pools of threads
        asyncio.run(visit(server.address, number))
    after = settled(server)
    for _ in range(ROUNDS):
        before = after
        for number in range(VISITS):
            asyncio.run(visit(server.address, number))
        after = server.objects()
        grown = {name: count - before.get(name, 0) for name, count in after.items()}
        left = {name: more for name, more in grown.items() if more >= VISITS}
        if not left:
            return
    assert left == {}


def settled(server: Counted) -> dict[str, int]:
    """The count once what goes on in the background, the warm start and first bests, has come to rest."""
    before, now = {}, server.objects()
    for _ in range(VISITS):  # what leaks never rests
        if before == now:
            break
        before = now
        asyncio.run(visit(server.address, 0))
        now = server.objects()
    return now
