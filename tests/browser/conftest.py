"""One server for each process that runs tests, one headless Chromium for each file; every visit is watched.

Visitors share a server as they do at home: what a test needs to be alone with has a server of its own. Opening a page
is most of what a test costs, so a fresh visitor may get the profile of one who has left, with nothing in it but cached
files.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_server import PageServer
from watching import PATIENCE_MS, watch

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
EXECUTABLE = next((path for path in map(shutil.which, CHROMIUM) if path), None)
AT_ONCE = """try {
    if (localStorage.getItem("meanwatt:at-once") === null) { localStorage.setItem("meanwatt:at-once", "%d"); }
} catch (error) { /* a page without an address keeps nothing */ }"""
"""A visitor who chose whether changes of the form act at once."""
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
    quiet.append("--in-process-gpu")  # there is none: what it would draw goes no detour by another process
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox", *quiet])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the pages."""
    server = PageServer(tmp_path_factory.mktemp("server"))
    yield server.address
    server.close()


@pytest.fixture(scope="module")
def profiles(browser) -> Iterator[dict[str, list]]:
    """Profiles of visits that are over, by their settings: the files of the pages are in their caches."""
    free: dict[str, list] = {}
    yield free
    for context in (context for same in free.values() for context in same):
        context.close()


def forget(context, page, address: str) -> None:
    """Leave nothing of earlier visits but the cache of files."""
    context.clear_cookies()
    context.clear_permissions()
    session = context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
    session.detach()


@pytest.fixture
def visit(browser, profiles: dict[str, list], address: str) -> Iterator[Callable]:
    """Open the page as a fresh visitor; at the end nothing may have gone wrong in any visit."""
    contexts, wrong = [], []
    host = urlsplit(address).netloc

    def open_page(
        query: str = "",
        *,
        calm: bool = True,
        ready: bool = True,
        at_once: bool | None = False,
        clock: bool = False,
        **options,
    ):
        settings = {"viewport": {"width": 1280, "height": 800}, "accept_downloads": True} | options
        settings["reduced_motion"] = "reduce" if calm else "no-preference"
        same = repr((sorted(settings.items()), at_once, clock))
        if profiles.get(same):
            context = profiles[same].pop()
            page = context.new_page()
            forget(context, page, address)
        else:
            context = browser.new_context(**settings)
            context.set_default_timeout(PATIENCE_MS)
            if at_once is not None:  # else it depends on how fast this machine is
                context.add_init_script(AT_ONCE % int(at_once))
            page = context.new_page()
        contexts.append((same, context, clock))

        def is_ours(url: str) -> bool:
            parts = urlsplit(url)
            return parts.scheme not in ("http", "https", "ws", "wss") or parts.netloc == host

        watch(page, wrong, is_ours)
        if clock:  # the test's, which it may put forward
            page.clock.install()
        page.goto(f"{address}/{query}")
        if ready:
            page.wait_for_selector(".mw-play:not([disabled])")
        return page

    yield open_page
    for same, context, altered in contexts:
        if altered:
            context.close()
            continue
        for page in context.pages:
            page.close()
        profiles.setdefault(same, []).append(context)
    assert wrong == []
