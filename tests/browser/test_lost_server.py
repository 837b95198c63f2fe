"""A server that goes: one sentence and a button stand on the page, and nothing of the framework's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_server import PageServer
from watching import PATIENCE_MS, expect

SENTENCE = "The connection to the server is lost, and what you see stands still: reload the page to go on."
THEIRS = ".v-overlay, .v-dialog__content, .v-application--wrap > .v-alert"
"""Where the framework would say it."""


@pytest.fixture
def server(browser, tmp_path: Path) -> Iterator[PageServer]:
    started = PageServer(tmp_path)
    yield started
    started.close()


def said(page) -> None:
    """Check what a lost page says, and that nothing lies over it."""
    page.wait_for_selector(".mw-lost-now")
    expect(page.locator(".mw-lost p").first).to_have_text(SENTENCE, use_inner_text=True)
    expect(page.locator(".mw-lost[role=alert] button")).to_have_text("Reload", use_inner_text=True)
    assert [one for one in page.locator(THEIRS).all() if one.is_visible()] == []
    above = "document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('.mw') !== null"
    assert page.evaluate(above)


def test_a_page_whose_server_is_gone_says_so_and_goes_on_when_it_is_loaded_again(browser, server: PageServer) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    market, reader = context.new_page(), context.new_page()
    market.goto(f"{server.address}/?scenario=textbook&households=90")
    market.wait_for_selector(".mw-play:not([disabled])")
    reader.goto(f"{server.address}/help")
    reader.wait_for_selector(".mw-help-entry")
    for page in (market, reader):
        expect(page.locator(".mw-lost")).to_have_text("", use_inner_text=True)
    server.kill()
    for page in (market, reader):
        said(page)
    server.start()  # the sessions are gone with the old one
    market.wait_for_function("document.querySelector('#app').__vue__.$root.needsRefresh")
    said(market)
    market.click(".mw-lost button")
    market.wait_for_selector(".mw-play:not([disabled])")
    market.wait_for_selector(".mw-lost:not(.mw-lost-now)", state="attached")
    expect(market.locator(".mw-top").first).to_contain_text("90 homes", use_inner_text=True)
    context.close()
