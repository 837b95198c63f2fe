"""WCAG 2.2, levels A and AA, as axe-core judges it: every page, light and dark, with all that can be unfolded."""

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
    "Hosting": "hosting?scenario=textbook&placements=10&step=25",
    "Leader": "leader?evaluations=5&run=1",
    "Learners": "learners?days=4&households=100",
}
LAST = {
    "Compare": '.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))',
    "Finite market": ".mw-sizes-gain",
    "Hosting": ".mw-files",
    "Leader": ".mw-files",
    "Learners": ".mw-learner-files",
}
"""What comes last on pages that go on computing."""


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


def coloured(page, title: str, scheme: str) -> None:
    """Wait until a page has its colours."""
    if title != "Class market":
        page.wait_for_function(f"document.querySelector('#app').classList.contains('theme--{scheme}')")


@pytest.fixture(scope="module")
def judged(browser, address: str) -> Iterator:
    """One tab for a scheme of colours; reduced motion, so that nothing fades while it is looked at."""
    tabs = {}

    def tab(scheme: str):
        if scheme not in tabs:
            context = browser.new_context(
                viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
            )
            context.set_default_timeout(PATIENCE_MS)
            tabs[scheme] = context.new_page()
        return tabs[scheme]

    yield tab
    for page in tabs.values():
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_axe_finds_nothing_on_a_page(judged, address: str, entry, scheme: str) -> None:
    page, title = judged(scheme), entry.title
    page.goto(f"{address}/{QUERIES.get(title, entry.route.removeprefix('/'))}")
    page.wait_for_selector(SOLVED[title])
    if title in LAST:
        page.wait_for_selector(LAST[title])
    coloured(page, title, scheme)
    unfold(page)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_dialog_on_the_projector_and_in_a_lesson(judged, address: str, scheme: str) -> None:
    page = judged(scheme)
    page.goto(f"{address}/lessons?lesson=fixed-charge&shown=1&teacher=1")
    page.wait_for_selector(".mw-lesson svg[role=img]")
    coloured(page, "Lessons", scheme)
    unfold(page)
    assert violations(page) == []
    page.goto(f"{address}/compare?scenario=textbook&a=filed&b=rtp")
    page.wait_for_selector(LAST["Compare"])
    page.click(".mw-nav-take")
    page.wait_for_selector("dialog.mw-take[data-told]")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.mw-take", state="detached")
    page.keyboard.press("p")
    page.wait_for_selector("html.mw-projector")
    assert violations(page) == []
    page.keyboard.press("p")


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


def test_axe_would_find_a_fault(judged, address: str) -> None:
    page = judged("light")
    page.goto(f"{address}/help")
    page.wait_for_selector(SOLVED["Help"])
    page.evaluate("document.querySelector('.mw h1').style.color = '#dddddd'")
    page.evaluate("document.querySelector('.mw-nav-take').replaceChildren()")
    page.evaluate("document.querySelector('.mw-nav-take').removeAttribute('title')")
    assert {found.split(":")[0] for found in violations(page)} == {"color-contrast", "button-name"}
