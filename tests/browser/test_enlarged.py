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


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_an_enlarged_page_needs_no_sideways_scroll(visit, entry) -> None:
    page = visit(entry.route.removeprefix("/"), ready=False, viewport=SCREEN)
    page.wait_for_selector(SOLVED[entry.title])
    for percent in (200, 400):
        size = {name: pixels * 100 // percent for name, pixels in SCREEN.items()}
        page.set_viewport_size(size)
        page.wait_for_function(f"({TOO_WIDE})().length === 0")  # charts measure anew
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_who_asks_for_less_motion_sees_none(visit) -> None:
    moving = {}
    for calm in (True, False):
        page = visit("compare?scenario=textbook", ready=False, calm=calm)
        page.wait_for_selector(SOLVED["Compare"])
        moving[calm] = page.evaluate(MOVES)
    assert moving[True] == 0
    assert moving[False] > 0
