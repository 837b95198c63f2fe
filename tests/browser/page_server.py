"""A server of the pages in a process of its own, started far from the sources; it can be killed and started again."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from watching import PATIENCE_MS

START = (
    "import sys; from meanwatt.analysis.cli import main;"
    " raise SystemExit(main(['app', '--no-browser', '--port', sys.argv[1], '--rooms', *sys.argv[2:]]))"
)


class PageServer:
    """Started at once; ``address`` is where it answers, the same after another start, ``opening`` what it opens.

    Parameters
    ----------
    folder
        Where it works, and keeps its log and the rooms of the class market.
    given
        Scenario and options of ``meanwatt app``; the folder is where it looks for files.
    """

    def __init__(self, folder: Path, given: Sequence[str] = ()) -> None:
        self._folder, self._port, self._given = folder, 0, given
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLARA_", "COV_"))}
        with (self._folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(self._port), str(self._folder / "rooms.db"), *self._given],
                cwd=self._folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        found: list[str] = []

        def read() -> None:
            for line in self.process.stdout:
                found.extend(re.findall(r"http://\S+", line))

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        for _ in range(PATIENCE_MS // 100):
            if found or self.process.poll() is not None:
                break
            self._reader.join(0.1)
        assert found, f"the server did not start: {(self._folder / 'log').read_text()}"
        self.opening = found[0]
        self.address = self.opening.partition("/?")[0]
        self._port = int(self.address.rpartition(":")[2])

    def kill(self) -> None:
        """End it without a warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def close(self) -> None:
        """End it in good order."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.kill()
