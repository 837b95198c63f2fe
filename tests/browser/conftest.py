"""One served page and one headless Chromium for each file; every visit is watched for what must never happen."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from watching import PATIENCE_MS, watch

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
EXECUTABLE = next((path for path in map(shutil.which, CHROMIUM) if path), None)
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if EXECUTABLE is None:
                item.add_marker(pytest.mark.skip(reason=f"no Chromium found: install one of {', '.join(CHROMIUM)}"))


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running in this thread
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox", *quiet])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page served by a process of its own, started far from the sources."""
    code = "from meanwatt.analysis.dashboard.server import serve; raise SystemExit(serve(0, False))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLARA_", "COV_"))}
    log = (tmp_path_factory.mktemp("server") / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    found: list[str] = []

    def read() -> None:
        for line in process.stdout:
            found.extend(re.findall(r"http://\S+", line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        for _ in range(PATIENCE_MS // 100):
            if found or process.poll() is not None:
                break
            reader.join(0.1)
        log.seek(0)
        assert found, f"the server did not start: {log.read()}"
        yield found[0]
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
        process.stdout.close()
        log.close()


@pytest.fixture
def visit(browser, address: str) -> Iterator[Callable]:
    """Open the page as a fresh visitor; at the end nothing may have gone wrong in any visit."""
    contexts, wrong = [], []
    host = urlsplit(address).netloc

    def open_page(query: str = "", *, calm: bool = True, ready: bool = True, **options):
        settings = {"viewport": {"width": 1280, "height": 800}, "accept_downloads": True} | options
        context = browser.new_context(reduced_motion="reduce" if calm else "no-preference", **settings)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()

        def is_ours(url: str) -> bool:
            parts = urlsplit(url)
            return parts.scheme not in ("http", "https", "ws", "wss") or parts.netloc == host

        watch(page, wrong, is_ours)
        page.goto(f"{address}/{query}")
        if ready:
            page.wait_for_selector(".mw-play:not([disabled])")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
