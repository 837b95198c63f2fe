"""A class of forty at work: how long from a tap to the mark, and from the teacher's button to the last picture.

    uv run python benchmarks/class_market.py [--students 40] [--households 5000] [--rounds 10]

A server in a process of its own; the students and the teacher are sockets of this process, which draw nothing. In
every round all students send their plans within two seconds, each changed once, then the teacher lives the day.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

START = "from pathlib import Path; from meanwatt.analysis.dashboard.server import serve; import sys;"
LETTERS = "rsud"
SPREAD_SECONDS = 2.0


class Client:
    """One socket: what it sees, and what it is answered."""

    def __init__(self, line: ClientConnection) -> None:
        self.line, self.view, self.changed = line, {}, asyncio.Event()
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.number = 0
        self.reader = asyncio.create_task(self.read())

    async def read(self) -> None:
        """Take every message."""
        async for text in self.line:
            message = json.loads(text)
            if "view" in message:
                self.view = message["view"]
                self.changed.set()
            elif "id" in message:
                self.waiting.pop(message["id"]).set_result(message)

    async def ask(self, **given: Any) -> float:
        """Ask, and wait for the answer. [s]"""
        self.number += 1
        answer = self.waiting[self.number] = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        await self.line.send(json.dumps({**given, "id": self.number}))
        if "refused" in (got := await answer):
            raise RuntimeError(got["refused"])
        return time.perf_counter() - begun

    async def until(self, round_: int) -> float:
        """Wait until a round is seen; when. [s]"""
        while self.view.get("round", -1) < round_ or not self.view.get("ready"):
            self.changed.clear()
            await self.changed.wait()
        return time.perf_counter()


def post(address: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """One question."""
    request = urllib.request.Request(address + path, data=json.dumps(given).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def play(address: str, students: int, households: int, rounds: int) -> tuple[list[float], list[float]]:
    """Let the class play; seconds from tap to mark, and from the teacher's button to the last picture."""
    rng = np.random.default_rng(0)
    room = post(address, "/class/rooms", {"scenario": "oahu", "tariff": "filed", "households": households})
    place = address.replace("http", "ws") + "/class/socket"
    async with connect(place) as line:
        await line.send(json.dumps({"key": room["key"]}))
        teacher = Client(line)
        await teacher.until(0)
        everybody = []
        for number in range(students):
            token = post(address, "/class/join", {"code": room["code"], "name": f"S{number}"})["token"]
            own = await connect(place)
            await own.send(json.dumps({"token": token}))
            everybody.append(Client(own))
        marks, pictures = [], []
        for number in range(rounds):
            await asyncio.gather(*(student.until(number) for student in everybody))

            async def plan(student: Client, number: int = number) -> None:
                for _ in range(2):
                    await asyncio.sleep(rng.uniform(0, SPREAD_SECONDS / 2))
                    letters = "".join(rng.choice(list(LETTERS), 24))
                    marks.append(await student.ask(plan=letters, round=number))

            await asyncio.gather(*(plan(student) for student in everybody))
            begun = time.perf_counter()
            asked = asyncio.create_task(teacher.ask(do="next", round=number))
            seen = await asyncio.gather(*(one.until(number + 1) for one in [teacher, *everybody]))
            pictures.append(max(seen) - begun)
            await asked
        for student in everybody:
            await student.line.close()
    return marks, pictures


def main() -> None:
    """Start a server, play, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("students", 40), ("households", 5000), ("rounds", 10)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        code = f"{START} raise SystemExit(serve(0, False, rooms=Path(sys.argv[1])))"
        server = subprocess.Popen(
            [sys.executable, "-c", code, str(Path(folder) / "rooms.db")], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found is not None
        try:
            time.sleep(20)  # the page's own warm start
            before = psutil.Process(server.pid).cpu_times()
            marks, pictures = asyncio.run(play(found[0], given.students, given.households, given.rounds))
            after = psutil.Process(server.pid).cpu_times()
        finally:
            server.terminate()
            server.wait()
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{given.students} students, {given.households} homes, {given.rounds} days, {os.cpu_count()} cores")
    for name, seconds in (("tap to mark", marks), ("next to last picture", pictures)):
        middle, late = np.quantile(seconds, [0.5, 0.95])
        print(f"{name:21} p50 {1000 * middle:5.0f} ms   p95 {1000 * late:5.0f} ms   n {len(seconds)}")
    print(f"server {after.user + after.system - before.user - before.system:.1f} s of processor time,", end=" ")
    print(f"clients {own.ru_utime + own.ru_stime:.1f} s")


if __name__ == "__main__":
    main()
