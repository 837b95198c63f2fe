"""The market in Mesa's own page asks nothing of another host, started as its first line says."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from watching import PATIENCE_MS, watch

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "solaraviz.py"


@pytest.fixture
def example(tmp_path: Path):
    """Address of the example, started by the command in its docstring."""
    command = re.search(r"``(SOLARA.*?)``", EXAMPLE.read_text(), re.DOTALL)
    assert command is not None
    settings, _, given = command[1].replace("\n", " ").partition(" uv run ")
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    words = [
        *shlex.split(given.replace(str(EXAMPLE.relative_to(ROOT)), str(EXAMPLE))),
        "--no-open",
        "--port",
        str(port),
    ]
    words[0] = str(Path(sys.executable).with_name(words[0]))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLARA_", "COV_"))}
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env=environment | dict(one.split("=") for one in settings.split()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    ends = time.monotonic() + PATIENCE_MS / 1000
    while not _answers(address):
        assert process.poll() is None
        assert time.monotonic() < ends, "it does not answer"
    yield address
    process.terminate()
    process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address):
            return True
    except OSError:
        return False


def test_the_example_in_mesas_own_page_asks_nothing_of_another_host(browser, example: str) -> None:
    wrong: list[str] = []
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch(page, wrong, lambda url: url.split("/")[2].startswith("localhost:") or url.startswith(("data:", "blob:")))
    page.goto(example)
    page.get_by_role("button", name="Step").click()
    page.wait_for_function("document.querySelectorAll('svg, img').length >= 2")  # both its figures
    context.close()
    assert wrong == []
