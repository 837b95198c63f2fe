"""Every page as axe-core judges it by WCAG 2.2, levels A and AA, light and dark; enlarged; without motion.

A page is opened once for all of that: opening costs more than what is asked.
"""

from collections.abc import Iterator

import pytest
from test_pages import SOLVED
from watching import PATIENCE_MS

from meanwatt.analysis.dashboard.pages import PAGES

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OPTIONS = {"runOnly": list(RULES), "resultTypes": ["violations"]}
QUERIES = {
    "Market": "?scenario=textbook&nonsense=1",  # a notice stands on it, too
    "Compare": "compare?scenario=textbook&a=filed&b=rtp",
    "Bills": "bills?scenario=textbook&tariff=pge_e_tou_c",
    "Finite market": "finite?scenario=textbook&markets=5",
    "Leader": "leader?evaluations=5&run=1",
    "Learners": "learners?days=4&households=100",
}
LAST = {
    "Compare": '.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))',
    "Finite market": ".mw-sizes-gain",
    "Leader": ".mw-files",
    "Learners": ".mw-learner-files",
}
"""What comes last on pages that go on computing."""

SCREEN = {"width": 1280, "height": 800}
ENLARGED = {"width": 1280, "height": 720}
SWITCH = {"light": "☀ Light", "dark": "☾ Dark"}
"""Schemes of colours, and what the switch to each says."""
MOVES = """() => [...document.querySelectorAll('.mw, .mw *')].map((one) => getComputedStyle(one))
    .filter((style) => style.transitionDuration.split(', ').some((time) => parseFloat(time) > 0)
        && style.transitionProperty !== 'none' || style.animationName !== 'none').length"""
TOO_WIDE = """() => [...document.querySelectorAll('.mw *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !one.closest('[class*=scroll], .mw-tray-list, .mw-nav ul, svg, table, pre, .mw-only-heard'))
    .map((one) => one.outerHTML.slice(0, 90))"""
"""What reaches beyond the window, but for what scrolls by itself."""


def violations(page) -> list[str]:
    """What axe finds, a line each: rule, where, and why. The page must stand still while it looks."""
    found = axe.Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {node['target']}: {node['failureSummary']}" for one in found for node in one["nodes"]]


def unfold(page) -> None:
    """Open whatever hides something."""
    page.eval_on_selector_all("details", "all => all.filter((one) => !one.name).forEach((one) => { one.open = true; })")
    page.wait_for_function(
        "[...document.querySelectorAll('details')].every((one) => one.querySelector('summary').innerText !=="
        " 'Show as table' || one.querySelector('table') || !one.getBoundingClientRect().width)"
    )


def turned(page, title: str, scheme: str) -> None:
    """Give a page the colours of a scheme, by its own switch."""
    if title == "Class market":  # takes its colours when it is opened
        page.evaluate("(scheme) => localStorage.setItem(':solara:theme.variant', JSON.stringify(scheme))", scheme)
        page.reload()
        page.wait_for_selector(SOLVED[title])
        return
    here = f"document.querySelector('#app').classList.contains('theme--{scheme}')"
    if not page.evaluate(here):
        page.click(f"text={SWITCH[scheme]}")
    page.wait_for_function(here)


@pytest.fixture(scope="module")
def tab(browser) -> Iterator:
    """One tab for all pages; reduced motion, so that nothing fades while it is looked at."""
    context = browser.new_context(viewport=SCREEN, color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=PAGES, ids=lambda entry: entry.title)
def opened(request: pytest.FixtureRequest, tab, address: str) -> tuple:
    """A page of the list with all that it computes, and its title: opened once for all that is asked of it."""
    title = request.param.title
    tab.goto(f"{address}/{QUERIES.get(title, request.param.route.removeprefix('/'))}")
    tab.wait_for_selector(SOLVED[title])
    if title in LAST:
        tab.wait_for_selector(LAST[title])
    return tab, title


def test_an_enlarged_page_needs_no_sideways_scroll(opened) -> None:
    """Enlarged to 200 % and 400 %, as a reader with weak eyes has it."""
    page, _ = opened
    for percent in (200, 400):
        size = {name: pixels * 100 // percent for name, pixels in ENLARGED.items()}
        page.set_viewport_size(size)
        page.wait_for_function(f"({TOO_WIDE})().length === 0")  # charts measure anew
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.set_viewport_size(SCREEN)


@pytest.mark.parametrize("scheme", SWITCH)
def test_axe_finds_nothing_on_a_page(opened, scheme: str) -> None:
    page, title = opened
    turned(page, title, scheme)
    unfold(page)
    assert violations(page) == []


def test_axe_finds_nothing_in_the_dialog_on_the_projector_and_in_a_lesson(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/lessons?lesson=fixed-charge&shown=1&teacher=1")
    page.wait_for_selector(".mw-lesson svg[role=img]")
    for scheme in SWITCH:
        turned(page, "Lessons", scheme)
        unfold(page)
        assert violations(page) == []
    page.goto(f"{address}/compare?scenario=textbook&a=filed&b=rtp")
    page.wait_for_selector(LAST["Compare"])
    for scheme in SWITCH:
        turned(page, "Compare", scheme)
        page.click(".mw-nav-take")
        page.wait_for_selector("dialog.mw-take[data-told]")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.mw-take", state="detached")
        page.keyboard.press("p")
        page.wait_for_selector("html.mw-projector")
        assert violations(page) == []
        page.keyboard.press("p")
        page.wait_for_selector("html.mw-projector", state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_a_class(browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    teacher = context.new_page()
    teacher.goto(f"{address}/class")
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.fill('input[name="households"]', "100")
    teacher.click('button:has-text("Open a room")')
    code = teacher.inner_text(".cm-code")
    teacher.wait_for_selector("text=Day 1: 0 of 0 plans are in")
    student = context.new_page()
    student.goto(f"{address}/class?code={code}")
    student.fill('input[name="name"]', "Ada")
    student.click('button:has-text("Join")')
    student.wait_for_selector(".cm-hour")
    for page in (teacher, student):
        assert violations(page) == []
    student.click("text=Send plan")
    teacher.wait_for_selector("text=Day 1: 1 of 1 plans are in")
    teacher.click("text=Live the day")
    teacher.wait_for_selector(".mw-caption")
    student.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    for page in (teacher, student):
        unfold(page)
        assert violations(page) == []
    context.close()


def test_axe_would_find_a_fault(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/help")
    page.wait_for_selector(SOLVED["Help"])
    turned(page, "Help", "light")
    page.evaluate("document.querySelector('.mw h1').style.color = '#dddddd'")
    page.evaluate("document.querySelector('.mw-nav-take').replaceChildren()")
    page.evaluate("document.querySelector('.mw-nav-take').removeAttribute('title')")
    assert {found.split(":")[0] for found in violations(page)} == {"color-contrast", "button-name"}


def test_who_asks_for_less_motion_sees_none(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/compare?scenario=textbook")
    page.wait_for_selector(SOLVED["Compare"])
    moving = {}
    for asked in ("reduce", "no-preference"):
        page.emulate_media(reduced_motion=asked)
        moving[asked] = page.evaluate(MOVES)
    page.emulate_media(reduced_motion="reduce")
    assert moving["reduce"] == 0
    assert moving["no-preference"] > 0
