"""Pages enlarged to 200 % and 400 %, as a reader with weak eyes has them, and pages that hold still for who asks."""

import pytest
from test_pages import SOLVED

from meanwatt.analysis.dashboard.pages import PAGES

SCREEN = {"width": 1280, "height": 720}
MOVES = """() => [...document.querySelectorAll('.mw, .mw *')].map((one) => getComputedStyle(one))
    .filter((style) => style.transitionDuration.split(', ').some((time) => parseFloat(time) > 0)
        && style.transitionProperty !== 'none' || style.animationName !== 'none').length"""
TOO_WIDE = """() => [...document.querySelectorAll('.mw *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !one.closest('[class*=scroll], .mw-tray-list, .mw-nav ul, svg, table, pre, .mw-only-heard'))
    .map((one) => one.outerHTML.slice(0, 90))"""
"""What reaches beyond the window, but for what scrolls by itself."""


@pytest.mark.parametrize("percent", [200, 400])
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_an_enlarged_page_needs_no_sideways_scroll(visit, entry, percent: int) -> None:
    viewport = {name: size * 100 // percent for name, size in SCREEN.items()}
    page = visit(entry.route.removeprefix("/"), ready=False, viewport=viewport)
    page.wait_for_selector(SOLVED[entry.title])
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], page.evaluate(TOO_WIDE)
    assert page.evaluate(TOO_WIDE) == []


def test_who_asks_for_less_motion_sees_none(visit) -> None:
    moving = {}
    for calm in (True, False):
        page = visit("compare?scenario=textbook", ready=False, calm=calm)
        page.wait_for_selector(SOLVED["Compare"])
        moving[calm] = page.evaluate(MOVES)
    assert moving[True] == 0
    assert moving[False] > 0
